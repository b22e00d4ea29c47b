//! Certificates that exempt a customer from some or all taxes.

use super::ItemKind;
use crate::{
    customer::{CountryCode, Listed, State, TextList},
    event::CustomerField,
    ids::TaxExemptionKind,
    patch::Patch,
    tax::TaxRateCode,
    text::{serde_as_text, text_newtype},
    time::Timestamp,
    violation::{Rule, Violations},
    words::words,
};

/// Why a customer is exempt.
///
/// ```
/// use patron_domain::customer::ExemptionReason;
///
/// assert_eq!(ExemptionReason::parse("nonprofit"), Ok(ExemptionReason::Nonprofit));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is what its word says")]
pub enum ExemptionReason {
    Resale,
    Government,
    Nonprofit,
    Agricultural,
    Manufacturing,
    Educational,
    Diplomatic,
    Other,
}

words!(
    ExemptionReason,
    "resale, government, nonprofit, agricultural, manufacturing, educational, diplomatic, other",
    Resale => "resale",
    Government => "government",
    Nonprofit => "nonprofit",
    Agricultural => "agricultural",
    Manufacturing => "manufacturing",
    Educational => "educational",
    Diplomatic => "diplomatic",
    Other => "other",
);

text_newtype! {
    /// The number of a certificate: 1–100 characters, no control characters.
    personal CertificateNumber, CertificateNumberError, "certificate_number", max 100
}

text_newtype! {
    /// A note about an exemption: 1–500 characters, no control characters except tabs and line breaks.
    personal ExemptionNote, ExemptionNoteError, "note", max 500, lines true
}

/// Where the certificate can be read: an https URL of at most 2,048 characters.
///
/// ```
/// use patron_domain::customer::DocumentUrl;
///
/// assert!(DocumentUrl::new("https://files.example/certificate.pdf").is_ok());
/// assert!(DocumentUrl::new("http://files.example/certificate.pdf").is_err());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct DocumentUrl(String);

/// Why a text is not a [`DocumentUrl`].
///
/// ```
/// use patron_domain::{customer::{DocumentUrl, DocumentUrlError}, violation::Rule};
///
/// assert_eq!(DocumentUrl::new("x"), Err(DocumentUrlError));
/// assert_eq!(DocumentUrlError.rule(), "https_url");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("document_url must be an https URL of at most {max} characters", max = DocumentUrl::MAX_CHARS)]
pub struct DocumentUrlError;

impl Rule for DocumentUrlError {
    fn rule(&self) -> &'static str {
        "https_url"
    }
}

impl DocumentUrl {
    /// The most characters.
    pub const MAX_CHARS: usize = 2_048;

    /// Checks the form: the scheme, a host, and no blanks or control characters. Nothing is fetched.
    ///
    /// # Errors
    /// If it has another form, or is too long.
    pub fn new(url: impl Into<String>) -> Result<Self, DocumentUrlError> {
        let url = url.into();
        let rest = url.strip_prefix("https://").ok_or(DocumentUrlError)?;
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host_fits = host.chars().any(char::is_alphanumeric) && !host.contains('@');
        let fits = host_fits && !url.chars().any(|one| one.is_whitespace() || one.is_control());
        if fits && url.chars().count() <= Self::MAX_CHARS { Ok(Self(url)) } else { Err(DocumentUrlError) }
    }

    /// The URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for DocumentUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DocumentUrl(redacted)")
    }
}

serde_as_text!(DocumentUrl);

/// The codes of the tax rates that an exemption concerns, without duplicates: at most 100. An empty list means all rates.
///
/// ```
/// use patron_domain::{customer::ExemptRates, tax::TaxRateCode};
///
/// let codes = ExemptRates::new(vec![TaxRateCode::new("VAT").unwrap()]).unwrap();
/// assert_eq!(codes.len(), 1);
/// ```
pub type ExemptRates = TextList<TaxRateCode>;

impl Listed for TaxRateCode {
    const NAME: &'static str = "tax_rate_codes";
    const MAX: Option<usize> = Some(100);
}

/// The optional texts of an exemption. For each, a macro gets the name, the type and a description.
#[doc(hidden)]
#[macro_export]
macro_rules! tax_exemption_texts {
    ($with:ident) => {
        $with! {
            certificate_number: CertificateNumber, "The number of the certificate.";
            country: CountryCode, "The country in which it holds; everywhere if there is none.";
            state: State, "The state in which it holds; everywhere in the country if there is none.";
            document_url: DocumentUrl, "Where the certificate can be read.";
            note: ExemptionNote, "A note.";
        }
    };
}

