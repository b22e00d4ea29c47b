//! The body of a batch.

use patron_domain::{
    customer::{Amendment, BatchItem, BatchService, CustomerChange, ExternalId},
    http_semantics::preconditions,
    ids::CustomerId,
    violation::{Rule, Violations},
};
use serde::Deserialize;
use serde_json::{json, value::RawValue};
use utoipa::{
    ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema::Type},
};

use super::super::{missing, request::CreateCustomerRequest, update_request::UpdateCustomerRequest};
use crate::http::{
    error::ApiError,
    json::{Examined, Field, FromJson, List, Reader, Text, Unknown, examine, object_from_json},
    openapi::{Look, Shape, any_object, exactly, objects, optional},
};

/// The body: changes, each of one customer.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct BatchRequest<'a> {
    /// Whether all changes are made together or none. At most 100 changes then.
    #[schema(schema_with = optional::<bool>)]
    atomic: Field<bool>,
    #[schema(schema_with = objects::<ItemRequest<'a>, { BatchService::MAX }>)]
    items: Field<List<ItemRequest<'a>>>,
}

/// One change.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct ItemRequest<'a> {
    #[schema(schema_with = exactly::<Op>)]
    op: Field<Text<'a>>,
    /// The customer's id. This or the external id is required, except for a create.
    #[schema(schema_with = optional::<CustomerId>)]
    id: Field<Text<'a>>,
    #[schema(schema_with = optional::<ExternalId>)]
    external_id: Field<Text<'a>>,
    /// The customer's entity tag, as in the header `If-Match`.
    #[schema(schema_with = entity_tag)]
    if_match: Field<Text<'a>>,
    /// The body of the single request: of a create, an update or a patch.
    #[serde(borrow)]
    #[schema(schema_with = any_object)]
    body: Option<&'a RawValue>,
}

object_from_json!(BatchRequest<'a>, ItemRequest<'a>);

fn entity_tag() -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).examples([json!("\"3\"")]).build().into()
}

/// What a change does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Create,
    Upsert,
    Update,
    Patch,
    Archive,
    Restore,
}

/// A fault of a batch, or of one of its changes.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("items must have 1 to {0} elements; send more in further requests")]
    Count(usize),
    #[error("op must be create, upsert, update, patch, archive or restore")]
    Op,
    #[error("name the customer by id or by external_id")]
    Unnamed,
    #[error("leave out id: {0} names the customer by its external id")]
    Named(&'static str),
    #[error("name the customer by id or by external_id, not both")]
    Twice,
    #[error("body is required: the JSON object of the single request")]
    NoBody,
    #[error("leave out body: {0} takes none")]
    Body(&'static str),
    #[error("must be an object")]
    NoObject,
}

impl Rule for Fault {
    fn rule(&self) -> &'static str {
        match self {
            Self::Count(_) => "max_items",
            Self::Op => "one_of",
            Self::Unnamed | Self::NoBody => "required",
            Self::Named(_) | Self::Twice | Self::Body(_) => "exclusive",
            Self::NoObject => "type",
        }
    }
}

/// A batch as it was read. Each change is valid, or an error with paths within the change.
pub(super) struct Batch {
    pub(super) atomic: bool,
    pub(super) items: Vec<ReadItem>,
    /// The unknown members of the changes.
    pub(super) unknown: Vec<Unknown>,
}

/// One change as it was read.
pub(super) struct ReadItem {
    /// The word of `op` as it was sent, cut off after [`MAX_OP`] characters; empty if it is not a text.
    pub(super) op: String,
    pub(super) change: Result<BatchItem, ApiError>,
    /// The codes of tax rates that a create names, each with its path. Only if the change, or one beside it, is refused.
    pub(super) rate_codes: Vec<(String, String)>,
}

/// The most characters of an unknown operation in a response.
const MAX_OP: usize = 100;

