//! Bodies of requests that many tests start from.

use serde_json::{Value, json};

/// A tax rate of 19 %.
#[must_use]
pub fn tax_rate(code: &str) -> Value {
    json!({ "code": code, "name": code, "tax_rate_type": "percentage", "percentage_value": "19" })
}

/// A customer with no more than it needs.
#[must_use]
pub fn minimal(external_id: &str) -> Value {
    json!({ "external_id": external_id })
}

/// A customer with its address, a tax and a link; the tax rate `VAT` has to exist.
#[must_use]
pub fn full(external_id: &str) -> Value {
    json!({
        "external_id": external_id,
        "name": "Grace Hopper GmbH",
        "email": "grace@example.com",
        "contact": "+49 30 123456",
        "address_line1": "Unter den Linden 1",
        "address_line2": "3. Stock",
        "address_city": "Berlin",
        "address_state": "Berlin",
        "address_postal_code": "10117",
        "address_country": "DE",
        "timezone": "Europe/Berlin",
        "metadata": { "plan": "gold", "größe": "🦀" },
        "tax_rate_overrides": [
            { "tax_rate_code": "VAT", "currency": "eur", "priority": 3, "auto_apply": false, "metadata": { "why": "test" } }
        ],
        "integration_entity_mapping": [
            { "provider_type": "stripe", "provider_entity_id": "cus_1", "metadata": { "nested": { "list": [1, 2.5, null] } } }
        ],
        "skip_onboarding_workflow": true,
        "onboarding_workflow_name": "welcome",
    })
}

/// Definitions of custom fields.
#[must_use]
pub fn custom_fields() -> [Value; 3] {
    [
        json!({ "key": "seats", "type": "integer" }),
        json!({ "key": "tier", "type": "select", "options": ["gold", "silver"] }),
        json!({ "key": "renewal", "type": "date" }),
    ]
}

/// A customer's values of these.
#[must_use]
pub fn custom_values() -> Value {
    json!({ "seats": 250, "tier": "gold", "renewal": "2027-01-31" })
}

/// The same with every other field.
#[must_use]
pub fn everything(external_id: &str) -> Value {
    let mut body = full(external_id);
    let more = json!({
        "billing_currency": "EUR",
        "tax_treatment": "reverse_charge",
        "customer_type": "company",
        "legal_name": "Grace Hopper Gesellschaft mbH",
        "registration_number": "HRB 12345 B",
        "buyer_reference": "991-12345-67",
        "electronic_address": { "scheme": "0204", "value": "991-12345-67" },
        "shipping_address": {
            "name": "Ramp 3", "phone": "+49 30 123457", "line1": "Hafenstraße 7", "line2": "Tor 2", "city": "Hamburg",
            "state": "Hamburg", "postal_code": "20457", "country": "DE",
        },
        "preferred_locales": ["de-DE", "en"],
        "tags": ["vip", "größe"],
        "contact_persons": [
            {
                "first_name": "Ada", "last_name": "Lovelace", "salutation": "Dr", "email": "ada@example.com",
                "mobile": "+49 170 1234567", "designation": "CFO", "department": "Finance", "locale": "en-GB",
                "is_primary": true, "roles": ["billing"],
            },
            { "first_name": "Bob", "email": "bob@example.com" },
        ],
        "tax_ids": [{ "type": "eu_vat", "value": "DE136695976" }],
        "tax_exemptions": [
            { "reason": "nonprofit", "certificate_number": "NY-4711", "country": "US", "state": "NY", "note": "2026" },
        ],
    });
    if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
        body.extend(more);
    }
    body
}
