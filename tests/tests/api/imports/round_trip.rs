//! Any customers survive an export and an import, as CSV and as JSON lines.

use std::collections::BTreeMap;

use patron_tests::{
    patron::{Answer, Backend, Place, Server, send},
    requests::{custom_fields, tax_rate},
};
use proptest::{prelude::*, sample::select, test_runner::TestRunner};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};
use tokio::time::sleep;

/// Texts that a reader of CSV files, of JSON or a spreadsheet could take for something else.
const HOSTILE: [&str; 22] = [
    "a,b",
    "\"q\"",
    "say \"x\", or 'y'",
    "\"",
    ";",
    "a;b",
    "=1+1",
    "-2",
    "@x",
    "null",
    "true",
    "0123",
    "1e5",
    "[1]",
    "{}",
    "[",
    "'",
    "a|b",
    "\\n",
    "\u{feff}x",
    "日本 🦀",
    "a\u{301}",
];

/// A text. One of blanks alone is a blank cell in a CSV file, so it is left out.
fn text() -> BoxedStrategy<String> {
    let text = prop_oneof![select(&HOSTILE[..]).prop_map(str::to_owned), "\\PC{1,8}", "[a-z,\";' ]{1,8}"];
    text.prop_filter("blank", |text| !text.trim().is_empty()).boxed()
}

/// The same with tabs and line breaks.
fn lines() -> BoxedStrategy<String> {
    prop_oneof![text(), "[a,\"]{0,2}(\r\n|\n|\r|\t)[b,\"]{1,2}"].boxed()
}

/// An object with some of these members, which are texts.
fn texts(members: &'static [&'static str], text: fn() -> BoxedStrategy<String>) -> BoxedStrategy<Value> {
    let members: Vec<_> =
        members.iter().map(|member| prop::option::of(text()).prop_map(|text| (*member, text))).collect();
    members.prop_map(|members| members.into_iter().filter_map(|(name, text)| Some((name, text?))).collect()).boxed()
}

/// One of some values, or none.
fn word(words: &'static [&'static str]) -> BoxedStrategy<Option<&'static str>> {
    prop::option::of(select(words)).boxed()
}

fn pairs() -> BoxedStrategy<BTreeMap<String, String>> {
    prop::collection::btree_map(text(), text(), 0..3).boxed()
}

fn people() -> BoxedStrategy<Vec<Value>> {
    let person = (text(), texts(&["last_name", "mobile", "designation"], text), prop::option::of(text()));
    let person = person.prop_map(|(first_name, mut person, role)| {
        person["first_name"] = json!(first_name);
        person["roles"] = json!(role.into_iter().collect::<Vec<_>>());
        person
    });
    prop::collection::vec(person, 0..3).boxed()
}

fn exemptions() -> BoxedStrategy<Vec<Value>> {
    let places = word(&["US", "DE"]);
    let exemption = (texts(&["certificate_number"], text), prop::option::of(lines()), places, any::<bool>());
    let exemption = exemption.prop_map(|(mut exemption, note, country, of_a_rate)| {
        exemption["reason"] = json!("nonprofit");
        exemption["note"] = json!(note);
        exemption["country"] = json!(country);
        exemption["tax_rate_codes"] = json!(if of_a_rate { vec!["VAT"] } else { Vec::new() });
        exemption
    });
    prop::collection::vec(exemption, 0..2).boxed()
}

fn overrides() -> BoxedStrategy<Vec<Value>> {
    let one = (any::<bool>(), 0..9_u8, any::<bool>(), pairs()).prop_map(|(vat, priority, auto_apply, metadata)| {
        let code = if vat { "VAT" } else { "GST, \"new\"" };
        json!({ "tax_rate_code": code, "priority": priority, "auto_apply": auto_apply, "metadata": metadata })
    });
    let currencies = ["eur", "usd", "inr"];
    let all = prop::collection::vec(one, 0..3);
    all.prop_map(move |all| {
        let with = |(mut one, currency): (Value, &str)| {
            one["currency"] = json!(currency);
            one
        };
        all.into_iter().zip(currencies).map(with).collect()
    })
    .boxed()
}

