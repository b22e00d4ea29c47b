//! The table of the single texts that are known of a customer. Everything that treats them all alike is derived from it: the
//! update, the names of changed fields, filters and sorting, the stored form, and the requests and answers over HTTP.

/// Hands the table to a macro. A line is: the name on the wire, the type, the name in enumerations, the place in
/// [`Profile`](crate::customer::Profile), what stands for it while it is unset, and what it is.
///
/// Unset is `empty` (an empty text in answers), `omitted` (no member in answers), or `default` (the default of the type, which
/// then stands in the profile itself and not in an `Option`).
///
/// The order is that of [`CustomerField`](crate::event::CustomerField) and of answers. A new line is all that a new text needs
/// beside its type and its member of the profile.
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

/// The text at a place of the table, as answers show it: an absent one is empty.
macro_rules! shown_text {
    (default, $place:expr) => {
        $place.as_str()
    };
    ($unset:ident, $place:expr) => {
        $place.as_ref().map_or("", |value| value.as_str())
    };
}

/// What may be absent, as a place of the table holds it.
macro_rules! or_unset {
    (default, $value:expr) => {
        $value.unwrap_or_default()
    };
    ($unset:ident, $value:expr) => {
        $value
    };
}

/// Applies an update to a place of the table, and tells whether another value stands there now.
macro_rules! apply_patch {
    (default, $patch:expr, $place:expr) => {
        $patch.apply_or_default(&mut $place)
    };
    ($unset:ident, $patch:expr, $place:expr) => {
        $patch.apply(&mut $place)
    };
}

pub(crate) use {apply_patch, or_unset, set_value, shown_text};
