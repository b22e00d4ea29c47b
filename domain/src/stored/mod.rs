//! The stored form of each aggregate: a compact JSON document, the same for every store.
//!
//! A store that keeps documents needs no types of its own: it writes [`Stored::to_document`] and reads
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
//! # What a document says
//! - Members are named as in the API where the API has a name. Times are microseconds since 1970, ids their text.
//! - Left out is what is empty, what has its default (time zone `UTC`, priority 0, version 1, status `published`) and what
//!   follows from the rest: who changed something last where nobody did, and who made a mapping or a tax association where
//!   that was done together with its customer.
//! - Whose it is is not said: the scope in which a document is found says it. Environments and API keys name their
//!   environment, because they may be kept in another one.
//!
//! # Versions
//! A document without the member `v` is of version 1. One of a version that this program does not know is refused, and so
//! is a member that it does not know: otherwise the next change would lose what a newer program wrote.
//!
//! # What is checked
//! Everything but what a table outside this crate says: a country, currency or time zone that has been withdrawn since
//! makes no document unreadable.

mod api_key;
mod association;
mod customer;
#[cfg(feature = "webhooks")]
mod delivery;
mod environment;
pub mod event;
#[cfg(feature = "webhooks")]
mod onboarding_run;
mod tax_rate;
#[cfg(test)]
mod tests;
mod values;
#[cfg(feature = "webhooks")]
mod webhook_endpoint;
#[cfg(feature = "webhooks")]
mod workflow;

use serde::{Deserialize, Serialize};

use crate::lifecycle::Owner;

/// What has a stored form.
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
    /// What the form is called in errors, such as `customer`.
    const NAME: &'static str;

    /// The compact JSON document.
    fn to_document(&self) -> String;

    /// Takes back what [`Self::to_document`] gave, for the owner in whose scope it was found.
    ///
    /// # Errors
    /// When the document is damaged, or of a version that this program does not know. See [`StoredError`].
    fn from_document(owner: Owner, document: &str) -> Result<Self, StoredError>;
}

/// Why a document cannot be read. It names the form and the place, never a value: that may be personal.
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
    /// It is no JSON, or a member is missing, unknown, or holds what it may not hold.
    #[error("the stored {form} cannot be read at line {line}, column {column}")]
    Unreadable {
        /// The name of the form.
        form: &'static str,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// A member is missing, or does not fit the others.
    #[error("the stored {form} cannot be read: {member} is missing or does not fit the rest")]
    Member {
        /// The name of the form.
        form: &'static str,
        /// The name of the member.
        member: &'static str,
    },
    /// A newer program wrote it.
    #[error("the stored {form} is of version {version}, which this program does not know; update the program")]
    Version {
        /// The name of the form.
        form: &'static str,
        /// Its version.
        version: u64,
    },
}

/// The version of a form as its document says it.
#[derive(Deserialize)]
struct SaidVersion {
    v: Option<u64>,
}

/// The only version so far. No document says it.
const CURRENT: u64 = 1;

/// A form as a document.
fn write(form: &impl Serialize) -> String {
    // Texts, numbers and maps with keys of text always have a JSON form.
    serde_json::to_string(form).unwrap_or_default()
}

/// A form from a document.
fn read<'d, F: Deserialize<'d>>(form: &'static str, document: &'d str) -> Result<F, StoredError> {
    serde_json::from_str(document).map_err(|error| {
        // What cannot be read may be of a newer version, whatever else is wrong with it then.
        match serde_json::from_str::<SaidVersion>(document) {
            Ok(SaidVersion { v: Some(version) }) if version != CURRENT => StoredError::Version { form, version },
            _ => StoredError::Unreadable { form, line: error.line(), column: error.column() },
        }
    })
}

/// What a form stands for, or the member that is missing or does not fit.
fn fits<T>(form: &'static str, taken: Result<T, &'static str>) -> Result<T, StoredError> {
    taken.map_err(|member| StoredError::Member { form, member })
}
