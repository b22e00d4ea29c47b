//! Words that are part of a statement's text instead of its parameters.
//!
//! The partial indexes hold the published rows (or the archived ones) alone. A database uses one only where the statement
//! itself says so: with a parameter, PostgreSQL's plans for prepared statements cannot, and SQLite compiles the statement
//! anew whenever the parameter is bound.

use diesel::{
    QueryResult,
    backend::Backend,
    expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate},
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::Text,
};
use patron_domain::{lifecycle::Status, onboarding::RunState, webhook::DeliveryStatus};

macro_rules! literal {
    ($(#[$doc:meta])* $name:ident, $status:expr, $text:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, QueryId)]
        pub(crate) struct $name;

        impl Expression for $name {
            type SqlType = Text;
        }

        impl<T> AppearsOnTable<T> for $name {}
        impl<T> SelectableExpression<T> for $name {}

        impl<G> ValidGrouping<G> for $name {
            type IsAggregate = is_aggregate::Never;
        }

        impl<DB: Backend> QueryFragment<DB> for $name {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
                const { assert!(same($status.as_str(), $text)) };
                out.push_sql(concat!("'", $text, "'"));
                Ok(())
            }
        }
    };
}

literal! {
    /// The status of what is in use.
    Published, Status::Published, "published"
}

literal! {
    /// The status of what was put away together with its customer.
    Archived, Status::Archived, "archived"
}

literal! {
    /// The status of what is kept only as a trace.
    Deleted, Status::Deleted, "deleted"
}

literal! {
    /// The status of a delivery that waits.
    Waiting, DeliveryStatus::Waiting, "waiting"
}

literal! {
    /// The status of a delivery that was refused to the end.
    Failed, DeliveryStatus::Failed, "failed"
}

literal! {
    /// The state of an onboarding run that needs a person.
    FailedRun, RunState::Failed, "failed"
}

const fn same(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    let mut index = 0;
    while index < left.len() && index < right.len() && left[index] == right[index] {
        index += 1;
    }
    index == left.len() && index == right.len()
}
