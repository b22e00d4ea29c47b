//! Workflows: ordered steps, and the secret that calls are signed with.

use std::time::Duration;

use super::{
    service::OnboardingError,
    step::{LinkIntegration, Step},
};
use crate::{
    ids::{WebhookEndpointId, WorkflowId},
    lifecycle::{Audit, Owner, Precondition},
    onboarding::WorkflowName,
    tenancy::{EnvironmentScope, Quota, Quoted},
    time::Timestamp,
    violation::{Rule, Violations},
    webhook::SealedSecret,
};

/// The steps of a workflow: 1 to 20. The first one is a call.
///
/// ```
/// use patron_domain::{onboarding::Steps, testkit::{a_call, a_link}};
///
/// let steps = Steps::new(vec![a_call("https://crm.example"), a_link("crm", "/id")], "value.").unwrap();
/// assert_eq!(steps.links_after(0).count(), 1);
/// let broken = Steps::new(vec![a_link("crm", "/id")], "value.").unwrap_err();
/// assert_eq!(broken.iter().next().unwrap().path, "value.steps[0].type");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Steps(Vec<Step>);

/// Why steps are not a valid workflow.
///
/// ```
/// use patron_domain::{onboarding::StepsError, violation::Rule};
///
/// assert_eq!(StepsError::TooMany.rule(), "max_items");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StepsError {
    /// There are no steps.
    #[error("steps must have at least one item; delete the workflow to stop onboarding")]
    None,
    /// There are too many steps.
    #[error("steps must have at most {} items", Steps::MAX)]
    TooMany,
    /// There is no response to take a value from.
    #[error("link_integration takes a value from the response to a call; put an http_call before it")]
    NoCallBefore,
    /// The customer would be linked to the same system twice.
    #[error("another link_integration has this provider_type; a customer has one link to each system")]
    Repeated,
}

impl Rule for StepsError {
    fn rule(&self) -> &'static str {
        match self {
            Self::None => "min_items",
            Self::TooMany => "max_items",
            Self::NoCallBefore => "order",
            Self::Repeated => "unique",
        }
    }
}

impl Steps {
    /// The maximum number of steps.
    pub const MAX: usize = 20;

    /// Checks the list of steps.
    ///
    /// # Errors
    /// Every broken rule, under `steps` and the position in the list, after a prefix such as `value.`.
    pub fn new(steps: Vec<Step>, prefix: &str) -> Result<Self, Violations> {
        Self::at_places(steps.len(), steps.into_iter().map(Some).collect(), prefix)
    }

    /// Checks a list in which some elements were already refused and are `None`, so that all faults can be reported
    /// together. `count` is the number of elements given.
    ///
    /// # Errors
    /// Every broken rule, under `steps` and the position in the list, after a prefix such as `value.`.
    pub fn at_places(count: usize, steps: Vec<Option<Step>>, prefix: &str) -> Result<Self, Violations> {
        let mut broken = Violations::new();
        if count == 0 {
            broken.add(format!("{prefix}steps"), &StepsError::None);
        }
        if count > Self::MAX {
            broken.add(format!("{prefix}steps"), &StepsError::TooMany);
            return Err(broken);
        }
        let mut linked = Vec::new();
        for (index, step) in steps.iter().enumerate() {
            let Some(Step::LinkIntegration(LinkIntegration { provider_type, .. })) = step else { continue };
            // A refused step may have been meant as a call.
            if !steps[..index].iter().any(|before| !matches!(before, Some(Step::LinkIntegration(_)))) {
                broken.add(format!("{prefix}steps[{index}].type"), &StepsError::NoCallBefore);
            }
            if linked.contains(&provider_type) {
                broken.add(format!("{prefix}steps[{index}].provider_type"), &StepsError::Repeated);
            }
            linked.push(provider_type);
        }
        broken.into_result()?;
        Ok(Self(steps.into_iter().flatten().collect()))
    }

    /// The steps.
    #[must_use]
    pub fn as_slice(&self) -> &[Step] {
        &self.0
    }

    /// The step at a position; `None` after the last.
    #[must_use]
    pub fn get(&self, place: u16) -> Option<&Step> {
        self.0.get(usize::from(place))
    }

