//! Tax rates.

use serde::{Deserialize, Serialize};

use super::{
    Stored, StoredError, fits, read,
    values::{AuditParts, Int, Pairs, Text, V1, int_unless, text_unless},
    write,
};
use crate::{
    ids::TaxRateId,
    lifecycle::{Owner, Status, Version},
    tax::{
        FixedAmount, Percentage, TaxRate, TaxRateCode, TaxRateDescription, TaxRateName, TaxRateScope, TaxRateStatus,
        TaxValue,
    },
    tenancy::Actor,
    time::Timestamp,
};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TaxRateForm<'a> {
    #[serde(default, skip_serializing_if = "V1::goes_unsaid")]
    v: V1,
    id: Text<'a, TaxRateId>,
    code: Text<'a, TaxRateCode>,
    name: Text<'a, TaxRateName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Text<'a, TaxRateDescription>>,
    /// Either this or the next member is present.
    #[serde(skip_serializing_if = "Option::is_none")]
    percentage_value: Option<Text<'a, Percentage>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fixed_value: Option<Text<'a, FixedAmount>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<Text<'a, TaxRateScope>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tax_rate_status: Option<Text<'a, TaxRateStatus>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Pairs<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Text<'a, Status>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<Int<Version>>,
    created_at: Int<Timestamp>,
    created_by: Text<'a, Actor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<Int<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_by: Option<Text<'a, Actor>>,
}

impl<'a> TaxRateForm<'a> {
    pub(super) fn of(rate: &'a TaxRate) -> Self {
        let (percentage_value, fixed_value) = match &rate.value {
            TaxValue::Percentage(percentage) => (Some(Text::of(percentage)), None),
            TaxValue::Fixed(amount) => (None, Some(Text::of(amount))),
        };
        Self {
            v: V1,
            id: Text::of(&rate.id),
            code: Text::of(&rate.code),
            name: Text::of(&rate.name),
            description: Text::of_any(rate.description.as_ref()),
            percentage_value,
            fixed_value,
            scope: text_unless(&TaxRateScope::default(), &rate.scope),
            tax_rate_status: text_unless(&TaxRateStatus::default(), &rate.rate_status),
            metadata: Pairs::of(&rate.metadata),
            status: text_unless(&Status::Published, &rate.status),
            version: int_unless(Version::FIRST, rate.version),
            created_at: Int(rate.audit.created_at),
            created_by: Text::of(&rate.audit.created_by),
            updated_at: int_unless(rate.audit.created_at, rate.audit.updated_at),
            updated_by: text_unless(&rate.audit.created_by, &rate.audit.updated_by),
        }
    }

    pub(super) fn take(self, owner: Owner) -> Result<TaxRate, &'static str> {
        let value = match (self.percentage_value, self.fixed_value) {
            (Some(percentage), None) => TaxValue::Percentage(percentage.take()),
            (None, Some(amount)) => TaxValue::Fixed(amount.take()),
            _ => return Err("percentage_value"),
        };
        let audit = AuditParts {
            created_at: Some(self.created_at),
            created_by: Some(self.created_by),
            updated_at: self.updated_at,
            updated_by: self.updated_by,
        };
        Ok(TaxRate {
            id: self.id.take(),
            owner,
            code: self.code.take(),
            name: self.name.take(),
            description: Text::take_any(self.description),
            value,
            scope: Text::take_any(self.scope).unwrap_or_default(),
            rate_status: Text::take_any(self.tax_rate_status).unwrap_or_default(),
            metadata: Pairs::take(self.metadata),
            status: Text::take_any(self.status).unwrap_or(Status::Published),
            version: self.version.map_or(Version::FIRST, |version| version.0),
            audit: audit.take(None)?,
        })
    }
}

impl Stored for TaxRate {
    const NAME: &'static str = "tax_rate";

    fn to_document(&self) -> String {
        write(&TaxRateForm::of(self))
    }

    fn from_document(owner: Owner, document: &str) -> Result<Self, StoredError> {
        let form: TaxRateForm<'_> = read(Self::NAME, document)?;
        fits(Self::NAME, form.take(owner))
    }
}
