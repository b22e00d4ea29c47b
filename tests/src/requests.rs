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

/// A customer with every field; the tax rate `VAT` has to exist.
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
