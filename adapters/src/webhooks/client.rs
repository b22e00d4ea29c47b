//! The client that requests are made with: hyper's own, which follows no redirect, asks no proxy and keeps no cookie.

use std::{error::Error, io, sync::Arc, time::Duration};

use http_body_util::Full;
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use patron_domain::webhook::{CallPolicy, SendFailure};
use rustls::{ClientConfig, RootCertStore, crypto::ring};

use super::resolver::{CheckingResolver, NoAddress};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How many connections to a host are kept open, and for how long.
const IDLE: (usize, Duration) = (16, Duration::from_secs(30));

/// Keeps connections, and makes them to addresses that [`CheckingResolver`] lets pass, or that a URL names itself.
pub(super) type Client = legacy::Client<HttpsConnector<HttpConnector<CheckingResolver>>, Full<Bytes>>;

/// A client for `https`, with the certificates that the system trusts, or for plain `http`. Which addresses may be called
/// depends on that, and a resolver is told the name alone.
pub(super) fn client(calls: CallPolicy, encrypted: bool) -> Result<Client, rustls::Error> {
    let mut roots = RootCertStore::empty();
    if encrypted {
        // A certificate of the system that cannot be read does not make the others useless.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let tls = tls.with_safe_default_protocol_versions()?.with_root_certificates(roots).with_no_client_auth();
    let mut tcp = HttpConnector::new_with_resolver(CheckingResolver { calls, encrypted });
    tcp.set_connect_timeout(Some(CONNECT));
    tcp.set_nodelay(true);
    // Otherwise it would refuse `https`, which is wrapped around it.
    tcp.enforce_http(false);
    let connector =
        HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().wrap_connector(tcp);
    let mut builder = legacy::Client::builder(TokioExecutor::new());
    builder.pool_timer(TokioTimer::new()).pool_max_idle_per_host(IDLE.0).pool_idle_timeout(IDLE.1);
    Ok(builder.build(connector))
}

/// What went wrong with a request that was not answered.
pub(super) fn failure(error: &legacy::Error) -> SendFailure {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(no_address) = error.downcast_ref::<NoAddress>() {
            return match no_address {
                NoAddress::Refused => SendFailure::AddressRefused,
                NoAddress::Unknown => SendFailure::UnknownHost,
            };
        }
        if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut) {
            return SendFailure::Timeout;
        }
        cause = error.source();
    }
    SendFailure::Connection
}
