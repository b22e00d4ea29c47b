//! The table of a customer's single texts. Everything that treats all of them alike is generated from it: updates, the names
//! of changed fields, filters and sorting, the stored form, and the requests and responses over HTTP.

/// Hands the table to a macro. A line is: the name on the wire, the type, the name in enumerations, the place in
/// [`Profile`](crate::customer::Profile), its value while it is unset, and a description.
///
/// Unset is `empty` (an empty text in responses), `omitted` (no member in responses), or `default` (the default of the type. The
/// profile then holds the type itself, not an `Option`).
///
/// [`CustomerField`](crate::event::CustomerField) and responses have this order. A new text needs a line here, its type, and its
/// member of the profile.
#[doc(hidden)]
#[macro_export]
macro_rules! customer_texts {
    ($with:ident) => {
        $with! {
            name: CustomerName, Name, [name], empty, "The full name of the person or company.";
            email: Email, Email, [email], empty, "The e-mail address.";
            contact: Contact, Contact, [contact], omitted, "The contact number.";
            address_line1: AddressLine, AddressLine1, [address.line1], empty, "The first line of the address.";
            address_line2: AddressLine, AddressLine2, [address.line2], empty, "The second line of the address.";
            address_city: City, AddressCity, [address.city], empty, "The city.";
            address_state: State, AddressState, [address.state], empty, "The state, province or region.";
            address_postal_code: PostalCode, AddressPostalCode, [address.postal_code], empty, "The postal code.";
            address_country: CountryCode, AddressCountry, [address.country], empty, "The country.";
            timezone: TimeZone, Timezone, [timezone], default, "The time zone; `UTC` unless it was given.";
            billing_currency: BillingCurrency, BillingCurrency, [billing_currency], omitted,
                "The currency in which the customer is billed.";
            tax_treatment: TaxTreatment, TaxTreatment, [tax_treatment], default,
                "How the customer is taxed; `taxable` unless it was given.";
            customer_type: CustomerType, CustomerType, [customer_type], omitted, "Whether it is a company or a person.";
            legal_name: LegalName, LegalName, [legal_name], empty, "The name under which the company is registered.";
            registration_number: RegistrationNumber, RegistrationNumber, [registration_number], empty,
                "The number under which the company is registered.";
            buyer_reference: BuyerReference, BuyerReference, [buyer_reference], empty,
                "What the customer wants to read on its invoices.";
        }
    };
}

/// The value at a place of the table, if it is set.
macro_rules! set_value {
    (default, $place:expr) => {
        Some($place).filter(|value| **value != Default::default())
    };
    ($unset:ident, $place:expr) => {
        $place.as_ref()
    };
}

/// The text at a place of the table, as in responses: an absent text is empty.
macro_rules! shown_text {
    (default, $place:expr) => {
        $place.as_str()
    };
    ($unset:ident, $place:expr) => {
        $place.as_ref().map_or("", |value| value.as_str())
    };
}

/// An optional value, as a place of the table holds it.
macro_rules! or_unset {
    (default, $value:expr) => {
        $value.unwrap_or_default()
    };
    ($unset:ident, $value:expr) => {
        $value
    };
}

/// Applies an update to a place of the table, and returns whether the value has changed.
macro_rules! apply_patch {
    (default, $patch:expr, $place:expr) => {
        $patch.apply_or_default(&mut $place)
    };
    ($unset:ident, $patch:expr, $place:expr) => {
        $patch.apply(&mut $place)
    };
}

pub(crate) use {apply_patch, or_unset, set_value, shown_text};
