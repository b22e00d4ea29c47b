//! Finding over both databases, after random changes, against a comparison of every customer. Each run has a new seed;
//! `PATRON_TEST_SEED` repeats one.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use patron_adapters::persistence::{Database, DatabaseUrl, OpenOptions};
use patron_domain::{
    customer::{
        Amendment, ChangeCustomer, CustomerAggregate, CustomerChange, CustomerName, CustomerUpdate, ExternalId, Stamp,
        find::{CustomerFinder, FindQuery, FindService, FindStatus, Hit, LookUp, Named},
    },
    ids::{CustomerId, IdSequence},
    patch::Patch,
    store::StoreError,
    tenancy::EnvironmentScope,
    testkit::{CustomerBuilder, a_caller, a_customer, a_scope, a_time},
    time::Timestamp,
};
use patron_tests::{
    patron::{Backend, Place},
    seed::seed,
    wait::TIMEOUT,
};
use rstest::rstest;

/// Words that are alike, and of different scripts and lengths.
const WORDS: [&str; 28] = [
    "Müller",
    "Muller",
    "Mueller",
    "Meyer",
    "Meier",
    "Maier",
    "Schmidt",
    "Schmitt",
    "GmbH",
    "Straße",
    "strasse",
    "田中",
    "株式会社",
    "テスト",
    "ﾃｽﾄ",
    "Łódź",
    "O'Brien",
    "Anna",
    "ana",
    "José",
    "12",
    "ab-1",
    "acme",
    "acme-corp",
    "kraftwerke",
    "Kraftwerk",
    "x",
    "Παπαδόπουλος",
];

/// A sequence of choices (Knuth's MMIX linear congruential generator).
struct Choices(u64);

