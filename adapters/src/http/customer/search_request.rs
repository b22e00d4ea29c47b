//! The body of a search, and its conversion to a query.

use std::collections::BTreeMap;

use patron_domain::{
    UnknownWord,
    custom_field::CustomDate,
    customer::query::{
        Condition, CustomerOrder, CustomerQuery, CustomerQueryParts, DataType, Direction, Expansion, FilterError,
        FilterField, Operand, Operator, SortField,
    },
    lifecycle::Status,
    metadata::member_path,
    page::{PageError, PageRequest},
    time::Timestamp,
    violation::{Rule, Violations},
};
use serde::Deserialize;
use utoipa::{
    ToSchema,
    openapi::{RefOr, Schema},
};

use super::list::one_at;
use crate::http::{
    json::{Elements, Field, FromJson, List, Number, Reader, Strings, Text, object_from_json},
    openapi::{Limit, Offset, exactly, objects, one_of, optional, searched_metadata, values},
};

/// The body of a search. Unknown members are ignored.
#[derive(Deserialize, Default, ToSchema)]
#[serde(bound(deserialize = "'de: 'a"), default)]
pub(super) struct SearchRequest<'a> {
    #[schema(schema_with = optional::<Limit>)]
    limit: Field<i64>,
    #[schema(schema_with = optional::<Offset>)]
    offset: Field<i64>,
    #[schema(schema_with = optional::<Status>)]
    status: Field<Text<'a>>,
    #[schema(schema_with = optional::<Expansion>)]
    expand: Field<Text<'a>>,
    #[schema(schema_with = values::<str, { CustomerQuery::MAX_IDS }>)]
    customer_ids: Field<List<Text<'a>>>,
    #[schema(schema_with = values::<str, { CustomerQuery::MAX_IDS }>)]
    external_ids: Field<List<Text<'a>>>,
    #[schema(schema_with = optional::<str>)]
    external_id: Field<Text<'a>>,
    #[schema(schema_with = optional::<str>)]
    email: Field<Text<'a>>,
    #[schema(schema_with = searched_metadata::<{ CustomerQuery::MAX_PAIRS }>)]
    metadata: Field<Strings>,
    #[schema(schema_with = optional::<Timestamp>)]
    start_time: Field<Text<'a>>,
    #[schema(schema_with = optional::<Timestamp>)]
    end_time: Field<Text<'a>>,
    #[schema(schema_with = optional::<Direction>)]
    order: Field<Text<'a>>,
    #[schema(schema_with = objects::<SortRequest<'_>, { CustomerOrder::MAX_KEYS }>)]
    sort: Field<List<SortRequest<'a>>>,
    #[schema(schema_with = objects::<FilterRequest<'_>, { CustomerQuery::MAX_FILTERS }>)]
    filters: Field<List<FilterRequest<'a>>>,
    #[schema(schema_with = optional::<str>)]
    cursor: Field<Text<'a>>,
    #[schema(schema_with = optional::<str>)]
    starting_after: Field<Text<'a>>,
    #[schema(schema_with = optional::<bool>)]
    include_total: Field<bool>,
}

#[derive(Deserialize, Default, ToSchema)]
#[serde(bound(deserialize = "'de: 'a"), default)]
struct SortRequest<'a> {
    #[schema(required = true, schema_with = exactly::<SortField>)]
    field: Field<Text<'a>>,
    #[schema(schema_with = optional::<Direction>)]
    direction: Field<Text<'a>>,
}

#[derive(Deserialize, Default, ToSchema)]
#[serde(bound(deserialize = "'de: 'a"), default)]
struct FilterRequest<'a> {
    #[schema(required = true, schema_with = exactly::<FilterField>)]
    field: Field<Text<'a>>,
    #[schema(required = true, schema_with = exactly::<Operator>)]
    operator: Field<Text<'a>>,
    #[schema(schema_with = optional::<DataType>)]
    data_type: Field<Text<'a>>,
    #[schema(required = true, schema_with = one_value)]
    value: Field<ValueRequest<'a>>,
}

