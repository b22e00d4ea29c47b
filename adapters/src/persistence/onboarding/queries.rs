//! Queries over `onboarding_workflows` and `onboarding_runs`, written once for both databases.

use diesel::{dsl::auto_type, prelude::*};

use crate::persistence::{
    literal::Published,
    schema::{onboarding_runs, onboarding_workflows},
};

/// The versions of an environment's workflows that new customers get.
#[auto_type(no_type_alias)]
pub(crate) fn workflows_of<'a>(tenant_id: &'a str, environment_id: &'a str) -> _ {
    onboarding_workflows::table
        .filter(onboarding_workflows::tenant_id.eq(tenant_id))
        .filter(onboarding_workflows::environment_id.eq(environment_id))
        .filter(onboarding_workflows::status.eq(Published))
}

/// The one of a name.
#[auto_type(no_type_alias)]
pub(crate) fn workflow<'a>(tenant_id: &'a str, environment_id: &'a str, name: &'a str) -> _ {
    onboarding_workflows::table
        .filter(onboarding_workflows::tenant_id.eq(tenant_id))
        .filter(onboarding_workflows::environment_id.eq(environment_id))
        .filter(onboarding_workflows::name.eq(name))
        .filter(onboarding_workflows::status.eq(Published))
}

/// Any version.
#[auto_type(no_type_alias)]
pub(crate) fn version<'a>(tenant_id: &'a str, environment_id: &'a str, id: &'a str) -> _ {
    onboarding_workflows::table
        .filter(onboarding_workflows::tenant_id.eq(tenant_id))
        .filter(onboarding_workflows::environment_id.eq(environment_id))
        .filter(onboarding_workflows::id.eq(id))
}

/// What makes a version one that no new customer gets.
#[auto_type(no_type_alias)]
pub(crate) fn retirement() -> _ {
    let status: &'static str = "deleted";
    onboarding_workflows::status.eq(status)
}

/// The run of a customer.
#[auto_type(no_type_alias)]
pub(crate) fn run<'a>(tenant_id: &'a str, environment_id: &'a str, customer_id: &'a str) -> _ {
    onboarding_runs::table
        .filter(onboarding_runs::tenant_id.eq(tenant_id))
        .filter(onboarding_runs::environment_id.eq(environment_id))
        .filter(onboarding_runs::customer_id.eq(customer_id))
}

/// The run of a customer, as long as it is a holder's.
#[auto_type(no_type_alias)]
pub(crate) fn held<'a>(tenant_id: &'a str, environment_id: &'a str, customer_id: &'a str, holder: &'a str) -> _ {
    onboarding_runs::table
        .filter(onboarding_runs::tenant_id.eq(tenant_id))
        .filter(onboarding_runs::environment_id.eq(environment_id))
        .filter(onboarding_runs::customer_id.eq(customer_id))
        .filter(onboarding_runs::holder.eq(holder))
}

/// The runs of all environments for which there is something to do, those first that have been due for the longest.
#[auto_type(no_type_alias)]
pub(crate) fn due(now: i64) -> _ {
    onboarding_runs::table
        .filter(onboarding_runs::due_at.is_not_null())
        .filter(onboarding_runs::due_at.assume_not_null().le(now))
        .order(onboarding_runs::due_at.asc())
}

/// Runs as they are listed: in the order of their customers' ids, as far as a query wants them.
macro_rules! listed {
    ($tenant:expr, $environment:expr, $query:expr) => {{
        use crate::persistence::{literal, schema::onboarding_runs};
        use patron_domain::onboarding::RunState;
        let mut all = onboarding_runs::table
            .filter(onboarding_runs::tenant_id.eq($tenant))
            .filter(onboarding_runs::environment_id.eq($environment))
            .order(onboarding_runs::customer_id.asc())
            .limit($query.limit.into())
            .into_boxed();
        match $query.state {
            None => {}
            Some(RunState::Failed) => all = all.filter(onboarding_runs::state.eq(literal::FailedRun)),
            Some(state) => all = all.filter(onboarding_runs::state.eq(state.as_str())),
        }
        if let Some(after) = $query.after {
            all = all.filter(onboarding_runs::customer_id.gt(after.to_string()));
        }
        all
    }};
}
pub(crate) use listed;
