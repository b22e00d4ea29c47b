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
use rocket::{put, routes};
use serde::{Deserialize, de::MapAccess};
use serde_json::json;
use utoipa::ToSchema;

use super::{request::given, response::TaxRateResponse};
use crate::http::{
    answer::Answer,
    body::Body,
    error::ApiError,
    guard::{CanWrite, Services},
    idempotency::Idempotency,
    json::{Decimal, Field, FromJson, Reader, Strings, Text, found_map, parse},
    openapi::{Endpoint, Refusal, given_decimal, given_metadata, optional, or_null},
};

/// The body of an update. What is absent or `null` stays; unknown members are ignored.
#[derive(Deserialize, ToSchema)]
#[serde(bound(deserialize = "'de: 'a"))]
struct UpdateTaxRateRequest<'a> {
    #[serde(default)]
    #[schema(schema_with = or_null::<TaxRateCode>)]
    code: Field<Text<'a>>,
    #[serde(default)]
    #[schema(schema_with = or_null::<TaxRateName>)]
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
    idempotency: Idempotency<'_>,
    id: &str,
    body: Body,
) -> Result<Answer, ApiError> {
    let update = parse(body.bytes(), UpdateTaxRateRequest::into_domain)?;
    let id = TaxRateId::parse(id).map_err(|_| ChangeTaxRateError::Unknown)?;
    let (amendment, request) = (TaxRateAmendment::Update(Box::new(update)), idempotency.over(body.bytes()));
    let changed = services.taxes.change_rate(&caller, id, amendment, request).await?;
    Ok(Answer::ok(&TaxRateResponse::new(&changed.value))?.replayed(changed.replayed))
}

/// What the document says of it.
pub(super) fn documented() -> Endpoint {
    let says = "Changes the fields that are given. A rate in use keeps its value and type.";
    let off = json!({ "tax_rate_status": "INACTIVE", "description": "" });
    Endpoint::new(routes![update_rate], "updateTaxRate", "Change a tax rate", says)
        .with_key()
        .path::<TaxRateId>("id", "The tax rate.")
        .takes::<UpdateTaxRateRequest<'_>>([("switched off", off)])
        .answers::<TaxRateResponse<'_>>(200, "The tax rate as the change left it.")
        .idempotent()
        .refuses([Refusal::InvalidOperation])
}
