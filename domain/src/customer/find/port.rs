//! The port for finding customers.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::LookUp;
use crate::{customer::CustomerAggregate, store::StoreError, tenancy::EnvironmentScope};

/// Names customers by the tokens of their texts. A store without an index compares every customer: [`Named::among`].
///
/// ```
/// use patron_domain::{
///     customer::{CustomerRepository, find::{CustomerFinder, FindQuery, FindStatus}},
///     ids::IdSequence,
///     lifecycle::Status,
///     testkit::{MemoryStore, a_customer, a_scope, a_time},
/// };
///
/// # futures::executor::block_on(async {
/// let store = MemoryStore::default();
/// let command = a_customer("acme").command(IdSequence::start(a_time(), [0; 10]), a_time());
/// store.change(&a_scope(), command).await.unwrap();
/// let query = FindQuery::new("ACME", None, FindStatus::Published).unwrap();
/// let named = store.named(&a_scope(), query.first(Status::Published)).await.unwrap();
/// assert!(named.are_all && named.customers.len() == 1);
/// # });
/// ```
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait CustomerFinder: Send + Sync {
    /// The customers of a scope that one of some look-ups [names](LookUp::names), each once, in any order. Of more than
    /// [`LookUp::most`], the ones with the greatest ids. This MUST see every change that was acknowledged before the call.
    async fn named(&self, scope: &EnvironmentScope, look_ups: Vec<LookUp>) -> Result<Named, StoreError>;
}

/// The customers that look-ups name.
///
/// ```
/// use patron_domain::customer::find::Named;
///
/// assert!(Named::default().customers.is_empty());
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Named {
    /// The customers, each once.
    pub customers: Vec<CustomerAggregate>,
    /// Whether every look-up named fewer customers than its limit, so that none is missing.
    pub are_all: bool,
}

impl Named {
    /// The customers that look-ups name among all customers of a scope: the reference for every store.
    #[must_use]
    pub fn among<'a>(look_ups: &[LookUp], all: impl IntoIterator<Item = &'a CustomerAggregate> + Clone) -> Self {
        let (mut named, mut are_all) = (BTreeMap::new(), true);
        for look_up in look_ups {
            let of_one = look_up.among(all.clone());
            are_all &= of_one.len() < look_up.most;
            named.extend(of_one.into_iter().map(|one| (one.customer.id, one)));
        }
        Self { customers: named.into_values().cloned().collect(), are_all }
    }
}
