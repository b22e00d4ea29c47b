//! Requests as bytes, rendered once; for each sending only what differs is written over, at the same length.

use patron_tests::{patron::KEY, requests};
use serde_json::{Value, json};

/// The place of 16 digits that are unique in each request.
pub(crate) const FRESH: &str = "################";
/// Stands for the id of a customer that is there, drawn at random.
pub(crate) const KNOWN_ID: &str = "$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$";
/// Stands for the digits in the external id of that customer.
pub(crate) const KNOWN_DIGITS: &str = "%%%%%%%%%%%%%%%%";

/// A customer that is there.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    /// Its id.
    pub(crate) id: String,
    /// The digits in its external id.
    pub(crate) digits: String,
}

impl Known {
    /// From an id and an external id, when they are of the form that the templates write.
    pub(crate) fn of((id, external_id): (String, String)) -> Option<Self> {
        let digits = external_id.strip_prefix("bench-")?.to_owned();
        (id.len() == KNOWN_ID.len() && digits.len() == KNOWN_DIGITS.len()).then_some(Self { id, digits })
    }
}

/// Small, fast and good enough to draw ids: SplitMix64.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// Seeded by the operating system.
    pub(crate) fn new() -> Self {
        use std::hash::{BuildHasher, RandomState};
        Self(RandomState::new().hash_one(()))
    }

    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// 16 random digits, of 9 · 10¹⁵ values, so a repetition is unlikely.
    pub(crate) fn digits(&mut self) -> [u8; 16] {
        let mut number = 1_000_000_000_000_000 + self.next() % 9_000_000_000_000_000;
        let mut digits = [b'0'; 16];
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
        }
        digits
    }
}

/// A request with places that differ each time.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    bytes: Vec<u8>,
    fresh: Vec<usize>,
    ids: Vec<usize>,
    digits: Vec<usize>,
}

impl Template {
    /// A request with the first key. `headers` are whole lines.
    pub(crate) fn new(method: &str, path: &str, headers: &[&str], body: Option<&Value>) -> Self {
        Self::by(KEY, method, path, headers, body)
    }

    /// The same with another key.
    pub(crate) fn by(key: &str, method: &str, path: &str, headers: &[&str], body: Option<&Value>) -> Self {
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut text = format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nx-api-key: {key}\r\n");
        headers.iter().for_each(|line| text.extend([line, "\r\n"]));
        if !body.is_empty() {
            text += &format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
        }
        text.extend(["\r\n", &body]);
        let places = |mark: &str| text.match_indices(mark).map(|(place, _)| place).collect();
        let (fresh, ids, digits) = (places(FRESH), places(KNOWN_ID), places(KNOWN_DIGITS));
        Self { bytes: text.into_bytes(), fresh, ids, digits }
    }

    /// The bytes of one more request.
    pub(crate) fn next(&mut self, random: &mut Random, known: &[Known]) -> &[u8] {
        if !self.fresh.is_empty() {
            let digits = random.digits();
            write(&mut self.bytes, &self.fresh, &digits);
        }
        if !self.ids.is_empty() || !self.digits.is_empty() {
            let drawn = &known[(random.next() % known.len() as u64) as usize];
            write(&mut self.bytes, &self.ids, drawn.id.as_bytes());
            write(&mut self.bytes, &self.digits, drawn.digits.as_bytes());
        }
        &self.bytes
    }
}

fn write(bytes: &mut [u8], places: &[usize], value: &[u8]) {
    for place in places {
        bytes[*place..*place + value.len()].copy_from_slice(value);
    }
}

/// A customer with every field, one override, one mapping. What has to differ between customers does.
pub(crate) fn full_body() -> Value {
    let mut body = requests::full(&format!("bench-{FRESH}"));
    body["email"] = json!(format!("grace.{FRESH}@example.com"));
    body["integration_entity_mapping"][0]["provider_entity_id"] = json!(format!("cus_{FRESH}"));
    body
}

/// The same with every other field. Its [`requests::custom_fields`] must be defined.
pub(crate) fn everything_body() -> Value {
    let mut body = requests::everything("");
    if let (Value::Object(body), Value::Object(full)) = (&mut body, full_body()) {
        body.extend(full);
    }
    body["custom_fields"] = requests::custom_values();
    body
}

/// A customer with an external id and a name.
pub(crate) fn minimal_body() -> Value {
    json!({ "external_id": format!("bench-{FRESH}"), "name": "Grace Hopper GmbH" })
}

/// Creates such a customer.
pub(crate) fn create(body: &Value) -> Template {
    Template::new("POST", "/v1/customers", &[], Some(body))
}

/// Reads a customer that is there.
pub(crate) fn get() -> Template {
    Template::new("GET", &format!("/v1/customers/{KNOWN_ID}"), &[], None)
}

#[cfg(test)]
mod tests {
    use super::{Known, Random, create, full_body, get};

    #[test]
    fn each_request_differs_in_its_places_alone() {
        let (mut template, mut random) = (create(&full_body()), Random::new());
        let first = template.next(&mut random, &[]).to_vec();
        let second = template.next(&mut random, &[]).to_vec();
        assert_eq!(first.len(), second.len());
        let differing = first.iter().zip(&second).filter(|(a, b)| a != b).count();
        assert!((1..=48).contains(&differing), "{differing}");
        assert!(!first.windows(4).any(|four| four == b"####"));
    }

    #[test]
    fn an_existing_customer_is_requested() {
        let known = [Known { id: format!("cust_{}", "0".repeat(26)), digits: "1".repeat(16) }];
        let request = get().next(&mut Random::new(), &known).to_vec();
        assert!(request.starts_with(format!("GET /v1/customers/{} HTTP/1.1\r\n", known[0].id).as_bytes()));
    }
}
