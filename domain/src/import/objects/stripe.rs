//! The objects of Stripe's API.

use serde_json::{Map, Value, json};

use super::{Reader, copy, into_object, objects};
use crate::import::{ImportOptions, body};

const ADDRESS: [(&str, &str); 6] = [
    ("line1", "line1"),
    ("line2", "line2"),
    ("city", "city"),
    ("state", "state"),
    ("postal_code", "postal_code"),
    ("country", "country"),
];

impl Reader {
    /// Whether a customer was deleted at Stripe.
    pub(super) fn is_deleted(&mut self) -> bool {
        self.object.remove("deleted") == Some(json!(true))
    }

    /// A customer of Stripe's API.
    pub(super) fn stripe(&mut self, options: &ImportOptions) {
        self.texts(&[("name", "name"), ("email", "email"), ("phone", "contact"), ("currency", "billing_currency")]);
        self.metadata_of("metadata");
        if let Some(description) = self.text("description") {
            self.put_metadata("description", &json!(description));
        }
        if let Some(id) = self.text("id") {
            body::identify(&mut self.body, &id, options);
        }
        if let Some(address) = self.take_object("address") {
            self.put_address(&address, &ADDRESS);
        }
        if let Some(mut shipping) = self.take_object("shipping") {
            let address = shipping.remove("address").and_then(into_object).unwrap_or_default();
            let mut to = Map::new();
            copy(&shipping, &[("name", "name"), ("phone", "phone")], &mut to);
            copy(&address, &ADDRESS, &mut to);
            self.put_shipping_address(to);
        }
        if let Some(locales) = self.object.remove("preferred_locales").filter(Value::is_array) {
            self.body.insert("preferred_locales".to_owned(), locales);
        }
        if let Some(word) = self.text("tax_exempt") {
            self.body.insert("tax_treatment".to_owned(), json!(body::treatment(&word)));
        }
        let ids = self.take_object("tax_ids").and_then(|mut ids| ids.remove("data"));
        for id in objects(ids) {
            let text = |name: &str| id.get(name).and_then(Value::as_str).unwrap_or_default();
            body::add_tax_id(&mut self.body, text("type"), text("value"), options);
        }
    }
}
