//! `PUT /taxes/rates/{id}`

use patron_domain::{
    customer::Patch,
    ids::TaxRateId,
    tax::{
        ChangeTaxRateError, FixedAmount, Percentage, TaxRateAmendment, TaxRateCode, TaxRateDescription, TaxRateName,
        TaxRateScope, TaxRateStatus, TaxRateType, TaxRateUpdate, TaxValueParts,
    },
    violation::Violations,
};
use rocket::put;
use serde::{Deserialize, de::MapAccess};

use super::{request::given, response::TaxRateResponse};
use crate::http::{
    answer::Answer,
    body::Body,
    error::ApiError,
    guard::{CanWrite, Services},
    json::{Decimal, Field, FromJson, Reader, Strings, Text, found_map, parse},
};

/// The body of an update. What is absent or `null` stays; unknown members are ignored.
#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
struct UpdateTaxRateRequest<'a> {
    #[serde(default)]
    code: Field<Text<'a>>,
    #[serde(default)]
    name: Field<Text<'a>>,
    #[serde(default)]
    description: Field<Text<'a>>,
    #[serde(default)]
    tax_rate_type: Field<Text<'a>>,
    #[serde(default)]
    percentage_value: Decimal<'a>,
    #[serde(default)]
    fixed_value: Decimal<'a>,
    #[serde(default)]
    scope: Field<Text<'a>>,
    #[serde(default)]
    tax_rate_status: Field<Text<'a>>,
    #[serde(default)]
    metadata: Field<Strings>,
}

impl<'de: 'a, 'a> FromJson<'de> for UpdateTaxRateRequest<'a> {
    const EXPECTED: &'static str = "an object";

    fn from_map<A: MapAccess<'de>>(map: A) -> Result<Option<Self>, A::Error> {
        found_map(map)
    }
}

impl UpdateTaxRateRequest<'_> {
    fn into_domain(self, broken: &mut Violations) -> Option<TaxRateUpdate> {
        let fields = &mut Reader::new("", broken);
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
            value: TaxValueParts {
                kind: fields.optional("tax_rate_type", self.tax_rate_type, |word| TaxRateType::parse(&word)),
                percentage: fields.optional("percentage_value", self.percentage_value.0, Percentage::new),
                fixed: fields.optional("fixed_value", self.fixed_value.0, FixedAmount::new),
            },
            scope: fields.optional("scope", self.scope, |word| TaxRateScope::parse(&word)),
            rate_status: fields.optional("tax_rate_status", self.tax_rate_status, |word| TaxRateStatus::parse(&word)),
            metadata: says_metadata.then_some(metadata),
        })
    }
}

/// Changes a tax rate. One that is in use keeps its value and type.
#[put("/taxes/rates/<id>", data = "<body>")]
pub(super) async fn update_rate(
    caller: CanWrite,
    services: Services<'_>,
    id: &str,
    body: Body,
) -> Result<Answer, ApiError> {
    let update = parse(body.bytes(), UpdateTaxRateRequest::into_domain)?;
    let id = TaxRateId::parse(id).map_err(|_| ChangeTaxRateError::Unknown)?;
    let rate = services.taxes.change_rate(&caller, id, TaxRateAmendment::Update(Box::new(update))).await?;
    Answer::ok(&TaxRateResponse::new(&rate))
}
