//! Slow work of one environment does not block another.

use std::{sync::Arc, time::Duration};

use diesel::QueryResult;
use futures_util::FutureExt;
use tokio::{sync::watch, time::timeout};

use super::SqliteEngine;
use crate::persistence::{
    engine::{Answer, Engine, Pace},
    open::OpenOptions,
};

/// Longer than any work takes that does not wait for blocked work.
const TIMEOUT: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn lists_that_hang_in_one_environment_delay_no_other_and_no_look_up() {
    let folder = tempfile::tempdir().unwrap();
    let options = OpenOptions { connections: 4, ..OpenOptions::default() };
    let engine = Arc::new(SqliteEngine::open(folder.path().join("a.db"), options).await.unwrap());
    let (end, hang) = watch::channel(false);
    let (begun, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let hanging: Vec<_> = (0..32)
        .map(|_| {
            let (engine, hang, begun) = (engine.clone(), hang.clone(), begun.clone());
            tokio::spawn(async move {
                let read = engine.read(
                    Pace::list(1),
                    Box::new(move |_| {
                        // Blocks its thread, as a long statement does.
                        let _ = begun.send(());
                        while !*hang.borrow() {
                            std::thread::sleep(Duration::from_millis(5));
                        }
                        async { QueryResult::Ok(Box::new(()) as Answer) }.boxed()
                    }),
                );
                // Reads that get no turn in time are refused.
                drop(read.await);
            })
        })
        .collect();
    for _ in 0..3 {
        timeout(TIMEOUT, seen.recv()).await.unwrap();
    }
    for pace in [Pace::LookUp, Pace::list(2), Pace::LookUp, Pace::list(3)] {
        let read = engine.read(
            pace,
            Box::new(|unit| {
                async move { unit.environments_known().await.map(|known| Box::new(known) as Answer) }.boxed()
            }),
        );
        assert!(timeout(TIMEOUT, read).await.expect("it does not wait for what hangs").is_ok());
    }
    assert!(seen.try_recv().is_err(), "one of four connections stays free for others");
    end.send(true).unwrap();
    for one in hanging {
        one.await.unwrap();
    }
}
