//! `/openapi.json`: the API as OpenAPI 3.1, made from the code; and `/docs`, where a person reads it.
//!
//! Every endpoint tells what it takes and answers in its own file, in a function beside its handler ([`Endpoint`]); every
//! folder of endpoints lists them in `documents()`, beside `routes()`. Bodies are the structs that are read and written,
//! with `ToSchema`; what their fields may hold comes from the domain ([`domain`]). A test of the program compares the
//! document with the routes that are mounted, another one sends every example.

mod docs;
mod domain;
mod endpoint;
mod parts;
mod refusal;
mod shape;

use utoipa::openapi::{
    Info, InfoBuilder, OpenApi, OpenApiBuilder, Paths, ServerBuilder, info::LicenseBuilder, tag::TagBuilder,
};

pub use self::docs::mount_docs;
pub(crate) use self::{
    domain::{
        ChangedField, EXAMPLE_ID, Limit, Offset, any_object, given_any_object, given_decimal, given_metadata, metadata,
        searched_metadata,
    },
    endpoint::Endpoint,
    refusal::Refusal,
    shape::{Look, Shape, all, exactly, given_all, objects, one_of, optional, or_empty, or_null, texts, values, words},
};
use super::{customer, event, health, integration, metrics, onboarding, tax, tenancy, webhook};

/// The groups of endpoints, in the order in which they are shown: the base below which they are, name, explanation, and
/// what is in them.
type Group = (Base, &'static str, &'static str, Vec<Endpoint>);

/// Where a group is mounted.
enum Base {
    /// Where the API is.
    Api,
    /// Below `/health`.
    Health,
    /// At the root.
    Root,
}

fn groups() -> Vec<Group> {
    let root = [metrics::documents(), docs::documents()].into_iter().flatten().collect();
    vec![
        (Base::Api, "Customers", "Who your customers are: their names, addresses and metadata.", customer::documents()),
        (Base::Api, "Taxes", "Tax rates, and who pays them.", tax::documents()),
        (Base::Api, "Integrations", "Under which ids other systems know a customer.", integration::documents()),
        (Base::Api, "Onboarding", "What is done elsewhere for every new customer.", onboarding::documents()),
        (
            Base::Api,
            "Environments and keys",
            "The environments of a tenant, and the API keys of each.",
            tenancy::documents(),
        ),
        (Base::Api, "Events", "Everything that happened, in order and without a gap.", event::documents()),
        (Base::Api, "Webhooks", "Who is told of every change, and what became of it.", webhook::documents()),
        (Base::Health, "Health", "Whether it lives, and whether it can work. No key is needed.", health::documents()),
        (Base::Root, "About", "Figures and documentation. No key is needed.", root),
    ]
}

/// The document, for an API under a base path such as `/v1`.
#[must_use]
pub fn document(base: &str) -> OpenApi {
    let mut components = parts::components();
    components.schemas.extend(refusal::schemas());
    let (mut paths, mut tags) = (Paths::new(), Vec::new());
    for (place, tag, says, endpoints) in groups() {
        tags.push(TagBuilder::new().name(tag).description(Some(says)).build());
        let base = match place {
            Base::Api => base,
            Base::Health => "/health",
            Base::Root => "",
        };
        for endpoint in endpoints {
            let (path, method) = (format!("{base}{}", endpoint.path), endpoint.method.clone());
            let (operation, refusals, schemas) = endpoint.tagged(tag).finish();
            components.responses.extend(refusals.into_iter().map(|(name, response)| (name, response.into())));
            components.schemas.extend(schemas);
            paths.add_path_operation(path, vec![method], operation);
        }
    }
    let server = ServerBuilder::new().url("/").description(Some("This server")).build();
    OpenApiBuilder::new()
        .info(info())
        .servers(Some([server]))
        .paths(paths)
        .components(Some(components))
        .tags(Some(tags))
        .build()
}

fn info() -> Info {
    let license = LicenseBuilder::new().name("MIT OR Apache-2.0").identifier(Some(env!("CARGO_PKG_LICENSE"))).build();
    InfoBuilder::new()
        .title("Patron")
        .version(env!("CARGO_PKG_VERSION"))
        .license(Some(license))
        .description(Some(
            "A customer registry for billing. It speaks Flexprice's customer API.\n\n\
             Requests and answers are JSON in UTF-8. Unknown fields are ignored; `null` means absent, but for `PATCH`, where \
             it clears. Lengths are counted in Unicode code points. Control characters are refused in every text but the values \
             of metadata, where U+0000 alone is; tabs and line breaks are taken in address lines and descriptions. Every error \
             has the shape `Error`. Where several refusals apply, the first is answered of: two API keys that differ (400), \
             401, 403, 404 of an unknown path, 405 with `Allow`, 413, 415, all 400s together, 404 of what the request refers \
             to, 409, 412. `?pretty=true` indents an answer.",
        ))
        .build()
}
