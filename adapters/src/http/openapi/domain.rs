//! Schemas of the domain's types.

use std::{borrow::Cow, collections::BTreeSet};

use patron_domain::{
    audit::{AuditAction, AuditObjectType},
    custom_field::{CustomFieldDescription, CustomFieldKey, CustomFieldOption, CustomFieldType},
    customer::{
        AddressLine, BillingCurrency, BuyerReference, CertificateNumber, City, Contact, ContactDepartment,
        ContactDesignation, ContactMobile, ContactRole, CountryCode, CustomerName, CustomerType, DocumentUrl,
        ElectronicAddressScheme, ElectronicAddressValue, Email, ExemptionNote, ExemptionReason, ExternalId, FirstName,
        HoldReason, LastName, LegalName, Locale, PostalCode, RecipientReason, RegistrationNumber, Salutation,
        ShippingName, ShippingPhone, State, Tag, TaxId, TaxIdType, TaxTreatment, TimeZone,
        find::{FindStatus, HitClass},
        query::{DataType, Direction, Expansion, FilterField, Operator, SortField},
    },
    event::{CustomerField, EventEntity, EventEntityType, EventType, TaxRateField},
    ids::{CustomerKind, Id, Kind, TaxRateKind},
    integration::{ClaimedEntityId, MappedEntityType, ProviderEntityId, ProviderType},
    lifecycle::Status,
    network::Network,
    onboarding::WorkflowName,
    privacy::{Category, Cooldown, DeletionReason, DeletionState, DueReason, RequestChannel, RetentionDays},
    tax::{
        CurrencyCode, FixedAmount, MAX_DIGITS, PassedOver, Percentage, Priority, TaxBehavior, TaxBehaviorSource,
        TaxRateCode, TaxRateDescription, TaxRateName, TaxRateScope, TaxRateStatus, TaxRateType, TaxedEntityType,
    },
    tenancy::{Actor, ApiKeyName, ApiKeyType, EnvironmentName, EnvironmentType, PerSecond, RequestId, Role},
    time::Timestamp,
};
use serde_json::json;
use utoipa::openapi::{
    ObjectBuilder, RefOr, Schema,
    schema::{SchemaType, Type},
};

use super::shape::{Look, Shape, texts, words};

/// The 26 characters after the prefix of an id in every example. Tests replace them by real ones.
pub(crate) const EXAMPLE_ID: &str = "01JDG3W9Z5X0M8R2K7T4B6Q1NE";

