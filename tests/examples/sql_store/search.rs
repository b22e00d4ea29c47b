//! Lists and searches in SQL.

use patron_domain::{
    customer::{
        IndexEntry,
        query::{
            Comparison, Condition, CustomComparison, CustomerCursor, CustomerPage, CustomerQuery, Direction, SortField,
            TextField, TimeField,
        },
    },
    store::StoreError,
};
use rusqlite::{Connection, ToSql, types::Value};

use super::store::{Place, aggregates, failed, record};

/// SQL with the values of its question marks.
#[derive(Default)]
struct Sql {
    text: String,
    values: Vec<Value>,
}

impl Sql {
    fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    fn value(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        self.push("?")
    }

    /// `tenant = … AND environment = …`, a part of every query.
    fn place(&mut self, place: Place) -> &mut Self {
        self.push("tenant = ").value(place.tenant).push(" AND environment = ").value(place.environment)
    }
}

pub(super) fn list(db: &Connection, place: Place, query: &CustomerQuery) -> Result<CustomerPage, StoreError> {
    let mut conditions = Sql::default();
    conditions
        .push("FROM customers WHERE ")
        .place(place)
        .push(" AND status = ")
        .value(query.status().as_str().to_owned());
    for condition in query.conditions() {
        conditions.push(" AND ");
        write_condition(&mut conditions, place, condition);
    }
    let total = match query.with_total() {
        true => {
            let count = format!("SELECT count(*) {}", conditions.text);
            let values = rusqlite::params_from_iter(conditions.values.iter());
            let total: i64 = db.query_row(&count, values, |row| row.get(0)).map_err(failed)?;
            Some(total.unsigned_abs())
        }
        false => None,
    };
    let mut listed = Sql { text: format!("SELECT document {}", conditions.text), values: conditions.values };
    if let Some(cursor) = query.after() {
        listed.push(" AND ");
        write_after(&mut listed, place, cursor);
    }
    listed.push(" ORDER BY ");
    for (field, direction) in query.order().keys() {
        listed.push(&sorted_by(*field)).push(word(*direction)).push(", ");
    }
    // One more row than requested shows whether there is a next page.
    let limit = i64::from(query.page().limit()) + 1;
    listed.push("id").push(word(query.order().ties())).push(" LIMIT ").value(limit);
    listed.push(" OFFSET ").value(i64::try_from(query.page().offset()).unwrap_or(i64::MAX));
    let values: Vec<&dyn ToSql> = listed.values.iter().map(|value| value as &dyn ToSql).collect();
    let found = aggregates(db, place, &listed.text, &values)?;
    let records = found.into_iter().map(|one| record(one, query.with_mappings())).collect();
    Ok(query.page_of(records, total))
}

fn write_condition(sql: &mut Sql, place: Place, condition: &Condition) {
    match condition {
        Condition::OneOf(field, texts) => in_list(sql, *field, " IN (", texts.as_slice()),
        Condition::NoneOf(field, texts) => in_list(sql, *field, " NOT IN (", texts.as_slice()),
        // Both sides are folded, so this compares byte by byte.
        Condition::Contains(field, text) => {
            sql.push("instr(").push(&folded(*field)).push(", ").value(text.as_str().to_owned()).push(") > 0");
        }
        Condition::StartsWith(field, text) => {
            sql.push("instr(").push(&folded(*field)).push(", ").value(text.as_str().to_owned()).push(") = 1");
        }
        Condition::Lacks(field, text) => {
            sql.push("instr(").push(&folded(*field)).push(", ").value(text.as_str().to_owned()).push(") = 0");
        }
        Condition::Same(field, text) => {
            sql.push(&folded(*field)).push(" = ").value(text.as_str().to_owned());
        }
        Condition::Has { field, texts, all } => {
            let texts = texts.as_slice();
            sql.push("(").push(if *all { "1 = 1" } else { "1 = 0" });
            for text in texts {
                sql.push(if *all { " AND " } else { " OR " });
                is_indexed(sql, place, IndexEntry::listed_text(*field, text));
            }
            sql.push(")");
        }
        Condition::Time(field, comparison, at) => {
            let column = match field {
                TimeField::CreatedAt => "created_at",
                TimeField::UpdatedAt => "updated_at",
            };
            let operator = match comparison {
                Comparison::Before => " < ",
                Comparison::UpTo => " <= ",
                Comparison::At => " = ",
                Comparison::From => " >= ",
                Comparison::After => " > ",
            };
            sql.push(column).push(operator).value(at.micros());
        }
        Condition::Pair { key, value } => is_indexed(sql, place, IndexEntry::pair(key, value)),
        // This store defines no custom fields, so no customer has any.
        Condition::CustomHas { .. } => drop(sql.push("1 = 0")),
        Condition::Custom(_, comparison) => {
            sql.push(if *comparison == CustomComparison::Unset { "1 = 1" } else { "1 = 0" });
        }
    }
}

