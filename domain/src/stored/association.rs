//! Tax associations: as a part of a customer, and as a default of an environment.

use serde::{Deserialize, Serialize};

use super::{
    Stored, StoredError, fits, read,
    values::{AuditParts, Int, Pairs, Text, V1, int_unless, is_on, on, text_unless, unless},
    write,
};
use crate::{
    ids::{CustomerId, TaxAssociationId, TaxRateId},
    lifecycle::{Audit, Owner, Status},
    tax::{CurrencyCode, Priority, TaxAssociation, TaxBehavior, TaxedEntity},
    tenancy::Actor,
    time::Timestamp,
};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AssociationForm<'a> {
    #[serde(default, skip_serializing_if = "V1::goes_unsaid")]
    v: V1,
    id: Text<'a, TaxAssociationId>,
    tax_rate_id: Text<'a, TaxRateId>,
    /// Absent in a default.
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_id: Option<Text<'a, CustomerId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<Int<Priority>>,
    #[serde(default = "on", skip_serializing_if = "is_on")]
    auto_apply: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    tax_behavior: Option<Text<'a, TaxBehavior>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<Text<'a, CurrencyCode>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Pairs<'a>>,
    /// Absent if it equals the creation time.
    #[serde(skip_serializing_if = "Option::is_none")]
    start_date: Option<Int<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_date: Option<Int<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Text<'a, Status>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<Int<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_by: Option<Text<'a, Actor>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<Int<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_by: Option<Text<'a, Actor>>,
}

/// The customer that an association is part of.
#[derive(Clone, Copy)]
pub(super) struct Whole<'a> {
    /// The customer's id; `None` for a default.
    pub(super) customer: Option<CustomerId>,
    /// The customer's audit data.
    pub(super) audit: Option<&'a Audit>,
    /// The status that an association has if the document contains none.
    pub(super) status: Status,
}

impl Whole<'_> {
    pub(super) const DEFAULT: Self = Self { customer: None, audit: None, status: Status::Published };

    fn entity(&self) -> TaxedEntity {
        self.customer.map_or(TaxedEntity::Tenant, TaxedEntity::Customer)
    }
}

impl<'a> AssociationForm<'a> {
    pub(super) fn of(association: &'a TaxAssociation, whole: Whole<'_>) -> Self {
        let audit = AuditParts::of(&association.audit, whole.audit);
        let customer_id = match association.entity {
            TaxedEntity::Customer(id) => unless(&whole.customer, Some(id)).flatten(),
            TaxedEntity::Tenant => None,
        };
        Self {
            v: V1,
            id: Text::of(&association.id),
            tax_rate_id: Text::of(&association.tax_rate_id),
            customer_id: customer_id.map(Text::from),
            priority: int_unless(Priority::default(), association.priority),
            auto_apply: association.auto_apply,
            tax_behavior: Text::of_any(association.behavior.as_ref()),
            currency: Text::of_any(association.currency.as_ref()),
            metadata: Pairs::of(&association.metadata),
            start_date: int_unless(association.audit.created_at, association.start),
            end_date: association.end.map(Int),
            status: text_unless(&whole.status, &association.status),
            created_at: audit.created_at,
            created_by: audit.created_by,
            updated_at: audit.updated_at,
            updated_by: audit.updated_by,
        }
    }

    pub(super) fn take(self, owner: Owner, whole: Whole<'_>) -> Result<TaxAssociation, &'static str> {
        let Self { created_at, created_by, updated_at, updated_by, .. } = self;
        let audit = AuditParts { created_at, created_by, updated_at, updated_by }.take(whole.audit)?;
        let customer_id = Text::take_any(self.customer_id);
        Ok(TaxAssociation {
            id: self.id.take(),
            owner,
            tax_rate_id: self.tax_rate_id.take(),
            entity: customer_id.map_or_else(|| whole.entity(), TaxedEntity::Customer),
            priority: self.priority.map(|priority| priority.0).unwrap_or_default(),
            auto_apply: self.auto_apply,
            behavior: Text::take_any(self.tax_behavior),
            currency: Text::take_any(self.currency),
            metadata: Pairs::take(self.metadata),
            start: self.start_date.map_or(audit.created_at, |start| start.0),
            end: self.end_date.map(|end| end.0),
            status: Text::take_any(self.status).unwrap_or(whole.status),
            audit,
        })
    }
}

/// A default of an environment, as a separate document.
impl Stored for TaxAssociation {
    const NAME: &'static str = "tax_association";

    fn to_document(&self) -> String {
        write(&AssociationForm::of(self, Whole::DEFAULT))
    }

    fn from_document(owner: Owner, document: &str) -> Result<Self, StoredError> {
        let form: AssociationForm<'_> = read(Self::NAME, document)?;
        fits(Self::NAME, form.take(owner, Whole::DEFAULT))
    }
}
