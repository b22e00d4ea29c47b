//! Tests that the stored forms lose nothing. The documents in `golden` must stay readable.

mod any;
mod damaged;
mod events;
mod imports;
mod in_time;

use std::time::Duration;

use proptest::prelude::*;

use super::Stored;
use crate::{
    custom_field::{
        CustomDate, CustomDecimal, CustomFieldDefinition, CustomFieldDescription, CustomFieldKey, CustomFieldType,
        CustomInteger, CustomText, CustomValue,
    },
    customer::{
        Address, AddressLine, BillingCurrency, BuyerReference, CertificateNumber, City, Contact, ContactDepartment,
        ContactDesignation, ContactMobile, ContactPerson, ContactRole, ContactRoles, CountryCode, Customer,
        CustomerAggregate, CustomerName, CustomerType, DocumentUrl, ElectronicAddress, ElectronicAddressScheme,
        ElectronicAddressValue, Email, ExemptRates, ExemptionNote, ExemptionReason, ExternalId, FirstName,
        FormerExternalId, HoldReason, Item, LastName, Locale, Locales, NewLegalHold, PostalCode, RegistrationNumber,
        Salutation, ShippingName, State, TaxExemption, TaxId, TaxIdType, TaxTreatment, TimeZone,
    },
    integration::{IntegrationMapping, ProviderEntityId, ProviderType},
    lifecycle::{Audit, Status, Version},
    metadata::{JsonObject, Metadata},
    onboarding::{ExpectedStatus, HttpCall, OnboardingRun, RunState, Step, StepFailure, StepRetries, Steps, Workflow},
    privacy::{Category, DeletionReason, DeletionRequest, RequestChannel, Retention, RetentionDays, RetentionSetting},
    tax::{
        CurrencyCode, FixedAmount, Percentage, Priority, TaxAssociation, TaxRate, TaxRateCode, TaxRateDescription,
        TaxRateName, TaxRateScope, TaxRateStatus, TaxValue, TaxedEntity,
    },
    tenancy::{Actor, ApiKey, ApiKeyName, Role, Roles},
    testkit::{
        a_call, a_custom_field, a_customer, a_deletion_request, a_delivery, a_full_customer, a_link, a_metadata,
        a_tax_default, a_tax_rate, a_time, a_webhook_endpoint, a_workflow, an_api_key, an_environment, an_id, an_owner,
        full_tax_rates,
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
    is_golden("customer.v1.custom", &a_custom_customer());
    let mut held = a_customer("acme").existing();
    let hold = NewLegalHold { reason: HoldReason::new("tax audit").unwrap(), until: Some(time(99)) };
    held.customer.legal_hold = Some(hold.placed(time(3), &Actor::system()));
    is_golden("customer.v1.held", &held);
    let bytes = an_ordinary_customer().to_document().len();
    assert!(bytes <= 720, "an ordinary customer takes {bytes} bytes");
}

/// A customer with a custom field of each type.
fn a_custom_customer() -> CustomerAggregate {
    let text = |text: &str| CustomText::new(text).unwrap();
    let mut acme = a_customer("acme").existing();
    acme.customer.profile.custom_fields = [
        ("note", CustomValue::Text(text("ÜBER Alles"))),
        ("plain", CustomValue::Text(text("Plain"))),
        ("seats", CustomValue::Integer(CustomInteger::new(-5).unwrap())),
        ("rate", CustomValue::Decimal(CustomDecimal::new("12.5").unwrap())),
        ("active", CustomValue::Boolean(false)),
        ("since", CustomValue::Date(CustomDate::new("2024-02-29").unwrap())),
        ("tiers", CustomValue::Texts(vec![text("silver"), text("gold")])),
    ]
    .map(|(key, value)| (CustomFieldKey::new(key).unwrap(), value))
    .into_iter()
    .collect();
    acme
}

#[test]
fn custom_fields() {
    is_golden("custom_field.v1.minimal", &a_custom_field("seats", CustomFieldType::Integer));
    let mut full = CustomFieldDefinition {
        required: true,
        unique: true,
        personal: true,
        description: Some(CustomFieldDescription::new("The contract").unwrap()),
        purging: true,
        ..a_custom_field("tier", CustomFieldType::Select)
    };
    full.audit.touch(time(1), &Actor::system());
    is_golden("custom_field.v1.full", &full);
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
fn deletion_requests() {
    is_golden("deletion_request.v1.minimal", &a_deletion_request());
    let reason = Some(DeletionReason::new("a letter\nof 2026").unwrap());
    let request = DeletionRequest { channel: RequestChannel::Written, reason, ..a_deletion_request() };
    let mut request = request.begun(time(1));
    request.add_redacted(Category::Events, 7);
    is_golden("deletion_request.v1.redacting", &request);
    let left: Vec<_> = Category::ALL.iter().map(|category| (*category, 0)).collect();
    is_golden("deletion_request.v1.completed", &request.verified(&left, time(2)));
}

#[test]
fn retention() {
    let days = |days| Some(RetentionDays::new(days).unwrap());
    let retention = Retention { archived_days: days(3650), former_ids_days: days(365) };
    let mut audit = Audit::created(a_time(), &Actor::system());
    audit.advance(time(2), &Actor::system());
    is_golden("retention.v1.full", &RetentionSetting { owner: an_owner(), retention, audit });
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
