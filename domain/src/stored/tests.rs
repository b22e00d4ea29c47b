//! The stored forms, and that they lose nothing. The documents in `golden` were written by earlier versions, or stand
//! for such documents, and must stay readable.

mod any;

use std::time::Duration;

use proptest::prelude::*;

use super::{Stored, StoredError, event};
use crate::{
    customer::{
        Address, AddressLine, BillingCurrency, BuyerReference, CertificateNumber, City, Contact, ContactDepartment,
        ContactDesignation, ContactMobile, ContactPerson, ContactRole, ContactRoles, CountryCode, Customer,
        CustomerAggregate, CustomerName, CustomerType, DocumentUrl, ElectronicAddress, ElectronicAddressScheme,
        ElectronicAddressValue, Email, ExemptRates, ExemptionNote, ExemptionReason, ExternalId, FirstName,
        FormerExternalId, Item, LastName, Locale, Locales, PostalCode, RegistrationNumber, Salutation, ShippingName,
        State, TaxExemption, TaxId, TaxIdType, TaxTreatment, TimeZone,
    },
    event::{CustomerEventKind, CustomerField, EventKind, TaxRateEventKind, TaxRateField},
    ids::{EventKind as EventIdKind, Id},
    integration::{IntegrationMapping, ProviderEntityId, ProviderType},
    lifecycle::{Audit, Status, Version},
    metadata::{JsonObject, Metadata},
    onboarding::{
        ExpectedStatus, HttpCall, Onboarding, OnboardingRun, RunState, Step, StepFailure, StepRetries, Steps, Workflow,
    },
    tax::{
        CurrencyCode, FixedAmount, Percentage, Priority, TaxAssociation, TaxRate, TaxRateCode, TaxRateDescription,
        TaxRateName, TaxRateScope, TaxRateStatus, TaxValue, TaxedEntity,
    },
    tenancy::{Actor, ApiKey, ApiKeyName, Environment, Role, Roles},
    testkit::{
        a_call, a_customer, a_delivery, a_full_customer, a_link, a_metadata, a_tax_default, a_tax_rate, a_time,
        a_webhook_endpoint, a_workflow, an_api_key, an_environment, an_id, an_owner, full_tax_rates,
    },
    time::Timestamp,
    webhook::{
        Attempt, Delivery, DeliveryKind, DeliveryState, Disabled, DisabledReason, EndpointDescription, EndpointSecrets,
        EndpointUrl, EventFilter, Health, SealedSecret, SendFailure, WebhookEndpoint,
    },
};

/// The time this many seconds after [`a_time`].
fn time(seconds: u64) -> Timestamp {
    a_time().later(Duration::from_secs(seconds))
}

