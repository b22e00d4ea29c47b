//! Exports, against a bare loop over the same rows.

use std::time::Instant;

use patron_tests::patron::{KEY, provide_cryptography};
use reqwest::Client;

use crate::{
    server::Server,
    stage::Stage,
    table::{Target, count, note, verdict},
};

/// Exports all customers, and reads them with the loop.
pub(super) fn export(stage: &Stage, server: &Server) {
    let customers = stage.count() as f64;
    let started = Instant::now();
    let lines = download(server);
    let exported = customers / started.elapsed().as_secs_f64();
    assert_eq!(lines as f64, customers, "the export has every customer");
    let started = Instant::now();
    let read = stage.read_all();
    let bare = customers / started.elapsed().as_secs_f64();
    assert_eq!(read as f64, customers, "the loop reads every customer");
    note(&format!("export {}/s, bare keyset loop {}/s", count(exported), count(bare)));
    verdict("export ÷ bare keyset loop", exported / bare, "", Target::AtLeast(0.5));
    note(&format!("VmHWM after the export {:.1} MiB", server.memory("VmHWM")));
}

/// Downloads an export, and counts its lines.
fn download(server: &Server) -> usize {
    provide_cryptography();
    let url = format!("http://{}/v1/customers/export", server.address);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut answer = Client::new().get(url).header("x-api-key", KEY).send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), 200, "an export");
        let mut lines = 0;
        while let Some(part) = answer.chunk().await.expect("a part") {
            lines += part.iter().filter(|byte| **byte == b'\n').count();
        }
        lines
    })
}
