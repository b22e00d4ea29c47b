//! The stored form of each aggregate: a compact JSON document that is the same in every store.
//!
//! A store of documents needs no types of its own: it writes [`Stored::to_document`] and reads
//! [`Stored::from_document`]. The adapters of this project do so.
//!
//! ```
//! use patron_domain::{customer::CustomerAggregate, stored::Stored, testkit::{a_customer, an_owner}};
//!
//! let acme = a_customer("acme").named("Acme Ltd").linked("stripe", "cus_1").existing();
//! let document = acme.to_document();
//! assert!(document.starts_with(r#"{"id":"cust_"#));
//! assert_eq!(CustomerAggregate::from_document(an_owner(), &document), Ok(acme));
//! ```
//!
//! # Contents of a document
//! - Members are named as in the API where the API has a name. Times are microseconds since 1970, ids their text.
//! - Empty values and defaults are absent (time zone `UTC`, priority 0, version 1, status `published`). So are values
//!   that follow from others: the last change of an object that was never changed, and the creation of a mapping or tax
//!   association that was created together with its customer.
//! - `folded` holds texts without their case, for stores that search in documents. It omits texts whose folded form is the
//!   text with the letters A to Z in lower case. It follows from the rest, and readers ignore it.
//! - `sort_keys` holds for each custom field a letter for its type and a text that sorts like its value, for stores that compare
//!   in documents. It omits texts whose folded form is the text with the letters A to Z in lower case.
//! - The owner is absent: it follows from the scope in which a document is found. Environments and API keys contain
//!   their environment's id, because they may be stored in another environment.
//!
//! # Versions
//! A document without the member `v` has version 1. Documents of an unknown version and documents with unknown members
//! are refused: otherwise the next change would lose data that a newer program wrote.
//!
//! # Whole values
//! With the feature `serde`, whole values implement [`Serialize`] and [`Deserialize`]: the customer with or without what belongs
//! to it, mappings, tax rates and associations, events, pages of them, and effective taxes. The JSON of a value is its
//! document with the members `tenant_id` and `environment_id` in front. An event has its envelope, and the document in `state`.
//!
//! # Checks
//! Everything is checked except membership in tables outside this crate, so a document stays readable when a country,
//! currency or time zone is withdrawn.

mod api_key;
mod association;
mod custom_field;
mod custom_fields;
mod customer;
mod deletion_request;
#[cfg(feature = "webhooks")]
mod delivery;
mod environment;
pub mod event;
mod import;
mod import_summary;
mod items;
#[cfg(feature = "webhooks")]
mod onboarding_run;
mod parts;
mod retention;
mod tax_rate;
#[cfg(test)]
mod tests;
mod values;
#[cfg(feature = "webhooks")]
mod webhook_endpoint;
#[cfg(feature = "serde")]
pub(crate) mod whole;
#[cfg(feature = "webhooks")]
mod workflow;

use serde::{Deserialize, Serialize};

use crate::lifecycle::Owner;

/// A type with a stored form.
///
/// ```
/// use patron_domain::{stored::Stored, tax::TaxRate, testkit::{a_tax_rate, an_owner}};
///
/// let rate = a_tax_rate("VAT");
/// assert_eq!(TaxRate::from_document(an_owner(), &rate.to_document()), Ok(rate));
/// let damaged = TaxRate::from_document(an_owner(), "{\"id\":7}").unwrap_err();
/// assert_eq!(damaged.to_string(), "the stored tax_rate cannot be read at line 1, column 7");
/// ```
pub trait Stored: Sized {
    /// The name of the form in errors, such as `customer`.
    const NAME: &'static str;

    /// The compact JSON document.
    fn to_document(&self) -> String;

    /// Reads a document, for the owner in whose scope it was found.
    ///
    /// # Errors
    /// When the document is damaged, or has an unknown version. See [`StoredError`].
    fn from_document(owner: Owner, document: &str) -> Result<Self, StoredError>;
}

/// Why a document cannot be read. The error contains the form and the position, but no value, which may be personal
/// data.
///
/// ```
/// use patron_domain::{customer::CustomerAggregate, stored::{Stored, StoredError}, testkit::an_owner};
///
/// let newer = CustomerAggregate::from_document(an_owner(), r#"{"v":2,"motto":"semper"}"#);
/// assert_eq!(newer, Err(StoredError::Version { form: "customer", version: 2 }));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoredError {
    /// The document is not JSON, or a member is missing, unknown or invalid.
    #[error("the stored {form} cannot be read at line {line}, column {column}")]
    Unreadable {
        /// The name of the form.
        form: &'static str,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// A member is missing or contradicts the others.
    #[error("the stored {form} cannot be read: {member} is missing or contradicts the rest")]
    Member {
        /// The name of the form.
        form: &'static str,
        /// The name of the member.
        member: &'static str,
    },
    /// The document was written by a newer program.
    #[error("the stored {form} has version {version}, which this program does not know; update the program")]
    Version {
        /// The name of the form.
        form: &'static str,
        /// Its version.
        version: u64,
    },
}

/// The version in a document.
#[derive(Deserialize)]
struct SaidVersion {
    v: Option<u64>,
}

/// The only version so far. Documents do not contain it.
const CURRENT: u64 = 1;

/// Writes a form as a document.
fn write(form: &impl Serialize) -> String {
    // Text, numbers and maps with text keys always have a JSON form.
    serde_json::to_string(form).unwrap_or_default()
}

/// Reads a form from a document.
fn read<'d, F: Deserialize<'d>>(form: &'static str, document: &'d str) -> Result<F, StoredError> {
    serde_json::from_str(document).map_err(|error| {
        // An unreadable document may have a newer version: then that is the error to report.
        match serde_json::from_str::<SaidVersion>(document) {
            Ok(SaidVersion { v: Some(version) }) if version != CURRENT => StoredError::Version { form, version },
            _ => StoredError::Unreadable { form, line: error.line(), column: error.column() },
        }
    })
}

/// The value of a form, or an error about the member that is missing or contradicts the others.
fn fits<T>(form: &'static str, taken: Result<T, &'static str>) -> Result<T, StoredError> {
    taken.map_err(|member| StoredError::Member { form, member })
}
