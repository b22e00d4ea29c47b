//! Work that occupies a thread for more than a moment, such as parsing large documents.

use tokio::{
    runtime::{Handle, RuntimeFlavor},
    task::block_in_place,
};

/// The number of bytes that are read, written or hashed within a fraction of a millisecond.
pub(crate) const SHORT: usize = 16_384;

/// Runs work on `bytes` bytes. If they are many, another thread takes over the tasks of this worker in the meantime.
pub(crate) fn blocking<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    if bytes <= SHORT {
        return work();
    }
    // Other runtimes have no other workers, and do not allow blocking in place.
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => block_in_place(work),
        _ => work(),
    }
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Builder;

    use super::{SHORT, blocking};

    #[test]
    fn work_runs_in_every_kind_of_runtime_and_in_none() {
        let both = || (blocking(1, || 1), blocking(SHORT + 1, || 2));
        assert_eq!(both(), (1, 2));
        assert_eq!(Builder::new_current_thread().build().unwrap().block_on(async { both() }), (1, 2));
        let many = Builder::new_multi_thread().worker_threads(1).build().unwrap();
        assert_eq!(many.block_on(async { tokio::spawn(async move { both() }).await.unwrap() }), (1, 2));
        assert_eq!(many.block_on(async { tokio::task::spawn_blocking(both).await.unwrap() }), (1, 2));
    }
}
