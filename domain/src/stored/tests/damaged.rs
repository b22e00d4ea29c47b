//! Documents that are damaged, or of another version.

use super::a_changed_customer;
use crate::{
    customer::CustomerAggregate,
    ids::{EventKind as EventIdKind, Id},
    stored::{Stored, StoredError},
    tax::{TaxAssociation, TaxRate},
    tenancy::{ApiKey, Environment},
    testkit::{a_customer, a_delivery, a_tax_default, a_tax_rate, an_api_key, an_id, an_owner},
    webhook::Delivery,
};

#[test]
fn withdrawn_codes_stay_readable() {
    let document = a_customer("acme").existing().to_document();
    let with = |members: &str| document.replacen('{', &format!("{{{members},"), 1);
    let read = |document: &str| CustomerAggregate::from_document(an_owner(), document);
    let old = read(&with(r#""address_country":"YU","timezone":"Mars/Olympus","email":"a@b""#)).unwrap();
    assert_eq!(old.customer.profile.address.country.unwrap().as_str(), "YU");
    let association = a_tax_default(&a_tax_rate("VAT")).to_document().replacen('{', r#"{"currency":"DEM","#, 1);
    let old = TaxAssociation::from_document(an_owner(), &association).unwrap();
    assert_eq!(old.currency.unwrap().as_str(), "DEM");
}

#[test]
fn an_unknown_version_is_reported_and_version_1_may_be_explicit() {
    let document = a_customer("acme").existing().to_document();
    let with = |members: &str| document.replacen('{', &format!("{{{members},"), 1);
    let read = |document: &str| CustomerAggregate::from_document(an_owner(), document).map(drop);
    assert_eq!(read(&with(r#""v":1"#)), Ok(()));
    let newer = Err(StoredError::Version { form: "customer", version: 2 });
    assert_eq!(read(&with(r#""v":2"#)), newer);
    assert_eq!(read(&with(r#""motto":"semper","v":2"#)), newer);
    assert!(matches!(read(&with(r#""motto":"semper""#)), Err(StoredError::Unreadable { line: 1, .. })));
}

/// Documents that each break a valid one in one place.
fn damaged() -> Vec<String> {
    let right = a_changed_customer().to_document();
    let mut all: Vec<String> =
        (0..right.len()).filter(|end| right.is_char_boundary(*end)).map(|end| right[..end].to_owned()).collect();
    for (member, wrong) in [
        (r#""id":"cust_"#, r#""id":"eim_"#),
        (r#""external_id":"acme-4711""#, r#""external_id":"""#),
        (r#""external_id":"acme-4711","#, ""),
        (r#""email":"billing@acme.example""#, r#""email":"billing.acme.example""#),
        (r#""address_country":"DE""#, r#""address_country":"de""#),
        (r#""status":"archived""#, r#""status":"acme-4711""#),
        (r#""version":7"#, r#""version":0"#),
        (r#""version":7"#, r#""version":"acme-4711""#),
        (r#""plan":"gold""#, r#""plan":"\u0000 acme""#),
        (r#""priority":3"#, r#""priority":-3"#),
        (r#""auto_apply":false"#, r#""auto_apply":"acme""#),
        (r#""created_by":"tester","#, ""),
    ] {
        assert!(right.contains(member), "{member}");
        all.push(right.replacen(member, wrong, 1));
    }
    all
}

#[test]
fn errors_about_damaged_documents_contain_no_values() {
    for document in damaged() {
        let refused = CustomerAggregate::from_document(an_owner(), &document).unwrap_err();
        let shown = format!("{refused} {refused:?}");
        assert!(!shown.contains("acme") && shown.contains("customer"), "{shown}");
    }
    let two_values = a_tax_rate("VAT").to_document().replacen('{', r#"{"fixed_value":"5","#, 1);
    let refused = TaxRate::from_document(an_owner(), &two_values);
    assert_eq!(refused, Err(StoredError::Member { form: "tax_rate", member: "percentage_value" }));
    let no_role = an_api_key().to_document().replace(r#"["super_admin"]"#, "[]");
    let refused = ApiKey::from_document(an_owner(), &no_role);
    assert_eq!(refused, Err(StoredError::Member { form: "api_key", member: "roles" }));
    let nobodys =
        a_delivery(1).to_document().replace("waiting", "delivered").replacen('{', r#"{"next_attempt_at":7,"#, 1);
    let refused = Delivery::from_document(an_owner(), &nobodys);
    assert_eq!(refused, Err(StoredError::Member { form: "webhook_delivery", member: "next_attempt_at" }));
    assert!(Environment::from_document(an_owner(), "[]").is_err());
}

#[test]
fn an_id_of_another_kind_is_refused() {
    let document = a_customer("acme").existing().to_document();
    let id: Id<EventIdKind> = an_id(1);
    assert!(
        CustomerAggregate::from_document(
            an_owner(),
            &document.replacen("cust_01KG9H1S3VE008000000000000", &id.to_string(), 1)
        )
        .is_err()
    );
}
