//! Differences between the two databases in searches: lists of texts and ids.

use diesel::{
    QueryResult,
    backend::Backend,
    query_builder::AstPass,
    sql_types::{BigInt, Binary, Integer, Text},
};

use super::Search;
use crate::persistence::value::{Key, KeySql};

/// A database that can be searched.
pub(crate) trait Dialect: Backend {
    /// Binds a text.
    fn text<'b>(text: &'b str, out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()>;

    /// Binds a number.
    fn number<'b>(number: &'b i64, out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()>;

    /// That what stands before, which is not NULL, is one of some texts, of which there is at least one.
    fn is_one_of<'b>(texts: &'b [String], out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()>;

    /// Binds an id.
    fn key<'b>(key: &'b Key, out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()>;

    /// Binds the number of an environment.
    fn environment<'b>(environment: &'b i32, out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()>;

    /// That what stands before is one of some keys of the index, of which there is at least one.
    fn is_one_of_keys<'b>(keys: &'b [Vec<u8>], out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()>;

    /// That one of some entries of the index leads to the customer. Looked up first, whatever else is asked.
    fn is_indexed<'b>(
        search: &'b Search,
        kind: i16,
        keys: &'b [Vec<u8>],
        out: &mut AstPass<'_, 'b, Self>,
    ) -> QueryResult<()> {
        if keys.is_empty() {
            out.push_sql("1 = 0");
            return Ok(());
        }
        let (before, after) = Self::AMONG_CUSTOMERS;
        out.push_sql("customers.id ");
        out.push_sql(before);
        out.push_sql("SELECT customer FROM customer_index WHERE environment = ");
        Self::environment(&search.environment, out)?;
        out.push_sql(" AND kind = ");
        // Not from the request.
        out.push_sql(&kind.to_string());
        out.push_sql(" AND key");
        Self::is_one_of_keys(keys, out)?;
        out.push_sql(after);
        Ok(())
    }

    /// The condition that a customer's id is one of some.
    fn is_one_of_ids<'b>(ids: &'b [Key], out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()>;

    /// What stands around a text whose letters A to Z are to be in lower case, and no others changed.
    const LOWER: [&'static str; 2];

    /// What stands around a query for ids, so that the customers are looked up by them.
    const AMONG_CUSTOMERS: (&'static str, &'static str);
}

#[cfg(feature = "sqlite")]
impl Dialect for diesel::sqlite::Sqlite {
    fn text<'b>(text: &'b str, out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()> {
        out.push_bind_param::<Text, _>(text)
    }

    fn number<'b>(number: &'b i64, out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()> {
        out.push_bind_param::<BigInt, _>(number)
    }

    fn key<'b>(key: &'b Key, out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()> {
        out.push_bind_param::<KeySql, _>(key)
    }

    fn environment<'b>(environment: &'b i32, out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()> {
        out.push_bind_param::<Integer, _>(environment)
    }

    fn is_one_of_keys<'b>(keys: &'b [Vec<u8>], out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()> {
        if keys.len() > 1 {
            out.unsafe_to_cache_prepared();
        }
        for (index, key) in keys.iter().enumerate() {
            out.push_sql(if index == 0 { " IN (" } else { ", " });
            out.push_bind_param::<Binary, _>(key)?;
        }
        out.push_sql(")");
        Ok(())
    }

    fn is_one_of_ids<'b>(ids: &'b [Key], out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()> {
        if ids.len() > 1 {
            out.unsafe_to_cache_prepared();
        }
        for (index, id) in ids.iter().enumerate() {
            out.push_sql(if index == 0 { "customers.id IN (" } else { ", " });
            Self::key(id, out)?;
        }
        out.push_sql(")");
        Ok(())
    }

    /// A parameter for each text; so there is a statement for each number of texts, and only that for one is kept.
    fn is_one_of<'b>(texts: &'b [String], out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()> {
        if texts.len() > 1 {
            out.unsafe_to_cache_prepared();
        }
        for (index, text) in texts.iter().enumerate() {
            out.push_sql(if index == 0 { " IN (" } else { ", " });
            Self::text(text, out)?;
        }
        out.push_sql(")");
        Ok(())
    }

    // It knows no other letters.
    const LOWER: [&'static str; 2] = ["lower(", ")"];

    const AMONG_CUSTOMERS: (&'static str, &'static str) = ("IN (", ")");
}

#[cfg(feature = "postgres")]
impl Dialect for diesel::pg::Pg {
    fn text<'b>(text: &'b str, out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()> {
        out.push_bind_param::<Text, _>(text)
    }

    fn number<'b>(number: &'b i64, out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()> {
        out.push_bind_param::<BigInt, _>(number)
    }

    fn key<'b>(key: &'b Key, out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()> {
        out.push_bind_param::<KeySql, _>(key)
    }

    fn environment<'b>(environment: &'b i32, out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()> {
        out.push_bind_param::<Integer, _>(environment)
    }

    fn is_one_of_keys<'b>(keys: &'b [Vec<u8>], out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()> {
        if let [key] = keys {
            out.push_sql(" = ");
            return out.push_bind_param::<Binary, _>(key);
        }
        out.push_sql(" = ANY (");
        out.push_bind_param::<diesel::sql_types::Array<Binary>, _>(keys)?;
        out.push_sql(")");
        Ok(())
    }

    fn is_one_of_ids<'b>(ids: &'b [Key], out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()> {
        out.push_sql("customers.id = ANY (");
        out.push_bind_param::<diesel::sql_types::Array<KeySql>, _>(ids)?;
        out.push_sql(")");
        Ok(())
    }

    /// One parameter for all texts; one text alone is compared plainly, which the planner knows better.
    fn is_one_of<'b>(texts: &'b [String], out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()> {
        if let [text] = texts {
            out.push_sql(" = ");
            return Self::text(text, out);
        }
        out.push_sql(" = ANY (");
        out.push_bind_param::<diesel::sql_types::Array<Text>, _>(texts)?;
        out.push_sql(")");
        Ok(())
    }

    const LOWER: [&'static str; 2] = ["lower(", " COLLATE \"C\")"];

    /// An array is made first. The planner guesses few, and so never reads a whole list instead in its order.
    const AMONG_CUSTOMERS: (&'static str, &'static str) = ("= ANY (ARRAY(", "))");
}
