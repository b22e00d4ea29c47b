//! Transitions of a run, with fixed times.

use std::time::Duration;

use super::{OnboardingRun, RunAmendment, RunRefusal, RunState, StepOutcome};
use crate::{
    integration::ProviderEntityId,
    onboarding::{StepFailure, Steps},
    testkit::{a_call, a_link, a_time, an_id, an_owner},
    time::Timestamp,
};

fn steps() -> Steps {
    Steps::new(vec![a_call("https://crm.example"), a_link("crm", "/id")], "").unwrap()
}

fn run() -> OnboardingRun {
    OnboardingRun::start(an_owner(), an_id(1), an_id(2), a_time())
}

fn later(seconds: u64) -> Timestamp {
    a_time().later(Duration::from_secs(seconds))
}

#[test]
fn steps_run_in_order_to_the_end() {
    let value = ProviderEntityId::new("c-7").unwrap();
    let called = run().after(&steps(), StepOutcome::Called(vec![value.clone()]), later(1), 0);
    assert_eq!((called.state, called.step, called.values.as_slice()), (RunState::Running, 1, [value].as_slice()));
    assert!(called.is_due(later(1)));
    let linked = called.after(&steps(), StepOutcome::Linked, later(2), 0);
    assert_eq!((linked.state, linked.step, linked.values.len()), (RunState::Succeeded, 2, 0));
    assert_eq!((linked.due_at, linked.clone().announced().due_at), (Some(later(2)), None));
}

#[test]
fn a_failure_waits_and_the_last_one_is_final() {
    let failed = |run: OnboardingRun| {
        let now = run.due_at.unwrap();
        run.after(&steps(), StepOutcome::Failed(StepFailure::Status(500)), now, 0)
    };
    let mut run = failed(run());
    assert_eq!((run.state, run.attempts, run.due_at), (RunState::Waiting, 1, Some(later(5))));
    for _ in 2..10 {
        run = failed(run);
        assert_eq!(run.state, RunState::Waiting);
    }
    run = failed(run);
    assert_eq!((run.state, run.attempts, run.last_failure), (RunState::Failed, 10, Some(StepFailure::Status(500))));
    assert!(run.due_at.is_some(), "its event must still be written");
    let again = run.amended(RunAmendment::Retry, later(9_999)).unwrap();
    assert_eq!((again.state, again.attempts, again.step), (RunState::Pending, 0, 0));
    let refused = again.after(&steps(), StepOutcome::Refused(StepFailure::LinkRefused), later(10_000), 0);
    assert_eq!((refused.state, refused.attempts), (RunState::Failed, 1));
}

#[test]
fn a_person_can_retry_a_failed_run_and_cancel_an_unsuccessful_one() {
    assert_eq!(run().amended(RunAmendment::Retry, later(1)), Err(RunRefusal::NotFailed));
    let cancelled = run().amended(RunAmendment::Cancel, later(1)).unwrap();
    assert_eq!((cancelled.state, cancelled.due_at), (RunState::Cancelled, None));
    assert_eq!(cancelled.clone().amended(RunAmendment::Cancel, later(2)), Err(RunRefusal::Ended));
    assert_eq!(cancelled.amended(RunAmendment::Retry, later(2)), Err(RunRefusal::NotFailed));
    let done = OnboardingRun { state: RunState::Succeeded, ..run() };
    assert_eq!(done.amended(RunAmendment::Cancel, later(2)), Err(RunRefusal::Ended));
}
