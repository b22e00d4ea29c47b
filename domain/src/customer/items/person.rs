//! The people of a customer.

use super::{ItemFault, ItemKind};
use crate::{
    customer::{Email, Listed, Locale, TextList},
    event::CustomerField,
    ids::ContactPersonKind,
    patch::Patch,
    text::text_newtype,
    time::Timestamp,
    violation::Violations,
};

text_newtype! {
    /// A person's first name: 1–100 characters, not blank, no control characters.
    personal FirstName, FirstNameError, "first_name", max 100, not_blank true
}

text_newtype! {
    /// A person's last name: 1–100 characters, no control characters.
    personal LastName, LastNameError, "last_name", max 100
}

text_newtype! {
    /// The form of address of a person: 1–25 characters, no control characters.
    personal Salutation, SalutationError, "salutation", max 25
}

text_newtype! {
    /// A person's mobile telephone number: 1–50 characters, no control characters.
    personal ContactMobile, ContactMobileError, "mobile", max 50
}

text_newtype! {
    /// A person's job title: 1–50 characters, no control characters.
    personal ContactDesignation, ContactDesignationError, "designation", max 50
}

text_newtype! {
    /// A person's department: 1–50 characters, no control characters.
    personal ContactDepartment, ContactDepartmentError, "department", max 50
}

text_newtype! {
    /// A role of a person, such as `billing`: 1–40 characters, case-sensitive, not blank, no control characters.
    public ContactRole, ContactRoleError, "role", max 40, not_blank true
}

/// The roles of a person: at most 10.
///
/// ```
/// use patron_domain::customer::{ContactRole, ContactRoles};
///
/// let billing = || ContactRole::new("billing").unwrap();
/// assert!(ContactRoles::new(vec![billing(), billing()]).is_err());
/// ```
pub type ContactRoles = TextList<ContactRole>;

impl Listed for ContactRole {
    const NAME: &'static str = "roles";
    const MAX: Option<usize> = Some(10);
}

/// The optional texts of a person. For each, a macro gets the name, the type and a description.
#[doc(hidden)]
#[macro_export]
macro_rules! contact_person_texts {
    ($with:ident) => {
        $with! {
            last_name: LastName, "The last name.";
            salutation: Salutation, "The form of address.";
            email: Email, "The e-mail address.";
            mobile: ContactMobile, "The mobile telephone number.";
            designation: ContactDesignation, "The job title.";
            department: ContactDepartment, "The department.";
            locale: Locale, "The language in which the person wants to be written to.";
        }
    };
}

macro_rules! person {
    ($($field:ident: $type:ident, $says:literal;)+) => {
        /// A contact person of a customer.
        ///
        /// ```
        /// use patron_domain::customer::{ContactPerson, FirstName};
        ///
        /// let ada = ContactPerson::new(FirstName::new("Ada").unwrap());
        /// assert!(!ada.is_primary);
        /// ```
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct ContactPerson {
            /// The first name.
            pub first_name: FirstName,
            $(#[doc = $says] pub $field: Option<$type>,)+
            /// Whether this is the primary contact. A customer has at most one.
            pub is_primary: bool,
            /// The roles.
            pub roles: ContactRoles,
        }

        impl ContactPerson {
            /// A person with a first name only.
            #[must_use]
            pub fn new(first_name: FirstName) -> Self {
                Self { first_name, $($field: None,)+ is_primary: false, roles: ContactRoles::default() }
            }
        }

        /// An update of a person.
        ///
        /// ```
        /// use patron_domain::customer::ContactPersonUpdate;
        ///
        /// assert_eq!(ContactPersonUpdate::default().is_primary, None);
        /// ```
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct ContactPersonUpdate {
            /// The new first name.
            pub first_name: Option<FirstName>,
            $(#[doc = $says] pub $field: Patch<$type>,)+
            /// Whether this is the primary contact.
            pub is_primary: Option<bool>,
            /// The roles.
            pub roles: Option<ContactRoles>,
        }

        impl ItemKind for ContactPerson {
            type Id = ContactPersonKind;
            type Update = ContactPersonUpdate;

            const NAME: &'static str = "contact_persons";
            const FIELD: CustomerField = CustomerField::ContactPersons;

            fn update(&mut self, update: ContactPersonUpdate, _at: Timestamp) -> Result<(), Violations> {
                if let Some(first_name) = update.first_name {
                    self.first_name = first_name;
                }
                $(update.$field.apply(&mut self.$field);)+
                self.is_primary = update.is_primary.unwrap_or(self.is_primary);
                if let Some(roles) = update.roles {
                    self.roles = roles;
                }
                Ok(())
            }

            fn clash(&self, earlier: &Self) -> Option<ItemFault> {
                (self.is_primary && earlier.is_primary).then_some(ItemFault::Primary)
            }
        }
    };
}

crate::contact_person_texts!(person);

impl ContactPerson {
    /// The whole name, for people.
    #[must_use]
    pub fn full_name(&self) -> String {
        match &self.last_name {
            Some(last_name) => format!("{} {}", self.first_name.as_str(), last_name.as_str()),
            None => self.first_name.as_str().to_owned(),
        }
    }
}
