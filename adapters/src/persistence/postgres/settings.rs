//! The settings in a URL: the server's address, the user, and the security of the connection.

use std::{borrow::Cow, net::IpAddr, sync::Arc, time::Duration};

use percent_encoding::percent_decode_str;
use tokio_postgres::{
    Config,
    config::{Host, LoadBalanceHosts, SslMode, SslNegotiation},
};

use super::{
    connect::Door,
    hosts::Place,
    link::{Link, Security},
    timeouts::Timeouts,
    tls::{self, Check, Files},
};
use crate::persistence::{open::OpenError, url::PostgresUrl};

/// A vanished server is noticed after 60 s of silence. If a query is waiting for it, it is noticed after the request's
/// time-out.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_RETRIES: u32 = 3;

/// Advice if a password was read as another part of the URL.
const ENCODED: &str =
    "in the user and the password, write @ as %40, / as %2F, : as %3A, ? as %3F, # as %23 and % as %25";
/// Advice about an unknown option.
const OPTIONS: &str = "the options are those of libpq, such as sslmode=require, joined by &";
/// The reason why time-outs are rejected as options.
const DERIVED: &str = "all time-outs are derived from PATRON_REQUEST_TIMEOUT_SECONDS";

/// The settings of a URL.
#[derive(Clone)]
pub(super) struct Settings {
    /// Host, port, user and so on, for each host. Their `ssl_mode` only passes the socket to `link`.
    pub(super) places: Vec<Place>,
    /// Whether new connections start with different hosts (`load_balance_hosts=random`).
    pub(super) spread: bool,
    /// Which hosts are usable.
    pub(super) target: Target,
    /// Whether the tables are spread over several servers. Determined at the start.
    pub(super) distributed: bool,
    /// Secures the socket.
    pub(super) link: Link,
    /// All time-outs.
    pub(super) timeouts: Timeouts,
    /// Shared by all connections while they look for a server.
    pub(super) door: Arc<Door>,
    /// For messages: the URL without user, password and options.
    pub(super) place: String,
}

/// `target_session_attrs`, as in libpq's documentation (PostgreSQL, section 34.1.2), without the values for servers
/// that are only read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// Any server, without a check.
    Any,
    /// A server that accepts writes by default.
    ReadWrite,
    /// A server that is not a standby.
    Primary,
}

impl Target {
    fn parse(text: &str) -> Result<Self, OpenError> {
        match text {
            "any" => Ok(Self::Any),
            "read-write" => Ok(Self::ReadWrite),
            "primary" => Ok(Self::Primary),
            _ => Err(refused("target_session_attrs must be read-write, primary or any, because Patron writes")),
        }
    }

    /// The query that checks a server. The result "on" means that it is not usable.
    pub(super) fn question(self) -> &'static str {
        match self {
            Self::ReadWrite => "SELECT pg_catalog.current_setting('transaction_read_only')",
            Self::Any | Self::Primary => "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN 'on' ELSE 'off' END",
        }
    }
}

/// `sslmode`, as in libpq's documentation (PostgreSQL, section 34.19), except `allow`, which prefers plain connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl Mode {
    fn parse(text: &str) -> Result<Self, OpenError> {
        match text {
            "disable" => Ok(Self::Disable),
            "prefer" => Ok(Self::Prefer),
            "require" => Ok(Self::Require),
            "verify-ca" => Ok(Self::VerifyCa),
            "verify-full" => Ok(Self::VerifyFull),
            _ => Err(refused(
                "sslmode must be disable, prefer, require, verify-ca or verify-full, for example ?sslmode=verify-full",
            )),
        }
    }
}

/// The options that this module reads. tokio-postgres reads all others.
#[derive(Debug, Default, PartialEq, Eq)]
struct Options<'a> {
    mode: Option<Mode>,
    target: Option<Target>,
    files: Files,
    rest: Vec<&'a str>,
    given: Vec<Cow<'a, str>>,
}

fn refused(reason: impl Into<String>) -> OpenError {
    OpenError::Url { reason: reason.into() }
}

impl Settings {
    /// Reads a URL and the certificates that it names. `wait` is how long callers wait for an answer.
    ///
    /// # Errors
    /// [`OpenError::Url`] for an invalid URL, and for certificates that cannot be read.
    pub(super) fn read(url: &PostgresUrl, wait: Duration) -> Result<Self, OpenError> {
        let (front, options) = split(url.expose());
        if front.matches('@').count() > 1 {
            return Err(refused(format!("it contains more than one @: {ENCODED}")));
        }
        let options = Options::read(options)?;
        let mut config = format!("{front}?{}", options.rest.join("&")).parse::<Config>().map_err(|error| {
            // An invalid part may be a password with an unencoded character: name the place, not the text.
            let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            if cause.contains("unknown option") {
                return refused(format!("{cause}; {OPTIONS}"));
            }
            let port = if cause.contains("`port`") { ": a port is a number, as in host:5432" } else { "" };
            refused(format!("{cause}{port}; {ENCODED}"))
        })?;
        let over_socket = name_hosts(&mut config)?;
        if config.get_options().is_some_and(|options| options.contains("statement_timeout")) {
            return Err(refused(format!("leave statement_timeout out: {DERIVED}")));
        }
        options.set_defaults(&mut config, wait);
        let mode = options.mode.unwrap_or(if is_here(&config) { Mode::Prefer } else { Mode::VerifyFull });
        let security = if over_socket { Security::Plain } else { options.security(mode)? };
        // The socket goes to `link` unchanged, which decides about TLS.
        config.ssl_mode(SslMode::Require).ssl_negotiation(SslNegotiation::Direct);
        Ok(Self {
            places: Place::all(&config),
            spread: config.get_load_balance_hosts() == LoadBalanceHosts::Random,
            target: options.target.unwrap_or(Target::ReadWrite),
            distributed: false,
            link: Link::new(security),
            timeouts: Timeouts::of(wait),
            door: Arc::default(),
            place: url.to_string(),
        })
    }
}

