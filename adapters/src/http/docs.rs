//! The routes of the document and of its page. They need no credentials and show no data.

use std::{
    collections::BTreeMap,
    io::Cursor,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use data_encoding::HEXLOWER;
use rocket::{
    Build, Data, Request, Response, Rocket, Route,
    http::{ContentType, Method, Status},
    route::{Handler, Outcome},
};
use serde_json::json;
use sha2::{Digest, Sha256};
use utoipa::openapi::{ObjectBuilder, schema::Type};
use utoipa_swagger_ui::Config;

use crate::http::{
    Api,
    error::ApiError,
    methods,
    openapi::{Endpoint, Look, Shape},
    wrap::{Audience, render, wrap},
};

/// Scripts and styles come only from this server, and no other server is contacted. The page needs inline styles.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// Mounts `openapi.json`, which describes the API under a base path such as `/v1`, and the page `docs`, both below
/// the path `at`, such as `/`. They need no credentials.
#[must_use]
pub fn mount_docs(rocket: Rocket<Build>, at: &str, base: &str, api: &Arc<Api>) -> Rocket<Build> {
    let place = at.trim_end_matches('/').to_owned();
    let routes = routes(base).to_vec();
    let fallbacks = methods::not_allowed(&routes, &api.options.cors_origins, Audience::Public);
    // Ranks after the front page of an application.
    let front = Route::ranked(FRONT_RANK, Method::Get, "/", Front(format!("{place}/docs/")));
    let _ = api.places.docs.set(place);
    rocket.mount(at, wrap([routes, fallbacks, vec![front]].concat(), api, Audience::Public))
}

const FRONT_RANK: isize = 1_000;

/// The front page, which redirects to the documentation.
#[derive(Clone)]
struct Front(String);

#[rocket::async_trait]
impl Handler for Front {
    async fn handle<'r>(&self, _: &'r Request<'_>, _: Data<'r>) -> Outcome<'r> {
        let mut response = Response::build().status(Status::TemporaryRedirect).finalize();
        response.set_raw_header("Location", self.0.clone());
        Outcome::Success(response)
    }
}

fn routes(base: &str) -> [Route; 2] {
    let document = Document { base: base.to_owned(), made: Arc::default() };
    [Route::new(Method::Get, "/openapi.json", document), Route::new(Method::Get, "/docs/<_..>", Page::default())]
}

/// The document, built at the first request.
#[derive(Clone)]
struct Document {
    base: String,
    made: Arc<OnceLock<(Box<[u8]>, String)>>,
}

#[rocket::async_trait]
impl Handler for Document {
    async fn handle<'r>(&self, request: &'r Request<'_>, _: Data<'r>) -> Outcome<'r> {
        let Ok(api) = Api::of(request) else { return Outcome::Success(render(request, ApiError::system_error())) };
        let make = || {
            let mut json = serde_json::to_vec(&api.document(&self.base)).unwrap_or_default();
            if !json.is_empty() {
                json.push(b'\n');
            }
            let tag = tag(&json);
            (json.into_boxed_slice(), tag)
        };
        let (json, tag) = self.made.get_or_init(make);
        if json.is_empty() {
            return Outcome::Success(render(request, ApiError::system_error()));
        }
        Outcome::Success(file(request, ContentType::JSON, json, tag.clone()))
    }
}

/// The page and its files.
#[derive(Clone, Default)]
struct Page {
    /// The entity tags of the files, by name. Each is computed at the first request, because some files have megabytes.
    tags: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Page {
    /// The tag of a file. The cache has at most one entry for each file.
    fn tag_of(&self, name: &str, bytes: &[u8]) -> String {
        let mut tags = self.tags.lock().unwrap_or_else(PoisonError::into_inner);
        tags.entry(name.to_owned()).or_insert_with(|| tag(bytes)).clone()
    }
}

#[rocket::async_trait]
impl Handler for Page {
    async fn handle<'r>(&self, request: &'r Request<'_>, _: Data<'r>) -> Outcome<'r> {
        let path = request.uri().path().as_str();
        let base = request.route().map_or("", |route| route.uri.base()).trim_end_matches('/');
        let Some(name) = path.strip_prefix(base).and_then(|path| path.strip_prefix("/docs/")) else {
            // The page finds its files only below its own folder.
            let mut response = Response::build().status(Status::PermanentRedirect).finalize();
            response.set_raw_header("Location", "docs/");
            return Outcome::Success(response);
        };
        // The default page has a badge that sends the document to an external validator.
        let config = Config::from("../openapi.json").validator_url("none");
        let Ok(Some(found)) = utoipa_swagger_ui::serve(name, Arc::new(config)) else {
            return Outcome::Success(render(request, methods::no_such_path(request)));
        };
        let kind = ContentType::parse_flexible(&found.content_type).unwrap_or(ContentType::Binary);
        let tag = self.tag_of(name, &found.bytes);
        let mut response = file(request, kind, &found.bytes, tag);
        if found.gzpipped {
            response.set_raw_header("Content-Encoding", "gzip");
        }
        response.set_raw_header("Content-Security-Policy", POLICY);
        response.set_raw_header("Referrer-Policy", "no-referrer");
        Outcome::Success(response)
    }
}

/// The entity tag of a file.
fn tag(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    format!("\"{}\"", HEXLOWER.encode(&digest[..16]))
}

/// A file that changes only with the program. Clients may cache it and revalidate it with each request.
fn file<'r>(request: &Request<'_>, kind: ContentType, bytes: &[u8], tag: String) -> Response<'r> {
    let known = request.headers().get("if-none-match").any(|tags| tags.contains(&tag));
    let mut response = Response::new();
    response.set_raw_header("ETag", tag);
    response.set_raw_header("Cache-Control", "no-cache");
    response.set_raw_header("X-Content-Type-Options", "nosniff");
    if known {
        response.set_status(Status::NotModified);
    } else {
        response.set_header(kind);
        response.set_sized_body(bytes.len(), Cursor::new(bytes.to_vec()));
    }
    response
}

/// A file of the page.
struct File;

impl Shape for File {
    fn look() -> Look {
        let says = "A file of the page. Empty for the page itself.".to_owned();
        Look { kinds: vec![Type::String], says, example: json!("index.html"), ..Look::default() }
    }
}

pub(super) fn documents() -> Vec<Endpoint> {
    let [document, page] = routes("");
    let object = ObjectBuilder::new().schema_type(Type::Object).description(Some("OpenAPI 3.1.")).build();
    let text = ObjectBuilder::new().schema_type(Type::String).build();
    vec![
        Endpoint::new(vec![document], "getOpenApi", "This document", "The API as OpenAPI 3.1.")
            .answers_with(200, "The document.", "application/json", object)
            .cacheable(),
        Endpoint::new(vec![page], "getDocs", "The documentation as a page", "Works offline.")
            .path::<File>("file", "The file.")
            .answers_with(200, "The page.", "text/html", text)
            .answers_nothing(308, "The page is at `/docs/`.")
            .cacheable(),
    ]
}
