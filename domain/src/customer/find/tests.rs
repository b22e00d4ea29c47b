//! Finding, from the text to the hits in order.

use futures::executor::block_on;
use proptest::prelude::*;

use super::{FindQuery, FindService, FindStatus, Hit, HitClass, Hits, LookUp, Named};
use crate::{
    customer::CustomerAggregate,
    lifecycle::Status,
    testkit::{MemoryStore, a_caller, a_customer, an_id},
};

fn query(text: &str) -> FindQuery {
    FindQuery::new(text, None, FindStatus::Published).unwrap()
}

/// The hits among customers, without a store.
fn found(text: &str, customers: &[CustomerAggregate]) -> Vec<Hit> {
    let query = query(text);
    let mut hits = Hits::of(&query, Status::Published);
    let look_ups = [query.first(Status::Published), query.better(Status::Published)].concat();
    hits.add(Named::among(&look_ups, customers).customers, false);
    if hits.len() < query.limit() {
        hits.add(Named::among(&query.similar(Status::Published), customers).customers, true);
    }
    hits.in_order()
}

fn ids(hits: &[Hit]) -> Vec<&str> {
    hits.iter().map(|hit| hit.record.customer.external_id.as_str()).collect()
}

fn named(external_id: &str, name: &str) -> CustomerAggregate {
    a_customer(external_id).named(name).existing()
}

/// Gives each customer an id of its own; later ones are newer.
fn numbered<const N: usize>(mut customers: [CustomerAggregate; N]) -> [CustomerAggregate; N] {
    for (number, customer) in (1..).zip(&mut customers) {
        customer.customer.id = an_id(number);
    }
    customers
}

#[test]
fn names_are_found_whatever_their_case_accents_and_width() {
    for (name, texts) in [
        (
            "Müller & Söhne GmbH",
            &["muller", "MÜLLER", "sohne", "gmbh muller", "söhne gmbh", "mull", "müller & söhne"][..],
        ),
        ("Straßenbau Groß", &["strasse", "STRASSENBAU", "gross"]),
        ("テスト商事", &["ﾃｽﾄ", "テスト", "商事"]),
        ("株式会社田中", &["田中", "株式会社"]),
        ("김철수", &["김철수", "철수"]),
        ("Łukasz Żółć", &["lukasz", "zolc"]),
        ("Ærøskøbing Færge", &["aeroskobing", "faerge"]),
        ("Đặng Thị", &["dang thi"]),
        ("Ἀθηνᾶ ΕΠΕ", &["αθηνα", "επε"]),
        ("Королёв и сыновья", &["королев", "сыновья королёв"]),
        ("أحمد شركة", &["احمد", "شركة"]),
        ("O'Brien", &["obrien", "o'brien", "O’Brien"]),
        ("İstanbul Ticaret", &["istanbul", "ıstanbul"]),
    ] {
        let customers = numbered([named("one", name), named("other", "Nobody")]);
        for text in texts {
            assert_eq!(ids(&found(text, &customers)), ["one"], "{text} finds {name}");
        }
    }
}

#[test]
fn what_is_exactly_the_text_comes_first_then_what_begins_with_it_then_what_contains_it_then_near_misses() {
    let customers = numbered([
        named("a", "Kontor Meyer"),
        named("meyer", "Anybody"),
        named("c", "Meier"),
        named("d", "Meyer & Co"),
        a_customer("e").reached_at("meyer@example.com").existing(),
        named("f", "Obermeyer"),
        named("g", "Majer"),
    ]);
    let hits = found("meyer", &customers);
    let classes: Vec<_> = hits.iter().map(|hit| hit.class).collect();
    use HitClass::{Contains, Exact, Prefix, Similar};
    assert_eq!(classes, [Exact, Prefix, Prefix, Contains, Contains, Similar]);
    assert_eq!(ids(&hits), ["meyer", "d", "e", "a", "f", "c"]);
}

#[test]
fn a_hit_says_what_matched() {
    let customer = a_customer("acme").named("Große Müller KG").reached_at("info@muller.example").existing();
    let hits = found("mull", std::slice::from_ref(&customer));
    let matched: Vec<_> = hits[0].matched.iter().map(|text| (text.path.to_string(), text.ranges.clone())).collect();
    assert_eq!(matched, [("name".to_owned(), vec![[6, 10]]), ("email".to_owned(), vec![[5, 9]])]);
    let hits = found(&customer.customer.id.to_string(), std::slice::from_ref(&customer));
    assert_eq!((hits[0].class, hits[0].matched[0].path.to_string().as_str()), (HitClass::Exact, "id"));
    let hits = found("kg gross", &[customer]);
    assert_eq!(hits[0].matched[0].ranges, [[0, 4], [13, 15]], "ß is two letters, and one of the text");
}

