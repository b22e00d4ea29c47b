//! The bodies of requests that create or change a tax rate, and their conversion to the domain.

use patron_domain::{
    patch::Patch,
    tax::{
        FixedAmount, NewTaxRate, Percentage, ScheduledValue, TaxRateCode, TaxRateDescription, TaxRateName,
        TaxRateScope, TaxRateStatus, TaxRateType, TaxRateUpdate, TaxValueParts,
    },
    time::Timestamp,
    violation::{Rule, Violations},
};
use serde::{Deserialize, de::MapAccess};
use utoipa::ToSchema;

use crate::http::{
    json::{Decimal, Field, FromJson, Reader, Strings, Text, found_map},
    openapi::{exactly, given_decimal, given_metadata, optional, or_null},
};

/// Declares the body of a tax rate. A create and an update have the same members, except for the schemas of code and
/// name.
macro_rules! body {
    ($(#[$says:meta])* $body:ident, #[$code:meta] code, #[$name:meta] name) => {
        $(#[$says])*
        #[derive(Deserialize, ToSchema)]
        #[serde(bound(deserialize = "'de: 'a"))]
        pub(super) struct $body<'a> {
            #[serde(default)]
            #[$code]
            code: Field<Text<'a>>,
            #[serde(default)]
            #[$name]
            name: Field<Text<'a>>,
            #[serde(default)]
            #[schema(schema_with = optional::<TaxRateDescription>)]
            description: Field<Text<'a>>,
            #[serde(default)]
            #[schema(schema_with = optional::<TaxRateType>)]
            tax_rate_type: Field<Text<'a>>,
            #[serde(default)]
            #[schema(required = false, schema_with = given_decimal::<Percentage>)]
            percentage_value: Decimal<'a>,
            #[serde(default)]
            #[schema(required = false, schema_with = given_decimal::<FixedAmount>)]
            fixed_value: Decimal<'a>,
            #[serde(default)]
            #[schema(schema_with = optional::<TaxRateScope>)]
            scope: Field<Text<'a>>,
            #[serde(default)]
            #[schema(schema_with = optional::<TaxRateStatus>)]
            tax_rate_status: Field<Text<'a>>,
            #[serde(default)]
            #[schema(schema_with = given_metadata)]
            metadata: Field<Strings>,
        }

        impl<'de: 'a, 'a> FromJson<'de> for $body<'a> {
            const EXPECTED: &'static str = "an object";

            fn from_map<A: MapAccess<'de>>(map: A) -> Result<Option<Self>, A::Error> {
                found_map(map)
            }
        }
    };
}

body!(
    /// The body of a create. Unknown members are ignored.
    CreateTaxRateRequest,
    #[schema(required = true, schema_with = exactly::<TaxRateCode>)]
    code,
    #[schema(required = true, schema_with = exactly::<TaxRateName>)]
    name
);

body!(
    /// The body of an update. Absent and `null` members leave fields unchanged; unknown members are ignored.
    UpdateTaxRateRequest,
    #[schema(schema_with = or_null::<TaxRateCode>)]
    code,
    #[schema(schema_with = or_null::<TaxRateName>)]
    name
);

/// The type and value, as far as they are given, and whether each is valid in itself. Only then can they contradict
/// each other.
fn value(
    fields: &mut Reader<'_>,
    kind: Field<Text<'_>>,
    percentage: Decimal<'_>,
    fixed: Decimal<'_>,
) -> (TaxValueParts, bool) {
    let is_given = |field: &Field<Text<'_>>| match field {
        Field::Absent => false,
        Field::Value(text) => !text.is_empty(),
        Field::Wrong(_) => true,
    };
    let given = [is_given(&kind), is_given(&percentage.0), is_given(&fixed.0)];
    let parts = TaxValueParts {
        kind: fields.optional("tax_rate_type", kind, |word| TaxRateType::parse(&word)),
        percentage: fields.optional("percentage_value", percentage.0, Percentage::new),
        fixed: fields.optional("fixed_value", fixed.0, FixedAmount::new),
    };
    let are_right = given == [parts.kind.is_some(), parts.percentage.is_some(), parts.fixed.is_some()];
    (parts, are_right)
}

fn scope(fields: &mut Reader<'_>, word: Field<Text<'_>>) -> Option<TaxRateScope> {
    fields.optional("scope", word, |word| TaxRateScope::parse(&word))
}

