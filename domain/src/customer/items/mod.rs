//! The items of a customer with ids of their own: contact persons, tax ids and tax exemptions.

mod change;
mod exemption;
mod list;
mod person;
mod recipients;
mod tax_id;
mod tax_id_type;

pub use change::{ItemChange, ItemError, ItemsChange};
pub use exemption::{
    CertificateNumber, CertificateNumberError, DocumentUrl, DocumentUrlError, ExemptRates, ExemptionNote,
    ExemptionNoteError, ExemptionReason, TaxExemption, TaxExemptionUpdate,
};
pub use list::{Item, ItemFault, ItemKind, NewItem, NewItems};
pub use person::{
    ContactDepartment, ContactDepartmentError, ContactDesignation, ContactDesignationError, ContactMobile,
    ContactMobileError, ContactPerson, ContactPersonUpdate, ContactRole, ContactRoleError, ContactRoles, FirstName,
    FirstNameError, LastName, LastNameError, Salutation, SalutationError,
};
pub use recipients::{Recipient, RecipientReason};
pub use tax_id::{TaxId, TaxIdError, TaxIdUpdate};
pub use tax_id_type::{TaxIdType, TaxIdTypeError};
