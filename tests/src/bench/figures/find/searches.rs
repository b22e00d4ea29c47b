//! The requests: each kind of search, for many of the generated customers.

use serde_json::{Value, json};

use super::PREFIX;
use crate::{
    load::Operation,
    server::Server,
    template::{Random, Template},
};

/// The number of customers in the sample.
const SAMPLE: usize = 200;

/// One kind of search.
pub(super) struct Searches {
    /// Its name in the table.
    pub(super) name: &'static str,
    /// The target: how often longer it may take over many customers.
    pub(super) ratio: f64,
    /// The target: the median over many customers, in milliseconds.
    pub(super) most: Option<f64>,
    /// One request for each customer.
    pub(super) operations: Vec<Operation>,
}

impl Searches {
    fn new(name: &'static str, ratio: f64, most: Option<f64>, templates: impl Iterator<Item = Template>) -> Self {
        let operations = templates.map(|template| Operation { template, expected: 200, weight: 1 }).collect();
        Self { name, ratio, most, operations }
    }
}

/// Every kind of search, for a sample of this many customers.
pub(super) fn searches(server: &Server, customers: u64) -> Vec<Searches> {
    let sample = sample(server, customers);
    let search = |body: Value| Template::new("POST", "/v1/customers/search", &[], Some(&body));
    let rare = |one: &Value| {
        let value = json!({ "string": text(one, "external_id").trim_start_matches(PREFIX) });
        search(json!({ "filters": [{ "field": "external_id", "operator": "contains", "value": value }] }))
    };
    let country = |one: &Value| {
        let value = json!({ "string": text(one, "address_country") });
        search(json!({ "limit": 50, "filters": [{ "field": "address_country", "operator": "eq", "value": value }] }))
    };
    let by_name =
        || search(json!({ "limit": 50, "sort": [{ "field": "name", "direction": "asc" }], "include_total": false }));
    let words: Vec<String> = sample.iter().map(longest_word).collect();
    for word in words.iter().take(20) {
        for text in [word.clone(), mistyped(word)] {
            let found = ask(server, &mut find(&text));
            assert!(found["items"].as_array().is_some_and(|items| !items.is_empty()), "{text} is not found");
        }
    }
    let two = |(one, word): (&Value, &String)| find(&format!("{} {word}", text(one, "address_city")));
    let half = |word: &String| find(&word.chars().take((word.chars().count() / 2).max(3)).collect::<String>());
    vec![
        Searches::new("find by a word of a name", 2.0, Some(10.0), words.iter().map(|word| find(word))),
        Searches::new("find by half a word", 2.0, Some(10.0), words.iter().map(half)),
        Searches::new("find by two words", 2.0, Some(10.0), sample.iter().zip(&words).map(two)),
        Searches::new("find with a typing error", 5.0, Some(50.0), words.iter().map(|word| find(&mistyped(word)))),
        Searches::new("contains, a rare text", 1.5, None, sample.iter().map(rare)),
        Searches::new("page of 50 by country, with total", 1.5, None, sample.iter().map(country)),
        Searches::new("first page by name", 1.3, None, [by_name()].into_iter()),
    ]
}

fn text(one: &Value, field: &str) -> String {
    one[field].as_str().expect("a text").to_owned()
}

fn longest_word(one: &Value) -> String {
    let name = text(one, "name");
    name.split(' ').max_by_key(|word| word.chars().count()).expect("a word").to_owned()
}

/// The word with its third and fourth letters swapped, or doubled where they are equal.
fn mistyped(word: &str) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    match letters.get(2..4) {
        Some([one, other]) if one != other => letters.swap(2, 3),
        _ => letters.insert(2, 'x'),
    }
    String::from_iter(letters)
}

fn find(text: &str) -> Template {
    let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    Template::new("GET", &format!("/v1/customers/find?q={encoded}"), &[], None)
}

/// Customers drawn at random, as the server returns them.
fn sample(server: &Server, customers: u64) -> Vec<Value> {
    let mut random = Random::new();
    let mut one = || {
        let path = format!("/v1/customers/external/{PREFIX}{:09}", 1 + random.next() % customers);
        Template::new("GET", &path, &[], None)
    };
    (0..SAMPLE).map(|_| ask(server, &mut one())).collect()
}

/// Sends one request and returns the body of the answer.
fn ask(server: &Server, template: &mut Template) -> Value {
    let (answer, bytes) = server.ask(template.next(&mut Random::new(), &[]));
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&bytes));
    serde_json::from_slice(&bytes[answer.lengths.0..]).expect("JSON")
}