fn links() -> BoxedStrategy<Vec<Value>> {
    let link = (select(vec!["stripe", "crm", "a, \"b\""]), text(), pairs());
    let link = link.prop_map(
        |(provider, id, metadata)| json!({ "provider_type": provider, "provider_entity_id": id, "metadata": metadata }),
    );
    prop::collection::vec(link, 0..2).boxed()
}

/// The body of a create. Some are refused, because not every text fits every field.
fn customer() -> BoxedStrategy<Value> {
    let parts = (
        texts(&["name", "legal_name", "address_city", "buyer_reference", "registration_number"], text),
        texts(&["line1", "line2", "name", "city"], lines),
        prop::option::of(lines()),
        (word(&["a@b.example", "\"a\"@b.example", "ä@ö.example"]), word(&["EUR", "inr"]), word(&["DE", "IN"])),
        (word(&["taxable", "exempt", "reverse_charge"]), word(&["company", "individual"]), word(&["Europe/Berlin"])),
        (pairs(), prop::collection::vec(text(), 0..3), prop::option::of(select(vec!["de-AT", "en"]))),
        (people(), exemptions(), overrides(), links()),
        (any::<bool>(), prop::option::of(0..99_u8), word(&["gold", "silver"]), prop::option::of(text())),
    );
    let body = parts.prop_map(|(mut body, shipping, line, words, kinds, lists, objects, (vat, seats, tier, note))| {
        let set = |body: &mut Value, name: &str, value: Value| {
            if !value.is_null() {
                body[name] = value;
            }
        };
        set(&mut body, "address_line1", json!(line));
        set(&mut body, "email", json!(words.0));
        set(&mut body, "billing_currency", json!(words.1));
        set(&mut body, "address_country", json!(words.2));
        set(&mut body, "tax_treatment", json!(kinds.0));
        set(&mut body, "customer_type", json!(kinds.1));
        set(&mut body, "timezone", json!(kinds.2));
        let mut fields = json!({});
        set(&mut fields, "seats", json!(seats));
        set(&mut fields, "tier", json!(tier));
        set(&mut fields, "note", json!(note));
        body["shipping_address"] = shipping;
        body["custom_fields"] = fields;
        body["metadata"] = json!(lists.0);
        body["tags"] = json!(lists.1);
        body["preferred_locales"] = json!(lists.2.into_iter().collect::<Vec<_>>());
        body["contact_persons"] = json!(objects.0);
        body["tax_exemptions"] = json!(objects.1);
        body["tax_rate_overrides"] = json!(objects.2);
        body["integration_entity_mapping"] = json!(objects.3);
        body["tax_ids"] = if vat { json!([{ "type": "eu_vat", "value": "DE136695976" }]) } else { json!([]) };
        body
    });
    (text(), body)
        .prop_map(|(external_id, mut body)| {
            body["external_id"] = json!(external_id);
            body
        })
        .boxed()
}

/// An environment with what the customers refer to.
struct Environment<'s> {
    server: &'s Server,
    key: String,
}

impl<'s> Environment<'s> {
    async fn new(server: &'s Server) -> Self {
        let name = json!({ "name": "Another", "type": "development" });
        let made = server.post("/v1/environments", &name).await.expect(201);
        let key = json!({ "name": "k", "type": "private_key", "roles": ["super_admin"], "environment_id": made["id"] });
        let key = server.post("/v1/secrets/api/keys", &key).await.expect(201)["api_key"].clone();
        let environment = Self { server, key: key.as_str().unwrap().to_owned() };
        for code in ["VAT", "GST, \"new\""] {
            environment.post("/v1/taxes/rates", &tax_rate(code)).await.expect(201);
        }
        let [seats, tier, _] = custom_fields();
        for field in [seats, tier, json!({ "key": "note", "type": "string" })] {
            environment.post("/v1/custom-fields", &field).await.expect(201);
        }
        environment
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        send(self.server.request_as(&self.key, Method::POST, path).json(body)).await
    }