/// Compares a document with a value in both directions. With `PATRON_GOLDEN=write` a new document is written first.
fn is_golden<T: Stored + PartialEq + std::fmt::Debug>(name: &str, value: &T) {
    let path = format!("{}/src/stored/golden/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let document = value.to_document();
    if std::env::var("PATRON_GOLDEN").is_ok_and(|mode| mode == "write") && !std::path::Path::new(&path).exists() {
        std::fs::write(&path, format!("{document}\n")).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let golden = golden.trim_end();
    assert_eq!(T::from_document(an_owner(), golden).as_ref(), Ok(value), "{name}");
    assert_eq!(document, golden, "{name}");
}

/// A customer with every field set, and one object of each kind that belongs to it, as after its create.
fn an_ordinary_customer() -> CustomerAggregate {
    let builder = a_customer("acme-4711").named("Acme Manufacturing Ltd").reached_at("billing@acme.example");
    let builder = builder.called_at("+49 30 1234567").in_berlin().linked("stripe", "cus_QXg7hJ2kLm9PqR");
    let builder = builder.noted("plan", "gold").noted("region", "emea").noted("sales", "ada");
    let mut acme = builder.existing();
    acme.customer.profile.address.line2 = Some(AddressLine::new("Hinterhaus").unwrap());
    acme.customer.profile.address.state = Some(State::new("Berlin").unwrap());
    let entity = TaxedEntity::Customer(acme.customer.id);
    let currency = Some(CurrencyCode::new("EUR").unwrap());
    acme.associations = vec![TaxAssociation { entity, currency, ..a_tax_default(&a_tax_rate("VAT")) }];
    acme
}

/// A customer with everything that is known of one beside its address.
fn a_known_customer() -> CustomerAggregate {
    let exemption = TaxExemption {
        country: Some(CountryCode::new("US").unwrap()),
        state: Some(State::new("NY").unwrap()),
        certificate_number: Some(CertificateNumber::new("4711").unwrap()),
        document_url: Some(DocumentUrl::new("https://files.example/c.pdf").unwrap()),
        note: Some(ExemptionNote::new("of\n2026").unwrap()),
        starts_at: Some(time(1)),
        ends_at: Some(time(9)),
        ..TaxExemption::new(ExemptionReason::Nonprofit)
    };
    let builder = a_customer("acme").incorporated("ÜBER Straße GmbH").tagged("vip").tagged("eu");
    let builder = builder.with_person("Bob", "bob@acme.example").with_tax_id("eu_vat", "DE136695976");
    let mut acme =
        builder.with_exemption(exemption).with_exemption(TaxExemption::new(ExemptionReason::Other)).existing();
    let Customer { profile, contact_persons, tax_ids, tax_exemptions, .. } = &mut acme.customer;
    profile.billing_currency = Some(BillingCurrency::new("EUR").unwrap());
    profile.tax_treatment = TaxTreatment::ReverseCharge;
    profile.customer_type = Some(CustomerType::Company);
    profile.registration_number = Some(RegistrationNumber::new("HRB 1").unwrap());
    profile.buyer_reference = Some(BuyerReference::new("991-1").unwrap());
    profile.electronic_address = Some(ElectronicAddress {
        scheme: ElectronicAddressScheme::new("0204").unwrap(),
        value: ElectronicAddressValue::new("991-1").unwrap(),
    });
    profile.shipping_address.city = Some(City::new("Kiel").unwrap());
    profile.shipping_address.name = Some(ShippingName::new("Ramp 3").unwrap());
    profile.preferred_locales = Locales::new(vec![Locale::new("de-AT").unwrap()]).unwrap();
    let ada = ContactPerson {
        last_name: Some(LastName::new("Lovelace").unwrap()),
        salutation: Some(Salutation::new("Dr").unwrap()),
        mobile: Some(ContactMobile::new("+44 1").unwrap()),
        designation: Some(ContactDesignation::new("CFO").unwrap()),
        department: Some(ContactDepartment::new("Finance").unwrap()),
        locale: Some(Locale::new("en-GB").unwrap()),
        is_primary: true,
        roles: ContactRoles::new(vec![ContactRole::new("billing").unwrap()]).unwrap(),
        ..ContactPerson::new(FirstName::new("Ada").unwrap())
    };
    contact_persons.push(Item { id: an_id(21), value: ada });
    let unchecked = TaxId::new(TaxIdType::new("gb_vat").unwrap(), "1234", true).unwrap();
    tax_ids.push(Item { id: an_id(22), value: unchecked });
    tax_exemptions[0].value.tax_rate_codes = ExemptRates::new(vec![TaxRateCode::new("NY").unwrap()]).unwrap();
    acme
}

/// The same after changes of everything.
fn a_changed_customer() -> CustomerAggregate {
    let mut acme = an_ordinary_customer();
    let other = Actor::new("other").unwrap();
    acme.customer.status = Status::Archived;
    acme.customer.version = Version::from_stored(7).unwrap();
    acme.customer.audit.touch(time(9), &other);
    let mapping = &mut acme.mappings[0];
    mapping.metadata = JsonObject::new(serde_json::Map::from_iter([("rank".to_owned(), 0.1.into())])).unwrap();
    mapping.status = Status::Archived;
    mapping.audit.touch(time(9), &other);
    let later = IntegrationMapping {
        id: an_id(9),
        provider_type: ProviderType::new("crm").unwrap(),
        audit: Audit::created(time(5), &other),
        ..mapping.clone()
    };
    acme.mappings.push(later);
    let association = &mut acme.associations[0];
    association.priority = Priority::new(3).unwrap();
    association.auto_apply = false;
    association.metadata = a_metadata([("case", "\"7\"")]);
    association.start = time(60);
    association.end = Some(time(120));
    association.status = Status::Archived;
    association.audit.touch(time(9), &other);
    let removed = TaxAssociation { id: an_id(10), status: Status::Deleted, ..association.clone() };
    acme.removed_associations = vec![removed];
    let external_id = ExternalId::new("acme").unwrap();
    acme.former_external_ids = vec![FormerExternalId { external_id, from: a_time(), until: time(4) }];
    acme.external_id_since = time(4);
    acme
}

#[test]
fn customers() {
    is_golden("customer.v1.minimal", &a_customer("acme").existing());
    is_golden("customer.v1.ordinary", &an_ordinary_customer());
    is_golden("customer.v1.changed", &a_changed_customer());
    is_golden("customer.v1.known", &a_known_customer());
    let bytes = an_ordinary_customer().to_document().len();
    assert!(bytes <= 720, "an ordinary customer takes {bytes} bytes");
}

#[test]
fn tax_rates_and_defaults() {
    is_golden("tax_rate.v1.minimal", &a_tax_rate("VAT"));
    let mut full = TaxRate {
        description: Some(TaxRateDescription::new("What cities charge").unwrap()),
        value: TaxValue::Fixed(FixedAmount::new("0.30").unwrap()),
        scope: TaxRateScope::External,
        rate_status: TaxRateStatus::Inactive,
        metadata: a_metadata([("of", "city")]),
        status: Status::Archived,
        version: Version::FIRST.next(),
        ..a_tax_rate("CITY")
    };
    full.audit.touch(time(1), &Actor::system());
    is_golden("tax_rate.v1.full", &full);

    is_golden("tax_association.v1.minimal", &a_tax_default(&a_tax_rate("VAT")));
    let mut full = TaxAssociation {
        priority: Priority::new(2).unwrap(),
        auto_apply: false,
        currency: Some(CurrencyCode::new("eur").unwrap()),
        metadata: a_metadata([("of", "city")]),
        start: time(60),
        end: Some(time(120)),
        status: Status::Deleted,
        ..a_tax_default(&full)
    };
    full.audit.touch(time(1), &Actor::system());
    is_golden("tax_association.v1.full", &full);
}

#[test]
fn environments_and_keys() {
    is_golden("environment.v1.minimal", &an_environment());
    let mut full = an_environment();
    full.audit.touch(time(1), &Actor::system());
    is_golden("environment.v1.full", &full);

    is_golden("api_key.v1.minimal", &an_api_key());
    let mut full = ApiKey {
        name: ApiKeyName::new("\"Reader\" \\ ü").unwrap(),
        roles: Roles::new([Role::AllReader, Role::AllWriter]).unwrap(),
        expires_at: Some(time(9)),
        revoked_at: Some(time(5)),
        last_used_at: Some(time(3)),
        ..an_api_key()
    };
    // A key for another environment than the one that stores it.
    full.owner.environment_id = an_id(7);
    full.audit.touch(time(5), &Actor::system());
    is_golden("api_key.v1.full", &full);
}

#[test]
fn endpoints_and_deliveries() {
    is_golden("webhook_endpoint.v1.minimal", &a_webhook_endpoint());
    let sealed = |text: &str| SealedSecret::from_sealed(text);
    let mut full = WebhookEndpoint {
        event_types: EventFilter::new(vec!["customer.*".to_owned(), "tax_rate.created".to_owned()]).unwrap(),
        description: Some(EndpointDescription::new("Invoicing").unwrap()),
        disabled: Some(Disabled { reason: DisabledReason::Failing, at: time(7) }),
        secrets: EndpointSecrets { current: sealed("new"), previous: Some((sealed("old"), time(8))) },
        health: Health { failing_since: Some(time(2)), failed_rounds: 3, paused_until: Some(time(6)) },
        ..a_webhook_endpoint()
    };
    full.audit.touch(time(5), &Actor::system());
    is_golden("webhook_endpoint.v1.full", &full);
    is_golden("webhook_endpoint.v1.without_secrets", &full.without_secrets());

    is_golden("webhook_delivery.v1.minimal", &a_delivery(1));
    let took = Duration::from_micros(80_123);
    let attempt =
        Attempt { at: time(1), took, outcome: Ok(503), answer: "busy\n\"later\"".to_owned(), retry_after: None };
    let mut full = Delivery {
        kind: DeliveryKind::Replay,
        state: DeliveryState::Waiting { next_attempt_at: Some(time(30)) },
        attempts: 4,
        last: Some(attempt.clone()),
        updated_at: time(2),
        ..a_delivery(1)
    };
    is_golden("webhook_delivery.v1.full", &full);
    full.state = DeliveryState::Failed;
    full.last = Some(Attempt { outcome: Err(SendFailure::Timeout), answer: String::new(), ..attempt });
    is_golden("webhook_delivery.v1.failed", &full);
}

#[test]
fn workflows_and_runs() {
    is_golden("onboarding_workflow.v1.minimal", &a_workflow());
    let call = Step::HttpCall(HttpCall {
        url: EndpointUrl::new("https://crm.example/customers").unwrap(),
        expected: ExpectedStatus::new(vec![201, 409]).unwrap(),
        retries: StepRetries::default().with_max_attempts(3).unwrap().with_first_delay(60).unwrap(),
    });
    let steps = Steps::new(vec![call, a_link("crm", "/data/id"), a_call("https://mail.example")], "").unwrap();
    let name = Some(crate::onboarding::WorkflowName::new("welcome").unwrap());
    is_golden("onboarding_workflow.v1.full", &Workflow { name, steps, ..a_workflow() });

    let start = OnboardingRun::start(an_owner(), an_id(1), an_id(2), a_time());
    is_golden("onboarding_run.v1.minimal", &start);
    let full = OnboardingRun {
        state: RunState::Waiting,
        step: 1,
        attempts: 2,
        due_at: Some(time(60)),
        last_failure: Some(StepFailure::Status(503)),
        values: vec![ProviderEntityId::new("crm-7").unwrap()],
        updated_at: time(3),
        ..start
    };
    is_golden("onboarding_run.v1.full", &full);
}

#[test]
fn values_at_their_limits() {
    let mut full = a_customer("any").existing();
    let new = a_full_customer().build();
    full.customer.external_id = new.external_id;
    full.customer.profile = new.profile;
    let of = full.customer.clone();
    let mapping = |link: crate::integration::NewLink| link.map(an_id(3), of.id, of.owner, &of.audit);
    full.mappings = new.links.into_iter().map(mapping).collect();
    survives(&full);
    full_tax_rates().iter().for_each(survives);
}

fn survives<T: Stored + PartialEq + std::fmt::Debug>(value: &T) {
    assert_eq!(T::from_document(an_owner(), &value.to_document()).as_ref(), Ok(value));
}

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
fn every_kind_of_event_can_be_restored_from_type_and_detail() {
    let workflow = Some(crate::onboarding::WorkflowName::new("welcome").unwrap());
    let of_customers = [
        (CustomerEventKind::Created { onboarding: Onboarding::default() }, None),
        (
            CustomerEventKind::Created { onboarding: Onboarding { skip: true, workflow: workflow.clone() } },
            Some(r#"{"skip_onboarding":true,"onboarding_workflow":"welcome"}"#),
        ),
        (
            CustomerEventKind::Created { onboarding: Onboarding { skip: false, workflow } },
            Some(r#"{"onboarding_workflow":"welcome"}"#),
        ),
        (
            CustomerEventKind::Updated { changed: vec![CustomerField::Name, CustomerField::AddressCity] },
            Some(r#"{"changed":["name","address_city"]}"#),
        ),
        (CustomerEventKind::Updated { changed: Vec::new() }, Some(r#"{"changed":[]}"#)),
        (CustomerEventKind::Deleted, None),
        (CustomerEventKind::Restored, None),
        (
            CustomerEventKind::IntegrationLinked { mapping_id: an_id(1) },
            Some(r#"{"mapping_id":"eim_01KG9H1S3VE00BY00000000001"}"#),
        ),
        (
            CustomerEventKind::IntegrationUnlinked { mapping_id: an_id(1) },
            Some(r#"{"mapping_id":"eim_01KG9H1S3VE00BY00000000001"}"#),
        ),
        (
            CustomerEventKind::TaxAssociated { association_id: an_id(1) },
            Some(r#"{"association_id":"ta_01KG9H1S3VE00BY00000000001"}"#),
        ),
        (
            CustomerEventKind::TaxAssociationUpdated { association_id: an_id(1) },
            Some(r#"{"association_id":"ta_01KG9H1S3VE00BY00000000001"}"#),
        ),
        (
            CustomerEventKind::TaxDissociated { association_id: an_id(1) },
            Some(r#"{"association_id":"ta_01KG9H1S3VE00BY00000000001"}"#),
        ),
        (CustomerEventKind::OnboardingCompleted, None),
        (CustomerEventKind::OnboardingFailed, None),
    ];
    let of_rates = [
        (TaxRateEventKind::Created, None),
        (TaxRateEventKind::Updated { changed: vec![TaxRateField::Code] }, Some(r#"{"changed":["code"]}"#)),
        (TaxRateEventKind::Deleted, None),
    ];
    let all = of_customers.map(|(kind, detail)| (EventKind::Customer(kind), detail)).into_iter();
    for (kind, detail) in all.chain(of_rates.map(|(kind, detail)| (EventKind::TaxRate(kind), detail))) {
        assert_eq!(event::detail(&kind).as_deref(), detail);
        assert_eq!(event::kind(kind.event_type(), detail).as_ref(), Ok(&kind));
        let damaged = event::kind(kind.event_type(), Some("["));
        assert_eq!(
            damaged.is_err(),
            !matches!(kind, EventKind::TaxRate(TaxRateEventKind::Created | TaxRateEventKind::Deleted))
        );
    }
    for lacking in ["customer.integration_linked", "customer.tax_dissociated", "customer.updated", "tax_rate.updated"] {
        let event_type = crate::event::EventType::parse(lacking).unwrap();
        assert!(matches!(event::kind(event_type, None), Err(StoredError::Member { .. })), "{lacking}");
    }
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
