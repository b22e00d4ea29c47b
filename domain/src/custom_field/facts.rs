//! The definitions that a change of a customer is checked against, and the check.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    CustomDate, CustomDecimal, CustomFieldDefinition, CustomFieldKey, CustomFieldType, CustomFields,
    CustomFieldsChange, CustomInteger, CustomText, CustomValue, CustomValueError, GivenFields, GivenValue,
};
use crate::{
    customer::{CustomerAggregate, IndexEntry},
    ids::CustomerId,
    lifecycle::Status,
    metadata::member_path,
    violation::{Rule, Violation, Violations},
};

/// Which definitions a change of a customer needs.
///
/// ```
/// use patron_domain::{custom_field::CustomFieldsNeeded, ids::IdSequence, testkit::{a_customer, a_time}};
///
/// let create = a_customer("acme").command(IdSequence::start(a_time(), [0; 10]), a_time());
/// assert_eq!(create.custom_fields_needed(), CustomFieldsNeeded::Read);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum CustomFieldsNeeded {
    /// None: the change touches no custom field.
    #[default]
    None,
    /// All of the environment.
    Read,
    /// All of the environment, and they must not change until the transaction ends. Definitions are changed under a lock that
    /// waits for this one, so that a field that becomes unique, or is deleted, sees every value.
    Locked,
}

/// A value that no other published customer may have.
///
/// ```
/// use patron_domain::custom_field::{CustomFieldKey, UniqueValue};
///
/// let value = UniqueValue { key: CustomFieldKey::new("code").unwrap(), look_up: "t4711".to_owned() };
/// assert_eq!(value.entry().kind, patron_domain::customer::IndexKind::UniqueCustomField);
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UniqueValue {
    /// The field.
    pub key: CustomFieldKey,
    /// The value: see [`CustomValue::look_ups`].
    pub look_up: String,
}

/// The value may be personal data.
impl std::fmt::Debug for UniqueValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "UniqueValue({})", self.key)
    }
}

impl UniqueValue {
    /// Its index entry, which a store keeps unique.
    #[must_use]
    pub fn entry(&self) -> IndexEntry {
        IndexEntry::unique_custom_field(self.key, &self.look_up)
    }

    /// The unique values of a customer. Only published customers have any.
    #[must_use]
    pub fn all_of(customer: &CustomerAggregate, definitions: &[CustomFieldDefinition]) -> BTreeSet<Self> {
        if customer.customer.status != Status::Published {
            return BTreeSet::new();
        }
        Self::among(&customer.customer.profile.custom_fields, definitions).collect()
    }

    pub(crate) fn among<'a>(
        fields: &'a CustomFields,
        definitions: &'a [CustomFieldDefinition],
    ) -> impl Iterator<Item = Self> + 'a {
        definitions.iter().filter(|definition| definition.unique).flat_map(|definition| {
            let look_ups = fields.get(definition.key).map(CustomValue::look_ups).unwrap_or_default();
            look_ups.into_iter().map(|look_up| Self { key: definition.key, look_up })
        })
    }
}

/// The custom fields that were looked up for a change of a customer.
///
/// ```
/// use patron_domain::{custom_field::{CustomFieldFacts, CustomFieldType}, testkit::a_custom_field};
///
/// let facts = CustomFieldFacts::new(vec![a_custom_field("seats", CustomFieldType::Integer)]);
/// assert!(facts.holders.is_empty());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CustomFieldFacts {
    /// The definitions, if [`custom_fields_needed`](crate::customer::ChangeCustomer::custom_fields_needed) asks for them.
    pub definitions: Arc<[CustomFieldDefinition]>,
    /// The published customers that have the values of
    /// [`wanted_unique_values`](crate::customer::ChangeCustomer::wanted_unique_values).
    pub holders: BTreeMap<UniqueValue, CustomerId>,
}

impl CustomFieldFacts {
    /// Definitions, without holders.
    #[must_use]
    pub fn new(definitions: impl Into<Arc<[CustomFieldDefinition]>>) -> Self {
        Self { definitions: definitions.into(), holders: BTreeMap::new() }
    }

    /// Adds holders of values.
    #[must_use]
    pub fn with_holders(self, holders: BTreeMap<UniqueValue, CustomerId>) -> Self {
        Self { holders, ..self }
    }
}

/// Checks a change against the definitions, and applies it.
///
/// A value that the customer already has is accepted, whatever its definition says now. If custom fields are sent, every
/// required one must have a value afterwards.
pub(crate) fn apply(
    definitions: &[CustomFieldDefinition],
    current: &CustomFields,
    change: &CustomFieldsChange,
) -> Result<CustomFields, Violations> {
    let (mut fields, given) = match change {
        CustomFieldsChange::Keep => return Ok(current.clone()),
        CustomFieldsChange::Replace(given) => (CustomFields::default(), given),
        CustomFieldsChange::Merge(given) => (current.clone(), given),
    };
    let mut broken = Violations::new();
    for (name, value) in given.iter() {
        let definition = definitions.iter().find(|definition| definition.key.as_str() == name);
        let Some(definition) = definition else {
            if !value.is_unset() {
                note(&mut broken, member_path("custom_fields", name), &Unknown);
            }
            continue;
        };
        let key = definition.key;
        if let Some(present) = current.get(key).filter(|present| value.repeats(present)) {
            fields.set(key, present.clone());
        } else if value.is_unset() {
            fields.remove(key);
        } else if definition.purging {
            note(&mut broken, key.path(), &Purging);
        } else {
            match definition.value(value) {
                Ok(value) => fields.set(key, value),
                Err((element, fault)) => {
                    let element = element.map(|place| format!("[{place}]")).unwrap_or_default();
                    note(&mut broken, format!("{}{element}", key.path()), &fault);
                }
            }
        }
    }
    for definition in definitions.iter().filter(|definition| definition.required && !definition.purging) {
        if fields.get(definition.key).is_none() {
            // A value that is invalid is not reported as missing too: the first violation of a path counts.
            note(&mut broken, definition.key.path(), &Required);
        }
    }
    broken.into_result().map(|()| fields)
}

