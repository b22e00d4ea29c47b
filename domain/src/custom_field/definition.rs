//! Definitions of custom fields.

use super::CustomFieldKey;
use crate::{
    ids::CustomFieldId,
    lifecycle::{Audit, Owner},
    text::text_newtype,
    violation::{Violation, Violations},
    words::words,
};

text_newtype! {
    /// An option of a custom field: 1–100 characters, case-sensitive, not blank, no control characters, no characters that
    /// change the direction of text.
    public CustomFieldOption, CustomFieldOptionError, "the option", max 100, not_blank true, no_bidi true
}

text_newtype! {
    /// The description of a custom field: 1–500 characters, not blank. Tabs and line breaks are the only control characters
    /// allowed.
    public CustomFieldDescription, CustomFieldDescriptionError, "description", max 500, not_blank true, lines true
}

/// The type of a custom field.
///
/// ```
/// use patron_domain::custom_field::CustomFieldType;
///
/// assert_eq!(CustomFieldType::parse("multi_select"), Ok(CustomFieldType::MultiSelect));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CustomFieldType {
    /// A text.
    String,
    /// A whole number.
    Integer,
    /// An exact decimal number.
    Decimal,
    /// True or false.
    Boolean,
    /// A date.
    Date,
    /// One of the options.
    Select,
    /// Some of the options.
    MultiSelect,
}

words!(
    CustomFieldType,
    "string, integer, decimal, boolean, date, select, multi_select",
    String => "string",
    Integer => "integer",
    Decimal => "decimal",
    Boolean => "boolean",
    Date => "date",
    Select => "select",
    MultiSelect => "multi_select",
);

impl CustomFieldType {
    /// Whether a field of this type has options.
    #[must_use]
    pub fn has_options(self) -> bool {
        matches!(self, Self::Select | Self::MultiSelect)
    }
}

/// The options of a custom field: at most 100, distinct, in the order given.
///
/// ```
/// use patron_domain::custom_field::{CustomFieldOption, CustomFieldOptions};
///
/// let gold = || CustomFieldOption::new("gold").unwrap();
/// assert!(CustomFieldOptions::new(vec![gold()]).is_ok());
/// assert!(CustomFieldOptions::new(vec![gold(), gold()]).is_err());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CustomFieldOptions(Vec<CustomFieldOption>);

impl CustomFieldOptions {
    /// The maximum number of options.
    pub const MAX: usize = 100;

    /// Checks that there are not too many, and that they are distinct.
    ///
    /// # Errors
    /// Each violation under `options`.
    pub fn new(options: Vec<CustomFieldOption>) -> Result<Self, Violations> {
        let mut broken = Violations::new();
        if options.len() > Self::MAX {
            let message = format!("options must have at most {} elements, it has {}", Self::MAX, options.len());
            broken.push(Violation { path: "options".to_owned(), rule: "max_items", message });
        }
        for (place, option) in options.iter().enumerate() {
            if options.iter().take(place).any(|earlier| earlier == option) {
                let path = format!("options[{place}]");
                let message = format!("{path} repeats an option; send each once");
                broken.push(Violation { path, rule: "unique", message });
            }
        }
        broken.into_result().map(|()| Self(options))
    }

    /// The options.
    #[must_use]
    pub fn as_slice(&self) -> &[CustomFieldOption] {
        &self.0
    }

    /// Whether a text is one of the options.
    #[must_use]
    pub fn contain(&self, text: &str) -> bool {
        self.0.iter().any(|option| option.as_str() == text)
    }

    /// Restores stored options.
    pub(crate) fn from_stored(options: Vec<CustomFieldOption>) -> Self {
        Self(options)
    }
}

/// The definition of a custom field of an environment's customers.
///
/// ```
/// use patron_domain::{custom_field::{CustomFieldDefinition, CustomFieldType}, testkit::a_custom_field};
///
/// let seats: CustomFieldDefinition = a_custom_field("seats", CustomFieldType::Integer);
/// assert!(!seats.required && !seats.unique);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomFieldDefinition {
    /// The id.
    pub id: CustomFieldId,
    /// The environment.
    pub owner: Owner,
    /// The name, unique in the environment. It never changes.
    pub key: CustomFieldKey,
    /// The type. It never changes.
    pub kind: CustomFieldType,
    /// The options, if the type has any.
    pub options: CustomFieldOptions,
    /// Whether every create, and every update that sends custom fields, must leave a value.
    pub required: bool,
    /// Whether no two published customers may have the same value.
    pub unique: bool,
    /// Whether the values are personal data. This informs people. The code treats every value as personal data.
    pub personal: bool,
    /// What it is for.
    pub description: Option<CustomFieldDescription>,
    /// Whether it is being deleted: its values are being removed from the customers, and no new one is accepted.
    pub purging: bool,
    /// Who created and last changed it, and when.
    pub audit: Audit,
}

/// A request for a new custom field.
///
/// ```
/// use patron_domain::{
///     custom_field::{CustomFieldKey, CustomFieldType, NewCustomField},
///     lifecycle::Audit,
///     tenancy::Actor,
///     testkit::{a_time, an_id, an_owner},
/// };
///
/// let new = NewCustomField::new(CustomFieldKey::new("tier").unwrap(), CustomFieldType::Select);
/// let refused = new.define(an_id(1), an_owner(), Audit::created(a_time(), &Actor::system())).unwrap_err();
/// assert_eq!(refused.iter().next().unwrap().path, "options");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCustomField {
    /// The name.
    pub key: CustomFieldKey,
    /// The type.
    pub kind: CustomFieldType,
    /// The options.
    pub options: CustomFieldOptions,
    /// Whether it must have a value.
    pub required: bool,
    /// Whether its values are unique.
    pub unique: bool,
    /// Whether its values are personal data.
    pub personal: bool,
    /// What it is for.
    pub description: Option<CustomFieldDescription>,
}

impl NewCustomField {
    /// An optional field without options.
    #[must_use]
    pub fn new(key: CustomFieldKey, kind: CustomFieldType) -> Self {
        let options = CustomFieldOptions::default();
        Self { key, kind, options, required: false, unique: false, personal: false, description: None }
    }

    /// The definition.
    ///
    /// # Errors
    /// When the options do not fit the type, or the values of the type cannot be unique.
    pub fn define(self, id: CustomFieldId, owner: Owner, audit: Audit) -> Result<CustomFieldDefinition, Violations> {
        let Self { key, kind, options, required, unique, personal, description } = self;
        let definition = CustomFieldDefinition {
            id,
            owner,
            key,
            kind,
            options,
            required,
            unique,
            personal,
            description,
            purging: false,
            audit,
        };
        definition.is_sound().map(|()| definition)
    }
}

impl CustomFieldDefinition {
    /// Checks the rules between the fields.
    pub(super) fn is_sound(&self) -> Result<(), Violations> {
        let mut broken = Violations::new();
        let mut refuse = |path: &str, rule, message: String| {
            broken.push(Violation { path: path.to_owned(), rule, message });
        };
        match (self.kind.has_options(), self.options.as_slice().is_empty()) {
            (true, true) => refuse("options", "required", format!("options are required for the type {}", self.kind)),
            (false, false) => {
                refuse("options", "no_options", format!("options do not belong to the type {}; omit them", self.kind));
            }
            _ => {}
        }
        if self.unique && self.kind == CustomFieldType::MultiSelect {
            refuse("unique", "no_unique", "unique is not possible for the type multi_select".to_owned());
        }
        broken.into_result()
    }
}
