//! `GET /customers/{id}/taxes/effective`

use patron_domain::{
    customer::{CertificateNumber, CountryCode, State, TaxTreatment},
    ids::{CustomerId, TaxAssociationId, TaxExemptionId},
    tax::{
        CurrencyCode, EffectiveQuestion, ExemptedBy, ExplainedTaxes, PassedOver, TaxBehavior, TaxBehaviorSource,
        TaxedEntityType, TaxesOfError,
    },
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
    openapi::{Endpoint, Refusal, exactly},
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
    /// The time at which this was known. With this value as `known_at`, the same question has the same answer.
    #[schema(schema_with = exactly::<Timestamp>)]
    known_at: Timestamp,
    #[schema(schema_with = exactly::<TaxTreatment>)]
    treatment: TaxTreatment,
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
    reason: Option<ReasonResponse<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    tax_rate: Option<TaxRateResponse<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<TaxBehavior>)]
    tax_behavior: Option<TaxBehavior>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<TaxBehaviorSource>)]
    tax_behavior_source: Option<TaxBehaviorSource>,
    tax_association: TaxAssociationResponse<'a>,
}

/// The reason why a rate does not apply.
#[derive(Serialize, ToSchema)]
#[schema(as = PassedOverReason)]
struct ReasonResponse<'a> {
    #[schema(schema_with = exactly::<PassedOver>)]
    code: PassedOver,
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<TaxAssociationId>)]
    tax_association_id: Option<TaxAssociationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<TaxExemptionId>)]
    tax_exemption_id: Option<TaxExemptionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<CertificateNumber>)]
    certificate_number: Option<&'a str>,
}

impl<'a> EffectiveTaxesResponse<'a> {
    fn new(explained: &'a ExplainedTaxes) -> Self {
        let ExplainedTaxes { customer_id, currency, at, known_at, treatment, taxes } = explained;
        let applied = taxes.applied.iter().map(|tax| TaxResponse {
            source: tax.association.entity.kind(),
            reason: None,
            tax_rate: Some(TaxRateResponse::new(&tax.rate)),
            tax_behavior: Some(tax.behavior),
            tax_behavior_source: Some(tax.behavior_source),
            tax_association: TaxAssociationResponse::new(&tax.association),
        });
        let passed_over = taxes.passed_over.iter().map(|tax| TaxResponse {
            source: tax.association.entity.kind(),
            reason: Some(ReasonResponse {
                code: tax.reason,
                message: tax.reason.explanation(),
                tax_association_id: tax.outranked_by,
                tax_exemption_id: tax.exemption.as_ref().map(|exemption| exemption.id),
                certificate_number: tax.exemption.as_ref().and_then(certificate),
            }),
            tax_rate: tax.rate.as_ref().map(TaxRateResponse::new),
            tax_behavior: None,
            tax_behavior_source: None,
            tax_association: TaxAssociationResponse::new(&tax.association),
        });
        Self {
            customer_id: *customer_id,
            currency: *currency,
            at: *at,
            known_at: *known_at,
            treatment: *treatment,
            applied: applied.collect(),
            passed_over: passed_over.collect(),
        }
    }
}

fn certificate(exemption: &ExemptedBy) -> Option<&str> {
    exemption.certificate_number.as_ref().map(CertificateNumber::as_str)
}

/// Shows which taxes apply to a charge of a customer, in order, and why others do not: at a time (`at`, by default now), and as
/// known at a time (`known_at`, by default now).
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
    let (at, known_at) = (query.time("at", &mut broken), query.time("known_at", &mut broken));
    let country = query.checked("country", &mut broken, |code| CountryCode::new(code));
    let state = query.checked("state", &mut broken, |state| State::new(state));
    broken.into_result()?;
    let currency = currency.ok_or_else(ApiError::system_error)?;
    let id = CustomerId::parse(id).map_err(|_| TaxesOfError::UnknownCustomer)?;
    let explained =
        services.taxes()?.effective(&caller, id, EffectiveQuestion { currency, at, known_at, country, state });
    let explained = explained.await?;
    Answer::ok(&EffectiveTaxesResponse::new(&explained))
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "In the order in which they apply, with the reasons why others do not.";
    Endpoint::new(routes![effective], "getEffectiveTaxes", "Show the taxes that apply to a customer", says)
        .with_key()
        .path::<CustomerId>("id", "The customer.")
        .required_query::<CurrencyCode>("currency", "The currency of the charge.")
        .query::<Timestamp>("at", "The time of the charge, by default now.")
        .query::<Timestamp>("known_at", "The time at which the answer was known, by default now.")
        .query::<CountryCode>("country", "The country of the charge, by default that of the customer's address.")
        .query::<State>("state", "The state of the charge, by default that of the customer's address.")
        .answers::<EffectiveTaxesResponse<'_>>(200, "The taxes.")
        .refuses([Refusal::Gone])
}