    /// The links that take their values from the response to the call at a position: those between it and the next
    /// call.
    pub fn links_after(&self, place: u16) -> impl Iterator<Item = &LinkIntegration> {
        self.0.iter().skip(usize::from(place) + 1).map_while(|step| match step {
            Step::LinkIntegration(link) => Some(link),
            Step::HttpCall(_) => None,
        })
    }
}

/// The sealed secret that calls are signed with, and the id that it was sealed for.
///
/// ```
/// use patron_domain::{
///     onboarding::WorkflowSecret,
///     testkit::an_id,
///     webhook::{MockSecretVault, SecretVault, WebhookSecret},
/// };
///
/// let (id, secret) = (an_id(1), WebhookSecret::from_random([7; 32]));
/// let sealed = MockSecretVault::plain().seal(id, &secret).unwrap();
/// let kept = WorkflowSecret { id, sealed };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowSecret {
    /// The id that it was sealed for. It stays the same in later versions of the workflow.
    pub id: WebhookEndpointId,
    /// The secret.
    pub sealed: SealedSecret,
}

/// One version of a workflow. It never changes; changing the workflow creates another one.
///
/// ```
/// use patron_domain::{onboarding::Step, testkit::a_workflow};
///
/// let workflow = a_workflow();
/// assert!(matches!(workflow.steps.get(0), Some(Step::HttpCall(_))));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workflow {
    /// The version's id.
    pub id: WorkflowId,
    /// The environment whose customers it is for.
    pub owner: Owner,
    /// The name; `None` for the default workflow.
    pub name: Option<WorkflowName>,
    /// The steps.
    pub steps: Steps,
    /// The secret that calls are signed with.
    pub secret: WorkflowSecret,
    /// Who created this version, and when. The fields about the last change have the same values.
    pub audit: Audit,
}

/// A request to put a workflow under a name.
///
/// ```
/// use patron_domain::{lifecycle::Precondition, onboarding::{PutWorkflow, WorkflowPut}, tenancy::Quota, testkit::{a_scope, a_workflow, an_id}};
///
/// let first = a_workflow();
/// let put = PutWorkflow {
///     name: None,
///     steps: first.steps.clone(),
///     another_secret: false,
///     id: an_id(2),
///     secret: first.secret.clone(),
///     at: first.audit.created_at,
///     quota: Quota::of(1),
///     only_if: Precondition::None,
/// };
/// // The present version has the same content.
/// assert_eq!(put.clone().decide(&a_scope(), Some(first.clone()), 1), Ok(WorkflowPut::Stays(first)));
/// assert!(matches!(put.clone().decide(&a_scope(), None, 0), Ok(WorkflowPut::New(new)) if new.id == an_id(2)));
/// assert!(put.decide(&a_scope(), None, 1).is_err(), "the quota is reached");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutWorkflow {
    /// The name.
    pub name: Option<WorkflowName>,
    /// The steps.
    pub steps: Steps,
    /// Whether to sign calls with a new secret from now on.
    pub another_secret: bool,
    /// The id for a new version, if there will be one.
    pub id: WorkflowId,
    /// The secret for a new version, if there is none to keep or a new one is requested.
    pub secret: WorkflowSecret,
    /// The time.
    pub at: Timestamp,
    /// The most workflows of the environment.
    pub quota: Quota,
    /// The version that the workflow must have: the [`Audit::version`] of its present version.
    pub only_if: Precondition,
}

/// The version of a workflow after a put.
///
/// ```
/// use patron_domain::{onboarding::WorkflowPut, testkit::a_workflow};
///
/// assert_eq!(WorkflowPut::New(a_workflow()).workflow(), &a_workflow());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkflowPut {
    /// The present version, because its content is the same: nothing is written.
    Stays(Workflow),
    /// A new version.
    New(Workflow),
}

impl WorkflowPut {
    /// The version.
    #[must_use]
    pub fn workflow(&self) -> &Workflow {
        match self {
            Self::Stays(workflow) | Self::New(workflow) => workflow,
        }
    }
}

