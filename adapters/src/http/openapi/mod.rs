//! The parts that describe endpoints in OpenAPI 3.1. `http/document.rs` builds the document from them.
//!
//! Every endpoint is described in its own file, in a function beside its handler ([`Endpoint`]). Bodies are the structs
//! that are read and written, with `ToSchema`; the limits of their fields come from the domain ([`domain`]).

mod domain;
mod endpoint;
mod maps;
mod paging;
mod parts;
mod refusal;
mod shape;

pub(in crate::http) use self::endpoint::Named;
pub(crate) use self::{
    domain::{ChangedField, ChannelOfPeople, EXAMPLE_ID, SomeActivity, given_decimal},
    endpoint::Endpoint,
    maps::{
        any_object, any_value, custom_fields, given_any_object, given_custom_fields, given_metadata, metadata,
        searched_metadata,
    },
    paging::{FindLimit, FindText, Limit, Offset},
    parts::{AS_OF_HEADER, DRY_RUN_HEADER, DRY_RUN_PARAMETER, DRY_RUN_SCHEMA, RUN_TOKEN_HEADER, components},
    refusal::{Refusal, schemas as error_schemas},
    shape::{
        Look, Shape, all, exactly, given_all, object_or_null, objects, one_of, optional, or_empty, or_null, texts,
        values, words,
    },
};
