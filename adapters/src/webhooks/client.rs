//! The HTTP client: hyper's own, which follows no redirects, uses no proxy and keeps no cookies.

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

use super::{
    names::Names,
    resolver::{CheckingResolver, NoAddress},
};

/// The longest time for opening a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// The most idle connections to a host, and how long each is kept open.
const IDLE: (usize, Duration) = (16, Duration::from_secs(30));

/// A pooling client. It connects to addresses that [`CheckingResolver`] allows, or that the URL itself contains.
pub(super) type Client = legacy::Client<HttpsConnector<HttpConnector<CheckingResolver>>, Full<Bytes>>;

/// A client for `https`, with the system's trusted certificates, or for plain `http`. The allowed addresses depend on
/// which, and a resolver gets only the name.
pub(super) fn client(names: Names, calls: CallPolicy, encrypted: bool) -> Result<Client, rustls::Error> {
    let mut roots = RootCertStore::empty();
    if encrypted {
        // A certificate of the system that cannot be read does not invalidate the others.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let tls = tls.with_safe_default_protocol_versions()?.with_root_certificates(roots).with_no_client_auth();
    let mut tcp = HttpConnector::new_with_resolver(CheckingResolver { names, calls, encrypted });
    tcp.set_connect_timeout(Some(CONNECT));
    tcp.set_nodelay(true);
    // Otherwise the inner connector would reject `https` URLs.
    tcp.enforce_http(false);
    let connector =
        HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().wrap_connector(tcp);
    let mut builder = legacy::Client::builder(TokioExecutor::new());
    builder.pool_timer(TokioTimer::new()).pool_max_idle_per_host(IDLE.0).pool_idle_timeout(IDLE.1);
    Ok(builder.build(connector))
}

/// The reason why a request got no response.
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