impl Choices {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn word(&mut self) -> &'static str {
        WORDS[self.below(WORDS.len())]
    }

    fn name(&mut self) -> String {
        let words: Vec<_> = (0..=self.below(3)).map(|_| self.word()).collect();
        words.join([" ", "-", ", "][self.below(3)])
    }

    fn customer(&mut self, number: usize) -> CustomerBuilder {
        let mut new = a_customer(&format!("{}{number}", self.word())).named(&self.name());
        if self.below(2) == 0 {
            new = new.reached_at(&format!("a{number}@{}.example", ["acme", "meyer", "kraftwerk"][self.below(3)]));
        }
        if self.below(3) == 0 {
            new = new.in_city(self.word());
        }
        if self.below(3) == 0 {
            new = new.tagged(self.word()).noted("word", self.word());
        }
        if self.below(4) == 0 {
            new = new.with_person(self.word(), "someone@example.com").with_tax_id("unknown", "XX123456");
        }
        if self.below(4) == 0 { new.linked("stripe", &format!("cus_{number}")) } else { new }
    }

    /// A text that finds some: words, parts of them, and words with a typing error.
    fn text(&mut self) -> String {
        let words = (0..=self.below(2)).map(|_| {
            let mut word: Vec<char> = self.word().chars().collect();
            match self.below(4) {
                0 => word.truncate(2 + self.below(5)),
                1 if word.len() > 3 => drop(word.remove(self.below(word.len()))),
                2 if word.len() > 3 => word.swap(1, 2),
                _ => {}
            }
            String::from_iter(word)
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

/// Compares every customer.
#[derive(Default)]
struct Everybody(Mutex<BTreeMap<CustomerId, CustomerAggregate>>);

#[async_trait::async_trait]
impl CustomerFinder for Everybody {
    async fn named(&self, _: &EnvironmentScope, look_ups: Vec<LookUp>) -> Result<Named, StoreError> {
        Ok(Named::among(&look_ups, self.0.lock().unwrap().values()))
    }
}

/// What is compared of hits.
fn shown(hits: Vec<Hit>) -> Vec<String> {
    let one = |hit: Hit| {
        let matched: Vec<_> = hit.matched.iter().map(|one| format!("{} {:?}", one.path, one.ranges)).collect();
        format!("{} {} {} {matched:?}", hit.record.customer.id, hit.class, hit.similarity)
    };
    hits.into_iter().map(one).collect()
}

async fn opened(place: &Place) -> Database {
    let url = DatabaseUrl::parse(place.database_url()).unwrap();
    Database::open(&url, OpenOptions { timeout: TIMEOUT, ..OpenOptions::default() }).await.unwrap()
}

fn command(change: CustomerChange, number: usize) -> ChangeCustomer {
    let at = Timestamp::from_micros(a_time().micros() + 1_000 * i64::try_from(number).unwrap()).unwrap();
    let mut random = [0; 10];
    random[..8].copy_from_slice(&number.to_be_bytes());
    ChangeCustomer::new(change, Stamp { ids: IdSequence::start(at, random), at, request_id: None })
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_same_customers_are_found_as_by_comparing_all(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let database = opened(&place).await;
    let everybody = Arc::new(Everybody::default());
    let mut choices = Choices(seed().into());
    let change = async |change: CustomerChange, number: usize| {
        let changed = database.customers.change(&a_scope(), command(change, number)).await;
        let state = changed.unwrap().event.state;
        let id = state.customer.id;
        everybody.0.lock().unwrap().insert(id, state);
        id
    };
    let mut ids = Vec::new();
    for number in 0..250 {
        let new = choices.customer(number).build();
        ids.push(change(CustomerChange::Create(new), number).await);
    }
    let mut archived = std::collections::BTreeSet::new();
    for number in 250..330 {
        let id = ids[choices.below(ids.len())];
        let name = Patch::Set(CustomerName::new(choices.name()).unwrap());
        let external_id = (choices.below(2) == 0).then(|| ExternalId::new(format!("renamed-{number}")).unwrap());
        let update = CustomerUpdate { name, external_id, ..CustomerUpdate::default() };
        let amendment = match choices.below(3) {
            _ if archived.remove(&id) => Amendment::Restore,
            0 if archived.insert(id) => Amendment::Archive,
            _ => Amendment::Update(Box::new(update)),
        };
        change(CustomerChange::Amend(id, amendment), number).await;
    }
    let of_database = FindService { finder: database.finder.clone() };
    let of_all = FindService { finder: everybody.clone() };
    let mut found = 0;
    for number in 0..400 {
        let text = if number == 0 { ids[7].to_string() } else { choices.text() };
        let status = [FindStatus::Published, FindStatus::All][choices.below(2)];
        let limit = 1 + u64::try_from(choices.below(50)).unwrap();
        let Ok(query) = FindQuery::new(&text, Some(limit), status) else { continue };
        let wanted = shown(of_all.find(&a_caller(), &query).await.unwrap());
        found += wanted.len();
        assert_eq!(shown(of_database.find(&a_caller(), &query).await.unwrap()), wanted, "{text}");
    }
    assert!(found > 1_000, "only {found}");
    database.close().await;
}

/// The tokens of a former name are removed from SQLite's file.
#[tokio::test(flavor = "multi_thread")]
async fn a_changed_name_leaves_nothing_in_the_index_of_sqlite() {
    let place = Place::fresh(Backend::Sqlite).await;
    let database = opened(&place).await;
    let created = a_customer("acme").named("Quizzical Xylophone").build();
    let created = database.customers.change(&a_scope(), command(CustomerChange::Create(created), 1)).await.unwrap();
    let terms = async || {
        let connection = patron_tests::rows::open(place.database_url().trim_start_matches("sqlite://").as_ref());
        connection
            .execute_batch("CREATE VIRTUAL TABLE temp.terms USING fts5vocab (main, customer_tokens, row)")
            .unwrap();
        connection.query_row("SELECT count(*) FROM temp.terms", [], |row| row.get::<_, i64>(0)).unwrap()
    };
    let before = terms().await;
    let name = Patch::Set(CustomerName::new("Al").unwrap());
    let update = Amendment::Update(Box::new(CustomerUpdate { name, ..CustomerUpdate::default() }));
    let id = created.event.state.customer.id;
    let changed = database.customers.change(&a_scope(), command(CustomerChange::Amend(id, update), 2)).await.unwrap();
    let wanted = changed.event.state.find_tokens().as_slice().len();
    assert!(before > 15, "{before} tokens");
    assert_eq!(usize::try_from(terms().await).unwrap(), wanted);
    database.close().await;
}
