//! Faults on purpose: a wrapper before any port, which fails, delays or loses the answers of the calls that a test names.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

mod onboarding;
mod ports;
mod webhooks;

use crate::store::StoreError;

type Wait = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What is to go wrong with which calls. The calls of every port that was wrapped with [`Faults::over`] are counted
/// together, in the order in which they begin, from 1 on.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{customer::*, ids::IdGenerator, store::StoreError, testkit::*};
///
/// # futures::executor::block_on(async {
/// let store = Arc::new(MemoryStore::default());
/// let faults = Faults::default();
/// let customers = faults.over(store.clone());
/// let ids = CountingIds::default();
/// let create = || a_customer("acme").command(ids.start(a_time()), a_time());
///
/// faults.lose_answer(1);
/// let lost = customers.change(&a_scope(), create()).await;
/// assert!(matches!(lost, Err(ChangeCustomerError::Store(StoreError::Unavailable { .. }))));
/// // The work was done all the same, as when a connection breaks right after the commit.
/// let again = customers.change(&a_scope(), create()).await;
/// assert!(matches!(again, Err(ChangeCustomerError::ExternalIdTaken { .. })));
/// # });
/// ```
#[derive(Clone, Default)]
pub struct Faults(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    calls: u64,
    planned: BTreeMap<u64, Fault>,
    every: Option<StoreError>,
}

enum Fault {
    Fail(StoreError),
    LoseAnswer,
    Delay(Wait),
}

impl Faults {
    /// A port with these faults before it: an adapter, the [`MemoryStore`](super::MemoryStore), or a mock.
    pub fn over<P: ?Sized>(&self, port: Arc<P>) -> Arc<Faulty<P>> {
        Arc::new(Faulty { port, faults: self.clone() })
    }

    /// Call `number` does nothing, and answers this error.
    pub fn fail_call(&self, number: u64, error: StoreError) {
        self.plan(number, Fault::Fail(error));
    }

    /// Call `number` does its work, but answers [`StoreError::Unavailable`] whatever came of it: as when the connection is
    /// lost after the commit.
    pub fn lose_answer(&self, number: u64) {
        self.plan(number, Fault::LoseAnswer);
    }

    /// Call `number` begins only when this future is done. The test brings it, because there is no runtime here: a sleep of
    /// its own runtime, or a channel that it sends to when the time has come.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use futures::channel::oneshot;
    /// use patron_domain::{customer::CustomerRepository, testkit::*};
    ///
    /// let (go, waiting) = oneshot::channel::<()>();
    /// let faults = Faults::default();
    /// faults.delay_call(1, async { waiting.await.unwrap_or_default() });
    /// let customers = faults.over(Arc::new(MemoryStore::default()));
    /// let scope = a_scope();
    /// let call = customers.find(&scope, an_id(1));
    /// go.send(()).unwrap();
    /// assert_eq!(futures::executor::block_on(call), Ok(None));
    /// ```
    pub fn delay_call(&self, number: u64, until: impl Future<Output = ()> + Send + 'static) {
        self.plan(number, Fault::Delay(Box::pin(until)));
    }

    /// From now on every call fails with this error, until [`Faults::recover`]; what is planned for single calls comes
    /// first.
    pub fn fail_every_call(&self, error: StoreError) {
        self.state().every = Some(error);
    }

    /// Takes everything back that is planned.
    pub fn recover(&self) {
        let mut state = self.state();
        state.every = None;
        state.planned.clear();
    }

    /// How many calls there were.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    fn plan(&self, number: u64, fault: Fault) {
        self.state().planned.insert(number, fault);
    }

    fn next(&self) -> Option<Fault> {
        let mut state = self.state();
        state.calls += 1;
        let number = state.calls;
        state.planned.remove(&number).or_else(|| state.every.clone().map(Fault::Fail))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A port with [`Faults`] before it. It implements the ports that the one behind it does.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{
///     customer::CustomerRepository,
///     store::StoreError,
///     testkit::{Faults, Faulty, MemoryStore, a_scope, an_id},
/// };
///
/// let faults = Faults::default();
/// let customers: Arc<Faulty<MemoryStore>> = faults.over(Arc::new(MemoryStore::default()));
/// faults.fail_call(1, StoreError::unavailable("on purpose"));
/// let failed = futures::executor::block_on(CustomerRepository::find(&*customers, &a_scope(), an_id(1)));
/// assert_eq!(failed, Err(StoreError::unavailable("on purpose")));
/// ```
pub struct Faulty<P: ?Sized> {
    port: Arc<P>,
    faults: Faults,
}

impl<P: ?Sized> Faulty<P> {
    /// Makes a call, with what is planned for it.
    async fn call<T, E: From<StoreError>>(&self, call: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        match self.faults.next() {
            None => call.await,
            Some(Fault::Fail(error)) => Err(error.into()),
            Some(Fault::LoseAnswer) => {
                drop(call.await);
                Err(StoreError::unavailable("the connection was lost, and with it the answer").into())
            }
            Some(Fault::Delay(until)) => {
                until.await;
                call.await
            }
        }
    }
}

#[cfg(test)]
mod tests;
