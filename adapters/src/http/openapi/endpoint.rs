//! One endpoint in the document, described beside its handler.
//!
//! Method and path come from the route. Everything that follows from them, from the permission and from the headers
//! that an endpoint reads is added here, so endpoints describe only what is their own.

use std::collections::BTreeSet;

use rocket::{Route, http::Method};
use serde_json::Value;
use utoipa::{
    ToSchema,
    openapi::{
        ContentBuilder, HttpMethod, KnownFormat, ObjectBuilder, Ref, RefOr, Required, ResponseBuilder, Schema,
        SchemaFormat,
        example::ExampleBuilder,
        path::{Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn},
        request_body::RequestBodyBuilder,
        schema::Type,
    },
};

use super::{
    paging::{Limit, Offset},
    parts::{DRY_RUN_HEADER, DRY_RUN_PARAMETER, DRY_RUN_SCHEMA, header_ref, parameter_ref, security},
    refusal::{Refusal, responses},
    shape::{Shape, exactly},
};
use crate::http::{Callers, list::List, noted::IGNORED};

/// A schema with its name in the document's components.
pub(in crate::http) type Named = (String, RefOr<Schema>);

/// One endpoint: its route, request and responses.
pub(crate) struct Endpoint {
    pub(in crate::http) method: HttpMethod,
    /// The path below the base, with parameters as `{…}`.
    pub(in crate::http) path: String,
    pub(super) tag: &'static str,
    operation: OperationBuilder,
    body: Option<(Named, Vec<(&'static str, Value)>)>,
    body_required: Required,
    takes_file: bool,
    answers: Vec<(u16, ResponseBuilder)>,
    refusals: BTreeSet<Refusal>,
    needs_caller: bool,
    pub(super) schemas: Vec<Named>,
}

impl Endpoint {
    /// The endpoint of a route, given as `routes![handler]`, with its operation id, a heading and a description.
    pub(crate) fn new(routes: Vec<Route>, id: &str, summary: &str, description: &str) -> Self {
        let route = routes.into_iter().next();
        let (method, path) = route.map_or((Method::Get, String::new()), |one| (one.method, one.uri.path().to_owned()));
        Self {
            method: method_of(method),
            path: template(&path),
            tag: "",
            operation: OperationBuilder::new()
                .operation_id(Some(id))
                .summary(Some(summary))
                .description(Some(description))
                .parameter_ref(parameter_ref("X-Request-ID")),
            body: None,
            body_required: Required::True,
            takes_file: false,
            answers: Vec::new(),
            refusals: BTreeSet::from([Refusal::Failed]),
            needs_caller: false,
            schemas: Vec::new(),
        }
    }

    /// Sets the group of the endpoint.
    pub(crate) fn tagged(mut self, tag: &'static str) -> Self {
        self.tag = tag;
        self
    }

    /// Declares that it needs a caller with the permission for its method.
    pub(crate) fn with_key(mut self) -> Self {
        self.needs_caller = true;
        self.operation = self.operation.parameter_ref(parameter_ref("X-Environment-ID"));
        let refusals =
            [Refusal::Invalid, Refusal::Unauthenticated, Refusal::Denied, Refusal::Suspended, Refusal::TooMany];
        self.refuses(refusals).refuses([Refusal::Unavailable])
    }

    /// Declares what every write takes: `Idempotency-Key`, `dry_run` and `Prefer`. Call this after the responses, as for
    /// everything that adds headers to them.
    pub(crate) fn idempotent(mut self) -> Self {
        self.operation = self.operation.parameter_ref(parameter_ref("Idempotency-Key"));
        self.refuses([Refusal::Invalid, Refusal::Taken, Refusal::KeyReused, Refusal::Gone])
            .answering("Idempotency-Replayed")
            .reporting()
    }

    /// Declares `dry_run` and `Prefer`, for a write whose repetition changes nothing without an `Idempotency-Key`. Call
    /// this after the responses.
    pub(crate) fn reporting(mut self) -> Self {
        for name in [DRY_RUN_PARAMETER, "Prefer"] {
            self.operation = self.operation.parameter_ref(parameter_ref(name));
        }
        let it = self;
        if it.answers.iter().any(|(status, _)| *status == 200) {
            return it;
        }
        let says = "With `dry_run`: what the request would do.";
        let mut it = it.answers_with(200, says, "application/json", Ref::from_schema_name(DRY_RUN_SCHEMA));
        if let Some((status, answer)) = it.answers.pop() {
            it.answers.push((status, answer.header_ref(DRY_RUN_HEADER, header_ref(DRY_RUN_HEADER))));
        }
        it
    }

    /// Declares `If-Match`, and the version as `ETag` in responses.
    pub(crate) fn conditional(self) -> Self {
        self.guarded().answering("ETag")
    }

    /// Declares `If-Match`. Responses have no `ETag`, because the object is gone.
    pub(crate) fn guarded(mut self) -> Self {
        self.operation = self.operation.parameter_ref(parameter_ref("If-Match"));
        self.refuses([Refusal::Changed])
    }

    /// Declares another request header from the shared parts.
    pub(crate) fn takes_header(mut self, header: &str) -> Self {
        self.operation = self.operation.parameter_ref(parameter_ref(header));
        self.refuses([Refusal::Invalid])
    }

    /// Declares `If-None-Match`, and the version as `ETag` in responses.
    pub(crate) fn cacheable(mut self) -> Self {
        self.operation = self.operation.parameter_ref(parameter_ref("If-None-Match"));
        self.answers_nothing(304, "It still has the version in `If-None-Match`.").answering("ETag")
    }

    /// Declares a parameter of the path.
    pub(crate) fn path<T: Shape>(mut self, name: &str, says: &str) -> Self {
        // The rest of a path has no name in a route.
        self.path = self.path.replace("{..}", &format!("{{{name}}}"));
        self.operation = self.operation.parameter(parameter(ParameterIn::Path, name, says, exactly::<T>()));
        self.refuses([Refusal::NotFound])
    }

    /// Declares an optional parameter of the query.
    pub(crate) fn query<T: Shape + ?Sized>(self, name: &str, says: &str) -> Self {
        self.parameter(name, says, exactly::<T>())
    }

    /// Declares a required parameter of the query.
    pub(crate) fn required_query<T: Shape>(mut self, name: &str, says: &str) -> Self {
        let parameter = parameter(ParameterIn::Query, name, says, exactly::<T>());
        self.operation = self.operation.parameter(ParameterBuilder::from(parameter).required(Required::True));
        self.refuses([Refusal::Invalid])
    }

    /// Declares a repeatable parameter of the query.
    pub(crate) fn repeated<T: Shape + ?Sized>(self, name: &str, says: &str) -> Self {
        let values = utoipa::openapi::ArrayBuilder::new().items(exactly::<T>());
        self.parameter(name, says, values.into())
    }

    fn parameter(mut self, name: &str, says: &str, schema: RefOr<Schema>) -> Self {
        self.operation = self.operation.parameter(parameter(ParameterIn::Query, name, says, schema));
        self.refuses([Refusal::Invalid])
    }

    /// Declares the parameters `limit`, `offset` and `cursor`.
    pub(crate) fn paged(self) -> Self {
        self.query::<Limit>("limit", "The most items.")
            .query::<Offset>("offset", "The number of items to skip.")
            .query::<str>("cursor", "The `next_cursor` of the previous page, instead of an `offset`.")
    }

    /// Declares the body, with examples that are valid as they are. In them the ids of [`super::EXAMPLE_ID`] stand for
    /// real ones.
    pub(crate) fn takes<T: ToSchema>(mut self, examples: impl IntoIterator<Item = (&'static str, Value)>) -> Self {
        T::schemas(&mut self.schemas);
        self.body = Some(((T::name().into_owned(), T::schema()), examples.into_iter().collect()));
        self.refuses([Refusal::Invalid, Refusal::TooSlow, Refusal::TooLarge, Refusal::NoJson])
    }

    /// Declares a body of any bytes.
    pub(crate) fn takes_file(mut self) -> Self {
        self.takes_file = true;
        self.refuses([Refusal::Invalid, Refusal::TooSlow, Refusal::TooLarge, Refusal::NoJson])
    }

    /// Declares an optional body.
    pub(crate) fn may_take<T: ToSchema>(mut self, examples: impl IntoIterator<Item = (&'static str, Value)>) -> Self {
        self.body_required = Required::False;
        self.takes::<T>(examples)
    }

    /// Declares a response with a body.
    pub(crate) fn answers<T: ToSchema>(mut self, status: u16, says: &str) -> Self {
        T::schemas(&mut self.schemas);
        let name = T::name().into_owned();
        self.schemas.push((name.clone(), T::schema()));
        self.answers_with(status, says, "application/json", Ref::from_schema_name(name))
    }

    /// Declares a 200 with a page of items.
    pub(crate) fn lists<T: ToSchema>(mut self, says: &str) -> Self {
        List::<T>::schemas(&mut self.schemas);
        let name = format!("{}List", T::name());
        self.schemas.push((name.clone(), <List<T> as utoipa::PartialSchema>::schema()));
        self.answers_with(200, says, "application/json", Ref::from_schema_name(name))
    }

    /// Declares a response of any media type.
    pub(crate) fn answers_with(
        mut self,
        status: u16,
        says: &str,
        kind: &str,
        schema: impl Into<RefOr<Schema>>,
    ) -> Self {
        let content = ContentBuilder::new().schema(Some(schema)).build();
        self.answers.push((status, ResponseBuilder::new().description(says).content(kind, content)));
        self
    }

    /// Declares a response that is a file.
    pub(crate) fn answers_file(self, kind: &str, says: &str) -> Self {
        let bytes =
            ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)));
        self.answers_with(200, says, kind, Schema::Object(bytes.build()))
    }

    /// Declares a response without a body.
    pub(crate) fn answers_nothing(mut self, status: u16, says: &str) -> Self {
        self.answers.push((status, ResponseBuilder::new().description(says)));
        self
    }

    /// Adds a header to all its responses.
    pub(crate) fn answering(mut self, header: &str) -> Self {
        let with = |answer: ResponseBuilder| answer.header_ref(header, header_ref(header));
        self.answers = self.answers.into_iter().map(|(status, answer)| (status, with(answer))).collect();
        self
    }

    /// Declares errors beyond those that follow from the other declarations.
    pub(crate) fn refuses(mut self, refusals: impl IntoIterator<Item = Refusal>) -> Self {
        self.refusals.extend(refusals);
        self
    }

    /// Returns the operation, and its errors by status with the responses that the document's components need.
    pub(in crate::http) fn finish(
        mut self,
        callers: &dyn Callers,
    ) -> (Operation, Vec<(String, utoipa::openapi::Response)>, Vec<Named>) {
        self = self.answering("X-Request-ID");
        if self.body.is_some() {
            self = self.answering(IGNORED);
        }
        let made = |(status, answer): (u16, ResponseBuilder)| match status {
            201 => (status, answer.header_ref("Location", header_ref("Location"))),
            _ => (status, answer),
        };
        self.answers = self.answers.into_iter().map(made).collect();
        let mut operation = self.operation.tag(self.tag);
        if self.needs_caller {
            operation = operation.securities(Some(security(&callers.credentials())));
        }
        if let Some((named, examples)) = self.body {
            let examples = examples.into_iter();
            let examples = examples.map(|(name, value)| (name, ExampleBuilder::new().value(Some(value)).build()));
            let content = ContentBuilder::new()
                .schema(Some(Ref::from_schema_name(named.0.clone())))
                .examples_from_iter(examples)
                .build();
            let body =
                RequestBodyBuilder::new().required(Some(self.body_required)).content("application/json", content);
            operation = operation.request_body(Some(body.build()));
            self.schemas.push(named);
        }
        if self.takes_file {
            let bytes = ContentBuilder::new().schema(None::<RefOr<Schema>>).build();
            let body =
                RequestBodyBuilder::new().required(Some(Required::True)).content("application/octet-stream", bytes);
            operation = operation.request_body(Some(body.build()));
        }
        for (status, answer) in self.answers {
            operation = operation.response(status.to_string(), answer.build());
        }
        let mut refusals = Vec::new();
        for (status, name, response) in responses(&self.refusals, callers) {
            operation = operation.response(status.to_string(), Ref::from_response_name(name.clone()));
            refusals.push((name, response));
        }
        (operation.build(), refusals, self.schemas)
    }
}

fn parameter(place: ParameterIn, name: &str, says: &str, schema: RefOr<Schema>) -> Parameter {
    let required = if place == ParameterIn::Path { Required::True } else { Required::False };
    let parameter = ParameterBuilder::new().name(name).parameter_in(place).required(required);
    parameter.description(Some(says)).schema(Some(schema)).build()
}

/// Converts a path from Rocket's form to OpenAPI's: `/a/<b>` to `/a/{b}`, and `/a/<_..>` to `/a/{..}` until it gets a
/// name.
fn template(path: &str) -> String {
    path.replace("<_..>", "{..}").replace('<', "{").replace('>', "}")
}

fn method_of(method: Method) -> HttpMethod {
    match method {
        Method::Put => HttpMethod::Put,
        Method::Post => HttpMethod::Post,
        Method::Delete => HttpMethod::Delete,
        Method::Patch => HttpMethod::Patch,
        Method::Head => HttpMethod::Head,
        Method::Options => HttpMethod::Options,
        Method::Trace => HttpMethod::Trace,
        Method::Get | Method::Connect => HttpMethod::Get,
    }
}
