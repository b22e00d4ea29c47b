//! `POST /customers`

use patron_domain::{customer::NewCustomer, violation::Violations};
use rocket::{http::Status, post, routes};
use serde_json::{Value, json};

use super::{
    request::CreateCustomerRequest,
    response::{CustomerResponse, changed},
};
use crate::http::{
    answer::Answer,
    body::Body,
    error::ApiError,
    guard::{CanWrite, Services},
    idempotency::Idempotency,
    json::parse,
    onboarding::{HEADER, Token},
    openapi::{Endpoint, Refusal},
    references::{told, unknown_rates},
};

/// Parses the body of a create.
pub(in crate::http) fn parse_create(body: &[u8]) -> Result<NewCustomer, ApiError> {
    parse(body, CreateCustomerRequest::into_domain)
}

/// Creates a customer with its tax associations and its links to other systems, all or nothing.
#[post("/customers", data = "<body>")]
pub(super) async fn create(
    caller: CanWrite,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    token: Token,
    body: Body<'_>,
) -> Result<Answer, ApiError> {
    let mut new = match body.read(CreateCustomerRequest::into_domain).await {
        Ok(new) => new,
        Err(refusal) => return Err(with_unknown_rates(refusal, &services, &caller, &body).await),
    };
    token.apply(&services, &caller, &mut new.onboarding).await?;
    let created = services.customers.create(&caller, new, idempotency.over(body.bytes()).await?).await?;
    changed(Status::Created, &created)
}

/// Adds the unknown tax rates of the body to the refusal of a create.
pub(super) async fn with_unknown_rates(
    refusal: ApiError,
    services: &Services<'_>,
    caller: &CanWrite,
    body: &Body<'_>,
) -> ApiError {
    let mut codes = Vec::new();
    // Faults other than the codes are in the refusal already.
    let read = |request: CreateCustomerRequest<'_>, _: &mut Violations| {
        codes = request.rate_codes();
        Some(())
    };
    let _ = body.read(read).await;
    let unknown = unknown_rates(services, caller, codes).await;
    told(refusal, unknown)
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "With its tax associations and its links to other systems, in one transaction.";
    Endpoint::new(routes![create], "createCustomer", "Create a customer", says)
        .with_key()
        .takes::<CreateCustomerRequest<'_>>([
            ("minimal", json!({ "external_id": "acme-2" })),
            ("everything", example("acme-3")),
        ])
        .answers::<CustomerResponse<'_>>(201, "The customer.")
        .answering("ETag")
        .idempotent()
        .takes_header(HEADER)
        .refuses([Refusal::InvalidOperation, Refusal::NotFound])
}

/// An example body with all fields.
pub(super) fn example(external_id: &str) -> Value {
    json!({
        "external_id": external_id,
        "name": "Acme GmbH",
        "email": "billing@acme.example",
        "contact": "+49 30 123456",
        "address_line1": "Unter den Linden 1",
        "address_line2": "3. Stock",
        "address_city": "Berlin",
        "address_state": "Berlin",
        "address_postal_code": "10117",
        "address_country": "DE",
        "timezone": "Europe/Berlin",
        "billing_currency": "eur",
        "tax_treatment": "taxable",
        "customer_type": "company",
        "legal_name": "Acme Gesellschaft mbH",
        "registration_number": "HRB 12345 B",
        "buyer_reference": "991-12345-67",
        "electronic_address": { "scheme": "0204", "value": "991-12345-67" },
        "shipping_address": { "name": "Acme GmbH, ramp 3", "line1": "Hafenstraße 7", "city": "Hamburg", "country": "DE" },
        "preferred_locales": ["de-DE", "en"],
        "tags": ["vip"],
        "contact_persons": [
            { "first_name": "Ada", "email": "ada@acme.example", "is_primary": true, "roles": ["billing"] },
        ],
        "tax_ids": [{ "type": "eu_vat", "value": "DE 136 695 976" }],
        "tax_exemptions": [{ "reason": "resale", "country": "US", "state": "NY", "tax_rate_codes": ["VAT_DE"] }],
        "custom_fields": { "seats": 5 },
        "metadata": { "plan": "gold" },
        "tax_rate_overrides": [
            { "tax_rate_code": "VAT_DE", "currency": "eur", "priority": 1, "auto_apply": true, "metadata": {} },
        ],
        "integration_entity_mapping": [
            { "provider_type": "stripe", "provider_entity_id": "cus_1", "metadata": { "owner": { "name": "Ada" } } },
        ],
        "skip_onboarding_workflow": false,
        "onboarding_workflow_name": null,
    })
}

#[cfg(test)]
mod tests {
    use patron_domain::customer::{NewCustomer, NewCustomerParts};
    use serde_json::{Value, json};

    use super::{CreateCustomerRequest, example};
    use crate::http::json::parse;

    /// A body as the routes parse it, and as an application parses it with the domain's own parts.
    fn both(body: &Value) -> [Result<NewCustomer, Value>; 2] {
        let here = parse(body.to_string().as_bytes(), CreateCustomerRequest::into_domain);
        let parts: NewCustomerParts = serde_json::from_value(body.clone()).unwrap();
        let there = parts.check().map_err(super::ApiError::from);
        [here, there].map(|read| read.map_err(|error| serde_json::to_value(error).unwrap()))
    }

    #[test]
    fn the_parts_of_the_domain_parse_a_body_in_the_same_way() {
        let wrong = json!({
            "external_id": "", "name": "x".repeat(256), "email": "x", "address_country": "Germany", "timezone": "Mars",
            "contact": "", "metadata": { "": "x" }, "onboarding_workflow_name": " ",
            "tax_rate_overrides": [
                { "tax_rate_code": "VAT", "currency": "XXX", "priority": -1 },
                { "tax_rate_code": "VAT", "currency": "eur", "metadata": { "": "" } },
                { "tax_rate_code": "VAT", "currency": "EUR" },
            ],
            "integration_entity_mapping": [
                { "provider_type": "", "provider_entity_id": "1" },
                { "provider_type": "crm", "provider_entity_id": "1" },
                { "provider_type": "crm", "provider_entity_id": "2" },
            ],
        });
        for body in [example("acme"), json!({ "external_id": "acme", "name": "" }), wrong] {
            let [here, there] = both(&body);
            assert_eq!(here, there, "{body}");
        }
        assert!(both(&example("acme"))[0].is_ok());
    }
}
