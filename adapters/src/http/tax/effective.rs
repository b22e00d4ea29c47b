//! `GET /customers/{id}/taxes/effective`

use patron_domain::{
    ids::{CustomerId, TaxAssociationId},
    tax::{CurrencyCode, ExplainedTaxes, PassedOver, TaxedEntityType, TaxesOfError},
    time::Timestamp,
};
use rocket::{get, routes};
use serde::Serialize;
use utoipa::ToSchema;

use super::response::{TaxAssociationResponse, TaxRateResponse};
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanRead, Services},
    openapi::{Endpoint, exactly},
    query::Query,
};

/// The taxes that apply, in order, and those that do not.
#[derive(Serialize, ToSchema)]
#[schema(as = EffectiveTaxes)]
struct EffectiveTaxesResponse<'a> {
    #[schema(schema_with = exactly::<CustomerId>)]
    customer_id: CustomerId,
    #[schema(schema_with = exactly::<CurrencyCode>)]
    currency: CurrencyCode,
    #[schema(schema_with = exactly::<Timestamp>)]
    at: Timestamp,
    applied: Vec<TaxResponse<'a>>,
    passed_over: Vec<TaxResponse<'a>>,
}

/// A rate with its association.
#[derive(Serialize, ToSchema)]
#[schema(as = EffectiveTax)]
struct TaxResponse<'a> {
    #[schema(schema_with = exactly::<TaxedEntityType>)]
    source: TaxedEntityType,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<ReasonResponse>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    tax_rate: Option<TaxRateResponse<'a>>,
    tax_association: TaxAssociationResponse<'a>,
}

/// The reason why a rate does not apply.
#[derive(Serialize, ToSchema)]
#[schema(as = PassedOverReason)]
struct ReasonResponse {
    #[schema(schema_with = exactly::<PassedOver>)]
    code: PassedOver,
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<TaxAssociationId>)]
    tax_association_id: Option<TaxAssociationId>,
}

impl<'a> EffectiveTaxesResponse<'a> {
    fn new(explained: &'a ExplainedTaxes) -> Self {
        let ExplainedTaxes { customer_id, currency, at, taxes } = explained;
        let applied = taxes.applied.iter().map(|tax| TaxResponse {
            source: tax.association.entity.kind(),
            reason: None,
            tax_rate: Some(TaxRateResponse::new(&tax.rate)),
            tax_association: TaxAssociationResponse::new(&tax.association),
        });
        let passed_over = taxes.passed_over.iter().map(|tax| TaxResponse {
            source: tax.association.entity.kind(),
            reason: Some(ReasonResponse {
                code: tax.reason,
                message: tax.reason.explanation(),
                tax_association_id: tax.outranked_by,
            }),
            tax_rate: tax.rate.as_ref().map(TaxRateResponse::new),
            tax_association: TaxAssociationResponse::new(&tax.association),
        });
        Self {
            customer_id: *customer_id,
            currency: *currency,
            at: *at,
            applied: applied.collect(),
            passed_over: passed_over.collect(),
        }
    }
}

/// Shows which taxes apply to a published customer in a currency at a time (`at`, by default now), in order, and why
/// others do not.
// The rank is after that of `/customers/external/<_..>`, which matches this path too if the id is `external`.
#[get("/customers/<id>/taxes/effective", rank = 2)]
pub(super) async fn effective(
    caller: CanRead,
    services: Services<'_>,
    query: Query<'_>,
    id: &str,
) -> Result<Answer, ApiError> {
    let mut broken = query.faults();
    query.required("currency", &mut broken);
    let currency = query.checked("currency", &mut broken, |code| CurrencyCode::new(code));
    let at = query.time("at", &mut broken);
    broken.into_result()?;
    let currency = currency.ok_or_else(ApiError::system_error)?;
    let id = CustomerId::parse(id).map_err(|_| TaxesOfError::UnknownCustomer)?;
    let explained = services.taxes()?.effective(&caller, id, currency, at).await?;
    Answer::ok(&EffectiveTaxesResponse::new(&explained))
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "In the order in which they apply, with the reasons why others do not.";
    Endpoint::new(routes![effective], "getEffectiveTaxes", "Show the taxes that apply to a customer", says)
        .with_key()
        .path::<CustomerId>("id", "The customer.")
        .required_query::<CurrencyCode>("currency", "The currency of the charge.")
        .query::<Timestamp>("at", "The time, by default now.")
        .answers::<EffectiveTaxesResponse<'_>>(200, "The taxes.")
}
