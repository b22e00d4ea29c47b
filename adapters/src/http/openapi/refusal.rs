//! The errors in the document. Status, code and example come from the errors that the routes return.

use std::collections::{BTreeMap, BTreeSet};

use patron_domain::{
    customer::ChangeCustomerError,
    event::{EventCursor, FollowError, LogTakenBack},
    idempotency::IdempotencyKeyReused,
    ids::{CustomerId, CustomerKind, Kind},
    lifecycle::Version,
    privacy::{Blocking, PrivacyError},
    tax::TaxesOfError,
    tenancy::{Permission, PermissionDenied},
    violation::{Violation, Violations},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ContentBuilder, ObjectBuilder, Ref, RefOr, Response, ResponseBuilder, Schema, example::ExampleBuilder,
        schema::Type,
    },
};

use super::domain::EXAMPLE_ID;
use crate::http::{Callers, HttpOptions, error::ApiError};

/// A way in which a request can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Refusal {
    /// 400: fields are invalid.
    Invalid,
    /// 400: the state of the resource forbids it.
    InvalidOperation,
    /// 401.
    Unauthenticated,
    /// 403: the key may not do this.
    Denied,
    /// 403: the tenant is suspended.
    Suspended,
    /// 404.
    NotFound,
    /// 408.
    TooSlow,
    /// 409: the value is taken.
    Taken,
    /// 409: the external id belonged to an erased customer.
    ErasedSubject,
    /// 409: something keeps a customer from being erased.
    ErasureBlocked,
    /// 409: an erasure has begun.
    ErasureBegun,
    /// 409: the idempotency key was used for another request.
    KeyReused,
    /// 410: the cursor.
    LogTakenBack,
    /// 410: the history.
    Gone,
    /// 412.
    Changed,
    /// 413.
    TooLarge,
    /// 415.
    NoJson,
    /// 429.
    TooMany,
    /// 500.
    Failed,
    /// 503.
    Unavailable,
}

/// The schema of all errors.
#[derive(ToSchema)]
#[schema(as = Error)]
#[expect(dead_code, reason = "only for the schema; `ApiError` serialises itself")]
struct ErrorShape {
    /// The code, for programs.
    #[schema(schema_with = codes)]
    code: &'static str,
    /// The problem and what to do, for people.
    message: String,
    /// The status of the response.
    http_status_code: u16,
    /// The faults by the JSON path of a field, or by the name of a parameter or header. With the code `log_taken_back`:
    /// `resume_from`, a cursor. With the code `gone`: `oldest_at`, the time of the oldest state that is left. With
    /// `erasure_blocked`: `blocking`, a list.
    #[schema(nullable = false)]
    details: Option<BTreeMap<String, ToldShape>>,
}

/// A fault, or a fact for programs.
#[derive(Serialize, ToSchema)]
#[schema(as = ErrorDetailOrFact)]
#[serde(untagged)]
#[expect(dead_code, reason = "only for the schema; `ApiError` serialises itself")]
enum ToldShape {
    Fault(DetailShape),
    Fact(String),
    Facts(Vec<String>),
}

#[derive(Serialize, ToSchema)]
#[schema(as = ErrorDetail)]
struct DetailShape {
    /// The fault, for people.
    message: String,
    /// The broken rule, for programs.
    #[schema(nullable = false)]
    rule: Option<String>,
    /// The id of the resource that has the value.
    #[schema(nullable = false)]
    existing_id: Option<String>,
    /// The present version of the customer.
    #[schema(nullable = false)]
    current_version: Option<u64>,
}

/// All codes.
fn codes() -> RefOr<Schema> {
    let mut codes: BTreeSet<_> = Refusal::ALL.iter().map(|one| one.error().code()).collect();
    let others = [
        ApiError::method_not_allowed("GET"),
        ApiError::too_broad("", String::new()),
        ApiError::already_imported(String::new(), String::new()),
    ];
    codes.extend(others.iter().map(ApiError::code));
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(codes)).examples(["validation_error"]).into()
}

impl Refusal {
    /// All kinds of errors.
    pub(super) const ALL: [Self; 20] = [
        Self::Invalid,
        Self::InvalidOperation,
        Self::Unauthenticated,
        Self::Denied,
        Self::Suspended,
        Self::NotFound,
        Self::TooSlow,
        Self::Taken,
        Self::ErasedSubject,
        Self::ErasureBlocked,
        Self::ErasureBegun,
        Self::KeyReused,
        Self::LogTakenBack,
        Self::Gone,
        Self::Changed,
        Self::TooLarge,
        Self::NoJson,
        Self::TooMany,
        Self::Failed,
        Self::Unavailable,
    ];

    /// The example, with the messages of the API's [`Callers`].
    fn told_by(self, callers: &dyn Callers) -> ApiError {
        self.error().in_words_of(callers)
    }

