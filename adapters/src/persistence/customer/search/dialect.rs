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

    /// The condition that the expression before it is one of some texts. The expression is not NULL and there is at least one text.
    fn is_one_of<'b>(texts: &'b [String], out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()>;

    /// Binds an id.
    fn key<'b>(key: &'b Key, out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()>;

    /// Binds the number of an environment.
    fn environment<'b>(environment: &'b i32, out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()>;

    /// The condition that the expression before it is one of some index keys. There is at least one key.
    fn is_one_of_keys<'b>(keys: &'b [Vec<u8>], out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()>;

    /// The condition that one of some index entries names the customer. The index is read first, whatever the other
    /// conditions are.
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

    /// The SQL around a text that lower-cases the letters A to Z and changes no others.
    const LOWER: [&'static str; 2];

    /// The condition that ends a statement when its time is up, if the database needs one.
    const IN_TIME: Option<&'static str>;

    /// The SQL around a query for ids, so that the customers are looked up by these ids.
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

    /// One parameter for each text. So each number of texts is another statement, and only the one for a single text is
    /// cached.
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

    const IN_TIME: Option<&'static str> = Some(crate::persistence::sqlite::deadline::IN_TIME);

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

    /// One parameter for all texts. A single text is compared with `=`, which the planner estimates better.
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

    /// None: the server has `statement_timeout`.
    const IN_TIME: Option<&'static str> = None;

    /// Builds an array first. The planner expects few ids, and so never scans a whole list in its order instead.
    const AMONG_CUSTOMERS: (&'static str, &'static str) = ("= ANY (ARRAY(", "))");
}
