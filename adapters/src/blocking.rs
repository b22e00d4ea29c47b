//! Work that occupies a thread for more than a moment, such as parsing large documents.

use std::{cell::Cell, sync::LazyLock};

use tokio::{
    runtime::{Handle, RuntimeFlavor},
    task::block_in_place,
};

use crate::slices::Slices;

/// The number of bytes that are read, written or hashed within a fraction of a millisecond.
pub(crate) const SHORT: usize = 16_384;

/// The processors are shared by the whole process, so the limit is too.
static SLICES: LazyLock<Slices> = LazyLock::new(Slices::of_half_the_processors);

thread_local! {
    /// Whether this thread has a slice.
    static HAS_SLICE: Cell<bool> = const { Cell::new(false) };
}

/// Runs work on `bytes` bytes. If they are many, another thread takes over the tasks of this worker in the meantime, and
/// the work waits for one of the slices, of which there is one for every second processor.
pub(crate) fn blocking<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    // Work within other work must not wait for it.
    if bytes <= SHORT || HAS_SLICE.get() {
        return work();
    }
    // Other runtimes have no other workers, and do not allow blocking in place.
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => block_in_place(|| in_slice(work)),
        _ => work(),
    }
}

/// Runs work in a slice of processor time.
fn in_slice<T>(work: impl FnOnce() -> T) -> T {
    /// Ends the slice, even if the work panics.
    struct Slice;
    impl Drop for Slice {
        fn drop(&mut self) {
            HAS_SLICE.set(false);
            SLICES.leave();
        }
    }
    SLICES.enter();
    HAS_SLICE.set(true);
    let _slice = Slice;
    work()
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        thread::{available_parallelism, sleep},
        time::Duration,
    };

    use tokio::{runtime::Builder, task::JoinSet};

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

    #[test]
    fn long_work_leaves_half_of_the_processors_free() {
        static RUNNING: AtomicUsize = AtomicUsize::new(0);
        let long = || {
            let running = RUNNING.fetch_add(1, Ordering::SeqCst) + 1;
            sleep(Duration::from_millis(2));
            RUNNING.fetch_sub(1, Ordering::SeqCst);
            running
        };
        let runtime = Builder::new_multi_thread().worker_threads(4).build().unwrap();
        let most = (available_parallelism().map_or(1, usize::from) / 2).max(1);
        runtime.block_on(async {
            let mut all = JoinSet::new();
            for _ in 0..20 {
                all.spawn(async move { blocking(SHORT + 1, || blocking(SHORT + 1, long)) });
            }
            while let Some(running) = all.join_next().await {
                assert!(running.unwrap() <= most, "more than {most} were running");
            }
        });
    }

    #[test]
    fn work_that_panics_gives_its_slice_back() {
        let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
        for _ in 0..2 * available_parallelism().map_or(1, usize::from) {
            let outcome: Result<(), _> =
                runtime.block_on(async { tokio::spawn(async { blocking(SHORT + 1, || panic!("as intended")) }).await });
            assert!(outcome.is_err());
        }
        assert_eq!(runtime.block_on(async { tokio::spawn(async { blocking(SHORT + 1, || 1) }).await.unwrap() }), 1);
    }
}