#[test]
fn identifiers_are_exact_only_with_their_punctuation() {
    let customers = numbered([named("cus-1", "A"), named("cus1", "B"), named("cus-12", "C")]);
    let classes = |text| found(text, &customers).iter().map(|hit| hit.class).collect::<Vec<_>>();
    assert_eq!(classes("CUS-1"), [HitClass::Exact, HitClass::Contains, HitClass::Contains]);
    assert_eq!(classes("cus1"), [HitClass::Exact]);
    let with_tax_id = a_customer("d").with_tax_id("unknown", "DE123456789").existing();
    let hits = found("DE 123 456 789", std::slice::from_ref(&with_tax_id));
    assert_eq!((hits[0].class, hits[0].matched[0].path.to_string().as_str()), (HitClass::Exact, "tax_ids[0].value"));
    assert_eq!(found("3456", &[with_tax_id])[0].class, HitClass::Contains);
}

#[test]
fn one_typing_error_is_forgiven_in_words_of_four_letters_or_more() {
    for (name, text) in [
        ("Anna Schmidt", "schmitd"),
        ("Anna Schmidt", "schmdt"),
        ("Anna Schmidt", "shmidt"),
        ("Anna Schmidt", "anna schmitt"),
        ("Anna Schmidt", "schmiddt"),
        ("Meyer", "meier"),
        ("Meyer", "meyr"),
        ("Maier", "mayer"),
        ("Jones", "jnoes"),
        ("Kowalski", "kowalksi"),
        ("Kowalski", "kovalski"),
        ("Kowalski", "kwalski"),
        ("Kowalski", "kowalskii"),
        ("Maschinenfabrik Augsburg", "machinenfabrik"),
        ("Maschinenfabrik Augsburg", "augsbrug maschinen"),
        ("Lyonnaise", "lyonaise"),
    ] {
        let hits = found(text, &numbered([named("one", name), named("other", "Nobody Inc")]));
        assert_eq!(ids(&hits), ["one"], "{text} finds {name}");
        assert_eq!(hits[0].class, HitClass::Similar);
    }
    for (name, text) in
        [("Anna Schmidt", "schmtdi"), ("Jones", "jenos"), ("Ana", "anna"), ("Anna Schmidt", "ana schmitt")]
    {
        assert!(found(text, &[named("one", name)]).is_empty(), "{text} does not find {name}");
    }
}

#[test]
fn every_text_that_people_remember_is_found() {
    let builder =
        a_customer("sub/4711").named("Gemüsehof").reached_at("hof@bauern.example").incorporated("Krautland AG");
    let builder = builder.in_city("Zwickau").tagged("wholesale").with_person("Ottilie", "otti@feld.example");
    let builder = builder.with_tax_id("unknown", "XX998877").linked("stripe", "cus_Nffrs").noted("segment", "organic");
    let customer = builder.existing();
    for (path, text) in [
        ("external_id", "sub/4711"),
        ("name", "gemuse"),
        ("email", "hof@bauern"),
        ("legal_name", "krautland"),
        ("address_city", "zwickau"),
        ("tags[0]", "wholesale"),
        ("contact_persons[0].first_name", "ottilie"),
        ("contact_persons[0].email", "feld.example"),
        ("tax_ids[0].value", "XX 998 877"),
        ("integrations[0].provider_entity_id", "cus_nffrs"),
        ("metadata.segment", "organic"),
    ] {
        let hits = found(text, std::slice::from_ref(&customer));
        assert_eq!(hits.len(), 1, "{path}");
        assert!(hits[0].matched.iter().any(|text| text.path.to_string() == path), "{path}: {:?}", hits[0].matched);
    }
}

