//! The transitions of an import.

use super::*;
use crate::testkit::{a_time, an_import};

fn result(outcome: RowOutcome) -> RowResult {
    let changed = vec!["name".to_owned()];
    RowResult { outcome, diff: Some(ImportDiff { row: 1, external_id: "a".to_owned(), outcome, changed }) }
}

#[test]
fn a_checked_import_runs_or_waits() {
    let import = an_import();
    assert_eq!(import.work(), Some(ImportPhase::Check));
    let running = import.after_rows(&[result(RowOutcome::Failed)], (1, 10), true, a_time());
    assert_eq!((running.state, running.rows_done, running.counts.failed), (ImportState::Running, 0, 0));
    let mut confirmed = import;
    confirmed.options.confirm = true;
    assert_eq!(confirmed.work(), Some(ImportPhase::Decide));
    let ready = confirmed.after_rows(&[result(RowOutcome::Created)], (1, 10), true, a_time());
    assert_eq!((ready.state, ready.work(), ready.diffs.len()), (ImportState::Ready, None, 1));
    assert_eq!(ready.due_at, Some(a_time().later(ImportJob::MAX_WAIT)));
    let started = ready.amended(ImportAmendment::Start, a_time()).unwrap();
    assert_eq!((started.state, started.counts), (ImportState::Running, ImportCounts::default()));
    assert!(ready.needs_file());
    let mut dry = ready;
    dry.options.dry_run = true;
    assert!(started.needs_file() && !dry.needs_file());
    assert_eq!(dry.amended(ImportAmendment::Start, a_time()), Err(ImportRefusal::DryRun));
    assert_eq!(started.amended(ImportAmendment::Start, a_time()), Err(ImportRefusal::NotReady(ImportState::Running)));
}

#[test]
fn an_import_ends_with_or_without_errors() {
    let running = an_import().after_rows(&[], (0, 0), true, a_time());
    let half =
        running.after_rows(&[result(RowOutcome::Created), result(RowOutcome::Unchanged)], (2, 5), false, a_time());
    assert_eq!((half.state, half.rows_done, half.bytes_done), (ImportState::Running, 2, 5));
    let end = |outcome| half.after_rows(&[result(outcome)], (3, 9), true, a_time());
    assert_eq!(end(RowOutcome::Updated).state, ImportState::Completed);
    assert!(half.needs_file() && !end(RowOutcome::Updated).needs_file());
    let broken = end(RowOutcome::Failed);
    assert_eq!((broken.state, broken.counts.failed), (ImportState::CompletedWithErrors, 1));
    assert_eq!(broken.ended_at.map(|at| at.later(ImportJob::DETAILS_KEPT)), broken.due_at);
}

#[test]
fn ignored_names_are_kept_once_and_bounded() {
    let names = |count: usize| (0..count).map(|number| format!("c{number}")).collect::<Vec<_>>();
    let some = an_import().ignoring(&names(2)).ignoring(&names(3));
    assert_eq!(some.ignored, ["c0", "c1", "c2"]);
    assert_eq!(some.ignoring(&names(200)).ignored.len(), ImportJob::MAX_DIFFS);
}

#[test]
fn an_import_that_waits_too_long_ends_and_is_forgotten() {
    let options = an_import().options;
    let begun = ImportJob::begin(an_import().id, an_import().owner, options, an_import().audit);
    assert_eq!(begun.due_work(), Some(ImportWork::End(ImportProblem::Interrupted)));
    assert_eq!(begun.stopped(&ImportProblem::Interrupted, a_time()).state, ImportState::Failed);
    let mut confirmed = an_import();
    confirmed.options.confirm = true;
    let ready = confirmed.after_rows(&[result(RowOutcome::Created)], (1, 10), true, a_time());
    assert_eq!(ready.due_work(), Some(ImportWork::End(ImportProblem::NotStarted)));
    let ended = ready.stopped(&ImportProblem::NotStarted, a_time());
    assert_eq!((ended.state, ended.due_work()), (ImportState::Cancelled, Some(ImportWork::Forget)));
    assert!(ended.failure.as_deref().is_some_and(|reason| reason.contains("7 days")));
    let forgotten = ended.forgotten();
    assert_eq!((forgotten.due_work(), forgotten.diffs.len(), ended.diffs.len()), (None, 0, 1));
}

#[test]
fn only_the_first_diffs_are_kept() {
    let results: Vec<_> = (0..150).map(|_| result(RowOutcome::Created)).collect();
    let next = an_import().after_rows(&results, (150, 1), false, a_time());
    assert_eq!(next.diffs.len(), ImportJob::MAX_DIFFS);
    assert_eq!(next.after_rows(&results, (300, 2), false, a_time()).diffs.len(), ImportJob::MAX_DIFFS);
    let unchanged = an_import().after_rows(&[result(RowOutcome::Unchanged)], (1, 1), false, a_time());
    assert!(unchanged.diffs.is_empty());
}
