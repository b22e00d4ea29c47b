//! Property tests: any value survives its stored form.

use super::*;
use crate::custom_field::CustomFields;

/// A text that a field accepts, if it accepts this one.
fn a_text<T: std::fmt::Debug, E>(check: fn(String) -> Result<T, E>) -> impl Strategy<Value = T> {
    "[ -~]{1,12}|\\PC{1,6}".prop_filter_map("refused", move |text| check(text).ok())
}

fn an_audit() -> impl Strategy<Value = Audit> {
    let actor = || a_text(Actor::new);
    (0..9_u64, actor(), 0..9_u64, actor()).prop_map(|(made, by, changed, changed_by)| Audit {
        created_at: time(made),
        created_by: by,
        updated_at: time(changed),
        updated_by: changed_by,
    })
}

fn a_status() -> impl Strategy<Value = Status> {
    prop::sample::select(Status::ALL)
}

fn pairs() -> impl Strategy<Value = Metadata> {
    prop::collection::btree_map("\\PC{1,5}", "\\PC{0,5}", 0..3)
        .prop_filter_map("refused", |pairs| Metadata::new(pairs, "metadata").ok())
}

fn an_address() -> impl Strategy<Value = Address> {
    let (line, city) = (|| prop::option::of(a_text(AddressLine::new)), prop::option::of(a_text(City::new)));
    let (state, code) = (prop::option::of(a_text(State::new)), prop::option::of(a_text(PostalCode::new)));
    let country = prop::option::of(prop::sample::select(vec!["DE", "IN", "ZW"]));
    (line(), line(), city, state, code, country).prop_map(|(line1, line2, city, state, postal_code, country)| Address {
        line1,
        line2,
        city,
        state,
        postal_code,
        country: country.map(|code| CountryCode::new(code).unwrap()),
    })
}

fn an_association() -> impl Strategy<Value = TaxAssociation> {
    let numbers = (0..9_u32, 0..9_i64, any::<bool>(), 0..9_u64, prop::option::of(10..20_u64));
    let currency = prop::option::of(prop::sample::select(vec!["EUR", "usd"]));
    (numbers, currency, pairs(), a_status(), an_audit()).prop_map(
        |((id, priority, auto_apply, start, end), currency, metadata, status, audit)| TaxAssociation {
            id: an_id(id),
            priority: Priority::new(priority).unwrap(),
            auto_apply,
            currency: currency.map(|code| CurrencyCode::new(code).unwrap()),
            metadata,
            start: time(start),
            end: end.map(time),
            status,
            audit,
            ..a_tax_default(&a_tax_rate("VAT"))
        },
    )
}

fn a_mapping() -> impl Strategy<Value = (u32, ProviderType, ProviderEntityId, JsonObject, Status, Audit)> {
    let object = prop::collection::btree_map("\\PC{1,5}", any::<i64>(), 0..3).prop_filter_map("refused", |members| {
        JsonObject::new(members.into_iter().map(|(key, number)| (key, number.into())).collect()).ok()
    });
    (0..9_u32, a_text(ProviderType::new), a_text(ProviderEntityId::new), object, a_status(), an_audit())
}

fn a_custom_value() -> impl Strategy<Value = CustomValue> {
    let text = || a_text(CustomText::new);
    prop_oneof![
        text().prop_map(CustomValue::Text),
        (-99_i64..99).prop_map(|number| CustomValue::Integer(CustomInteger::new(number).unwrap())),
        "-?[0-9]{1,3}(\\.[0-9]{1,3})?".prop_map(|text| CustomValue::Decimal(CustomDecimal::new(&text).unwrap())),
        any::<bool>().prop_map(CustomValue::Boolean),
        (1..9_u8).prop_map(|day| CustomValue::Date(CustomDate::new(&format!("2026-01-0{day}")).unwrap())),
        prop::collection::vec(text(), 1..3).prop_map(CustomValue::Texts),
    ]
}

