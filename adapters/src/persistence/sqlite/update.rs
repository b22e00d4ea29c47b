//! `UPDATE` statements that SQLite compiles once.

use diesel::{
    Column, Expression, QueryResult, RunQueryDsl, SqliteConnection,
    query_builder::{AstPass, QueryId},
    serialize::ToSql,
    sql_types::HasSqlType,
    sqlite::Sqlite,
};

/// The update of a row by its key. It sets all other columns, so its text is always the same.
///
/// Diesel's own `update` is compiled for each use, because the columns it sets may differ.
pub(crate) struct Update<'a, R>(pub(crate) &'a R);

impl<R: 'static> QueryId for Update<'_, R> {
    type QueryId = Update<'static, R>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<R> RunQueryDsl<SqliteConnection> for Update<'_, R> {}

/// Writes `column = value`, after what goes between it and the text before.
pub(crate) fn assign<'b, C, V>(
    out: &mut AstPass<'_, 'b, Sqlite>,
    between: &mut &'static str,
    _: C,
    value: &'b V,
    next: &'static str,
) -> QueryResult<()>
where
    C: Column,
    V: ToSql<<C as Expression>::SqlType, Sqlite>,
    Sqlite: HasSqlType<<C as Expression>::SqlType>,
{
    out.push_sql(between);
    out.push_identifier(C::NAME)?;
    out.push_sql(" = ");
    *between = next;
    out.push_bind_param::<<C as Expression>::SqlType, _>(value)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use diesel::{
        Connection, QueryDsl, RunQueryDsl,
        connection::{Instrumentation, InstrumentationEvent, SimpleConnection},
    };
    use patron_domain::{
        tenancy::{Tenant, TenantName},
        testkit::{a_customer, a_tenant, an_id},
    };

    use crate::persistence::{
        customer::{row::CustomerRow, tokens::CustomerTokensRow},
        schema::tenants,
        sqlite::testing::migrated,
        tenancy::row::TenantRow,
        value::Document,
    };

    /// Notes the statements that are compiled to be kept.
    struct Compiled(Arc<Mutex<Vec<String>>>);

    impl Instrumentation for Compiled {
        fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
            if let InstrumentationEvent::CacheQuery { sql, .. } = event {
                self.0.lock().unwrap().push(sql.to_owned());
            }
        }
    }

    #[test]
    fn a_row_is_updated_and_its_statement_is_compiled_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut connection = migrated(folder.path());
        let row = |name: &str| TenantRow::from(&Tenant { name: TenantName::new(name).unwrap(), ..a_tenant() });
        row("First").insert(&mut connection).unwrap();
        let compiled = Arc::default();
        connection.set_instrumentation(Compiled(Arc::clone(&compiled)));
        for name in ["Second", "Third"] {
            assert_eq!(row(name).update(&mut connection), Ok(1));
        }
        let compiled = std::mem::take(&mut *compiled.lock().unwrap());
        assert_eq!(compiled.len(), 1, "{compiled:?}");
        let names: Vec<String> = tenants::table.select(tenants::name).load(&mut connection).unwrap();
        assert_eq!(names, ["Third"]);
    }

    #[test]
    fn the_words_of_customers_are_added_by_a_statement_that_is_compiled_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut connection = migrated(folder.path());
        connection.batch_execute("PRAGMA foreign_keys=OFF").unwrap();
        let compiled = Arc::default();
        connection.set_instrumentation(Compiled(Arc::clone(&compiled)));
        for (number, name) in [(1, "Acme"), (2, "Globex")] {
            let mut customer = a_customer(name).named(name).existing();
            customer.customer.id = an_id(number);
            CustomerRow::new(1, &customer, Document::of(&customer)).insert(&mut connection).unwrap();
            CustomerTokensRow::of(1, &customer).unwrap().insert(&mut connection).unwrap();
        }
        let compiled = compiled.lock().unwrap();
        let of_tokens: Vec<_> = compiled.iter().filter(|sql| sql.contains("customer_tokens")).collect();
        assert_eq!(of_tokens.len(), 1, "{of_tokens:?}");
    }
}