texts! {
    ExternalId: "The customer's id in your own system: not blank, no control characters.", "acme-1";
    CustomerName: "The full name of a person or company: not blank.", "Acme GmbH";
    Contact: "A contact number, such as a telephone.", "+49 30 123456";
    WorkflowName: "The name of an onboarding workflow: not blank, no characters that change the direction of text.", "welcome";
    AddressLine: "A line of the address; tabs and line breaks are allowed.", "Unter den Linden 1";
    City: "The city.", "Berlin";
    State: "The state, province or region.", "Berlin";
    PostalCode: "The ZIP or postal code.", "10117";
    Email: "An e-mail address, in any script; its domain has a dot.", "billing@acme.example";
    LegalName: "The name under which the company is registered.", "Acme Gesellschaft mbH";
    RegistrationNumber: "The number under which the company is registered.", "HRB 12345 B";
    BuyerReference: "The customer's reference for its invoices (EN 16931, BT-10).", "991-12345-67";
    ShippingName: "The recipient of goods.", "Acme GmbH, ramp 3";
    ShippingPhone: "The telephone number there.", "+49 30 123457";
    ElectronicAddressValue: "The address within the scheme.", "991-12345-67";
    Locale: "A language tag of BCP 47; returned in canonical case.", "de-AT";
    FirstName: "The first name: not blank.", "Ada";
    LastName: "The last name.", "Lovelace";
    Salutation: "The form of address.", "Dr";
    ContactMobile: "The mobile telephone number.", "+49 170 1234567";
    ContactDesignation: "The job title.", "Head of finance";
    ContactDepartment: "The department.", "Finance";
    ContactRole: "A role of the person: any word, case-sensitive, not blank.", "billing";
    CertificateNumber: "The number of the certificate.", "NY-4711";
    DocumentUrl: "The https URL of the certificate.", "https://files.example/certificate.pdf";
    ExemptionNote: "A note. Tabs and line breaks are allowed.", "Renewed every year";
    Tag: "A word with which you group your customers: case-sensitive, not blank.", "vip";
    CustomFieldOption: "An option: case-sensitive, not blank, no characters that change the direction of text.", "gold";
    CustomFieldDescription: "What the field is for; tabs and line breaks are allowed.", "The number of licensed seats";
    ProviderType: "The name of another system: not blank, no control characters.", "stripe";
    ProviderEntityId: "The customer's id in the other system.", "cus_1";
    ClaimedEntityId: "The id of the entity.", "cust_01JDG3W9Z5X0M8R2K7T4B6Q1NE";
    TaxRateCode: "The code of a tax rate, case-sensitive: not blank, no control characters.", "VAT_DE";
    TaxRateName: "The name of a tax rate, for people: no characters that change the direction of text.", "Umsatzsteuer";
    TaxRateDescription: "The purpose of a tax rate; tabs and line breaks are allowed.", "The regular rate in Germany";
    ApiKeyName: "The purpose of a key: no characters that change the direction of text.", "Billing worker";
    RequestId: "The id of the request that caused it.", "7f3a-1";
    EnvironmentName: "The name of an environment: no characters that change the direction of text.", "Staging";
    DeletionReason: "The reason of the request; erased with the customer. Tabs and line breaks are allowed.", "Letter of 2026-11-03";
    HoldReason: "The reason of the hold; erased with the customer. Tabs and line breaks are allowed.", "Lawsuit 7 O 11/26";
    Actor: "The actor: the id of an API key, `system`, or a user's name.", "secret_01JDG3W9Z5X0M8R2K7T4B6Q1NE";
}

words! {
    Status: "The status in its life cycle.";
    Direction: "The direction of the order.";
    Expansion: "Related data to include.";
    FindStatus: "The customers to find.";
    HitClass: "How well a customer fits: an id or address is exactly the text, a name or e-mail address begins with it, a text contains it, or one word has a typing error.";
    Operator: "The comparison of the field.";
    DataType: "The member of `value`. Optional.";
    CustomFieldType: "The type of the values. It never changes.";
    MappedEntityType: "The type of the entity.";
    TaxRateType: "Whether the rate is a percentage or a fixed amount.";
    TaxRateScope: "The intended use of the rate.";
    TaxTreatment: "The tax treatment of the customer.";
    CustomerType: "Whether the customer is a company or a person.";
    ExemptionReason: "The reason of the exemption.";
    RecipientReason: "The reason: the person has the role; no person has it, and this is the primary one; no role was requested, and this is one of the people; or it is the customer's own address.";
    TaxRateStatus: "Whether the rate is applied.";
    TaxBehavior: "Whether prices contain the tax.";
    TaxBehaviorSource: "Whether the association names `tax_behavior`, or it is usual in the currency: `exclusive` for USD and CAD, otherwise `inclusive`.";
    TaxedEntityType: "The taxed entity: a customer, or (`tenant`) the environment's defaults.";
    PassedOver: "The reason why a rate does not apply.";
    EnvironmentType: "The purpose of an environment.";
    ApiKeyType: "The type of a key.";
    Role: "The permissions of a key.";
    EventType: "The type of an event.";
    AuditAction: "The action.";
    DeletionState: "The state of the request.";
    RequestChannel: "How the request was made: by the person, through your application or by letter or e-mail; or by the \
                     retention of the environment.";
    Category: "The kind of records.";
    DueReason: "The reason: its deletion was requested, or it was archived long ago.";
    AuditObjectType: "The type of the object.";
    EventEntityType: "The type of the event's entity.";
}

