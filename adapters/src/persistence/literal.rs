//! Codes of words that are part of a statement's text instead of its parameters.
//!
//! A partial index contains the rows of one status. A database uses it only if the statement itself names that status:
//! with a parameter, PostgreSQL's prepared plans cannot use it, and SQLite compiles the statement again for each
//! binding.

use diesel::{
    QueryResult,
    backend::Backend,
    expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate},
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::SmallInt,
};

/// A number in the text of a statement.
#[derive(Debug, Clone, Copy, QueryId)]
pub(crate) struct Literal<const CODE: i16>;

/// `Status::Published`, and workflow versions for new customers.
pub(crate) const PUBLISHED: Literal<0> = Literal;
/// `DeletionState::Cancelled`.
pub(crate) const CANCELLED: Literal<4> = Literal;
/// `DeliveryStatus::Waiting`.
pub(crate) const WAITING: Literal<0> = Literal;
/// `DeliveryStatus::Failed`.
pub(crate) const FAILED: Literal<2> = Literal;

impl<const CODE: i16> Expression for Literal<CODE> {
    type SqlType = SmallInt;
}

impl<const CODE: i16, T> AppearsOnTable<T> for Literal<CODE> {}
impl<const CODE: i16, T> SelectableExpression<T> for Literal<CODE> {}

impl<const CODE: i16, G> ValidGrouping<G> for Literal<CODE> {
    type IsAggregate = is_aggregate::Never;
}

impl<const CODE: i16, DB: Backend> QueryFragment<DB> for Literal<CODE> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql(&CODE.to_string());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use patron_domain::{lifecycle::Status, privacy::DeletionState, webhook::DeliveryStatus};

    use super::{CANCELLED, FAILED, Literal, PUBLISHED, WAITING};
    use crate::persistence::word::Word;

    fn code<const CODE: i16>(_: Literal<CODE>) -> i16 {
        CODE
    }

    #[test]
    fn literals_match_the_codes_of_their_words() {
        assert_eq!(code(PUBLISHED), Status::Published.code());
        assert_eq!(code(CANCELLED), DeletionState::Cancelled.code());
        assert_eq!(code(WAITING), DeliveryStatus::Waiting.code());
        assert_eq!(code(FAILED), DeliveryStatus::Failed.code());
    }
}