fn rate_status(fields: &mut Reader<'_>, word: Field<Text<'_>>) -> Option<TaxRateStatus> {
    fields.optional("tax_rate_status", word, |word| TaxRateStatus::parse(&word))
}

/// A text of an update that cannot be cleared.
fn given<T, E: Rule>(
    fields: &mut Reader<'_>,
    name: &str,
    field: Field<Text<'_>>,
    check: impl FnOnce(String) -> Result<T, E>,
) -> Option<T> {
    let text = fields.take(name, field)?;
    fields.check(name, check(text.into_owned()))
}

/// The body of a change of the value from a date on. Unknown members are ignored.
#[derive(Deserialize, ToSchema)]
#[serde(bound(deserialize = "'de: 'a"))]
#[schema(as = CreateTaxRateChangeRequest)]
pub(super) struct ChangeRequest<'a> {
    #[serde(default)]
    #[schema(required = true, schema_with = exactly::<Timestamp>)]
    effective_from: Field<Text<'a>>,
    #[serde(default)]
    #[schema(required = false, schema_with = given_decimal::<Percentage>)]
    percentage_value: Decimal<'a>,
    #[serde(default)]
    #[schema(required = false, schema_with = given_decimal::<FixedAmount>)]
    fixed_value: Decimal<'a>,
    /// Whether `effective_from` may be in the past. Only for `super_admin` keys.
    #[serde(default)]
    #[schema(schema_with = optional::<bool>)]
    correction: Field<bool>,
}

impl<'de: 'a, 'a> FromJson<'de> for ChangeRequest<'a> {
    const EXPECTED: &'static str = "an object";

    fn from_map<A: MapAccess<'de>>(map: A) -> Result<Option<Self>, A::Error> {
        found_map(map)
    }
}

impl ChangeRequest<'_> {
    /// Converts the request. Checks every field and collects all faults.
    pub(super) fn into_domain(self, broken: &mut Violations) -> Option<ScheduledValue> {
        let fields = &mut Reader::new(broken);
        let from = fields.required("effective_from", self.effective_from, |text| Timestamp::parse(&text));
        let (value, is_right) = value(fields, Field::Absent, self.percentage_value, self.fixed_value);
        let is_valid = is_right && fields.group(value.clone().resolve()).is_some();
        let correction = fields.take("correction", self.correction).unwrap_or_default();
        is_valid.then_some(ScheduledValue { effective_from: from?, value, correction })
    }
}

impl CreateTaxRateRequest<'_> {
    /// Converts the request. Checks every field and collects all faults.
    pub(super) fn into_domain(self, broken: &mut Violations) -> Option<NewTaxRate> {
        let fields = &mut Reader::new(broken);
        let code = fields.required("code", self.code, TaxRateCode::new);
        let name = fields.required("name", self.name, TaxRateName::new);
        let description = fields.optional("description", self.description, TaxRateDescription::new);
        let scope = scope(fields, self.scope);
        let rate_status = rate_status(fields, self.tax_rate_status);
        let metadata = fields.metadata(self.metadata);
        let (value, is_right) = value(fields, self.tax_rate_type, self.percentage_value, self.fixed_value);
        let value = if is_right { fields.group(value.resolve()) } else { None };
        Some(NewTaxRate {
            code: code?,
            name: name?,
            description,
            value: value?,
            scope: scope.unwrap_or_default(),
            rate_status: rate_status.unwrap_or_default(),
            metadata,
        })
    }
}

impl UpdateTaxRateRequest<'_> {
    /// Converts the request. Checks every given field and collects all faults.
    pub(super) fn into_domain(self, broken: &mut Violations) -> Option<TaxRateUpdate> {
        let fields = &mut Reader::new(broken);
        let description = match fields.take("description", self.description) {
            None => Patch::Keep,
            Some(text) if text.is_empty() => Patch::Clear,
            Some(text) => {
                let checked = TaxRateDescription::new(text.into_owned());
                fields.check("description", checked).map_or(Patch::Keep, Patch::Set)
            }
        };
        let says_metadata = self.metadata != Field::Absent;
        let metadata = fields.metadata(self.metadata);
        Some(TaxRateUpdate {
            code: given(fields, "code", self.code, TaxRateCode::new),
            name: given(fields, "name", self.name, TaxRateName::new),
            description,
            value: value(fields, self.tax_rate_type, self.percentage_value, self.fixed_value).0,
            scope: scope(fields, self.scope),
            rate_status: rate_status(fields, self.tax_rate_status),
            metadata: says_metadata.then_some(metadata),
        })
    }
}
