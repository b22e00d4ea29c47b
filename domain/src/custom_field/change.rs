//! Changes of definitions: commands and their decisions.

use super::{
    CustomFieldDefinition, CustomFieldDescription, CustomFieldError, CustomFieldKey, CustomFieldOptions,
    CustomFieldType,
};
use crate::{
    customer::{Amendment, ChangeCustomer, CustomerChange, Stamp},
    ids::{CustomerId, EventId, IdSequence},
    lifecycle::Precondition,
    patch::Patch,
    tenancy::{EnvironmentScope, RequestId},
    time::Timestamp,
    violation::{Violation, Violations},
};

/// An update of a definition. Absent fields keep their values. Key and type may be repeated, but not changed.
///
/// ```
/// use patron_domain::custom_field::CustomFieldUpdate;
///
/// let update = CustomFieldUpdate { required: Some(true), ..CustomFieldUpdate::default() };
/// assert_eq!(update.options, None); // unchanged
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CustomFieldUpdate {
    /// The present key.
    pub key: Option<CustomFieldKey>,
    /// The present type.
    pub kind: Option<CustomFieldType>,
    /// The new options. Customers keep values that are no longer among them until their next change of this field.
    pub options: Option<CustomFieldOptions>,
    /// Whether it must have a value.
    pub required: Option<bool>,
    /// Whether its values are unique.
    pub unique: Option<bool>,
    /// Whether its values are personal data.
    pub personal: Option<bool>,
    /// The new description.
    pub description: Patch<CustomFieldDescription>,
}

/// The command for one change of a definition.
///
/// ```
/// use patron_domain::{custom_field::*, lifecycle::Precondition, testkit::{a_custom_field, a_scope, a_time}};
///
/// let seats = a_custom_field("seats", CustomFieldType::Integer);
/// let update = CustomFieldUpdate { required: Some(true), ..CustomFieldUpdate::default() };
/// let change = ChangeCustomField { key: seats.key, update, at: a_time(), only_if: Precondition::None };
/// assert!(change.decide(&a_scope(), &seats).unwrap().required);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeCustomField {
    /// The field.
    pub key: CustomFieldKey,
    /// The requested change.
    pub update: CustomFieldUpdate,
    /// The time of the change.
    pub at: Timestamp,
    /// The version that the definition must have: see [`Audit::version`](crate::lifecycle::Audit::version).
    pub only_if: Precondition,
}

impl ChangeCustomField {
    /// The definition after the change. Pure. If it has become unique, the store also checks that no two published customers
    /// have the same value.
    ///
    /// # Errors
    /// When key or type would change, the result breaks a rule, the field is being deleted, or the definition does not have the
    /// expected version.
    pub fn decide(
        self,
        scope: &EnvironmentScope,
        current: &CustomFieldDefinition,
    ) -> Result<CustomFieldDefinition, CustomFieldError> {
        let mut broken = Violations::new();
        let mut fixed = |path: &str, differs: bool| {
            if differs {
                let message = format!("{path} cannot be changed; leave it out, or send it as it is");
                broken.push(Violation { path: path.to_owned(), rule: "fixed", message });
            }
        };
        let CustomFieldUpdate { key, kind, options, required, unique, personal, description } = self.update;
        fixed("key", key.is_some_and(|key| key != current.key));
        fixed("type", kind.is_some_and(|kind| kind != current.kind));
        let mut changed = current.clone();
        changed.options = options.unwrap_or(changed.options);
        changed.required = required.unwrap_or(changed.required);
        changed.unique = unique.unwrap_or(changed.unique);
        changed.personal = personal.unwrap_or(changed.personal);
        description.apply(&mut changed.description);
        if let Err(found) = changed.is_sound() {
            found.into_iter().for_each(|violation| broken.push(violation));
        }
        broken.into_result()?;
        if current.purging {
            return Err(CustomFieldError::Purging);
        }
        self.only_if.check(Some(current.audit.version()))?;
        if changed != *current {
            changed.audit.advance(self.at, &scope.actor);
        }
        Ok(changed)
    }
}

/// The command for deleting a definition.
///
/// ```
/// use patron_domain::{custom_field::*, lifecycle::Precondition, testkit::{a_custom_field, a_time}};
///
/// let seats = a_custom_field("seats", CustomFieldType::Integer);
/// let delete = |purge| DeleteCustomField { key: seats.key, purge, at: a_time(), only_if: Precondition::None };
/// assert_eq!(delete(false).decide(&seats, false), Ok(CustomFieldDeletion::Now));
/// assert_eq!(delete(false).decide(&seats, true), Err(CustomFieldError::InUse));
/// assert_eq!(delete(true).decide(&seats, true), Ok(CustomFieldDeletion::AfterPurge));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteCustomField {
    /// The field.
    pub key: CustomFieldKey,
    /// Whether to remove its values from the customers.
    pub purge: bool,
    /// The time.
    pub at: Timestamp,
    /// The version that the definition must have.
    pub only_if: Precondition,
}

/// The decision about deleting a definition.
///
/// ```
/// assert_ne!(
///     patron_domain::custom_field::CustomFieldDeletion::Now,
///     patron_domain::custom_field::CustomFieldDeletion::AfterPurge,
/// );
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CustomFieldDeletion {
    /// No customer has a value: the definition is deleted.
    Now,
    /// Customers have values: the definition is marked as [purging](CustomFieldDefinition::purging). Once their values are
    /// removed, repeat the command.
    AfterPurge,
}

impl DeleteCustomField {
    /// Decides. `in_use` says whether any customer, published or not, has a value.
    ///
    /// # Errors
    /// When the field is in use and `purge` is not set, or the definition does not have the expected version.
    pub fn decide(
        &self,
        current: &CustomFieldDefinition,
        in_use: bool,
    ) -> Result<CustomFieldDeletion, CustomFieldError> {
        if in_use && !self.purge {
            return Err(CustomFieldError::InUse);
        }
        self.only_if.check(Some(current.audit.version()))?;
        Ok(if in_use { CustomFieldDeletion::AfterPurge } else { CustomFieldDeletion::Now })
    }
}

/// The command for removing the values of a field that is being deleted from some customers.
///
/// ```
/// use patron_domain::{custom_field::*, ids::IdSequence, testkit::{a_time, an_id}};
///
/// let (key, ids) = (CustomFieldKey::new("seats").unwrap(), IdSequence::start(a_time(), [0; 10]));
/// let purge = PurgeCustomField { key, at: a_time(), ids, request_id: None, limit: 100 };
/// assert_eq!(purge.commands([an_id(1), an_id(2)]).len(), 2);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurgeCustomField {
    /// The field.
    pub key: CustomFieldKey,
    /// The time.
    pub at: Timestamp,
    /// The ids of the events.
    pub ids: IdSequence,
    /// The request.
    pub request_id: Option<RequestId>,
    /// The maximum number of customers.
    pub limit: u16,
}

impl PurgeCustomField {
    /// The changes of these customers.
    #[must_use]
    pub fn commands(&self, customers: impl IntoIterator<Item = CustomerId>) -> Vec<ChangeCustomer> {
        let mut next = self.ids;
        let command = |id: CustomerId| {
            let ids = next;
            // Each change takes one id: that of its event.
            let _: EventId = next.next_id();
            let stamp = Stamp { ids, at: self.at, request_id: self.request_id.clone() };
            ChangeCustomer::new(CustomerChange::Amend(id, Amendment::RemoveCustomField(self.key)), stamp)
        };
        customers.into_iter().map(command).collect()
    }
}
