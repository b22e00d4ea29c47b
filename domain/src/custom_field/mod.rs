//! Custom fields: the definitions of an environment, and the values of its customers.
//!
//! A [`CustomFieldDefinition`] names a field and its type. A customer's values are [`CustomFields`], part of its document. A change
//! of a customer is checked against the definitions, which its store looks up as [`CustomFieldFacts`].

mod change;
mod definition;
mod error;
mod facts;
mod given;
mod key;
#[cfg(any(test, feature = "mock"))]
mod mock;
mod port;
mod service;
mod sort_key;
#[cfg(test)]
mod tests;
mod value;

pub use change::{ChangeCustomField, CustomFieldDeletion, CustomFieldUpdate, DeleteCustomField, PurgeCustomField};
pub use definition::{
    CustomFieldDefinition, CustomFieldDescription, CustomFieldDescriptionError, CustomFieldOption,
    CustomFieldOptionError, CustomFieldOptions, CustomFieldType, NewCustomField,
};
pub use error::{CustomFieldError, MAX_CUSTOM_FIELDS, MAX_NAMED_CLASHES, check_custom_fields};
pub use facts::{CustomFieldFacts, CustomFieldsNeeded, UniqueValue};
pub(crate) use facts::{apply, checked_new, wanted};
pub use given::{CustomFieldsChange, GivenFields, GivenValue};
pub use key::{CustomFieldKey, CustomFieldKeyError};
pub use port::CustomFieldRepository;
#[cfg(any(test, feature = "mock"))]
pub use port::MockCustomFieldRepository;
pub use service::CustomFieldService;
pub(crate) use sort_key::SortKey;
pub use value::{
    CustomDate, CustomDecimal, CustomFields, CustomInteger, CustomText, CustomTextError, CustomValue, CustomValueError,
};
