//! Work that takes longer than a turn of an async worker: large bodies, large answers, hashing.
//!
//! A worker that reads a megabyte of JSON answers nobody meanwhile. Such work is done where it may block, and only so many
//! at once that the others keep processors of their own.

use std::sync::LazyLock;

use rocket::tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::Semaphore,
    task::block_in_place,
};

/// As many bytes as are read, written or hashed within a fraction of a millisecond.
pub(crate) const SHORT: usize = 16_384;

/// Half of the processors, and one at the least.
static TURNS: LazyLock<Semaphore> = LazyLock::new(|| {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Semaphore::new((processors / 2).max(1))
});

/// Does work on so many bytes: at once when they are few, else apart from the workers, when it is its turn.
pub(crate) async fn apart<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    if bytes <= SHORT {
        return work();
    }
    // Nobody closes the semaphore; without a permit the work is done all the same.
    let _turn = TURNS.acquire().await.ok();
    // Elsewhere there are no other workers to leave alone, and blocking in place is not allowed.
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
    fn work_is_done_in_every_kind_of_runtime() {
        let both = || async { (apart(1, || 1).await, apart(SHORT + 1, || 2).await) };
        assert_eq!(Builder::new_current_thread().build().unwrap().block_on(both()), (1, 2));
        let many = Builder::new_multi_thread().worker_threads(1).build().unwrap();
        assert_eq!(many.block_on(async { tokio::spawn(both()).await.unwrap() }), (1, 2));
    }
}
