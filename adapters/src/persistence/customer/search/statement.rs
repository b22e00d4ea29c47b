//! The parts of a search that Diesel puts into its statements.

use diesel::{
    QueryResult,
    expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate},
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::Bool,
};

use super::{Search, dialect::Dialect, order::write_order};
use crate::persistence::{schema::customers, word::Word};

/// The conditions of a search.
pub(crate) struct Matches<'a> {
    search: &'a Search,
    /// Whether to leave out customers before the search's place.
    from_place: bool,
}

impl<'a> Matches<'a> {
    /// The conditions for one page: those after the search's place.
    pub(super) fn page(search: &'a Search) -> Self {
        Self { search, from_place: true }
    }

    /// The conditions for all pages.
    pub(super) fn all(search: &'a Search) -> Self {
        Self { search, from_place: false }
    }
}

/// The order and the limit of a search.
pub(crate) struct InOrder<'a>(pub(super) &'a Search);

impl<DB: Dialect> QueryFragment<DB> for Matches<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let search = self.search;
        if !search.is_common() {
            out.unsafe_to_cache_prepared();
        }
        out.push_sql("customers.environment = ");
        DB::environment(&search.environment, &mut out)?;
        // Not from the request. As a parameter it would prevent prepared plans from using partial indexes.
        out.push_sql(" AND customers.status = ");
        out.push_sql(&search.status.code().to_string());
        // Before the conditions that may be evaluated for many customers.
        if let Some(in_time) = DB::IN_TIME.filter(|_| !search.terms.is_empty()) {
            out.push_sql(" AND ");
            out.push_sql(in_time);
        }
        for term in &search.terms {
            out.push_sql(" AND ");
            term.write(search, &mut out)?;
        }
        if let Some(place) = search.after.as_ref().filter(|_| self.from_place) {
            out.push_sql(" AND ");
            place.write(search, &mut out)?;
        }
        Ok(())
    }
}

impl<DB: Dialect> QueryFragment<DB> for InOrder<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let Self(search) = self;
        write_order(&search.order, &mut out);
        out.push_sql(" LIMIT ");
        // The limit determines the plan. With a parameter PostgreSQL would plan each page again, which costs as much as
        // reading it.
        match search.usual_limit() {
            Some(limit) => out.push_sql(limit),
            None => DB::number(&search.limit, &mut out)?,
        }
        if search.offset > 0 {
            out.push_sql(" OFFSET ");
            DB::number(&search.offset, &mut out)?;
        }
        Ok(())
    }
}

macro_rules! expression {
    ($part:ident, $sql_type:ty) => {
        impl Expression for $part<'_> {
            type SqlType = $sql_type;
        }

        impl ValidGrouping<()> for $part<'_> {
            type IsAggregate = is_aggregate::No;
        }

        impl AppearsOnTable<customers::table> for $part<'_> {}

        impl SelectableExpression<customers::table> for $part<'_> {}

        // The SQL differs between searches, so statements are cached by their text.
        impl QueryId for $part<'_> {
            type QueryId = ();
            const HAS_STATIC_QUERY_ID: bool = false;
        }
    };
}

expression!(Matches, Bool);
expression!(InOrder, diesel::expression::expression_types::NotSelectable);