/// The value of a filter: exactly one of these members.
#[derive(Deserialize, Default)]
#[serde(bound(deserialize = "'de: 'a"), default)]
struct ValueRequest<'a> {
    string: Field<Text<'a>>,
    number: Field<Number>,
    boolean: Field<bool>,
    date: Field<Text<'a>>,
    array: Field<List<Text<'a>>>,
}

/// The members of a value, exactly one of which is required.
fn one_value() -> RefOr<Schema> {
    one_of([
        ("string", exactly::<str>()),
        ("number", exactly::<f64>()),
        ("boolean", exactly::<bool>()),
        ("date", exactly::<str>()),
        ("array", values::<str, { Condition::MAX_VALUES }>()),
    ])
}

object_from_json!(SearchRequest<'a>, SortRequest<'a>, FilterRequest<'a>, ValueRequest<'a>);

impl SearchRequest<'_> {
    /// Converts the request. Checks every field and collects all faults.
    pub(super) fn into_domain(self, broken: &mut Violations) -> Option<CustomerQuery> {
        let fields = &mut Reader::new(broken);
        let sort = fields.take("sort", self.sort).map(|list| fields.each("sort", list, sort, "an object"));
        let filters = fields.take("filters", self.filters);
        let filters = filters.map(|list| fields.each("filters", list, filter, "an object"));
        let cursor = fields.optional("cursor", self.cursor, any);
        let starting_after = fields.optional("starting_after", self.starting_after, any);
        if cursor.is_some() && starting_after.is_some() && cursor != starting_after {
            fields.note("cursor", "exclusive", "and starting_after are two names of the same cursor; send one of them");
        }
        let cursor_name = if cursor.is_some() { "cursor" } else { "starting_after" };
        let parts = CustomerQueryParts {
            status: fields.optional("status", self.status, |word| Status::parse(&word)),
            external_id: fields.optional("external_id", self.external_id, any),
            email: fields.optional("email", self.email, any),
            customer_ids: fields.texts("customer_ids", self.customer_ids),
            external_ids: fields.texts("external_ids", self.external_ids),
            metadata: pairs(fields, self.metadata),
            start_time: fields.optional("start_time", self.start_time, |text| Timestamp::parse(&text)),
            end_time: fields.optional("end_time", self.end_time, |text| Timestamp::parse(&text)),
            filters: filters.map(Elements::into_values).unwrap_or_default(),
            sort: sort.map(Elements::into_values).unwrap_or_default(),
            order: fields.optional("order", self.order, |word| Direction::parse(&word)),
            page: page(fields, self.limit, self.offset),
            starting_after: cursor.or(starting_after),
            with_mappings: fields.optional("expand", self.expand, |word| Expansion::parse(&word)).is_some(),
            without_total: fields.take("include_total", self.include_total) == Some(false),
        };
        let query = CustomerQuery::new(parts);
        let renamed = |wrong: Violations| {
            let mut broken = Violations::new();
            wrong.into_iter().for_each(|one| broken.push(one_at(cursor_name, one)));
            broken
        };
        fields.group(query.map_err(renamed))
    }
}

/// Accepts any text. A text that no customer has simply finds none.
fn any(text: Text<'_>) -> Result<String, FilterError> {
    Ok(text.into_owned())
}

fn page(fields: &mut Reader<'_>, limit: Field<i64>, offset: Field<i64>) -> PageRequest {
    let number = |number: i64, error| u64::try_from(number).map_err(|_| error);
    let limit = fields.take("limit", limit).unwrap_or(PageRequest::DEFAULT_LIMIT.into());
    let limit = number(limit, PageError::Limit).and_then(|limit| PageRequest::new(limit, 0));
    let offset = number(fields.take("offset", offset).unwrap_or(0), PageError::Offset);
    let limit = fields.check("limit", limit).unwrap_or_default().limit();
    let page = offset.and_then(|offset| PageRequest::new(limit.into(), offset));
    fields.check("offset", page).unwrap_or_default()
}

/// The pairs of metadata. `null` is rejected here: if it counted as absent, every customer would match.
fn pairs(fields: &mut Reader<'_>, metadata: Field<Strings>) -> BTreeMap<String, String> {
    let Strings { pairs, nulls, wrong } = fields.take("metadata", metadata).unwrap_or_default();
    for key in nulls.iter().chain(&wrong) {
        fields.wrong_type(|| member_path("metadata", key), Text::EXPECTED);
    }
    pairs
}

