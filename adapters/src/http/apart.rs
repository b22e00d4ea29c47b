//! Work that is too long for an async worker: large bodies, large responses, hashing.
//!
//! A worker that reads a megabyte of JSON serves no other request in the meantime. Such work runs where blocking is
//! allowed, with limited concurrency, so that the async workers keep processors for themselves.

use std::sync::LazyLock;

use rocket::tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::Semaphore,
    task::block_in_place,
};

/// The number of bytes that are read, written or hashed within a fraction of a millisecond.
pub(crate) const SHORT: usize = 16_384;

/// Half of the processors, and at least one.
static TURNS: LazyLock<Semaphore> = LazyLock::new(|| {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Semaphore::new((processors / 2).max(1))
});

/// Runs work on `bytes` bytes: at once if they are few, otherwise in a blocking section, limited by [`TURNS`].
pub(crate) async fn apart<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    if bytes <= SHORT {
        return work();
    }
    // The semaphore is never closed. The work runs even without a permit.
    let _turn = TURNS.acquire().await.ok();
    // Other runtimes have no other workers, and do not allow blocking in place.
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => block_in_place(work),
        _ => work(),
    }
}

#[cfg(test)]
mod tests {
    use rocket::tokio::runtime::Builder;

    use super::{SHORT, apart};

    #[test]
    fn work_runs_in_every_kind_of_runtime() {
        let both = || async { (apart(1, || 1).await, apart(SHORT + 1, || 2).await) };
        assert_eq!(Builder::new_current_thread().build().unwrap().block_on(both()), (1, 2));
        let many = Builder::new_multi_thread().worker_threads(1).build().unwrap();
        assert_eq!(many.block_on(async { tokio::spawn(both()).await.unwrap() }), (1, 2));
    }
}
