//! The refusals in the document. Status, code and example of each come from the error that the routes answer.

use std::collections::{BTreeMap, BTreeSet};

use patron_domain::{
    customer::ChangeCustomerError,
    ids::{CustomerId, CustomerKind, Kind},
    lifecycle::Version,
    tenancy::{Permission, PermissionDenied},
    violation::{Violation, Violations},
};
use serde_json::Value;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ContentBuilder, ObjectBuilder, Ref, RefOr, Response, ResponseBuilder, Schema, example::ExampleBuilder,
        schema::Type,
    },
};

use super::domain::EXAMPLE_ID;
use crate::http::{HttpOptions, error::ApiError};

/// A way in which a request can be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Refusal {
    /// 400: fields are wrong.
    Invalid,
    /// 400: the state forbids it.
    InvalidOperation,
    /// 401.
    Unauthenticated,
    /// 403.
    Denied,
    /// 404.
    NotFound,
    /// 408.
    TooSlow,
    /// 409: something has what is asked for.
    Taken,
    /// 409: the idempotency key stands for another request.
    KeyReused,
    /// 412.
    Changed,
    /// 413.
    TooLarge,
    /// 415.
    NoJson,
    /// 500.
    Failed,
    /// 503.
    Unavailable,
}

/// Every error has this shape.
#[derive(ToSchema)]
#[schema(as = Error)]
#[expect(dead_code, reason = "the shape alone; `ApiError` writes itself")]
struct ErrorShape {
    /// What went wrong, for programs.
    #[schema(schema_with = codes)]
    code: &'static str,
    /// What went wrong and what to do, for a person.
    message: String,
    /// The status of the answer.
    http_status_code: u16,
    /// What is wrong at each place: by the JSON path of a field, or by the name of a parameter or header.
    #[schema(nullable = false)]
    details: Option<BTreeMap<String, DetailShape>>,
}

#[derive(ToSchema)]
#[schema(as = ErrorDetail)]
#[expect(dead_code, reason = "the shape alone; `ApiError` writes itself")]
struct DetailShape {
    /// What is wrong here, for a person.
    message: String,
    /// The rule that is broken, for programs.
    #[schema(nullable = false)]
    rule: Option<String>,
    /// What has it already.
    #[schema(nullable = false)]
    existing_id: Option<String>,
    /// The version that the customer has now.
    #[schema(nullable = false)]
    current_version: Option<u64>,
}

/// Every code there is.
fn codes() -> RefOr<Schema> {
    let mut codes: BTreeSet<_> = Refusal::ALL.iter().map(|one| one.error().code()).collect();
    codes.insert(ApiError::method_not_allowed("GET").code());
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(codes)).examples(["validation_error"]).into()
}

impl Refusal {
    /// All of them.
    pub(super) const ALL: [Self; 13] = [
        Self::Invalid,
        Self::InvalidOperation,
        Self::Unauthenticated,
        Self::Denied,
        Self::NotFound,
        Self::TooSlow,
        Self::Taken,
        Self::KeyReused,
        Self::Changed,
        Self::TooLarge,
        Self::NoJson,
        Self::Failed,
        Self::Unavailable,
    ];

    /// One error of the kind.
    fn error(self) -> ApiError {
        let limits = HttpOptions::default();
        match self {
            Self::Invalid => {
                let mut broken = Violations::new();
                let (path, message) = ("external_id".to_owned(), "external_id must not be empty".to_owned());
                broken.push(Violation { path, rule: "required", message });
                broken.into()
            }
            Self::InvalidOperation => ApiError::invalid_operation("the customer is archived; restore it first"),
            Self::Unauthenticated => ApiError::unauthenticated(),
            Self::Denied => PermissionDenied::Role(Permission::Write).into(),
            Self::NotFound => ChangeCustomerError::UnknownCustomer.into(),
            Self::TooSlow => ApiError::body_timeout(limits.body_timeout.as_secs()),
            Self::Taken => ChangeCustomerError::ExternalIdTaken { existing: example_customer() }.into(),
            Self::KeyReused => ApiError::idempotency_key_reused(),
            Self::Changed => ChangeCustomerError::VersionConflict { current: Some(Version::FIRST) }.into(),
            Self::TooLarge => ApiError::too_large(limits.body_limit),
            Self::NoJson => ApiError::unsupported_media_type(),
            Self::Failed => ApiError::system_error(),
            Self::Unavailable => ApiError::unavailable(),
        }
    }

    fn says(self) -> &'static str {
        match self {
            Self::Invalid => {
                "Fields, parameters or headers are wrong, or the body is not a JSON object; all faults are told at once."
            }
            Self::InvalidOperation => "The state forbids it.",
            Self::Unauthenticated => "There is no key, or it is wrong, revoked or expired.",
            Self::Denied => "The key may not do this, or belongs to another environment than `X-Environment-ID` names.",
            Self::NotFound => "There is no such thing in the key's environment.",
            Self::TooSlow => "The body did not arrive in time.",
            Self::Taken => "Something has what was asked for.",
            Self::KeyReused => "The `Idempotency-Key` stands for another request.",
            Self::Changed => "`If-Match` does not name the current version, which `ETag` and details give.",
            Self::TooLarge => "The body is too large.",
            Self::NoJson => "The body is not called JSON, or is compressed.",
            Self::Failed => "Something went wrong in the service; it is in its log under the `X-Request-ID`.",
            Self::Unavailable => "The service cannot do this at the moment.",
        }
    }
}

/// The answers by which refusals of one status are told, with their name among the document's components.
pub(super) fn responses(refusals: &BTreeSet<Refusal>) -> Vec<(u16, String, Response)> {
    let mut by_status: BTreeMap<u16, Vec<Refusal>> = BTreeMap::new();
    for refusal in refusals {
        by_status.entry(refusal.error().status().code).or_default().push(*refusal);
    }
    by_status.into_iter().map(|(status, refusals)| (status, name(&refusals), response(&refusals))).collect()
}

fn name(refusals: &[Refusal]) -> String {
    refusals.iter().map(|refusal| refusal.error().code()).collect::<Vec<_>>().join("_or_")
}

fn response(refusals: &[Refusal]) -> Response {
    let errors = || refusals.iter().map(|refusal| (refusal, refusal.error()));
    let says: Vec<_> = errors().map(|(refusal, error)| format!("`{}`: {}", error.code(), refusal.says())).collect();
    let examples = errors().map(|(_, error)| {
        // An error's own JSON form cannot fail.
        let value = serde_json::to_value(&error).unwrap_or(Value::Null);
        (error.code(), ExampleBuilder::new().value(Some(value)).build())
    });
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Error"))).examples_from_iter(examples);
    let response = ResponseBuilder::new().description(says.join(" ")).content("application/json", content.build());
    let headers = errors().filter_map(|(_, error)| error.extra_header().map(|(name, _)| *name));
    // What a caller can use; how a connection ends is its client's business.
    let headers = headers.filter(|name| *name != "Connection").chain(["X-Request-ID"]);
    headers.fold(response, |response, name| response.header_ref(name, super::parts::header_ref(name))).build()
}

/// The shapes of errors, for the document's components.
pub(super) fn schemas() -> Vec<(String, RefOr<Schema>)> {
    let mut schemas = vec![(ErrorShape::name().into_owned(), ErrorShape::schema())];
    ErrorShape::schemas(&mut schemas);
    schemas
}

#[expect(clippy::expect_used, reason = "a constant; the test of the document builds it")]
fn example_customer() -> CustomerId {
    CustomerId::parse(&format!("{}{EXAMPLE_ID}", CustomerKind::PREFIX)).expect("an id")
}