    async fn export(&self, format: &str) -> String {
        let path = format!("/v1/customers/export?format={format}");
        self.server.request_as(&self.key, Method::GET, &path).send().await.unwrap().text().await.unwrap()
    }

    /// Imports a file, and returns the counts of the rows.
    async fn import(&self, query: &str, file: String) -> Value {
        let upload = self.server.request_as(&self.key, Method::POST, &format!("/v1/imports?{query}"));
        let id = send(upload.body(file)).await.expect(202)["id"].as_str().unwrap().to_owned();
        loop {
            let import = send(self.server.request_as(&self.key, Method::GET, &format!("/v1/imports/{id}"))).await;
            let import = import.expect(200);
            if !["checking", "running"].contains(&import["state"].as_str().unwrap()) {
                let errors = self.server.request_as(&self.key, Method::GET, &format!("/v1/imports/{id}/errors"));
                let errors = send(errors).await.expect(200);
                assert_eq!(import["counts"]["failed"], 0, "{import:#} {errors:#}");
                return import["counts"].clone();
            }
            sleep(std::time::Duration::from_millis(50)).await;
        }
    }

    /// The customers by their external ids, without what differs between environments.
    async fn customers(&self) -> BTreeMap<String, Value> {
        let rows = self.export("ndjson").await;
        let rows = rows.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).map(|mut row| {
            strip(&mut row);
            (row["external_id"].as_str().unwrap().to_owned(), row)
        });
        rows.collect()
    }
}

/// Removes ids, times, actors and versions.
fn strip(value: &mut Value) {
    const REMOVED: [&str; 8] =
        ["id", "tenant_id", "environment_id", "created_at", "created_by", "updated_at", "updated_by", "version"];
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !REMOVED.contains(&name.as_str()));
            // Metadata has keys of any name.
            members.iter_mut().filter(|(name, _)| *name != "metadata").for_each(|(_, member)| strip(member));
        }
        Value::Array(values) => values.iter_mut().for_each(strip),
        _ => {}
    }
}

/// Creates the customers, exports them, and imports the files. Returns how many were created.
async fn survives(server: &Server, customers: &[Value]) -> usize {
    let source = Environment::new(server).await;
    let items: Vec<_> = customers.iter().map(|body| json!({ "op": "create", "body": body })).collect();
    let made = source.post("/v1/customers/batch", &json!({ "items": items })).await.expect(207);
    let count = made["succeeded"].as_u64().unwrap();
    let before = source.customers().await;
    assert_eq!(before.len() as u64, count);
    for format in ["csv", "ndjson"] {
        if count == 0 {
            continue;
        }
        let file = source.export(format).await;
        let same = source.import(&format!("format={format}&mode=upsert&dry_run=true"), file.clone()).await;
        assert_eq!(same["unchanged"], count, "{format}: {same:#}\n{file}");
        let target = Environment::new(server).await;
        let created = target.import(&format!("format={format}&mode=create"), file.clone()).await;
        assert_eq!(created["created"], count);
        assert_eq!(target.customers().await, before, "{format}:\n{file}");
    }
    usize::try_from(count).unwrap()
}

#[rstest]
fn customers_survive_an_export_and_an_import(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let place = runtime.block_on(Place::fresh(backend));
    let server = place.serve();
    let config =
        ProptestConfig { cases: 3, max_shrink_iters: 12, failure_persistence: None, ..ProptestConfig::default() };
    let (mut runner, made) = (TestRunner::new(config), std::cell::Cell::new(0));
    let customers = prop::collection::vec(customer(), 20..40);
    let outcome = runner.run(&customers, |customers| {
        made.set(made.get() + runtime.block_on(survives(&server, &customers)));
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    assert!(made.get() > 20, "too few of the customers were accepted: {}", made.get());
}
