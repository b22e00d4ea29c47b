//! The objects of Lago's API.

use serde_json::{Map, Value, json};

use super::{Reader, copy, into_list, into_text};
use crate::import::{ImportOptions, body};

const ADDRESS: [(&str, &str); 6] = [
    ("address_line1", "line1"),
    ("address_line2", "line2"),
    ("city", "city"),
    ("state", "state"),
    ("zipcode", "postal_code"),
    ("country", "country"),
];

impl Reader {
    /// A customer of Lago's API.
    pub(super) fn lago(&mut self, options: &ImportOptions) {
        self.enter("customer");
        self.texts(&[
            ("external_id", "external_id"),
            ("name", "name"),
            ("legal_name", "legal_name"),
            ("legal_number", "registration_number"),
            ("phone", "contact"),
            ("address_line1", "address_line1"),
            ("address_line2", "address_line2"),
            ("city", "address_city"),
            ("state", "address_state"),
            ("zipcode", "address_postal_code"),
            ("country", "address_country"),
            ("currency", "billing_currency"),
            ("timezone", "timezone"),
            ("customer_type", "customer_type"),
        ]);
        let (first, last) = (self.text("firstname"), self.text("lastname"));
        body::name_person(&mut self.body, first, last);
        if let Some(emails) = self.text("email") {
            body::add_emails(&mut self.body, &emails);
        }
        if let Some(number) = self.text("tax_identification_number") {
            body::add_vat_number(&mut self.body, "", &number, options);
        }
        if let Some(address) = self.take_object("shipping_address") {
            let mut to = Map::new();
            copy(&address, &ADDRESS, &mut to);
            self.put_shipping_address(to);
        }
        for pair in self.take_objects("metadata") {
            if let (Some(key), Some(value)) = (pair.get("key").and_then(Value::as_str), pair.get("value")) {
                self.put_metadata(key, value);
            }
        }
        if let Some(mut billing) = self.take_object("billing_configuration") {
            let mut text = |name: &str| billing.remove(name).and_then(into_text);
            if let (Some(provider), Some(id)) = (text("payment_provider"), text("provider_customer_id")) {
                body::add_link(&mut self.body, &provider, &id);
            }
            if let Some(locale) = text("document_locale") {
                self.body.insert("preferred_locales".to_owned(), json!([locale]));
            }
        }
        let codes = self.object.remove("tax_codes").and_then(into_list).into_iter().flatten().filter_map(into_text);
        body::add_tax_codes(&mut self.body, codes, &mut self.broken);
    }
}
