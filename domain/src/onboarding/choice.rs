//! The onboarding part of a create.

use super::WorkflowName;

/// The onboarding part of a create.
///
/// ```
/// use patron_domain::{onboarding::Onboarding, testkit::a_customer};
///
/// let onboarding = Onboarding { skip: true, ..Onboarding::default() };
/// assert_eq!(a_customer("acme").skipping_onboarding().build().onboarding, onboarding);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Onboarding {
    /// Whether to run no workflow, for example when a workflow itself creates the customer.
    pub skip: bool,
    /// The workflow to run; `None` for the default one.
    pub workflow: Option<WorkflowName>,
}
