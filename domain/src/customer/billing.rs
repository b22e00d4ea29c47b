//! How a customer is billed and taxed, and its entries in registers.

use crate::{
    tax::{CurrencyCode, CurrencyCodeError},
    text::{serde_as_text, text_newtype},
    words::words,
};

text_newtype! {
    /// The name under which a company is registered: 1–255 characters, no control characters.
    personal LegalName, LegalNameError, "legal_name", max 255
}

text_newtype! {
    /// The number under which a company is registered: 1–100 characters, no control characters.
    personal RegistrationNumber, RegistrationNumberError, "registration_number", max 100
}

text_newtype! {
    /// A reference of the customer for its invoices: 1–200 characters, no control characters. The buyer reference of EN 16931
    /// (BT-10), in Germany the Leitweg-ID.
    personal BuyerReference, BuyerReferenceError, "buyer_reference", max 200
}

/// The currency in which a customer is billed: a code of ISO 4217, accepted in either case and stored in lower case.
///
/// ```
/// use patron_domain::customer::BillingCurrency;
///
/// assert_eq!(BillingCurrency::new("EUR").unwrap().as_str(), "eur");
/// assert!(BillingCurrency::new("euro").is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BillingCurrency(CurrencyCode);

impl BillingCurrency {
    /// Checks a code against the current ones.
    ///
    /// # Errors
    /// As [`CurrencyCode::new`].
    pub fn new(code: impl AsRef<str>) -> Result<Self, CurrencyCodeError> {
        CurrencyCode::new(code).map(|code| Self(code.lower()))
    }

    /// Reads a stored code. Only its form is checked.
    ///
    /// # Errors
    /// When it is not three ASCII letters.
    pub fn from_stored(code: impl AsRef<str>) -> Result<Self, CurrencyCodeError> {
        CurrencyCode::from_stored(code).map(|code| Self(code.lower()))
    }

    /// The code in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

serde_as_text!(BillingCurrency);

/// How a customer is taxed.
///
/// ```
/// use patron_domain::customer::TaxTreatment;
///
/// assert_eq!(TaxTreatment::default().as_str(), "taxable");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum TaxTreatment {
    /// By the rates that apply.
    #[default]
    Taxable,
    /// Not at all.
    Exempt,
    /// Not by the seller: the customer declares the tax itself.
    ReverseCharge,
}

words!(
    TaxTreatment,
    "taxable, exempt, reverse_charge",
    Taxable => "taxable",
    Exempt => "exempt",
    ReverseCharge => "reverse_charge",
);

/// Whether a customer is a company or a person.
///
/// ```
/// use patron_domain::customer::CustomerType;
///
/// assert_eq!(CustomerType::parse("company"), Ok(CustomerType::Company));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CustomerType {
    /// A company, or another legal person.
    Company,
    /// A natural person.
    Individual,
}

words!(CustomerType, "company, individual", Company => "company", Individual => "individual");
