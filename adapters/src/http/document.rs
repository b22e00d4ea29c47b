//! `openapi.json`, the API as OpenAPI 3.1, generated from the code.
//!
//! Every folder of endpoints lists them in `documents()`, beside `routes()`. One test compares the document with the
//! mounted routes, and another sends every example.

use utoipa::openapi::{
    Info, InfoBuilder, OpenApi, OpenApiBuilder, Paths, ServerBuilder, info::LicenseBuilder, tag::TagBuilder,
};

use super::{
    Api, activity, audit, custom_field, customer, docs, event, health, import, integration, metrics, onboarding,
    openapi::{Endpoint, components, error_schemas},
    privacy, report, tax, tenancy, webhook,
};

/// A group of endpoints in the document, in the order shown: its base, name, description, and endpoints.
type Group<'a> = (&'a str, &'static str, &'static str, Vec<Endpoint>);

/// The groups of an API under a base path.
fn groups<'a>(api: &'a Api, base: &'a str) -> Vec<Group<'a>> {
    let if_there = |there: bool, documents: fn() -> Vec<Endpoint>| if there { documents() } else { Vec::new() };
    let (docs, health) = (api.places.docs.get(), api.places.health.get());
    let (docs_base, health_base) = (docs.map_or("", String::as_str), health.map_or("", String::as_str));
    let keys = if_there(api.administration.is_some(), tenancy::documents);
    let imports = if_there(api.imports.is_some(), import::documents);
    let mut customers = customer::documents();
    customers.extend(if_there(api.past.is_some(), customer::past_documents));
    customers.extend(if_there(api.find.is_some(), customer::find::documents));
    customers.extend(if_there(api.batches.is_some(), customer::batch_documents));
    customers.extend(if_there(api.exports.is_some(), customer::export_documents));
    let groups = vec![
        (base, "Customers", "Your customers, with their names, addresses and metadata.", customers),
        (base, "Imports", "Files of customers, from other products or from our own export.", imports),
        (base, "Taxes", "Tax rates, and the customers that pay them.", if_there(api.taxes.is_some(), tax::documents)),
        (
            base,
            "Custom fields",
            "The fields that an environment defines for its customers.",
            if_there(api.custom_fields.is_some(), custom_field::documents),
        ),
        (base, "Integrations", "The ids of customers in other systems.", integration::documents()),
        (
            base,
            "Onboarding",
            "Calls to other systems for every new customer.",
            if_there(api.onboarding.is_some(), onboarding::documents),
        ),
        (base, "Environments and keys", "The environments of a tenant, and the API keys of each.", keys),
        (
            base,
            "Audit",
            "Who changed keys, environments, webhooks and onboarding.",
            if_there(api.audit.is_some(), audit::documents),
        ),
        (
            base,
            "Privacy",
            "Erasing customers, legal holds, and the proof.",
            if_there(api.privacy.is_some(), privacy::documents),
        ),
        (
            base,
            "Events",
            "The log of all changes, in order and without gaps.",
            if_there(api.events.is_some(), event::documents),
        ),
        (
            base,
            "Activity",
            "Events and the audit log together, newest first.",
            if_there(api.events.is_some(), activity::documents),
        ),
        (
            base,
            "Webhooks",
            "Notifications about changes, and their deliveries.",
            if_there(api.webhooks.is_some(), webhook::documents),
        ),
        (
            health_base,
            "Health",
            "Liveness and readiness. No credentials are needed.",
            if_there(health.is_some(), health::documents),
        ),
        ("", "Metrics", "No credentials are needed.", if_there(api.places.metrics.get().is_some(), metrics::documents)),
        (docs_base, "About", "No credentials are needed.", if_there(docs.is_some(), docs::documents)),
    ];
    groups.into_iter().filter(|(_, _, _, endpoints)| !endpoints.is_empty()).collect()
}

/// Builds the document of an API under a base path such as `/v1`.
pub(super) fn document(api: &Api, base: &str) -> OpenApi {
    let mut components = components(&api.callers.credentials());
    components.schemas.extend(error_schemas());
    components.schemas.extend(report::schemas());
    let (mut paths, mut tags) = (Paths::new(), Vec::new());
    for (base, tag, says, endpoints) in groups(api, base) {
        tags.push(TagBuilder::new().name(tag).description(Some(says)).build());
        for endpoint in endpoints {
            let (path, method) = (format!("{base}{}", endpoint.path), endpoint.method.clone());
            let (operation, refusals, schemas) = endpoint.tagged(tag).finish(&*api.callers);
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
             Requests and responses are JSON in UTF-8. Unknown fields are ignored. `null` means absent, except in \
             `PATCH`, where it clears. Lengths are counted in Unicode code points. Control characters are rejected in \
             all texts; the values of metadata reject only U+0000, and address lines and descriptions allow tabs and \
             line breaks. Every error has the schema `Error`. If several errors apply, the response is the first of: \
             contradictory credentials (400), 401, 403, 429, 404 for an unknown path, 405 with `Allow`, 413, 415, all \
             400s together, 404 for other resources that the request names, 409, 412. `?pretty=true` indents the \
             response.",
        ))
        .build()
}
