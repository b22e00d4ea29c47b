//! The hosts of a URL, each with a configuration of its own.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

use tokio::net::lookup_host;
use tokio_postgres::{Config, config::Host};

use super::problem::not_reached;

/// The default port.
const PORT: u16 = 5_432;

/// One host of a URL.
#[derive(Clone)]
pub(super) struct Place {
    /// A configuration with this host alone.
    pub(super) config: Config,
    host: Host,
    address: Option<IpAddr>,
    port: u16,
}

impl Place {
    /// The hosts of a configuration, in its order. Each address must have a host, which is its name.
    pub(super) fn all(config: &Config) -> Vec<Self> {
        let (addresses, ports) = (config.get_hostaddrs(), config.get_ports());
        let places = config.get_hosts().iter().enumerate().map(|(number, host)| {
            let port = ports.get(number).or_else(|| ports.first()).copied().unwrap_or(PORT);
            let address = addresses.get(number).copied();
            Self { config: alone(config, host, address, port), host: host.clone(), address, port }
        });
        places.collect()
    }

    /// The addresses of the host. Each is tried by itself, because one of them may hang.
    ///
    /// # Errors
    /// If the name has no address.
    pub(super) async fn addresses(&self) -> Result<Vec<Self>, String> {
        let Host::Tcp(name) = &self.host else { return Ok(vec![self.clone()]) };
        if self.address.is_some() || name.parse::<IpAddr>().is_ok() {
            return Ok(vec![self.clone()]);
        }
        let found = lookup_host((name.as_str(), self.port)).await.map_err(|error| not_reached(&error))?;
        let mut found: Vec<_> = found.map(|address: SocketAddr| address.ip()).collect();
        found.dedup();
        let of = |address| {
            let config = alone(&self.config, &self.host, Some(address), self.port);
            Self { config, address: Some(address), ..self.clone() }
        };
        Ok(found.into_iter().map(of).collect())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Tcp(name) => write!(f, "{name}:{}", self.port),
            Host::Unix(folder) => f.write_str(&folder.display().to_string()),
        }
    }
}

/// A configuration with one host alone.
fn alone(config: &Config, host: &Host, address: Option<IpAddr>, port: u16) -> Config {
    let mut one = Config::new();
    if let Some(user) = config.get_user() {
        one.user(user);
    }
    if let Some(password) = config.get_password() {
        one.password(password);
    }
    if let Some(name) = config.get_dbname() {
        one.dbname(name);
    }
    if let Some(options) = config.get_options() {
        one.options(options);
    }
    if let Some(name) = config.get_application_name() {
        one.application_name(name);
    }
    if let Some(wait) = config.get_tcp_user_timeout() {
        one.tcp_user_timeout(*wait);
    }
    if let Some(interval) = config.get_keepalives_interval() {
        one.keepalives_interval(interval);
    }
    if let Some(retries) = config.get_keepalives_retries() {
        one.keepalives_retries(retries);
    }
    one.keepalives(config.get_keepalives()).keepalives_idle(config.get_keepalives_idle());
    one.ssl_mode(config.get_ssl_mode()).ssl_negotiation(config.get_ssl_negotiation());
    one.channel_binding(config.get_channel_binding());
    match host {
        Host::Tcp(name) => one.host(name),
        Host::Unix(folder) => one.host_path(folder),
    };
    if let Some(address) = address {
        one.hostaddr(address);
    }
    one.port(port);
    one
}

#[cfg(test)]
mod tests {
    use tokio_postgres::Config;

    use super::Place;

    #[test]
    fn each_host_has_its_own_port_and_all_other_parts_of_the_url() {
        let url = "postgres://u:p@a:1,b:2/d?application_name=x&keepalives_idle=7&options=-c%20a%3Db";
        let places = Place::all(&url.parse::<Config>().unwrap());
        let of = |place: &Place| (place.config.get_hosts().len(), place.config.get_ports().to_vec());
        assert_eq!(places.iter().map(of).collect::<Vec<_>>(), [(1, vec![1]), (1, vec![2])]);
        for place in &places {
            let config = &place.config;
            assert_eq!((config.get_user(), config.get_password()), (Some("u"), Some(b"p".as_slice())));
            assert_eq!((config.get_dbname(), config.get_application_name()), (Some("d"), Some("x")));
            assert_eq!((config.get_options(), config.get_keepalives_idle().as_secs()), (Some("-c a=b"), 7));
        }
    }

    #[tokio::test]
    async fn an_address_is_not_looked_up() {
        let places = Place::all(&"postgres://u@db.example/d?hostaddr=127.0.0.1".parse::<Config>().unwrap());
        let found = places[0].addresses().await.unwrap();
        assert_eq!(found[0].config.get_hostaddrs().len(), 1);
        let local = Place::all(&"postgres://u@localhost/d".parse::<Config>().unwrap());
        let found = local[0].addresses().await.unwrap();
        assert!(!found.is_empty() && found.iter().all(|place| place.config.get_hostaddrs().len() == 1));
    }
}
