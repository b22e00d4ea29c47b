//! Deliberate faults: a wrapper for any port that fails, delays or loses the results of chosen calls.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

mod custom_fields;
mod customers;
mod onboarding;
mod ports;
mod webhooks;

use crate::store::StoreError;

type Wait = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The planned faults. Calls of all ports wrapped with [`Faults::over`] are counted together, in the order in which
/// they begin, from 1.
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
/// // The work was done nevertheless, as when a connection breaks right after the commit.
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
    /// Wraps a port: an adapter, the [`MemoryStore`](super::MemoryStore), or a mock.
    pub fn over<P: ?Sized>(&self, port: Arc<P>) -> Arc<Faulty<P>> {
        Arc::new(Faulty { port, faults: self.clone() })
    }

    /// Call `number` does nothing and returns this error.
    pub fn fail_call(&self, number: u64, error: StoreError) {
        self.plan(number, Fault::Fail(error));
    }

    /// Call `number` does its work, but returns [`StoreError::Unavailable`] whatever the result, as when the connection
    /// is lost after the commit.
    pub fn lose_answer(&self, number: u64) {
        self.plan(number, Fault::LoseAnswer);
    }

    /// Call `number` begins only when this future is done. The test provides it, because this crate has no runtime: a
    /// sleep of the test's runtime, or a channel.
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

    /// From now on every call fails with this error, until [`Faults::recover`]. Faults planned for single calls take
    /// precedence.
    pub fn fail_every_call(&self, error: StoreError) {
        self.state().every = Some(error);
    }

    /// Removes all planned faults.
    pub fn recover(&self) {
        let mut state = self.state();
        state.every = None;
        state.planned.clear();
    }

    /// The number of calls so far.
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

/// A port with [`Faults`]. It implements the same ports as the wrapped one.
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
    /// Makes a call with the faults planned for it.
    async fn call<T, E: From<StoreError>>(&self, call: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        match self.faults.next() {
            None => call.await,
            Some(Fault::Fail(error)) => Err(error.into()),
            Some(Fault::LoseAnswer) => {
                drop(call.await);
                Err(StoreError::unavailable("the connection was lost before the result arrived").into())
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
