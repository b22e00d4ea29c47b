//! Where the two databases speak differently about searching: lists of texts, and pairs in a JSON text.

use diesel::{
    QueryResult,
    backend::Backend,
    query_builder::AstPass,
    sql_types::{BigInt, Text},
};

use super::Search;

/// A database that can be searched.
pub(crate) trait Dialect: Backend {
    /// A text as a parameter.
    fn text<'b>(text: &'b str, out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()>;

    /// A number as a parameter.
    fn number<'b>(number: &'b i64, out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()>;

    /// That a column, which is not NULL, is one of some texts, of which there is at least one.
    fn is_one_of<'b>(column: &str, texts: &'b [String], out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()>;

    /// That the customer's metadata may have a pair, by its hash. Looked up first, whatever else is asked.
    fn customers_with_pair<'b>(search: &'b Search, hash: &'b i64, out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()> {
        let (before, after) = Self::AMONG_CUSTOMERS;
        out.push_sql("customers.id ");
        out.push_sql(before);
        out.push_sql("SELECT customer_id FROM customer_metadata WHERE tenant_id = ");
        Self::text(&search.tenant_id, out)?;
        out.push_sql(" AND environment_id = ");
        Self::text(&search.environment_id, out)?;
        out.push_sql(" AND pair_hash = ");
        Self::number(hash, out)?;
        out.push_sql(after);
        Ok(())
    }

    /// What stands around a query for ids, so that the customers are looked up by them.
    const AMONG_CUSTOMERS: (&'static str, &'static str);

    /// That the customer's metadata has a pair, to the letter.
    fn pair_is_there<'b>(key: &'b str, value: &'b str, out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()>;
}

#[cfg(feature = "sqlite")]
impl Dialect for diesel::sqlite::Sqlite {
    fn text<'b>(text: &'b str, out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()> {
        out.push_bind_param::<Text, _>(text)
    }

    fn number<'b>(number: &'b i64, out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()> {
        out.push_bind_param::<BigInt, _>(number)
    }

    /// A parameter for each text; so there is a statement for each number of texts, and only that for one is kept.
    fn is_one_of<'b>(column: &str, texts: &'b [String], out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()> {
        if texts.len() > 1 {
            out.unsafe_to_cache_prepared();
        }
        out.push_sql(column);
        for (index, text) in texts.iter().enumerate() {
            out.push_sql(if index == 0 { " IN (" } else { ", " });
            Self::text(text, out)?;
        }
        out.push_sql(")");
        Ok(())
    }

    const AMONG_CUSTOMERS: (&'static str, &'static str) = ("IN (", ")");

    fn pair_is_there<'b>(key: &'b str, value: &'b str, out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()> {
        out.push_sql("EXISTS (SELECT 1 FROM json_each(customers.metadata) AS pair WHERE pair.key = ");
        Self::text(key, out)?;
        out.push_sql(" AND pair.value = ");
        Self::text(value, out)?;
        out.push_sql(")");
        Ok(())
    }
}

#[cfg(feature = "postgres")]
impl Dialect for diesel::pg::Pg {
    fn text<'b>(text: &'b str, out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()> {
        out.push_bind_param::<Text, _>(text)
    }

    fn number<'b>(number: &'b i64, out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()> {
        out.push_bind_param::<BigInt, _>(number)
    }

    /// One parameter for all texts; one text alone is compared plainly, which the planner knows better.
    fn is_one_of<'b>(column: &str, texts: &'b [String], out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()> {
        out.push_sql(column);
        if let [text] = texts {
            out.push_sql(" = ");
            return Self::text(text, out);
        }
        out.push_sql(" = ANY (");
        out.push_bind_param::<diesel::sql_types::Array<Text>, _>(texts)?;
        out.push_sql(")");
        Ok(())
    }

    /// An array is made first. The planner guesses few, and so never reads a whole list instead in its order.
    const AMONG_CUSTOMERS: (&'static str, &'static str) = ("= ANY (ARRAY(", "))");

    fn pair_is_there<'b>(key: &'b str, value: &'b str, out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()> {
        out.push_sql("customers.metadata::json ->> ");
        Self::text(key, out)?;
        out.push_sql(" = ");
        Self::text(value, out)
    }
}
