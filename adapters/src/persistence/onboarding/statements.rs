//! Statements about onboarding workflows and runs.

use diesel::{ExpressionMethods, NullableExpressionMethods, QueryDsl};
use patron_domain::onboarding::RunQuery;

use super::row::{RunRow, WorkflowRow};
use crate::persistence::{
    literal::PUBLISHED,
    schema::{onboarding_runs, onboarding_workflows},
    statements::statements,
    value::Key,
    word::Word,
};

/// The versions of an environment's workflows that new customers get.
macro_rules! published {
    ($environment:expr) => {
        onboarding_workflows::table
            .filter(onboarding_workflows::environment.eq($environment))
            .filter(onboarding_workflows::status.eq(PUBLISHED))
    };
}

statements! {
    /// Statements about onboarding.
    OnboardingStatements {
        /// The version of a workflow that new customers get.
        fn workflow(db, environment: i32, name: &str) -> Option<WorkflowRow> {
            db.one(published!(environment).filter(onboarding_workflows::name.eq(name))).await
        }

        /// The same under lock.
        fn lock_workflow(db, environment: i32, name: &str) -> Option<WorkflowRow> {
            db.locked(published!(environment).filter(onboarding_workflows::name.eq(name))).await
        }

        /// The versions of several workflows that new customers get. They are not locked: a version never changes, and which
        /// one was there first is a matter of moments.
        fn workflow_ids(db, environment: i32, names: &[String]) -> Vec<(String, Key)> {
            let columns = (onboarding_workflows::name, onboarding_workflows::id);
            db.each(
                names,
                |name| published!(environment).filter(onboarding_workflows::name.eq(name)).select(columns),
                |names| published!(environment).filter(onboarding_workflows::name.eq_any(names)).select(columns),
            ).await
        }

        /// Any version.
        fn workflow_version(db, environment: i32, id: Key) -> Option<WorkflowRow> {
            let one = onboarding_workflows::table.filter(onboarding_workflows::environment.eq(environment));
            db.one(one.filter(onboarding_workflows::id.eq(id))).await
        }

        /// The run of a customer.
        fn run(db, environment: i32, customer: Key) -> Option<RunRow> {
            let all = onboarding_runs::table.filter(onboarding_runs::environment.eq(environment));
            db.one(all.filter(onboarding_runs::customer.eq(customer))).await
        }

        /// The same under lock.
        fn lock_run(db, environment: i32, customer: Key) -> Option<RunRow> {
            let all = onboarding_runs::table.filter(onboarding_runs::environment.eq(environment));
            db.locked(all.filter(onboarding_runs::customer.eq(customer))).await
        }

        /// Several runs under lock.
        fn lock_runs(db, environment: i32, customers: &[Key]) -> Vec<RunRow> {
            let all = || onboarding_runs::table.filter(onboarding_runs::environment.eq(environment));
            db.each_locked(
                customers,
                |one| all().filter(onboarding_runs::customer.eq(one)),
                |many| all().filter(onboarding_runs::customer.eq_any(many)).order(onboarding_runs::customer.asc()),
            ).await
        }

        /// Runs in the order of their customers' ids.
        fn runs(db, environment: i32, query: &RunQuery) -> Vec<RunRow> {
            let all = onboarding_runs::table.filter(onboarding_runs::environment.eq(environment));
            let mut all = all.order(onboarding_runs::customer.asc()).limit(query.limit.into()).into_boxed();
            if let Some(state) = query.state {
                all = all.filter(onboarding_runs::state.eq(state.code()));
            }
            if let Some(after) = query.after {
                all = all.filter(onboarding_runs::customer.gt(Key::from(after)));
            }
            db.rows(all).await
        }

        /// The runs of environments for which there is something to do, those first that have been due for the longest:
        /// environment and customer.
        fn due_runs(db, environments: &[i32], now: i64, limit: i64) -> Vec<(i32, Key)> {
            let due = onboarding_runs::table
                .filter(onboarding_runs::environment.eq_any(environments))
                .filter(onboarding_runs::due_at.is_not_null())
                .filter(onboarding_runs::due_at.assume_not_null().le(now))
                .order(onboarding_runs::due_at.asc());
            db.rows(due.select((onboarding_runs::environment, onboarding_runs::customer)).limit(limit)).await
        }
    }
}