fn is_indexed(sql: &mut Sql, place: Place, entry: IndexEntry) {
    sql.push("id IN (SELECT customer FROM customer_index WHERE ").place(place);
    sql.push(" AND kind = ").value(i64::from(entry.kind.code())).push(" AND key = ").value(entry.key).push(")");
}

fn in_list(sql: &mut Sql, field: TextField, operator: &str, texts: &[String]) {
    // An absent text counts as empty.
    let column = match field {
        TextField::Id => "id".to_owned(),
        TextField::ExternalId => "external_id".to_owned(),
        TextField::Timezone => "coalesce(document ->> 'timezone', 'UTC')".to_owned(),
        TextField::TaxTreatment => "coalesce(document ->> 'tax_treatment', 'taxable')".to_owned(),
        other => format!("coalesce(document ->> '{}', '')", other.as_str()),
    };
    sql.push(&column).push(operator);
    for (index, text) in texts.iter().enumerate() {
        sql.push(if index == 0 { "" } else { ", " }).value(text.clone());
    }
    sql.push(")");
}

/// The text without its case. The document has it where lower-casing A to Z does not give it.
fn folded(field: TextField) -> String {
    match field {
        TextField::Id => "id".to_owned(),
        TextField::ExternalId => "external_id_folded".to_owned(),
        TextField::Name => "name_folded".to_owned(),
        TextField::Email => "email_folded".to_owned(),
        other => {
            let (name, default) = (other.as_str(), default_of(other));
            format!("coalesce(document -> 'folded' ->> '{name}', lower(document ->> '{name}'), lower('{default}'))")
        }
    }
}

fn default_of(field: TextField) -> &'static str {
    match field {
        TextField::Timezone => "UTC",
        TextField::TaxTreatment => "taxable",
        _ => "",
    }
}

fn sorted_by(field: SortField) -> String {
    match field {
        SortField::Time(field) => field.as_str().to_owned(),
        SortField::Text(TextField::ExternalId) => "external_id".to_owned(),
        SortField::Text(field) => folded(field),
        // This store defines no custom fields.
        SortField::Custom(_) => "''".to_owned(),
    }
}

fn word(direction: Direction) -> &'static str {
    match direction {
        Direction::Asc => " ASC",
        Direction::Desc => " DESC",
    }
}

/// The condition for rows after a place: greater in the first column, or equal there and greater in the next.
fn write_after(sql: &mut Sql, place: Place, cursor: &CustomerCursor) {
    let id = cursor.id().to_string();
    let mut ties = Direction::default();
    for key in cursor.keys() {
        let column = sorted_by(key.field);
        ties = key.direction;
        for (before, operator) in [("(", beyond(key.direction)), (" OR (", " = ")] {
            sql.push(before).push(&column).push(operator);
            match key.time {
                Some(at) => sql.value(at.micros()),
                // A text is the current one of the customer at this place.
                None => sql
                    .push("(SELECT ")
                    .push(&column)
                    .push(" FROM customers AS place WHERE ")
                    .place(place)
                    .push(" AND id = ")
                    .value(id.clone())
                    .push(")"),
            };
        }
        sql.push(" AND ");
    }
    sql.push("id").push(beyond(ties)).value(id);
    for _ in cursor.keys() {
        sql.push("))");
    }
}

fn beyond(direction: Direction) -> &'static str {
    match direction {
        Direction::Asc => " > ",
        Direction::Desc => " < ",
    }
}
