//! Events: what happened to a customer, written with the change itself.

use crate::{
    customer::{CustomerAggregate, WorkflowName},
    ids::EventId,
    lifecycle::Version,
    tenancy::{Actor, RequestId},
    time::Timestamp,
};

/// One change of a customer aggregate, with its state as of that change.
///
/// It is part of the commit that makes the change, and never altered afterwards.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomerEvent {
    /// Its id.
    pub id: EventId,
    /// What happened.
    pub kind: CustomerEventKind,
    /// The aggregate's version after the change. Without gaps: the first is 1.
    pub sequence: Version,
    /// When it happened.
    pub at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// The request it was done in.
    pub request_id: Option<RequestId>,
    /// The aggregate after the change, frozen.
    pub state: CustomerAggregate,
}

/// What happened to a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CustomerEventKind {
    /// It was created, with everything its request named.
    Created {
        /// What the request said about onboarding.
        onboarding: Onboarding,
    },
}

impl CustomerEventKind {
    /// `customer.created` and so on: the type on the wire and in stores.
    #[must_use]
    pub fn event_type(&self) -> &'static str {
        match self {
            Self::Created { .. } => "customer.created",
        }
    }
}

/// What a create says about onboarding.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Onboarding {
    /// Whether no workflow is to run, as when a workflow itself creates the customer.
    pub skip: bool,
    /// The workflow to run; `None` for the default one.
    pub workflow: Option<WorkflowName>,
}