impl Op {
    pub(super) const ALL: [Self; 6] =
        [Self::Create, Self::Upsert, Self::Update, Self::Patch, Self::Archive, Self::Restore];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Upsert => "upsert",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Archive => "archive",
            Self::Restore => "restore",
        }
    }

    fn parse(word: &str) -> Result<Self, Fault> {
        Self::ALL.into_iter().find(|op| op.as_str() == word).ok_or(Fault::Op)
    }

    /// Whether it makes or finds the customer by the external id alone.
    fn creates(self) -> bool {
        matches!(self, Self::Create | Self::Upsert)
    }

    fn takes_body(self) -> bool {
        !matches!(self, Self::Archive | Self::Restore)
    }
}

impl Shape for Op {
    fn look() -> Look {
        Look::words(Self::ALL.map(Self::as_str), "What the change does.")
    }
}

impl BatchRequest<'_> {
    /// Reads each change. Faults of a change do not affect the others.
    pub(super) fn read(self, broken: &mut Violations) -> Option<Batch> {
        let fields = &mut Reader::new(broken);
        let atomic = fields.take("atomic", self.atomic).unwrap_or_default();
        let List { elements, count } =
            fields.take("items", self.items).unwrap_or(List { elements: Vec::new(), count: 0 });
        let most = if atomic { BatchService::MAX_ATOMIC } else { BatchService::MAX };
        if count == 0 || count > most {
            fields.check::<(), _>("items", Err(Fault::Count(most)));
            return None;
        }
        let mut unknown = Vec::new();
        let items = elements.into_iter().enumerate().map(|(number, item)| {
            let Field::Value(item) = item else {
                let change = Err(fault("items", &Fault::NoObject));
                return ReadItem { op: String::new(), change, rate_codes: Vec::new() };
            };
            let (sent, body) = (item.op_sent(), item.body);
            let (op, change, names) = item.read();
            let creates = op.is_some_and(Op::creates) && (atomic || change.is_err());
            let rate_codes = body.filter(|_| creates).map(|body| rate_codes(body.get())).unwrap_or_default();
            let within = |one: Unknown| Unknown { path: format!("items[{number}].{}", one.path), ..one };
            unknown.extend(names.into_iter().map(within));
            ReadItem { op: sent, change, rate_codes }
        });
        Some(Batch { atomic, items: items.collect(), unknown })
    }
}

/// A refusal of one change, for one fault.
fn fault(place: &str, fault: &Fault) -> ApiError {
    let mut broken = Violations::new();
    broken.add(place, fault);
    broken.into()
}

impl<'a> ItemRequest<'a> {
    /// The operation as it was sent.
    fn op_sent(&self) -> String {
        match &self.op {
            Field::Value(word) => word.chars().take(MAX_OP).collect(),
            Field::Absent | Field::Wrong(_) => String::new(),
        }
    }

    /// The change, with its operation, and the unknown members of its body.
    fn read(self) -> (Option<Op>, Result<BatchItem, ApiError>, Vec<Unknown>) {
        let Self { op, id, external_id, if_match, body } = self;
        let mut broken = Violations::new();
        let fields = &mut Reader::new(&mut broken);
        let op = fields.required("op", op, |word| Op::parse(&word));
        let Some(op) = op else { return (None, Err(broken.into()), Vec::new()) };
        let id = fields.take("id", id).filter(|id| !id.is_empty());
        let external_id = fields.optional("external_id", external_id, ExternalId::new);
        let tag = fields.take("if_match", if_match);
        let only_if = preconditions(tag.as_deref(), None);
        let place = match (&id, &external_id, op.creates()) {
            (Some(_), _, true) => Some(("id", Fault::Named(op.as_str()))),
            (Some(_), Some(_), false) => Some(("external_id", Fault::Twice)),
            (None, None, false) => Some(("id", Fault::Unnamed)),
            _ => None,
        };
        if let Some((place, fault)) = place {
            fields.check::<(), _>(place, Err(fault));
        }
        let body = match (body, op.takes_body()) {
            (Some(_), false) => fields.check("body", Err(Fault::Body(op.as_str()))),
            (None, true) => fields.check("body", Err(Fault::NoBody)),
            (body, _) => Some(body.map(RawValue::get).unwrap_or_default()),
        };
        let Some(body) = body else { return (Some(op), Err(broken.into()), Vec::new()) };
        let name = match id.map(|id| CustomerId::parse(&id)).transpose() {
            Ok(id) => Name { id, external_id },
            // As for a single request, faults of the body come first.
            Err(_) => Name { id: None, external_id: None },
        };
        let Read { change, broken, unknown } = match change(op, &name, body, broken) {
            Ok(read) => read,
            Err(refusal) => return (Some(op), Err(refusal), Vec::new()),
        };
        let change = match change {
            _ if !broken.is_empty() => Err(broken.into()),
            Some(change) => Ok(BatchItem { change, only_if }),
            None => Err(missing()),
        };
        (Some(op), change, unknown)
    }
}

