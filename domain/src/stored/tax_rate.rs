//! Tax rates.

use serde::{Deserialize, Serialize};

use super::{
    Stored, StoredError, fits, read,
    values::{Int, Pairs, Text, V1, audit_of, int_unless, text_unless},
    write,
};
use crate::{
    ids::{TaxRateChangeId, TaxRateId},
    lifecycle::{Owner, Status, Version},
    tax::{
        FixedAmount, Percentage, ReplacedValue, StatusSwitch, TaxRate, TaxRateChange, TaxRateCode, TaxRateDescription,
        TaxRateHistory, TaxRateName, TaxRateScope, TaxRateStatus, TaxValue,
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
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    changes: Vec<ChangeForm<'a>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    replaced: Vec<ReplacedForm<'a>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    switches: Vec<SwitchForm<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reported: Option<Int<Timestamp>>,
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
        let ValueForm { percentage_value, fixed_value } = ValueForm::of(&rate.value);
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
            changes: rate.history.changes.iter().map(ChangeForm::of).collect(),
            replaced: rate.history.replaced.iter().map(ReplacedForm::of).collect(),
            switches: rate.history.switches.iter().map(SwitchForm::of).collect(),
            reported: rate.history.reported.map(Int),
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
        let value = ValueForm { percentage_value: self.percentage_value, fixed_value: self.fixed_value }.take()?;
        let history = TaxRateHistory {
            changes: self.changes.into_iter().map(ChangeForm::take).collect::<Result<_, _>>()?,
            replaced: self.replaced.into_iter().map(ReplacedForm::take).collect::<Result<_, _>>()?,
            switches: self.switches.into_iter().map(SwitchForm::take).collect(),
            reported: self.reported.map(|reported| reported.0),
        };
        Ok(TaxRate {
            id: self.id.take(),
            owner,
            code: self.code.take(),
            name: self.name.take(),
            description: Text::take_any(self.description),
            value,
            history,
            scope: Text::take_any(self.scope).unwrap_or_default(),
            rate_status: Text::take_any(self.tax_rate_status).unwrap_or_default(),
            metadata: Pairs::take(self.metadata),
            status: Text::take_any(self.status).unwrap_or(Status::Published),
            version: self.version.map_or(Version::FIRST, |version| version.0),
            audit: audit_of(self.created_at, self.created_by, self.updated_at, self.updated_by),
        })
    }
}

/// One of the two is present.
struct ValueForm<'a> {
    percentage_value: Option<Text<'a, Percentage>>,
    fixed_value: Option<Text<'a, FixedAmount>>,
}

impl<'a> ValueForm<'a> {
    fn of(value: &'a TaxValue) -> Self {
        match value {
            TaxValue::Percentage(value) => Self { percentage_value: Some(Text::of(value)), fixed_value: None },
            TaxValue::Fixed(value) => Self { percentage_value: None, fixed_value: Some(Text::of(value)) },
        }
    }

    fn take(self) -> Result<TaxValue, &'static str> {
        match (self.percentage_value, self.fixed_value) {
            (Some(percentage), None) => Ok(TaxValue::Percentage(percentage.take())),
            (None, Some(amount)) => Ok(TaxValue::Fixed(amount.take())),
            _ => Err("percentage_value"),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeForm<'a> {
    id: Text<'a, TaxRateChangeId>,
    effective_from: Int<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    percentage_value: Option<Text<'a, Percentage>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fixed_value: Option<Text<'a, FixedAmount>>,
    created_at: Int<Timestamp>,
    created_by: Text<'a, Actor>,
}

impl<'a> ChangeForm<'a> {
    fn of(change: &'a TaxRateChange) -> Self {
        let ValueForm { percentage_value, fixed_value } = ValueForm::of(&change.value);
        Self {
            id: Text::of(&change.id),
            effective_from: Int(change.effective_from),
            percentage_value,
            fixed_value,
            created_at: Int(change.created_at),
            created_by: Text::of(&change.created_by),
        }
    }

    fn take(self) -> Result<TaxRateChange, &'static str> {
        let value = ValueForm { percentage_value: self.percentage_value, fixed_value: self.fixed_value };
        Ok(TaxRateChange {
            id: self.id.take(),
            effective_from: self.effective_from.0,
            value: value.take().map_err(|_| "changes")?,
            created_at: self.created_at.0,
            created_by: self.created_by.take(),
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplacedForm<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    percentage_value: Option<Text<'a, Percentage>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fixed_value: Option<Text<'a, FixedAmount>>,
    until: Int<Timestamp>,
}

impl<'a> ReplacedForm<'a> {
    fn of(replaced: &'a ReplacedValue) -> Self {
        let ValueForm { percentage_value, fixed_value } = ValueForm::of(&replaced.value);
        Self { percentage_value, fixed_value, until: Int(replaced.until) }
    }

    fn take(self) -> Result<ReplacedValue, &'static str> {
        let value = ValueForm { percentage_value: self.percentage_value, fixed_value: self.fixed_value };
        Ok(ReplacedValue { value: value.take().map_err(|_| "replaced")?, until: self.until.0 })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SwitchForm<'a> {
    at: Int<Timestamp>,
    to: Text<'a, TaxRateStatus>,
}

impl<'a> SwitchForm<'a> {
    fn of(switch: &'a StatusSwitch) -> Self {
        Self { at: Int(switch.at), to: Text::of(&switch.to) }
    }

    fn take(self) -> StatusSwitch {
        StatusSwitch { at: self.at.0, to: self.to.take() }
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
