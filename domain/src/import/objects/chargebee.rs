//! The objects of Chargebee's API.

use serde_json::{Map, Value, json};

use super::{Reader, copy, into_text};
use crate::import::{ImportOptions, body, custom_fields};

const ADDRESS: [(&str, &str); 6] = [
    ("line1", "line1"),
    ("line2", "line2"),
    ("city", "city"),
    ("state", "state"),
    ("zip", "postal_code"),
    ("country", "country"),
];

impl Reader {
    /// A customer of Chargebee's API.
    pub(super) fn chargebee(&mut self, options: &ImportOptions) {
        // An export wraps each object in its type.
        self.enter("customer");
        self.texts(&[
            ("email", "email"),
            ("phone", "contact"),
            ("preferred_currency_code", "billing_currency"),
            ("taxability", "tax_treatment"),
            ("company", "name"),
        ]);
        let (first, last) = (self.text("first_name"), self.text("last_name"));
        body::name_person(&mut self.body, first, last);
        if let Some(id) = self.text("id") {
            body::identify(&mut self.body, &id, options);
        }
        let country = self.text("vat_number_prefix").unwrap_or_default();
        if let Some(number) = self.text("vat_number") {
            body::add_vat_number(&mut self.body, &country, &number, options);
        }
        if let Some(locale) = self.text("locale") {
            self.body.insert("preferred_locales".to_owned(), json!([locale]));
        }
        if let Some(mut address) = self.take_object("billing_address") {
            if let Some(line3) = address.remove("line3").and_then(into_text) {
                body::append(&mut address, "line2", &line3);
            }
            self.put_address(&address, &ADDRESS);
        }
        for contact in self.take_objects("contacts") {
            let mut person = Map::new();
            copy(
                &contact,
                &[("first_name", "first_name"), ("last_name", "last_name"), ("email", "email"), ("phone", "mobile")],
                &mut person,
            );
            if !person.contains_key("first_name") {
                let email = person.get("email").and_then(Value::as_str).unwrap_or("-").to_owned();
                person.insert("first_name".to_owned(), json!(body::local_part(&email)));
            }
            body::push(&mut self.body, "contact_persons", Value::Object(person));
        }
        let fields: Vec<_> =
            self.object.keys().filter(|name| name.starts_with(custom_fields::PREFIX)).cloned().collect();
        for name in fields {
            if let Some(value) = self.object.remove(&name) {
                self.put_metadata(&name, &value);
            }
        }
        self.metadata_of("meta_data");
    }
}