#[test]
fn the_text_has_two_to_two_hundred_characters_and_the_limit_is_bounded() {
    let refused = |text: &str, limit| {
        let refused = FindQuery::new(text, limit, FindStatus::Published).map(drop);
        refused.map_err(|broken| broken.iter().map(|one| (one.path.clone(), one.rule)).collect::<Vec<_>>())
    };
    assert_eq!(refused("ab", Some(50)), Ok(()));
    assert_eq!(refused(&"é".repeat(200), None), Ok(()));
    assert_eq!(refused(" a ", None), Err(vec![("q".to_owned(), "length")]));
    assert_eq!(refused(&"é".repeat(201), None), Err(vec![("q".to_owned(), "length")]));
    for limit in [0, 51, 65_537] {
        assert_eq!(refused("ab", Some(limit)), Err(vec![("limit".to_owned(), "range")]));
    }
    assert!(found("!!", &[named("one", "!!")]).is_empty(), "punctuation is not a word");
    let two_letters = found("a b", &[named("ab", "B A")]);
    assert_eq!(ids(&two_letters), ["ab"], "an identifier, when its punctuation does not count");
}

#[test]
fn more_customers_than_are_compared_do_not_hide_the_better_ones() {
    let mut customers = Vec::new();
    let mut add = |external_id: &str, name: &str| {
        let mut customer = named(external_id, name);
        customer.customer.id = an_id(u32::try_from(customers.len()).unwrap() + 1);
        customers.push(customer);
    };
    add("acme", "The oldest");
    add("b", "Acme, the second");
    for number in 0..LookUp::MOST + 10 {
        add(&format!("c{number}"), "The Acme of many");
    }
    let hits = found("acme", &customers);
    assert_eq!(&ids(&hits)[..2], ["acme", "b"]);
    assert_eq!(hits.len(), 2 + LookUp::MOST);
    assert_eq!(hits[2].record.customer.external_id.as_str(), format!("c{}", LookUp::MOST + 9));
}

#[test]
fn archived_customers_come_last_and_only_with_all() {
    let store = std::sync::Arc::new(MemoryStore::default());
    let service = FindService { finder: store.clone() };
    let mut archived = named("a", "Acme");
    archived.customer.status = Status::Archived;
    let all = FindQuery::new("acme", None, FindStatus::All).unwrap();
    let mut hits = Hits::of(&all, Status::Archived);
    hits.add([archived.clone(), named("b", "Acme")], false);
    assert_eq!(ids(&hits.in_order()), ["a"]);
    assert_eq!(all.statuses(), [Status::Published, Status::Archived]);
    assert_eq!(query("acme").statuses(), [Status::Published]);
    assert!(block_on(service.find(&a_caller(), &all)).unwrap().is_empty());
    archived.customer.status = Status::Deleted;
    assert!(archived.find_tokens().is_empty());
}

proptest! {
    /// The index never hides a customer: each part of a text finds it.
    #[test]
    fn a_part_of_a_name_has_tokens_of_the_whole(
        name in "[a-zA-ZäÖß田中テﾃøé' .-]{3,24}",
        from in 0_usize..20,
        length in 3_usize..12,
    ) {
        let characters: Vec<char> = name.chars().collect();
        let part: String = characters.iter().skip(from).take(length).collect();
        prop_assume!(crate::customer::CustomerName::new(name.as_str()).is_ok());
        let Ok(query) = FindQuery::new(&part, None, FindStatus::Published) else { return Ok(()) };
        let customer = named("x", &name);
        for look_up in query.first(Status::Published) {
            // Words of two letters are found at the beginning of words only.
            if query.whole.words().all(|word| word.len() > 2) {
                prop_assert!(look_up.names(&customer), "{} in {}", part, name);
            }
        }
    }

    #[test]
    fn a_typing_error_has_tokens_of_the_word(word in "[a-d]{4,12}", at in 0_usize..12, letter in "[a-z]", kind in 0..4) {
        let mut typed: Vec<char> = word.chars().collect();
        let at = at % typed.len();
        let letter = letter.chars().next().unwrap();
        match kind {
            0 => typed.insert(at, letter),
            1 => drop(typed.remove(at)),
            2 => typed[at] = letter,
            _ => typed.swap(at, (at + 1) % word.len()),
        }
        // The last and the first are not neighbours.
        prop_assume!(kind < 3 || at + 1 < word.len());
        let typed = String::from_iter(typed);
        prop_assume!(typed.len() > 3 && typed != word && !word.contains(&typed));
        let hits = found(&typed, &[named("x", &word)]);
        prop_assert_eq!(hits.len(), 1, "{} for {}", typed, word);
    }
}
