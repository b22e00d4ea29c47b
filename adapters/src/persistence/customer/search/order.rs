//! The order of a list and places in it, as SQL.

use diesel::{QueryResult, query_builder::AstPass};
use patron_domain::customer::query::{CursorKey, CustomerCursor, CustomerOrder, Direction, SortField, TimeField};

use super::{Search, custom::CustomColumn, dialect::Dialect, text::TextColumn};
use crate::persistence::value::Key;

/// One column, or member of the document, that is sorted by. None of them is ever NULL.
#[derive(Clone, Copy)]
pub(super) struct SortKey {
    column: Column,
    direction: Direction,
}

#[derive(Clone, Copy)]
enum Column {
    Plain(&'static str),
    Text(TextColumn),
    Custom(CustomColumn),
}

impl Column {
    fn of(field: SortField) -> Self {
        match field {
            SortField::Time(TimeField::CreatedAt) => Self::Plain("created_at"),
            SortField::Time(TimeField::UpdatedAt) => Self::Plain("updated_at"),
            SortField::Text(field) => Self::Text(TextColumn::of(field)),
            SortField::Custom(key) => Self::Custom(CustomColumn(key)),
        }
    }

    fn write<DB: Dialect>(self, row: &str, out: &mut AstPass<'_, '_, DB>) {
        match self {
            Self::Plain(name) => [row, ".", name].into_iter().for_each(|part| out.push_sql(part)),
            Self::Text(column) => column.write_sorted(row, out),
            Self::Custom(column) => column.write(row, out),
        }
    }
}

/// The columns of an order; the last is the id, which breaks ties.
pub(super) fn sort_keys(order: &CustomerOrder) -> Vec<SortKey> {
    let key =
        |(field, direction): &(SortField, Direction)| SortKey { column: Column::of(*field), direction: *direction };
    order.keys().iter().map(key).chain([SortKey { column: Column::Plain("id"), direction: order.ties() }]).collect()
}

pub(super) fn write_order<DB: Dialect>(keys: &[SortKey], out: &mut AstPass<'_, '_, DB>) {
    for (index, key) in keys.iter().enumerate() {
        out.push_sql(if index == 0 { "" } else { ", " });
        key.column.write("customers", out);
        out.push_sql(match key.direction {
            Direction::Asc => " ASC",
            Direction::Desc => " DESC",
        });
    }
}

/// The place in a list after which a page starts.
#[derive(Clone)]
pub(super) struct Keyset {
    keys: Vec<(SortKey, Value)>,
    id: Key,
}

#[derive(Clone)]
enum Value {
    Number(i64),
    /// The present value of this column in the customer at that place.
    OfCustomer,
    Id,
}

impl Keyset {
    pub(super) fn new(cursor: &CustomerCursor) -> Self {
        let value = |key: &CursorKey| key.time.map_or(Value::OfCustomer, |time| Value::Number(time.micros()));
        let key = |key: &CursorKey| (SortKey { column: Column::of(key.field), direction: key.direction }, value(key));
        let mut keys: Vec<_> = cursor.keys().iter().map(key).collect();
        let ties = keys.last().map(|(key, _)| key.direction).unwrap_or_default();
        keys.push((SortKey { column: Column::Plain("id"), direction: ties }, Value::Id));
        Self { keys, id: cursor.id().into() }
    }

    /// Writes one row comparison if all columns have the same direction, so that an index can start there; otherwise
    /// compares column by column.
    pub(super) fn write<'b, DB: Dialect>(
        &'b self,
        search: &'b Search,
        out: &mut AstPass<'_, 'b, DB>,
    ) -> QueryResult<()> {
        let mut directions = self.keys.iter().map(|(key, _)| key.direction);
        let first = directions.next().unwrap_or_default();
        if directions.all(|direction| direction == first) {
            return self.write_row(first, search, out);
        }
        let depth = self.keys.len().saturating_sub(1);
        for (index, (key, value)) in self.keys.iter().enumerate() {
            out.push_sql("(");
            self.compare(key, beyond(key.direction), value, search, out)?;
            if index < depth {
                out.push_sql(" OR ");
                self.compare(key, " = ", value, search, out)?;
                out.push_sql(" AND ");
            }
        }
        self.keys.iter().for_each(|_| out.push_sql(")"));
        Ok(())
    }

    fn write_row<'b, DB: Dialect>(
        &'b self,
        direction: Direction,
        search: &'b Search,
        out: &mut AstPass<'_, 'b, DB>,
    ) -> QueryResult<()> {
        for (index, (key, _)) in self.keys.iter().enumerate() {
            out.push_sql(if index == 0 { "(" } else { ", " });
            key.column.write("customers", out);
        }
        out.push_sql(")");
        out.push_sql(beyond(direction));
        for (index, (key, value)) in self.keys.iter().enumerate() {
            out.push_sql(if index == 0 { "(" } else { ", " });
            self.value(key, value, search, out)?;
        }
        out.push_sql(")");
        Ok(())
    }

    fn compare<'b, DB: Dialect>(
        &'b self,
        key: &SortKey,
        operator: &str,
        value: &'b Value,
        search: &'b Search,
        out: &mut AstPass<'_, 'b, DB>,
    ) -> QueryResult<()> {
        key.column.write("customers", out);
        out.push_sql(operator);
        self.value(key, value, search, out)
    }

    fn value<'b, DB: Dialect>(
        &'b self,
        key: &SortKey,
        value: &'b Value,
        search: &'b Search,
        out: &mut AstPass<'_, 'b, DB>,
    ) -> QueryResult<()> {
        match value {
            Value::Number(number) => DB::number(number, out),
            Value::Id => DB::key(&self.id, out),
            Value::OfCustomer => {
                out.push_sql("(SELECT ");
                key.column.write("place", out);
                out.push_sql(" FROM customers AS place WHERE place.environment = ");
                DB::environment(&search.environment, out)?;
                out.push_sql(" AND place.id = ");
                DB::key(&self.id, out)?;
                out.push_sql(")");
                Ok(())
            }
        }
    }
}

fn beyond(direction: Direction) -> &'static str {
    match direction {
        Direction::Asc => " > ",
        Direction::Desc => " < ",
    }
}
