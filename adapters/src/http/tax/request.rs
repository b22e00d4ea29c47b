//! What a client sends to create a tax rate, and how it becomes what the domain takes.

use patron_domain::{
    tax::{
        FixedAmount, NewTaxRate, Percentage, TaxRateCode, TaxRateDescription, TaxRateName, TaxRateScope, TaxRateStatus,
        TaxRateType, TaxValueParts,
    },
    violation::{Rule, Violations},
};
use serde::{Deserialize, de::MapAccess};
use utoipa::ToSchema;

use crate::http::{
    json::{Decimal, Field, FromJson, Reader, Strings, Text, found_map},
    openapi::{exactly, given_decimal, given_metadata, optional},
};

/// A text that an update gives in place of one that has to be there: it cannot be cleared.
pub(super) fn given<T, E: Rule>(
    fields: &mut Reader<'_>,
    name: &str,
    field: Field<Text<'_>>,
    check: impl FnOnce(String) -> Result<T, E>,
) -> Option<T> {
    let text = fields.take(name, field)?;
    fields.check(name, check(text.into_owned()))
}

/// The body of a create. Unknown members are ignored.
#[derive(Deserialize, ToSchema)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct CreateTaxRateRequest<'a> {
    #[serde(default)]
    #[schema(required = true, schema_with = exactly::<TaxRateCode>)]
    code: Field<Text<'a>>,
    #[serde(default)]
    #[schema(required = true, schema_with = exactly::<TaxRateName>)]
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

impl<'de: 'a, 'a> FromJson<'de> for CreateTaxRateRequest<'a> {
    const EXPECTED: &'static str = "an object";

    fn from_map<A: MapAccess<'de>>(map: A) -> Result<Option<Self>, A::Error> {
        found_map(map)
    }
}

impl CreateTaxRateRequest<'_> {
    /// Checks every field and notes all that is wrong.
    pub(super) fn into_domain(self, broken: &mut Violations) -> Option<NewTaxRate> {
        let fields = &mut Reader::new("", broken);
        let code = fields.required("code", self.code, TaxRateCode::new);
        let name = fields.required("name", self.name, TaxRateName::new);
        let description = fields.optional("description", self.description, TaxRateDescription::new);
        let scope = fields.optional("scope", self.scope, |word| TaxRateScope::parse(&word));
        let rate_status = fields.optional("tax_rate_status", self.tax_rate_status, |word| TaxRateStatus::parse(&word));
        let metadata = fields.metadata(self.metadata);
        let value = TaxValueParts {
            kind: fields.optional("tax_rate_type", self.tax_rate_type, |word| TaxRateType::parse(&word)),
            percentage: fields.optional("percentage_value", self.percentage_value.0, Percentage::new),
            fixed: fields.optional("fixed_value", self.fixed_value.0, FixedAmount::new),
        };
        let value = fields.group(value.resolve());
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
