//! Values of settings. Errors name a setting by the place where it was set.

use std::net::{IpAddr, SocketAddr};

use patron_adapters::http::Origins;
use patron_domain::{
    network::Network,
    tenancy::{PerSecond, Quota},
};

use super::names::Names;

/// Checks that a number is within its limits.
pub(super) fn within<T>(names: &Names<'_>, key: &str, value: T, least: T, most: T) -> Result<(), String>
where
    T: PartialOrd + std::fmt::Display,
{
    if value < least || value > most {
        return Err(format!("{} must be from {least} to {most}, not {value}", names.of(key)));
    }
    Ok(())
}

/// A quota; unlimited by default.
pub(super) fn quota(max: Option<u32>) -> Quota {
    max.map_or(Quota::UNLIMITED, |max| Quota::of(max.into()))
}

/// A limit per second.
pub(super) fn per_second(names: &Names<'_>, key: &str, number: Option<u32>) -> Result<Option<PerSecond>, String> {
    let limit = number.map(|number| PerSecond::new(number.into())).transpose();
    limit.map_err(|error| format!("{} {error}", names.of(key)))
}

/// Networks, separated by commas.
pub(super) fn networks(names: &Names<'_>, key: &str, text: &str) -> Result<Vec<Network>, String> {
    let list = text.split(',').map(str::trim).filter(|network| !network.is_empty());
    let networks: Result<_, _> = list.map(Network::new).collect();
    networks.map_err(|error| format!("{}: each {error}; several are separated by commas", names.of(key)))
}

/// Addresses with a port; the default is 53.
pub(super) fn name_servers(names: &Names<'_>, text: &str) -> Result<Vec<SocketAddr>, String> {
    let list = text.split(',').map(str::trim).filter(|server| !server.is_empty());
    let server = |text: &str| {
        let alone = |_| text.parse().map(|address: IpAddr| SocketAddr::new(address, 53));
        text.parse().or_else(alone).map_err(|_| {
            format!(
                "{} must be addresses such as 192.0.2.53 or [2001:db8::53]:53, separated by commas, not {text}",
                names.of("webhooks_name_servers")
            )
        })
    };
    list.map(server).collect()
}

/// Origins for CORS, separated by commas, or `*`.
pub(super) fn origins(names: &Names<'_>, text: &str) -> Result<Origins, String> {
    let list: Vec<_> = text.split(',').map(str::trim).filter(|origin| !origin.is_empty()).collect();
    let is_origin = |origin: &&str| {
        let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        host.is_some_and(|host| !host.is_empty() && !host.contains(['/', ' ', '*']))
    };
    match list.as_slice() {
        [] => Ok(Origins::None),
        ["*"] => Ok(Origins::Any),
        origins if origins.iter().all(is_origin) => {
            Ok(Origins::List(origins.iter().map(ToString::to_string).collect()))
        }
        _ => Err(format!(
            "{} must be * or origins such as https://app.example.com, without a path, separated by commas",
            names.of("cors_origins")
        )),
    }
}
