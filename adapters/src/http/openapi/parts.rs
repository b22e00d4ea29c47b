//! Shared parts of endpoints: request headers, response headers, and the ways to send credentials.

use patron_domain::{
    idempotency::IdempotencyKey, ids::EnvironmentId, onboarding::RunToken, tenancy::RequestId, time::Timestamp,
};
use serde_json::json;
use utoipa::openapi::{
    Components, ComponentsBuilder, HeaderBuilder, Ref, Required,
    path::{ParameterBuilder, ParameterIn},
    schema::Type,
    security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
};

use super::shape::{Look, Shape, exactly};
use crate::http::{Credential, noted::IGNORED};

/// The name of the header.
pub(crate) const RUN_TOKEN_HEADER: &str = "X-Patron-Onboarding-Run";

/// The header of every response to a dry run.
pub(crate) const DRY_RUN_HEADER: &str = "Patron-Dry-Run";

/// The parameter that asks for a dry run.
pub(crate) const DRY_RUN_PARAMETER: &str = "dry_run";

/// The schema of the responses to dry runs.
pub(crate) const DRY_RUN_SCHEMA: &str = "DryRun";

/// The header with the time of an earlier state.
pub(crate) const AS_OF_HEADER: &str = "Patron-As-Of";

macro_rules! header_values {
    ($($name:ident: $look:expr;)*) => {$(
        struct $name;
        impl Shape for $name {
            fn look() -> Look {
                Look { kinds: vec![Type::String], ..$look }
            }
        }
    )*};
}

header_values! {
    Key: Look { chars: Some((1, IdempotencyKey::MAX_CHARS)), example: json!("order-4711"), ..Look::default() };
    Request: Look { chars: Some((1, RequestId::MAX_CHARS)), example: json!("7f3a-1"), ..Look::default() };
    Tag: Look { example: json!("\"1\""), ..Look::default() };
    Preference: Look { example: json!("return=warnings"), ..Look::default() };
    Word: Look { example: json!("Bearer"), ..Look::default() };
    Yes: Look { words: Some(vec!["true"]), example: json!("true"), ..Look::default() };
    Path: Look { example: json!("/v1/customers/cust_01JDG3W9Z5X0M8R2K7T4B6Q1NE"), ..Look::default() };
    Names: Look { example: json!("adress_country, tax_rate_overrides[0].tax_behavior"), ..Look::default() };
    Codings: Look { example: json!("identity"), ..Look::default() };
    Seconds: Look { pattern: Some("[0-9]+".to_owned()), example: json!("1"), ..Look::default() };
}

/// A reference to a request header.
pub(super) fn parameter_ref(name: &str) -> Ref {
    Ref::new(format!("#/components/parameters/{name}"))
}

/// A reference to a response header.
pub(super) fn header_ref(name: &str) -> Ref {
    Ref::new(format!("#/components/headers/{name}"))
}

/// Each kind of credential suffices.
pub(super) fn security(credentials: &[Credential]) -> Vec<SecurityRequirement> {
    credentials.iter().map(|one| SecurityRequirement::new(scheme_name(*one), [""; 0])).collect()
}

fn scheme_name(credential: Credential) -> &'static str {
    match credential {
        Credential::Bearer => "bearer",
        Credential::Header(_) => "api_key",
        Credential::Cookie(_) => "cookie",
    }
}

fn scheme(credential: Credential) -> SecurityScheme {
    let says = "It belongs to one environment.";
    match credential {
        Credential::Bearer => {
            let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("As a bearer token."));
            SecurityScheme::Http(bearer.build())
        }
        Credential::Header(name) => SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(name, says))),
        Credential::Cookie(name) => SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(name, says))),
    }
}

/// The shared parts, by name.
pub(crate) fn components(credentials: &[Credential]) -> Components {
    let taken = [
        (
            "Idempotency-Key",
            exactly::<Key>(),
            "A repeated request with the same key is done only once, and gets the same response.",
        ),
        (
            "If-Match",
            exactly::<Tag>(),
            "Changes the customer only if it has this version: an `ETag`, a list of them, or `*`.",
        ),
        (
            "If-None-Match",
            exactly::<Tag>(),
            "Responds 304 if the customer still has this version: an `ETag`, a list of them, or `*`.",
        ),
        (
            "X-Environment-ID",
            exactly::<EnvironmentId>(),
            "The intended environment. The request is rejected unless it is the caller's.",
        ),
        (
            RUN_TOKEN_HEADER,
            exactly::<RunToken>(),
            "The unchanged token of the onboarding call that led to this create. The create then starts no onboarding.",
        ),
        (
            "Prefer",
            exactly::<Preference>(),
            "`return=warnings` adds `warnings` to the body: advice about a request that was accepted.",
        ),
        ("X-Request-ID", exactly::<Request>(), "The request's id for logs. Generated if absent."),
    ];
    let answered = [
        ("Accept-Encoding", exactly::<Codings>(), "The accepted codings of bodies: none."),
        ("ETag", exactly::<Tag>(), "The version, in quotes."),
        (
            "Idempotency-Replayed",
            exactly::<Yes>(),
            "Present if this is the response to an earlier request with the same `Idempotency-Key`.",
        ),
        (AS_OF_HEADER, exactly::<Timestamp>(), "Present if `at` was given: that time."),
        ("Location", exactly::<Path>(), "The path of the new resource."),
        (DRY_RUN_HEADER, exactly::<Yes>(), "Present if nothing was written, because the request has `dry_run`."),
        (IGNORED, exactly::<Names>(), "Present if the body has unknown members: their paths, at most 20."),
        ("Retry-After", exactly::<Seconds>(), "The number of seconds to wait before another request."),
        ("WWW-Authenticate", exactly::<Word>(), "The way to send credentials."),
        ("X-Patron-Former-External-Id", exactly::<Yes>(), "Present if the customer was found by a former external id."),
        ("X-Request-ID", exactly::<Request>(), "The request's id, as in the log."),
    ];
    let says = "`true` makes a dry run: the same checks, but nothing is written. The response is 200 with the schema `DryRun`, or the \
                refusal that the request would get.";
    let dry_run = ParameterBuilder::new().name(DRY_RUN_PARAMETER).parameter_in(ParameterIn::Query);
    let dry_run = dry_run.required(Required::False).description(Some(says)).schema(Some(exactly::<bool>()));
    let mut components = ComponentsBuilder::new().parameter(DRY_RUN_PARAMETER, dry_run.build());
    for (name, schema, says) in taken {
        let header = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Header).required(Required::False);
        components = components.parameter(name, header.description(Some(says)).schema(Some(schema)).build());
    }
    for (name, schema, says) in answered {
        components = components.header(name, HeaderBuilder::new().schema(Some(schema)).description(Some(says)).build());
    }
    let schemes = credentials.iter().map(|one| (scheme_name(*one), scheme(*one)));
    schemes.fold(components, |components, (name, scheme)| components.security_scheme(name, scheme)).build()
}