macro_rules! exemption {
    ($($field:ident: $type:ident, $says:literal;)+) => {
        /// A certificate that exempts a customer from some or all taxes.
        ///
        /// ```
        /// use patron_domain::customer::{ExemptionReason, TaxExemption};
        ///
        /// let nonprofit = TaxExemption::new(ExemptionReason::Nonprofit);
        /// assert!(nonprofit.tax_rate_codes.is_empty(), "it is about all rates");
        /// ```
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct TaxExemption {
            /// Why.
            pub reason: ExemptionReason,
            $(#[doc = $says] pub $field: Option<$type>,)+
            /// The rates that it concerns; all rates if empty.
            pub tax_rate_codes: ExemptRates,
            /// The start of its validity. Before the decision, `None` means the time of the decision.
            pub starts_at: Option<Timestamp>,
            /// The end of its validity, exclusive.
            pub ends_at: Option<Timestamp>,
        }

        impl TaxExemption {
            /// An exemption from all taxes, everywhere, from now on and without an end.
            #[must_use]
            pub fn new(reason: ExemptionReason) -> Self {
                Self {
                    reason,
                    $($field: None,)+
                    tax_rate_codes: ExemptRates::default(),
                    starts_at: None,
                    ends_at: None,
                }
            }
        }

        /// An update of an exemption.
        ///
        /// ```
        /// use patron_domain::customer::TaxExemptionUpdate;
        ///
        /// assert_eq!(TaxExemptionUpdate::default().reason, None);
        /// ```
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct TaxExemptionUpdate {
            /// The new reason.
            pub reason: Option<ExemptionReason>,
            $(#[doc = $says] pub $field: Patch<$type>,)+
            /// The new list of rates.
            pub tax_rate_codes: Option<ExemptRates>,
            /// The new start; cleared, the time of the update.
            pub starts_at: Patch<Timestamp>,
            /// The new end.
            pub ends_at: Patch<Timestamp>,
        }

        impl ItemKind for TaxExemption {
            type Id = TaxExemptionKind;
            type Update = TaxExemptionUpdate;

            const NAME: &'static str = "tax_exemptions";
            const FIELD: CustomerField = CustomerField::TaxExemptions;

            fn settle(&mut self, at: Timestamp) -> Result<(), Violations> {
                self.starts_at.get_or_insert(at);
                self.check_term()
            }

            fn update(&mut self, update: TaxExemptionUpdate, at: Timestamp) -> Result<(), Violations> {
                self.reason = update.reason.unwrap_or(self.reason);
                $(update.$field.apply(&mut self.$field);)+
                if let Some(codes) = update.tax_rate_codes {
                    self.tax_rate_codes = codes;
                }
                update.starts_at.apply(&mut self.starts_at);
                update.ends_at.apply(&mut self.ends_at);
                self.settle(at)
            }

            fn rate_codes(&self) -> &[TaxRateCode] {
                self.tax_rate_codes.as_slice()
            }

            fn updated_rate_codes(update: &TaxExemptionUpdate) -> &[TaxRateCode] {
                update.tax_rate_codes.as_ref().map_or(&[], TextList::as_slice)
            }
        }
    };
}

crate::tax_exemption_texts!(exemption);

/// Why the two ends of an exemption do not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("ends_at must be after starts_at, which defaults to now")]
struct EndsBeforeStart;

impl Rule for EndsBeforeStart {
    fn rule(&self) -> &'static str {
        "after_starts_at"
    }
}

impl TaxExemption {
    /// Checks that it ends after it starts, if both are known.
    ///
    /// # Errors
    /// Under `ends_at` if it does not.
    pub fn check_term(&self) -> Result<(), Violations> {
        let mut broken = Violations::new();
        if let (Some(start), Some(end)) = (self.starts_at, self.ends_at)
            && end <= start
        {
            broken.add("ends_at", &EndsBeforeStart);
        }
        broken.into_result()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_over_https() {
        for good in ["https://a.example", "https://a.example/x?y#z", "https://[::1]/x", "https://ä.example/ü"] {
            assert!(DocumentUrl::new(good).is_ok(), "{good}");
        }
        for bad in ["", "https://", "https:///x", "https://a b.example", "ftp://a.example", "https://u@a.example", "a"]
        {
            assert!(DocumentUrl::new(bad).is_err(), "{bad}");
        }
        let long = |chars: usize| format!("https://a.example/{}", "x".repeat(chars - 18));
        assert!(DocumentUrl::new(long(2_048)).is_ok() && DocumentUrl::new(long(2_049)).is_err());
    }

    #[test]
    fn it_starts_when_it_is_made_and_ends_later() {
        let at = |micros| Timestamp::from_micros(micros).unwrap();
        let mut one = TaxExemption { ends_at: Some(at(6)), ..TaxExemption::new(ExemptionReason::Other) };
        assert_eq!((one.settle(at(5)), one.starts_at), (Ok(()), Some(at(5))));
        let update = TaxExemptionUpdate { ends_at: Patch::Set(at(5)), ..TaxExemptionUpdate::default() };
        let broken = one.clone().update(update, at(7)).unwrap_err();
        assert_eq!(broken.iter().next().map(|one| one.path.as_str()), Some("ends_at"));
    }
}