/// How a change names its customer.
struct Name {
    id: Option<CustomerId>,
    external_id: Option<ExternalId>,
}

/// The change that a body asks for, with the faults of the whole item. The change is `None` if the id cannot exist.
struct Read {
    change: Option<CustomerChange>,
    broken: Violations,
    unknown: Vec<Unknown>,
}

impl Name {
    fn amend(&self, amendment: Amendment) -> Option<CustomerChange> {
        match (self.id, &self.external_id) {
            (Some(id), _) => Some(CustomerChange::Amend(id, amendment)),
            (None, Some(external_id)) => Some(CustomerChange::AmendNamed(external_id.clone(), amendment)),
            (None, None) => None,
        }
    }
}

/// Reads the body of a change.
fn change(op: Op, name: &Name, body: &str, mut broken: Violations) -> Result<Read, ApiError> {
    let named = name.external_id.as_ref().map(|external_id| external_id.as_str().to_owned());
    let create = |request: CreateCustomerRequest<'_>, broken: &mut Violations| match named {
        Some(named) => request.into_domain_named(named, broken),
        None => request.into_domain(broken),
    };
    let mut unknown = Vec::new();
    let change = match op {
        Op::Create => read(body, create, &mut broken, &mut unknown)?.map(CustomerChange::Create),
        Op::Upsert => {
            let new = read(body, create, &mut broken, &mut unknown)?.map(Box::new);
            match new {
                // Its faults are those of the create, and so are the unknown members.
                Some(new) => {
                    let update = read(body, UpdateCustomerRequest::into_replacement, &mut broken, &mut Vec::new())?
                        .map(Box::new);
                    update.map(|mut update| {
                        update.external_id = None;
                        CustomerChange::CreateOrUpdate { new, update }
                    })
                }
                None => None,
            }
        }
        Op::Update | Op::Patch => {
            let into = match op {
                Op::Update => UpdateCustomerRequest::into_replacement,
                _ => UpdateCustomerRequest::into_merge,
            };
            let update = read(body, into, &mut broken, &mut unknown)?;
            update.and_then(|update| name.amend(Amendment::Update(Box::new(update))))
        }
        Op::Archive => name.amend(Amendment::Archive),
        Op::Restore => name.amend(Amendment::Restore),
    };
    Ok(Read { change, broken, unknown })
}

/// The codes of tax rates in the body of a create, each with its path.
fn rate_codes(body: &str) -> Vec<(String, String)> {
    let read = |request: CreateCustomerRequest<'_>, _: &mut Violations| Some(request.rate_codes());
    examine(body.as_bytes(), read).ok().and_then(|examined| examined.command).unwrap_or_default()
}

/// Reads a body, and adds its faults to those of the item.
fn read<'b, T: FromJson<'b>, C>(
    body: &'b str,
    into: impl FnOnce(T, &mut Violations) -> Option<C>,
    broken: &mut Violations,
    unknown: &mut Vec<Unknown>,
) -> Result<Option<C>, ApiError> {
    let Examined { command, broken: faults, unknown: names } = examine(body.as_bytes(), into)?;
    faults.into_iter().for_each(|violation| broken.push(violation));
    unknown.extend(names);
    Ok(command)
}

#[cfg(test)]
mod tests;