impl PutWorkflow {
    /// The version that the name has from now on, given its present version and the environment's number of workflows.
    ///
    /// # Errors
    /// When the name is new and the quota is reached, or the present version is not the expected one.
    pub fn decide(
        self,
        scope: &EnvironmentScope,
        current: Option<Workflow>,
        count: u64,
    ) -> Result<WorkflowPut, OnboardingError> {
        if current.is_none() {
            self.quota.admit(Quoted::Workflows, count)?;
        }
        self.only_if.check(current.as_ref().map(|current| current.audit.version()))?;
        // The version is the time, which must rise.
        let after = current.as_ref().map(|current| current.audit.updated_at.later(Duration::from_micros(1)));
        let secret = match current.filter(|_| !self.another_secret) {
            Some(current) if current.steps == self.steps => return Ok(WorkflowPut::Stays(current)),
            Some(current) => current.secret,
            None => self.secret,
        };
        let audit = Audit::created(after.map_or(self.at, |after| after.max(self.at)), &scope.actor);
        let Self { id, name, steps, .. } = self;
        Ok(WorkflowPut::New(Workflow { id, owner: scope.owner, name, steps, secret, audit }))
    }
}

#[cfg(test)]
mod tests {
    use super::{PutWorkflow, Steps, WorkflowPut, WorkflowSecret};
    use crate::{
        lifecycle::Precondition,
        tenancy::Quota,
        testkit::{a_call, a_link, a_scope, a_workflow, an_id},
        webhook::SealedSecret,
    };

    #[test]
    fn a_different_workflow_is_a_new_version_and_keeps_the_secret_unless_a_new_one_is_requested() {
        let current = a_workflow();
        let secret = WorkflowSecret { id: an_id(9), sealed: SealedSecret::from_sealed("another") };
        let put = |steps: &Steps, another_secret: bool, before: bool| {
            let (steps, at) = (steps.clone(), current.audit.created_at);
            let (secret, quota) = (secret.clone(), Quota::of(1));
            let put = PutWorkflow {
                name: None,
                steps,
                another_secret,
                id: an_id(2),
                secret,
                at,
                quota,
                only_if: Precondition::None,
            };
            put.decide(&a_scope(), before.then(|| current.clone()), u64::from(before)).unwrap()
        };
        let new = |put: WorkflowPut| match put {
            WorkflowPut::New(new) => Some(new),
            WorkflowPut::Stays(_) => None,
        };
        let other = Steps::new(vec![a_call("https://other.example")], "").unwrap();
        assert_eq!(put(&current.steps, false, true), WorkflowPut::Stays(current.clone()));
        assert_eq!(new(put(&current.steps, false, false)).map(|new| new.secret), Some(secret.clone()));
        let rotated = new(put(&current.steps, true, true)).unwrap();
        assert_eq!((rotated.id, rotated.secret), (an_id(2), secret.clone()));
        let changed = new(put(&other, false, true)).unwrap();
        assert_eq!((changed.steps, changed.secret), (other, current.secret.clone()));
    }

    fn paths(broken: crate::violation::Violations) -> Vec<(String, &'static str)> {
        broken.iter().map(|one| (one.path.clone(), one.rule)).collect()
    }

    #[test]
    fn one_to_twenty_steps_of_which_the_first_is_a_call() {
        assert!(Steps::new(vec![a_call("https://crm.example"), a_link("crm", "/id")], "").is_ok());
        assert_eq!(paths(Steps::new(vec![], "value.").unwrap_err()), [("value.steps".to_owned(), "min_items")]);
        let many = vec![a_call("https://crm.example"); 21];
        assert_eq!(paths(Steps::new(many, "").unwrap_err()), [("steps".to_owned(), "max_items")]);
        let early = vec![a_link("crm", "/id"), a_call("https://crm.example"), a_link("crm", "/id")];
        let faults = [("steps[0].type".to_owned(), "order"), ("steps[2].provider_type".to_owned(), "unique")];
        assert_eq!(paths(Steps::new(early, "").unwrap_err()), faults);
    }

    #[test]
    fn links_belong_to_the_call_before_them() {
        let call = || a_call("https://crm.example");
        let steps = Steps::new(vec![call(), a_link("a", "/a"), a_link("b", "/b"), call(), a_link("c", "/c")], "");
        let steps = steps.unwrap();
        let of = |place| steps.links_after(place).map(|link| link.provider_type.as_str()).collect::<Vec<_>>();
        assert_eq!((of(0), of(3)), (vec!["a", "b"], vec!["c"]));
    }
}
