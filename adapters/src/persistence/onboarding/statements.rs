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

/// The workflow versions of an environment for new customers.
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
        /// The version of a workflow for new customers.
        fn workflow(db, environment: i32, name: &str) -> Option<WorkflowRow> {
            db.one(published!(environment).filter(onboarding_workflows::name.eq(name))).await
        }

        /// The same, locked.
        fn lock_workflow(db, environment: i32, name: &str) -> Option<WorkflowRow> {
            db.locked(published!(environment).filter(onboarding_workflows::name.eq(name))).await
        }

        /// The number of workflows for new customers.
        fn count_workflows(db, environment: i32) -> i64 {
            Ok(db.one::<_, i64>(published!(environment).count()).await?.unwrap_or_default())
        }

        /// The versions of several workflows for new customers. They are not locked: versions never change, and a
        /// customer may get either of two versions that are published at the same time.
        fn workflow_ids(db, environment: i32, names: &[String]) -> Vec<(String, Key)> {
            let columns = (onboarding_workflows::name, onboarding_workflows::id);
            db.each(
                names,
                |name| published!(environment).filter(onboarding_workflows::name.eq(name)).select(columns),
                |names| published!(environment).filter(onboarding_workflows::name.eq_any(names)).select(columns),
            ).await
        }

        /// A version of any status.
        fn workflow_version(db, environment: i32, id: Key) -> Option<WorkflowRow> {
            let one = onboarding_workflows::table.filter(onboarding_workflows::environment.eq(environment));
            db.one(one.filter(onboarding_workflows::id.eq(id))).await
        }

        /// Versions of workflows after an id, locked.
        fn lock_workflows_after(db, environment: i32, after: Key, limit: i64) -> Vec<WorkflowRow> {
            let all = onboarding_workflows::table.filter(onboarding_workflows::environment.eq(environment));
            let next = all.filter(onboarding_workflows::id.gt(after)).order(onboarding_workflows::id.asc());
            db.locked_rows(next.limit(limit)).await
        }

        /// The run of a customer.
        fn run(db, environment: i32, customer: Key) -> Option<RunRow> {
            let all = onboarding_runs::table.filter(onboarding_runs::environment.eq(environment));
            db.one(all.filter(onboarding_runs::customer.eq(customer))).await
        }

        /// The same, locked.
        fn lock_run(db, environment: i32, customer: Key) -> Option<RunRow> {
            let all = onboarding_runs::table.filter(onboarding_runs::environment.eq(environment));
            db.locked(all.filter(onboarding_runs::customer.eq(customer))).await
        }

        /// The customers among these that have a run.
        fn customers_with_run(db, environment: i32, customers: &[Key]) -> Vec<Key> {
            let all = || onboarding_runs::table.filter(onboarding_runs::environment.eq(environment));
            let customer = onboarding_runs::customer;
            db.each(
                customers,
                |one| all().filter(customer.eq(one)).select(customer),
                |these| all().filter(customer.eq_any(these)).select(customer),
            ).await
        }

        /// Several runs, locked.
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

        /// The environment and the customer of each due run, those due longest first.
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
