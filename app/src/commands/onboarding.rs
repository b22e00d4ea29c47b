//! `patron onboarding`

use patron_domain::{
    onboarding::{OnboardingRun, OnboardingService, RunAmendment, RunQuery},
    page::PageRequest,
    tenancy::{SystemScope, TenancyService},
};
use serde_json::{Value, json};

use super::{environment, output};
use crate::{cli::Onboarding, failure::Failure};

const COLUMNS: [&str; 6] = ["customer_id", "state", "step", "attempts", "last_error", "updated_at"];

pub(super) async fn run(
    tenancy: &TenancyService,
    service: &OnboardingService,
    command: Onboarding,
) -> Result<(), Failure> {
    let named = match &command {
        Onboarding::List { environment, .. } | Onboarding::Retry { environment, .. } => *environment,
    };
    let environment = environment(tenancy, named).await?;
    let caller = tenancy.caller(&SystemScope::patron(), environment).await.map_err(Failure::failed)?;
    match command {
        Onboarding::List { state, after, json, .. } => {
            let query = RunQuery { state: Some(state), after, limit: PageRequest::MAX_LIMIT };
            let runs = service.runs(&caller, query).await.map_err(Failure::failed)?;
            output::list(&runs.iter().map(row).collect::<Vec<_>>(), &COLUMNS, json)
        }
        Onboarding::Retry { customer, .. } => {
            let retried = service.amend_run(&caller, customer, RunAmendment::Retry, None).await;
            let (run, _) = retried.map_err(Failure::failed)?.value;
            output::line(format_args!("{customer} continues at step {}", run.step))
        }
    }
}

fn row(run: &OnboardingRun) -> Value {
    json!({
        "customer_id": run.customer_id.to_string(),
        "state": run.state.as_str(),
        "step": run.step,
        "attempts": run.attempts,
        "last_error": run.last_failure.map(|failure| failure.to_string()),
        "updated_at": run.updated_at.to_string(),
    })
}
