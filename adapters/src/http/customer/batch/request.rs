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

object_from_json!(BatchRequest, ItemRequest);

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
    /// The word of `op`; empty if it is unknown.
    pub(super) op: &'static str,
    pub(super) change: Result<BatchItem, ApiError>,
}

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
                return ReadItem { op: "", change: Err(fault("items", &Fault::NoObject)) };
            };
            let (op, change, names) = item.read();
            let within = |one: Unknown| Unknown { path: format!("items[{number}].{}", one.path), ..one };
            unknown.extend(names.into_iter().map(within));
            ReadItem { op, change }
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
    /// The change, with the word of its operation, and the unknown members of its body.
    fn read(self) -> (&'static str, Result<BatchItem, ApiError>, Vec<Unknown>) {
        let Self { op, id, external_id, if_match, body } = self;
        let mut broken = Violations::new();
        let fields = &mut Reader::new(&mut broken);
        let op = fields.required("op", op, |word| Op::parse(&word));
        let Some(op) = op else { return ("", Err(broken.into()), Vec::new()) };
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
        let Some(body) = body else { return (op.as_str(), Err(broken.into()), Vec::new()) };
        let name = match id.map(|id| CustomerId::parse(&id)).transpose() {
            Ok(id) => Name { id, external_id },
            // As for a single request, faults of the body come first.
            Err(_) => Name { id: None, external_id: None },
        };
        let Read { change, broken, unknown } = match change(op, &name, body, broken) {
            Ok(read) => read,
            Err(refusal) => return (op.as_str(), Err(refusal), Vec::new()),
        };
        let change = match change {
            _ if !broken.is_empty() => Err(broken.into()),
            Some(change) => Ok(BatchItem { change, only_if }),
            None => Err(missing()),
        };
        (op.as_str(), change, unknown)
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
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::http::json::parse;

    fn batch(body: &Value) -> Result<Batch, ApiError> {
        parse(body.to_string().as_bytes(), BatchRequest::read)
    }

    /// The fault of a batch with one item.
    fn refused(item: Value) -> Value {
        let batch = batch(&json!({ "items": [item] })).unwrap();
        serde_json::to_value(batch.items[0].change.as_ref().unwrap_err()).unwrap()
    }

    #[test]
    fn every_operation_is_read() {
        let id = CustomerId::from_u128(7);
        let body = json!({
            "items": [
                { "op": "create", "body": { "external_id": "a" } },
                { "op": "create", "external_id": "a", "body": {} },
                { "op": "upsert", "external_id": "a", "body": { "name": "A" } },
                { "op": "update", "id": id, "if_match": "\"3\"", "body": { "name": "A" } },
                { "op": "patch", "external_id": "a", "body": { "name": null }, "id": null },
                { "op": "archive", "id": id },
                { "op": "restore", "external_id": "a", "body": null },
            ],
        });
        let Batch { atomic, items, unknown } = batch(&body).unwrap();
        assert!(!atomic && unknown.is_empty());
        assert_eq!(items.len(), 7);
        for item in &items {
            assert!(item.change.is_ok(), "{}", item.op);
        }
        assert_eq!(items[3].change.as_ref().unwrap().only_if, preconditions(["\"3\""], []));
    }

    #[test]
    fn faults_are_those_of_the_item_and_of_its_body_together() {
        let fault = refused(json!({ "op": "update", "id": "cust_1", "external_id": "a", "body": { "email": "x" } }));
        let details = fault["details"].as_object().unwrap();
        assert_eq!(details.keys().collect::<Vec<_>>(), ["email", "external_id"]);
        assert_eq!(refused(json!({ "op": "merge" }))["details"]["op"]["rule"], "one_of");
        assert_eq!(refused(json!({ "op": "archive" }))["details"]["id"]["rule"], "required");
        assert_eq!(
            refused(json!({ "op": "archive", "external_id": "a", "body": {} }))["details"]["body"]["rule"],
            "exclusive"
        );
        assert_eq!(refused(json!({ "op": "create" }))["details"]["body"]["rule"], "required");
        assert_eq!(
            refused(json!({ "op": "create", "id": "cust_1", "body": {} }))["details"]["id"]["rule"],
            "exclusive"
        );
        assert_eq!(refused(json!({ "op": "archive", "id": "unknown" }))["http_status_code"], 404);
        assert_eq!(refused(json!([]))["details"]["items"]["rule"], "type");
        assert_eq!(refused(json!({ "op": "create", "body": [] }))["http_status_code"], 400);
    }

    #[test]
    fn the_number_of_items_is_limited() {
        let items = |count: usize, atomic: bool| {
            let item = json!({ "op": "archive", "external_id": "a" });
            batch(&json!({ "atomic": atomic, "items": vec![item; count] }))
        };
        for (count, atomic) in [(1, true), (100, true), (1, false), (1_000, false)] {
            assert_eq!(items(count, atomic).map(|batch| batch.items.len()).ok(), Some(count));
        }
        for (count, atomic) in [(0, true), (101, true), (0, false), (1_001, false)] {
            let refused = serde_json::to_value(items(count, atomic).err().unwrap()).unwrap();
            assert_eq!(refused["details"]["items"]["rule"], "max_items");
        }
    }

    #[test]
    fn unknown_members_are_named_with_their_item() {
        let body = json!({ "items": [{ "op": "create", "mode": 1, "body": { "external_id": "a", "nmae": "x" } }] });
        let unknown: Vec<_> = batch(&body).unwrap().unknown.into_iter().map(|one| one.path).collect();
        assert_eq!(unknown, ["items[0].nmae"]);
    }
}