/// The key of a custom field, as a regular expression.
fn key_pattern() -> String {
    format!("[a-z][a-z0-9_]{{0,{}}}", CustomFieldKey::MAX_CHARS - 1)
}

/// One of some names, or a custom field.
fn field_name(names: impl Iterator<Item = Cow<'static, str>>, says: &str) -> Look {
    let names: Vec<_> = names.map(|name| name.replace('.', r"\.")).collect();
    Look::matching(format!(r"({}|custom_fields\.{})", names.join("|"), key_pattern()), says, "name")
}

impl Shape for FilterField {
    fn look() -> Look {
        field_name(Self::all().map(Self::name), "The field to filter by; `custom_fields.<key>` is a custom field.")
    }
}

impl Shape for SortField {
    fn look() -> Look {
        field_name(Self::all().map(Self::name), "The field to sort by; `custom_fields.<key>` is a custom field.")
    }
}

impl Shape for CustomFieldKey {
    fn look() -> Look {
        Look::matching(key_pattern(), "The name of a custom field. It never changes.", "seats")
    }
}

impl<K: Kind> Shape for Id<K> {
    fn look() -> Look {
        let prefix = K::PREFIX;
        let pattern = format!("{prefix}[0-7][0-9A-HJKMNP-TV-Z]{{25}}");
        Look::matching(pattern, "An opaque id.", format!("{prefix}{EXAMPLE_ID}"))
    }
}

/// An id whose prefix names the type of its entity.
impl Shape for EventEntity {
    fn look() -> Look {
        let (customer, rate) = (CustomerKind::PREFIX, TaxRateKind::PREFIX);
        Look {
            pattern: Some(format!("({customer}|{rate})[0-7][0-9A-HJKMNP-TV-Z]{{25}}")),
            says: "The id of the event's entity.".to_owned(),
            ..Id::<CustomerKind>::look()
        }
    }
}

/// A field of any entity that has events.
pub(crate) struct ChangedField;

impl Shape for ChangedField {
    fn look() -> Look {
        let customers = CustomerField::ALL.iter().map(|field| field.as_str());
        let all: BTreeSet<_> = customers.chain(TaxRateField::ALL.iter().map(|field| field.as_str())).collect();
        Look::words(all, "The name of a field.")
    }
}

/// A channel in a request.
pub(crate) struct ChannelOfPeople;

impl Shape for ChannelOfPeople {
    fn look() -> Look {
        let words = RequestChannel::OF_PEOPLE.iter().map(|one| one.as_str());
        Look::words(words, "The way in which the person asked: through your application, or by letter or e-mail.")
    }
}

impl Shape for RetentionDays {
    fn look() -> Look {
        Look::integer((0, Self::MAX.into()), "A number of days; with 0 the data is not kept at all.".to_owned(), 365)
    }
}

impl Shape for Cooldown {
    fn look() -> Look {
        let says = format!("The days before the redaction begins, by default {}.", Self::DEFAULT_DAYS);
        Look::integer((0, Self::MAX_DAYS.into()), says, Self::DEFAULT_DAYS)
    }
}

impl Shape for CountryCode {
    fn look() -> Look {
        let says = "An assigned country code of ISO 3166-1 alpha-2, upper case, or `XK` for Kosovo.";
        Look::matching("[A-Z]{2}", says, "DE")
    }
}

impl Shape for CurrencyCode {
    fn look() -> Look {
        Look::matching("[A-Za-z]{3}", "A current currency code of ISO 4217, in upper or lower case.", "eur")
    }
}

impl Shape for BillingCurrency {
    fn look() -> Look {
        let says = "A current currency code of ISO 4217, in either case; returned in lower case.".to_owned();
        Look { says, ..CurrencyCode::look() }
    }
}

