//! Whether finding customers, filters and totals take longer with more customers.

use patron_tests::patron::Backend;
use serde_json::{Value, json};

use super::sizes::{Kind, compare, sample};
use crate::{cli::Options, server::Server, template::Template};

/// The prefix of the external ids of generated customers.
const PREFIX: &str = "found-";

/// Each kind of search over few customers, against the same over many.
pub(crate) fn find(options: &Options, backend: Backend, few: u64, many: u64) {
    let (_stage, _server) = compare(options, backend, ("searches", PREFIX), [few, many], searches);
}

/// Every kind of search, for a sample of this many customers.
fn searches(server: &Server, customers: u64) -> Vec<Kind> {
    let sample = sample(server, PREFIX, customers);
    let search = |body: Value| Template::new("POST", "/v1/customers/search", &[], Some(&body));
    let filter = |field: &str, operator: &str, value: &str| {
        search(json!({ "filters": [{ "field": field, "operator": operator, "value": { "string": value } }] }))
    };
    let rare = |one: &Value| filter("external_id", "contains", text(one, "external_id").trim_start_matches(PREFIX));
    let part_of_phone = |one: &Value| {
        let number = text(one, "contact");
        let digits = number.rsplit(' ').next().unwrap_or(&number);
        filter("contact", "contains", digits)
    };
    let phone = |one: &Value| filter("contact", "eq", &text(one, "contact"));
    let country = |one: &Value| {
        let value = json!({ "string": text(one, "address_country") });
        search(json!({ "limit": 50, "filters": [{ "field": "address_country", "operator": "eq", "value": value }] }))
    };
    let by_name =
        search(json!({ "limit": 50, "sort": [{ "field": "name", "direction": "asc" }], "include_total": false }));
    let words: Vec<String> = sample.iter().map(longest_word).collect();
    for word in words.iter().take(20) {
        for text in [word.clone(), mistyped(word)] {
            let found = server.json(&found(&text), 200);
            assert!(found["items"].as_array().is_some_and(|items| !items.is_empty()), "{text} is not found");
        }
    }
    let two = |(one, word): (&Value, &String)| found(&format!("{} {word}", text(one, "address_city")));
    let half = |word: &String| found(&word.chars().take((word.chars().count() / 2).max(3)).collect::<String>());
    vec![
        Kind::new("find by a word of a name", 2.0, words.iter().map(|word| found(word))).within(10.0),
        Kind::new("find by half a word", 2.0, words.iter().map(half)).within(10.0),
        Kind::new("find by two words", 2.0, sample.iter().zip(&words).map(two)).within(10.0),
        Kind::new("find with a typing error", 5.0, words.iter().map(|word| found(&mistyped(word)))).within(50.0),
        Kind::new("contains, a rare text", 1.5, sample.iter().map(rare)),
        Kind::new("contains, a rare part of a phone number", 1.5, sample.iter().map(part_of_phone)),
        Kind::new("eq, a rare phone number", 1.5, sample.iter().map(phone)),
        Kind::new("page of 50 by country, with total", 1.5, sample.iter().map(country)),
        Kind::new("first page by name", 1.3, [by_name].into_iter()),
    ]
}

fn text(one: &Value, field: &str) -> String {
    one[field].as_str().expect("a text").to_owned()
}

fn longest_word(one: &Value) -> String {
    let name = text(one, "name");
    name.split(' ').max_by_key(|word| word.chars().count()).expect("a word").to_owned()
}

/// The word with its third and fourth letters swapped, or with a letter inserted if they are equal or missing.
fn mistyped(word: &str) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    match letters.get(2..4) {
        Some([one, other]) if one != other => letters.swap(2, 3),
        _ => letters.insert(2, 'x'),
    }
    String::from_iter(letters)
}

/// The request that finds customers by a text.
fn found(text: &str) -> Template {
    let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    Template::new("GET", &format!("/v1/customers/find?q={encoded}"), &[], None)
}