fn sort(request: SortRequest<'_>, fields: &mut Reader<'_>) -> Option<(SortField, Option<Direction>)> {
    let field = fields.required("field", request.field, |word| SortField::parse(&word));
    let direction = fields.optional("direction", request.direction, |word| Direction::parse(&word));
    Some((field?, direction))
}

fn filter(request: FilterRequest<'_>, fields: &mut Reader<'_>) -> Option<Condition> {
    let field = fields.required("field", request.field, |word| filter_field(&word));
    let operator = fields.required("operator", request.operator, |word| Operator::parse(&word));
    let data_type = fields.optional("data_type", request.data_type, |word| DataType::parse(&word));
    if matches!(request.value, Field::Absent) {
        fields.note("value", "required", "is required, for example {\"string\": \"acme\"}");
        return None;
    }
    let value = fields.within("value", request.value, ValueRequest::into_domain);
    let operand = fields.check("value", value?)?;
    if data_type.is_some_and(|said| said != operand.data_type()) {
        fields.note("data_type", "type", &format!("does not match the value, which has type {}", operand.data_type()));
        return None;
    }
    let condition = Condition::filter(field?, operator?, operand);
    let place = if matches!(condition, Err(FilterError::Operator { .. })) { "operator" } else { "value" };
    fields.check(place, condition)
}

/// The error of a word that is not a field for filters.
#[derive(Debug, thiserror::Error)]
enum FieldError {
    #[error(transparent)]
    Unknown(UnknownWord),
    #[error(
        "metadata is not a field of filters: search for its pairs with {{\"metadata\": {{\"plan\": \"gold\"}}}}, beside filters"
    )]
    Metadata,
}

impl Rule for FieldError {
    fn rule(&self) -> &'static str {
        match self {
            Self::Unknown(word) => word.rule(),
            Self::Metadata => "one_of",
        }
    }
}

fn filter_field(word: &str) -> Result<FilterField, FieldError> {
    let is_metadata = word.split(['.', '[']).next() == Some("metadata");
    FilterField::parse(word)
        .map_err(|unknown| if is_metadata { FieldError::Metadata } else { FieldError::Unknown(unknown) })
}

impl ValueRequest<'_> {
    /// The only member. `None` if a member is invalid, which is reported at that member.
    fn into_domain(self, fields: &mut Reader<'_>) -> Option<Result<Operand, NotOne>> {
        let members = [
            member(fields, "string", self.string, |text, _| Some(Operand::Text(text.into_owned()))),
            member(fields, "number", self.number, |Number(number), _| Some(Operand::Number(number))),
            member(fields, "boolean", self.boolean, |value, _| Some(Operand::Boolean(value))),
            member(fields, "date", self.date, |text, fields| {
                // Custom fields hold dates without a time.
                let day = CustomDate::new(&text).map(Operand::Day);
                day.ok().or_else(|| fields.check("date", Timestamp::parse(&text)).map(Operand::Date))
            }),
            member(fields, "array", self.array, |list, fields| {
                fields.texts("array", Field::Value(list)).map(Operand::Array)
            }),
        ];
        let mut given: Vec<_> = members.into_iter().flatten().collect::<Option<_>>()?;
        let one = given.pop().filter(|_| given.is_empty());
        Some(one.ok_or(NotOne))
    }
}

/// One member of a value: `None` if absent, `Some(None)` if invalid.
fn member<T>(
    fields: &mut Reader<'_>,
    name: &str,
    field: Field<T>,
    read: impl FnOnce(T, &mut Reader<'_>) -> Option<Operand>,
) -> Option<Option<Operand>> {
    match field {
        Field::Absent => None,
        field => Some(fields.take(name, field).and_then(|value| read(value, fields))),
    }
}

/// The error of a value without exactly one member.
#[derive(Debug, thiserror::Error)]
#[error("value must have exactly one of the members string, number, boolean, date, array")]
struct NotOne;

impl Rule for NotOne {
    fn rule(&self) -> &'static str {
        "exactly_one"
    }
}
