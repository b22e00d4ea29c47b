//! Tests of the mapping of objects.

use super::*;
use crate::import::{ImportFormat, ImportMode};

fn options(preset: ImportPreset) -> ImportOptions {
    let options = ImportOptions::new(ImportFormat::Ndjson, preset, ImportMode::Create);
    ImportOptions { skip_onboarding: false, ..options }
}

fn mapped(options: &ImportOptions, object: Value) -> (Value, Vec<String>) {
    let mut ignored = BTreeSet::new();
    let body = map_object(options, into_object(object).unwrap(), &mut ignored).unwrap().unwrap();
    (Value::Object(body), ignored.into_iter().collect())
}

#[test]
fn a_customer_of_stripe_is_mapped() {
    let object = json!({
        "id": "cus_1", "object": "customer", "name": "Acme", "email": null, "phone": "1", "description": "d",
        "metadata": { "crm": "7" }, "address": { "line1": "a", "postal_code": "1", "country": "DE", "line2": null },
        "shipping": { "name": "Ramp", "phone": "", "address": { "city": "Bonn" } }, "preferred_locales": ["de"],
        "currency": "eur", "tax_exempt": "reverse",
        "tax_ids": { "data": [{ "type": "eu_vat", "value": "DE136695976", "id": "txi_1" }] },
    });
    let (body, ignored) = mapped(&options(ImportPreset::Stripe), object.clone());
    assert_eq!(
        body,
        json!({
            "external_id": "cus_1", "name": "Acme", "contact": "1", "billing_currency": "eur",
            "metadata": { "crm": "7", "description": "d" }, "address_line1": "a", "address_postal_code": "1",
            "address_country": "DE", "shipping_address": { "name": "Ramp", "city": "Bonn" },
            "preferred_locales": ["de"], "tax_treatment": "reverse_charge",
            "tax_ids": [{ "type": "eu_vat", "value": "DE136695976" }],
            "integration_entity_mapping": [{ "provider_type": "stripe", "provider_entity_id": "cus_1" }],
        })
    );
    assert_eq!(ignored, ["object"]);
    let from = ImportOptions { external_id_from: Some("metadata.crm".to_owned()), ..options(ImportPreset::Stripe) };
    assert_eq!(mapped(&from, object).0["external_id"], "7");
    let deleted = into_object(json!({ "id": "cus_2", "deleted": true })).unwrap();
    assert_eq!(map_object(&from, deleted, &mut BTreeSet::new()).unwrap(), None);
}

#[test]
fn a_customer_of_chargebee_is_mapped() {
    let object = json!({
        "customer": {
            "id": "c1", "first_name": "Ada", "last_name": "Lovelace", "vat_number": "136695976",
            "vat_number_prefix": "DE", "billing_address": { "line1": "a", "line3": "c", "zip": "1" },
            "contacts": [{ "email": "b@x.example", "phone": "2" }], "cf_tier": "gold", "auto_collection": "on",
        },
    });
    let (body, ignored) = mapped(&options(ImportPreset::Chargebee), object);
    assert_eq!((&body["name"], &body["address_line2"]), (&json!("Ada Lovelace"), &json!("c")));
    assert_eq!(body["contact_persons"], json!([{ "first_name": "b", "email": "b@x.example", "mobile": "2" }]));
    assert_eq!((&body["metadata"], ignored), (&json!({ "cf_tier": "gold" }), vec!["auto_collection".to_owned()]));
}

#[test]
fn a_customer_of_lago_is_mapped() {
    let object = json!({
        "lago_id": "x", "external_id": "l1", "firstname": "Ada", "email": "a@x.example,b@x.example", "zipcode": "1",
        "metadata": [{ "key": "k", "value": "v" }], "tax_codes": ["vat"], "currency": "EUR",
        "billing_configuration": { "payment_provider": "stripe", "provider_customer_id": "cus_9", "document_locale": "fr" },
    });
    let (body, ignored) = mapped(&options(ImportPreset::Lago), object);
    assert_eq!((&body["name"], &body["address_postal_code"]), (&json!("Ada"), &json!("1")));
    assert_eq!(body["tax_rate_overrides"], json!([{ "tax_rate_code": "vat", "currency": "EUR" }]));
    assert_eq!((&body["preferred_locales"], ignored), (&json!(["fr"]), vec!["lago_id".to_owned()]));
}

#[test]
fn our_own_export_is_taken_one_to_one() {
    let object = json!({ "id": "cust_1", "external_id": "a", "tags": ["x"], "metadata": { "k": "v" }, "colour": 1 });
    let own = options(ImportPreset::Patron);
    let refused = map_object(&own, into_object(object.clone()).unwrap(), &mut BTreeSet::new()).unwrap_err();
    assert_eq!(refused.iter().map(|one| one.path.as_str()).collect::<Vec<_>>(), ["colour"]);
    let ignoring = ImportOptions { unmapped: UnmappedColumns::Ignore, ..own.clone() };
    let (body, ignored) = mapped(&ignoring, object.clone());
    assert_eq!(body, json!({ "external_id": "a", "tags": ["x"], "metadata": { "k": "v" } }));
    assert_eq!(ignored, ["colour", "id"]);
    let kept = ImportOptions { unmapped: UnmappedColumns::Metadata, ..own };
    assert_eq!(mapped(&kept, object).0["metadata"], json!({ "k": "v", "colour": "1" }));
}