impl Shape for ElectronicAddressScheme {
    fn look() -> Look {
        Look::matching("[0-9]{4}", "A scheme of the code list EAS.", "0204")
    }
}

impl Shape for TaxIdType {
    fn look() -> Look {
        let look = Look::words(Self::all().map(Self::as_str), "A type of tax id, as Stripe names it.");
        Look { example: json!("eu_vat"), ..look }
    }
}

impl Shape for TaxId {
    fn look() -> Look {
        let says = "Letters and digits; blanks, dots, hyphens and slashes are dropped. Checked by its type unless `unchecked`.";
        Look { chars: None, ..Look::text(Self::MAX_CHARS, says, "DE136695976") }
    }
}

impl Shape for TimeZone {
    fn look() -> Look {
        let says = "The IANA name of a time zone, case-sensitive.".to_owned();
        Look { kinds: vec![Type::String], says, example: json!("Europe/Berlin"), ..Look::default() }
    }
}

impl Shape for Timestamp {
    fn look() -> Look {
        let (format, says) = (Some("date-time"), "RFC 3339; responses are in UTC with microseconds.".to_owned());
        Look {
            kinds: vec![Type::String],
            format,
            says,
            example: json!("2026-01-31T08:00:00.000000Z"),
            ..Look::default()
        }
    }
}

impl Shape for Priority {
    fn look() -> Look {
        Look::integer((0, i32::MAX.into()), "Lower numbers come first.", 0)
    }
}

impl Shape for bool {
    fn look() -> Look {
        Look { kinds: vec![Type::Boolean], example: json!(true), ..Look::default() }
    }
}

/// Any text.
impl Shape for str {
    fn look() -> Look {
        Look { kinds: vec![Type::String], example: json!("acme-1"), ..Look::default() }
    }
}

/// Any number.
impl Shape for f64 {
    fn look() -> Look {
        Look { kinds: vec![Type::Number], example: json!(1.5), ..Look::default() }
    }
}

impl Shape for Network {
    fn look() -> Look {
        let says = "A range of IP addresses in CIDR notation, or one address.".to_owned();
        Look { kinds: vec![Type::String], says, example: json!("192.0.2.0/24"), ..Look::default() }
    }
}

impl Shape for PerSecond {
    fn look() -> Look {
        let says = "Requests per second. The same number may also arrive at once.";
        Look::integer((1, Self::MAX.into()), says, 100)
    }
}

/// An IP address.
impl Shape for std::net::IpAddr {
    fn look() -> Look {
        let says = "An IP address.".to_owned();
        Look { kinds: vec![Type::String], says, example: json!("192.0.2.7"), ..Look::default() }
    }
}

/// The id of an event or of an entry of the audit log.
pub(crate) struct SomeActivity;

impl Shape for SomeActivity {
    fn look() -> Look {
        Look { example: json!(format!("evt_{EXAMPLE_ID}")), ..str::look() }
    }
}

/// A count.
impl Shape for u64 {
    fn look() -> Look {
        Look::integer((0, i64::MAX), "", 1)
    }
}

macro_rules! decimals {
    ($($name:ident: $says:literal, $example:literal;)*) => {$(
        impl Shape for $name {
            fn look() -> Look {
                let says = format!(concat!($says, ", exact to {} digits."), MAX_DIGITS);
                Look::matching(r"[0-9]+(\.[0-9]+)?", &says, $example)
            }
        }
    )*};
}

decimals! {
    Percentage: "A percentage from 0 to 100", "19";
    FixedAmount: "An amount of 0 or more, in the currency of the charge", "2.5";
}

/// A decimal in a request: a text or a number, in any form that decimals accept.
pub(crate) fn given_decimal<T: Shape>() -> RefOr<Schema> {
    let Look { says, example, .. } = T::look();
    let kinds = SchemaType::from_iter([Type::String, Type::Number, Type::Null]);
    ObjectBuilder::new().schema_type(kinds).description(Some(says)).examples([example]).into()
}