fn custom_fields() -> impl Strategy<Value = CustomFields> {
    let field = ("[a-d]", a_custom_value()).prop_map(|(key, value)| (CustomFieldKey::new(key).unwrap(), value));
    prop::collection::vec(field, 0..4).prop_map(|fields| fields.into_iter().collect())
}

prop_compose! {
    fn any_customer()(
        external_id in a_text(ExternalId::new),
        texts in (prop::option::of(a_text(CustomerName::new)), prop::option::of(a_text(Contact::new))),
        email in prop::option::of(Just("ada@example.com")),
        address in an_address(),
        zone in prop::sample::select(vec!["UTC", "Europe/Berlin"]),
        (metadata, custom_fields) in (pairs(), custom_fields()),
        (status, version, audit) in (a_status(), 1..9_i64, an_audit()),
        mappings in prop::collection::vec(a_mapping(), 0..3),
        associations in prop::collection::vec(an_association(), 0..3),
        removed in prop::collection::vec(an_association(), 0..3),
        former in prop::collection::vec((a_text(ExternalId::new), 0..5_u64, 0..5_u64), 0..3),
        since in 0..9_u64,
    ) -> CustomerAggregate {
        let mut one = a_customer("any").existing();
        let customer = &mut one.customer;
        customer.external_id = external_id;
        (customer.profile.name, customer.profile.contact) = texts;
        customer.profile.email = email.map(|email| Email::new(email).unwrap());
        customer.profile.address = address;
        customer.profile.timezone = TimeZone::new(zone).unwrap();
        customer.profile.metadata = metadata;
        customer.profile.custom_fields = custom_fields;
        customer.status = status;
        customer.version = Version::from_stored(version).unwrap();
        customer.audit = audit;
        let (id, owner) = (customer.id, customer.owner);
        let of_customer = |one| TaxAssociation { entity: TaxedEntity::Customer(id), ..one };
        one.associations = associations.into_iter().map(of_customer).collect();
        one.removed_associations = removed.into_iter().map(of_customer).collect();
        let mapping = |(number, provider_type, provider_entity_id, metadata, status, audit)| IntegrationMapping {
            id: an_id(number), owner, customer_id: id, provider_type, provider_entity_id, metadata, status, audit,
        };
        one.mappings = mappings.into_iter().map(mapping).collect();
        let former_id = |(external_id, from, until)| FormerExternalId { external_id, from: time(from), until: time(until) };
        one.former_external_ids = former.into_iter().map(former_id).collect();
        one.external_id_since = time(since);
        one
    }
}

prop_compose! {
    fn any_rate()(
        (code, name) in (a_text(TaxRateCode::new), a_text(TaxRateName::new)),
        description in prop::option::of(a_text(TaxRateDescription::new)),
        (fixed, number) in (any::<bool>(), "[0-9]{1,2}(\\.[0-9]{1,20})?"),
        scope in prop::sample::select(TaxRateScope::ALL),
        rate_status in prop::sample::select(TaxRateStatus::ALL),
        metadata in pairs(),
        (status, version, audit) in (a_status(), 1..9_i64, an_audit()),
    ) -> TaxRate {
        let value = match fixed {
            true => TaxValue::Fixed(FixedAmount::new(&number).unwrap()),
            false => TaxValue::Percentage(Percentage::new(&number).unwrap()),
        };
        let version = Version::from_stored(version).unwrap();
        TaxRate { code, name, description, value, scope, rate_status, metadata, status, version, audit, ..a_tax_rate("any") }
    }
}

proptest! {
    #[test]
    fn any_customer_survives(customer in any_customer()) {
        survives(&customer);
    }

    #[test]
    fn any_rate_survives(rate in any_rate()) {
        survives(&rate);
    }

    #[test]
    fn any_default_survives(default in an_association()) {
        survives(&default);
    }

    #[test]
    fn no_text_breaks_the_reader(text in "\\PC{0,60}|[{}\\[\\]\",:a-z0-9]{0,60}") {
        let _ = CustomerAggregate::from_document(an_owner(), &text);
    }
}