/// The values of a change that would be unique. Invalid changes have none.
pub(crate) fn wanted(
    definitions: &[CustomFieldDefinition],
    current: &CustomFields,
    change: &CustomFieldsChange,
) -> BTreeSet<UniqueValue> {
    if !definitions.iter().any(|definition| definition.unique) {
        return BTreeSet::new();
    }
    apply(definitions, current, change)
        .map(|fields| UniqueValue::among(&fields, definitions).collect())
        .unwrap_or_default()
}

/// Checks the fields of a new customer.
pub(crate) fn checked_new(
    definitions: &[CustomFieldDefinition],
    given: &GivenFields,
) -> Result<CustomFields, Violations> {
    if definitions.is_empty() && given.is_empty() {
        return Ok(CustomFields::default());
    }
    apply(definitions, &CustomFields::default(), &CustomFieldsChange::Replace(given.clone()))
}

fn note(broken: &mut Violations, path: String, fault: &dyn Rule) {
    if !broken.is_full() {
        broken.push(Violation { message: format!("{path} {fault}"), path, rule: fault.rule() });
    }
}

#[derive(Debug, thiserror::Error)]
#[error("is not defined in this environment; define the custom field first, or correct its name")]
struct Unknown;

impl Rule for Unknown {
    fn rule(&self) -> &'static str {
        "known_field"
    }
}

#[derive(Debug, thiserror::Error)]
#[error("is being deleted from this environment; leave it out")]
struct Purging;

impl Rule for Purging {
    fn rule(&self) -> &'static str {
        "known_field"
    }
}

#[derive(Debug, thiserror::Error)]
#[error("is required in this environment")]
struct Required;

impl Rule for Required {
    fn rule(&self) -> &'static str {
        "required"
    }
}

/// The fault of a value, with the place of the element in a list.
type Fault = (Option<usize>, CustomValueError);

impl CustomFieldDefinition {
    /// Checks a value that is set.
    fn value(&self, given: &GivenValue) -> Result<CustomValue, Fault> {
        let whole = |fault: CustomValueError| (None, fault);
        match (self.kind, given) {
            (CustomFieldType::String, GivenValue::Text(text)) => self.text(text).map(CustomValue::Text).map_err(whole),
            (CustomFieldType::Integer, GivenValue::Number(number)) => {
                integer(number).map(CustomValue::Integer).map_err(whole)
            }
            (CustomFieldType::Decimal, GivenValue::Text(text) | GivenValue::Number(text)) => {
                CustomDecimal::new(text).map(CustomValue::Decimal).map_err(whole)
            }
            (CustomFieldType::Boolean, GivenValue::Boolean(value)) => Ok(CustomValue::Boolean(*value)),
            (CustomFieldType::Date, GivenValue::Text(text)) => {
                CustomDate::new(text).map(CustomValue::Date).map_err(whole)
            }
            (CustomFieldType::Select, GivenValue::Text(text)) => {
                self.option(text).map(CustomValue::Text).map_err(whole)
            }
            (CustomFieldType::MultiSelect, GivenValue::List(list)) => self.options_of(list).map(CustomValue::Texts),
            (kind, _) => Err(whole(CustomValueError::Type(expected(kind)))),
        }
    }

    fn text(&self, text: &str) -> Result<CustomText, CustomValueError> {
        CustomText::new(text).map_err(|refused| CustomValueError::Text(refused.0))
    }

    fn option(&self, text: &str) -> Result<CustomText, CustomValueError> {
        if self.options.contain(text) { self.text(text) } else { Err(CustomValueError::Option) }
    }

    fn options_of(&self, list: &[Option<String>]) -> Result<Vec<CustomText>, Fault> {
        let mut options: Vec<CustomText> = Vec::new();
        for (place, element) in list.iter().enumerate() {
            let fault = |fault| (Some(place), fault);
            let text = element.as_ref().ok_or(fault(CustomValueError::Type("a string")))?;
            let option = self.option(text).map_err(fault)?;
            if options.contains(&option) {
                return Err(fault(CustomValueError::Twice));
            }
            options.push(option);
        }
        Ok(options)
    }
}

fn integer(number: &str) -> Result<CustomInteger, CustomValueError> {
    let digits = number.strip_prefix('-').unwrap_or(number);
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(CustomValueError::Type(expected(CustomFieldType::Integer)));
    }
    number.parse().map_err(|_| CustomValueError::Range).and_then(CustomInteger::new)
}

fn expected(kind: CustomFieldType) -> &'static str {
    match kind {
        CustomFieldType::String | CustomFieldType::Select => "a string",
        CustomFieldType::Integer => "a whole number",
        CustomFieldType::Decimal => "a decimal number, as a string or a number",
        CustomFieldType::Boolean => "true or false",
        CustomFieldType::Date => "a date, such as \"2026-01-31\"",
        CustomFieldType::MultiSelect => "a list of strings",
    }
}