    /// An example error of this kind.
    fn error(self) -> ApiError {
        let limits = HttpOptions::default();
        match self {
            Self::Invalid => {
                let mut broken = Violations::new();
                let (path, message) = ("external_id".to_owned(), "external id must not be empty".to_owned());
                broken.push(Violation { path, rule: "required", message });
                broken.into()
            }
            Self::InvalidOperation => ApiError::invalid_operation("the customer is archived; restore it first"),
            Self::Unauthenticated => ApiError::unauthenticated(),
            Self::Denied => PermissionDenied::Role(Permission::Write).into(),
            Self::Suspended => PermissionDenied::Suspended.into(),
            Self::NotFound => ChangeCustomerError::UnknownCustomer.into(),
            Self::TooSlow => ApiError::body_timeout(limits.body_timeout.as_secs()),
            Self::Taken => ChangeCustomerError::ExternalIdTaken { existing: example_customer() }.into(),
            Self::ErasedSubject => ApiError::erased_subject(),
            Self::ErasureBlocked => PrivacyError::Blocked(vec![Blocking::LegalHold]).into(),
            Self::ErasureBegun => PrivacyError::Begun.into(),
            Self::KeyReused => ApiError::idempotency_key_reused(IdempotencyKeyReused::default()),
            Self::LogTakenBack => FollowError::from(LogTakenBack { resume_from: EventCursor::START }).into(),
            Self::Gone => TaxesOfError::HistoryRemoved.into(),
            Self::Changed => ChangeCustomerError::VersionConflict { current: Some(Version::FIRST) }.into(),
            Self::TooLarge => ApiError::too_large(limits.body_limit),
            Self::NoJson => ApiError::unsupported_media_type(),
            Self::TooMany => ApiError::too_many(1),
            Self::Failed => ApiError::system_error(),
            Self::Unavailable => ApiError::unavailable(),
        }
    }

    fn says(self) -> &'static str {
        match self {
            Self::Invalid => {
                "Fields, parameters or headers are invalid, or the body is not a JSON object. All faults are reported \
                 together."
            }
            Self::InvalidOperation => "The state of the resource forbids it.",
            Self::Unauthenticated => "The credentials are missing, invalid, revoked or expired.",
            Self::Denied => {
                "The caller lacks the permission, is not allowed from this address, or does not belong to the \
                 environment in `X-Environment-ID`."
            }
            Self::Suspended => "The tenant is suspended.",
            Self::NotFound => "It does not exist in the caller's environment.",
            Self::TooSlow => "The body did not arrive in time.",
            Self::Taken => "The value is taken.",
            Self::ErasedSubject => {
                "The external id belonged to a customer whose deletion was requested. `confirm_new_subject` says that this \
                 is another one."
            }
            Self::ErasureBlocked => "Something keeps the customer from being erased; `details.blocking` lists it.",
            Self::ErasureBegun => "The erasure has begun and cannot be cancelled.",
            Self::KeyReused => "The `Idempotency-Key` was used for another request.",
            Self::LogTakenBack => {
                "A restore or a fail-over took back the events behind the cursor. `details.resume_from` is the cursor to \
                 continue with: nothing is missed, and events of the last minute may come again."
            }
            Self::Gone => "It was removed: the events of that time, or the answer under the `Idempotency-Key`.",
            Self::Changed => "`If-Match` does not name the current version, which `ETag` and `details` contain.",
            Self::TooLarge => "The body is too large.",
            Self::NoJson => "The content type of the body is not JSON, or the body is compressed.",
            Self::TooMany => "Too many requests with this key or from its tenant.",
            Self::Failed => "An internal error occurred. The log has it under the `X-Request-ID`.",
            Self::Unavailable => "The service is temporarily unavailable.",
        }
    }
}

/// The responses for the errors of each status, with their names in the document's components.
pub(super) fn responses(refusals: &BTreeSet<Refusal>, callers: &dyn Callers) -> Vec<(u16, String, Response)> {
    let mut by_status: BTreeMap<u16, Vec<Refusal>> = BTreeMap::new();
    for refusal in refusals {
        by_status.entry(refusal.error().status().code).or_default().push(*refusal);
    }
    by_status.into_iter().map(|(status, refusals)| (status, name(&refusals), response(&refusals, callers))).collect()
}

fn name(refusals: &[Refusal]) -> String {
    refusals.iter().map(|refusal| refusal.error().code()).collect::<Vec<_>>().join("_or_")
}

fn response(refusals: &[Refusal], callers: &dyn Callers) -> Response {
    let errors = || refusals.iter().map(|refusal| (refusal, refusal.told_by(callers)));
    let says: Vec<_> = errors().map(|(refusal, error)| format!("`{}`: {}", error.code(), refusal.says())).collect();
    let examples = errors().map(|(_, error)| {
        // Serialising an error cannot fail.
        let value = serde_json::to_value(&error).unwrap_or(Value::Null);
        (error.code(), ExampleBuilder::new().value(Some(value)).build())
    });
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Error"))).examples_from_iter(examples);
    let response = ResponseBuilder::new().description(says.join(" ")).content("application/json", content.build());
    let headers = errors().filter_map(|(_, error)| error.extra_header().map(|(name, _)| *name));
    // Only codes that callers can use. The end of a connection concerns only its client.
    let headers = headers.filter(|name| *name != "Connection").chain(["X-Request-ID"]);
    headers.fold(response, |response, name| response.header_ref(name, super::parts::header_ref(name))).build()
}

/// The schemas of errors, for the document's components.
pub(crate) fn schemas() -> Vec<(String, RefOr<Schema>)> {
    let mut schemas = vec![(ErrorShape::name().into_owned(), ErrorShape::schema())];
    ErrorShape::schemas(&mut schemas);
    schemas
}

#[expect(clippy::expect_used, reason = "a constant; the test of the document builds it")]
fn example_customer() -> CustomerId {
    CustomerId::parse(&format!("{}{EXAMPLE_ID}", CustomerKind::PREFIX)).expect("an id")
}
