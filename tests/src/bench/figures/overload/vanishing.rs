//! Clients that send half a body and disconnect.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::time::sleep;

use crate::{
    client::Connection,
    server::Server,
    template::{Known, Random, Template, create, full_body},
};

/// The time between two vanishing clients.
const PAUSE: Duration = Duration::from_millis(20);

/// Lets one client after another vanish for some time; returns the digits of their external ids.
pub(crate) fn run(address: SocketAddr, duration: Duration) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (end, mut random, mut template) = (Instant::now() + duration, Random::new(), create(&full_body()));
        let mut vanished = Vec::new();
        while Instant::now() < end {
            let request = template.next(&mut random, &[]);
            let body = request.windows(4).position(|four| four == b"\r\n\r\n").map_or(0, |end| end + 4);
            let half = &request[..body + (request.len() - body) / 2];
            if let Ok(mut connection) = Connection::open(address).await
                && connection.send(half).await.is_ok()
            {
                vanished.extend(digits(half));
            }
            sleep(PAUSE).await;
        }
        vanished
    })
}

/// The number of vanished clients whose customer exists nevertheless.
pub(crate) fn left_behind(server: &Server, vanished: &[String]) -> usize {
    let there = vanished.iter().filter(|digits| {
        let mut template = Template::new("GET", &format!("/v1/customers/external/bench-{digits}"), &[], None);
        let known: &[Known] = &[];
        server.ask(template.next(&mut Random::new(), known)).0.status != 404
    });
    there.count()
}

/// The digits of the external id in the first half of a request, if they are in it.
fn digits(half: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(half).ok()?;
    let (_, rest) = text.split_once("\"external_id\":\"bench-")?;
    rest.get(..16).map(str::to_owned)
}