/// Splits a URL into the part before its options and the options. A password may contain a question mark.
fn split(url: &str) -> (&str, &str) {
    let start = url.find('@').unwrap_or(0);
    match url[start..].find('?') {
        Some(mark) => (&url[..start + mark], &url[start + mark + 1..]),
        None => (url, ""),
    }
}

impl<'a> Options<'a> {
    fn read(text: &'a str) -> Result<Self, OpenError> {
        let mut options = Self::default();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) =
                pair.split_once('=').ok_or_else(|| refused("an option has no value: write option=value"))?;
            let decoded =
                |text: &'a str| percent_decode_str(text).decode_utf8().map_err(|_| refused("it is not UTF-8"));
            let (key, value) = (decoded(key)?, decoded(value)?);
            match key.as_ref() {
                "sslmode" => options.mode = Some(Mode::parse(&value)?),
                "sslrootcert" => options.files.roots = Some(value.into_owned()),
                "sslcert" => options.files.certificate = Some(value.into_owned()),
                "sslkey" => options.files.key = Some(value.into_owned()),
                "sslnegotiation" if value != "postgres" => return Err(refused("sslnegotiation must be postgres")),
                "sslpassword" => return Err(refused("sslpassword is not supported: sslkey must not be encrypted")),
                "sslnegotiation" => {}
                "target_session_attrs" => options.target = Some(Target::parse(&value)?),
                "connect_timeout" => return Err(refused(format!("leave connect_timeout out: {DERIVED}"))),
                _ => options.rest.push(pair),
            }
            options.given.push(key);
        }
        Ok(options)
    }

    fn security(&self, mode: Mode) -> Result<Security, OpenError> {
        let client = |check| tls::client_config(check, &self.files).map_err(refused);
        Ok(match mode {
            Mode::Disable => Security::Plain,
            Mode::Prefer => Security::prefer(client(Check::Nothing)?, self.mode.is_some()),
            Mode::Require => Security::tls(client(Check::Nothing)?, "require"),
            Mode::VerifyCa => Security::tls(client(Check::Chain)?, "verify-ca"),
            Mode::VerifyFull => Security::tls(client(Check::ChainAndName)?, "verify-full"),
        })
    }

    fn set_defaults(&self, config: &mut Config, wait: Duration) {
        let given = |key: &str| self.given.iter().any(|given| given == key);
        if config.get_application_name().is_none() {
            config.application_name("patron");
        }
        if !given("tcp_user_timeout") {
            config.tcp_user_timeout(wait);
        }
        if !given("keepalives_idle") {
            config.keepalives_idle(KEEPALIVE_IDLE);
        }
        if !given("keepalives_interval") {
            config.keepalives_interval(KEEPALIVE_INTERVAL);
        }
        if !given("keepalives_retries") {
            config.keepalives_retries(KEEPALIVE_RETRIES);
        }
    }
}

/// Gives every address a host name, for checking the certificate. Returns whether the server uses a Unix socket.
fn name_hosts(config: &mut Config) -> Result<bool, OpenError> {
    if config.get_hosts().is_empty() {
        for address in config.get_hostaddrs().to_vec() {
            config.host(address.to_string());
        }
    }
    let (hosts, addresses) = (config.get_hosts().len(), config.get_hostaddrs().len());
    if addresses > 0 && addresses != hosts {
        return Err(refused(format!("it has {hosts} hosts and {addresses} addresses (hostaddr): write one for each")));
    }
    let ports = config.get_ports().len();
    if ports > 1 && ports != hosts {
        return Err(refused(format!("it has {hosts} hosts and {ports} ports: write one for each, or one for all")));
    }
    match config.get_hosts() {
        [] => Err(refused("it has no host: write postgres://user:password@host/database")),
        [Host::Unix(_)] => Ok(true),
        hosts if hosts.iter().all(|host| matches!(host, Host::Tcp(_))) => Ok(false),
        _ => Err(refused("a Unix socket must be the only host")),
    }
}

/// Whether all hosts are on this machine, so that no traffic leaves it.
fn is_here(config: &Config) -> bool {
    let named = config.get_hosts().iter().all(|host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => name == "localhost" || name.parse().is_ok_and(|address: IpAddr| address.is_loopback()),
    });
    named && config.get_hostaddrs().iter().all(IpAddr::is_loopback)
}

#[cfg(test)]
mod tests;
