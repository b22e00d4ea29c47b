//! The settings: unchecked as written, and checked as used.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    str::FromStr,
    thread::available_parallelism,
    time::Duration,
};

use clap::ValueEnum;
use patron_adapters::{
    http::HttpOptions,
    persistence::{DatabaseUrl, OpenOptions},
    webhooks::{Budget, SealingKey},
};
use patron_domain::{
    tenancy::{ApiKeySecret, Quota, Quotas, RateLimit},
    webhook::{CallPolicy, DISABLE_AFTER, Retries},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

use super::{
    names::{Names, Origin},
    secret_file,
    values::{name_servers, networks, origins, per_second, quota, within},
};

/// The format of logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people on a terminal, as JSON otherwise.
    Auto,
    /// For people.
    Human,
    /// One JSON object per line.
    Json,
}

/// The level of detail in logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogLevel {
    /// Failures.
    Error,
    /// Also warnings.
    Warn,
    /// Also one line for each request.
    Info,
    /// Also details for debugging.
    Debug,
}

/// The settings as written, unchecked.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    /// `PATRON_DATABASE_URL`: where the database is.
    #[serde(serialize_with = "expose")]
    database_url: SecretString,
    /// `PATRON_DATABASE_URL_FILE`: a file with that URL.
    #[serde(skip_serializing)]
    database_url_file: Option<PathBuf>,
    /// `PATRON_DATABASE_CONNECTIONS`: the maximum number of connections to the database for lists and searches, 1 to 1000.
    database_connections: usize,
    /// `PATRON_WRITE_QUEUE`: the maximum number of writes in the queue, 1 to 1,000,000.
    write_queue: usize,
    /// `PATRON_COMMITS_BY_ENVIRONMENT`: whether each shared commit contains changes of one environment only.
    commits_by_environment: bool,
    /// `PATRON_ADDRESS`: the address to listen on.
    address: IpAddr,
    /// `PATRON_PORT`: the port to listen on, 0 for any free one.
    port: u16,
    /// `PATRON_WORKERS`: the threads that serve requests, 1 to 1024. Without it, one for each processor.
    #[serde(skip_serializing_if = "Option::is_none")]
    workers: Option<usize>,
    /// `PATRON_BODY_LIMIT_BYTES`: the maximum number of bytes in a request's body, 1 KiB to 16 MiB.
    body_limit_bytes: usize,
    /// `PATRON_BODY_TIMEOUT_SECONDS`: how long a body may take to arrive, 1 to 300 s.
    body_timeout_seconds: u64,
    /// `PATRON_REQUEST_TIMEOUT_SECONDS`: how long a request may take from the end of its body to the beginning of its
    /// answer, 1 to 300 s. All time-outs of the database follow from it.
    request_timeout_seconds: u64,
    /// `PATRON_CORS_ORIGINS`: the origins that browsers may send requests from, separated by commas, or `*`.
    cors_origins: String,
    /// `PATRON_SHUTDOWN_GRACE_SECONDS`: how long running requests may take after SIGTERM, 0 to 300 s.
    shutdown_grace_seconds: u32,
    /// `PATRON_IDEMPOTENCY_HOURS`: how long the response under an `Idempotency-Key` is kept, 1 to 720 hours.
    idempotency_hours: u32,
    /// `PATRON_EVENTS_DAYS`: how long events stay in the log, 1 to 36,500 days and longer than
    /// `PATRON_IDEMPOTENCY_HOURS`. By default they are kept for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    events_days: Option<u32>,
    /// `PATRON_AUDIT_ADDRESSES_DAYS`: how long addresses are kept in the audit log, 1 to 3,650 days.
    audit_addresses_days: u32,
    /// `PATRON_RATE_LIMIT_READS`: the maximum reads per second of each tenant, 1 to 1,000,000. Unlimited by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_limit_reads: Option<u32>,
    /// `PATRON_RATE_LIMIT_WRITES`: the maximum writes per second of each tenant, 1 to 1,000,000. Unlimited by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_limit_writes: Option<u32>,
    /// `PATRON_QUOTA_CUSTOMERS`: the maximum number of published customers in an environment. Unlimited by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    quota_customers: Option<u32>,
    /// `PATRON_QUOTA_ENDPOINTS`: the maximum number of webhook endpoints in an environment. The default, and the highest, is 50.
    #[serde(skip_serializing_if = "Option::is_none")]
    quota_endpoints: Option<u32>,
    /// `PATRON_QUOTA_WORKFLOWS`: the maximum number of onboarding workflows in an environment. Unlimited by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    quota_workflows: Option<u32>,
    /// `PATRON_QUOTA_CUSTOM_FIELDS`: the maximum number of custom fields in an environment. The default, and the highest, is 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    quota_custom_fields: Option<u32>,
    /// `PATRON_QUOTA_IMPORT_BYTES`: the most bytes in the files of an environment's imports. Each file is
    /// rounded up to MiB, and is removed when its import ends. The default is 4 GiB.
    quota_import_bytes: u64,
    /// `PATRON_KEY_MAX_DAYS`: the maximum validity of a key, 1 to 36,500 days. Unlimited by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_max_days: Option<u32>,
    /// `PATRON_TRUSTED_PROXIES`: networks of the proxies whose `X-Forwarded-For` is trusted, separated by commas.
    trusted_proxies: String,
    /// `PATRON_BOOTSTRAP_KEY`: the first API key of an empty database. Random by default.
    #[serde(skip_serializing)]
    bootstrap_key: Option<SecretString>,
    /// `PATRON_BOOTSTRAP_KEY_FILE`: a file that contains the key.
    #[serde(skip_serializing)]
    bootstrap_key_file: Option<PathBuf>,
    /// `PATRON_METRICS_ADDRESS`: a separate address and port for `/metrics`, such as 127.0.0.1:9090.
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics_address: Option<SocketAddr>,
    /// `PATRON_METRICS_PUBLIC`: whether `/metrics` is served on the main port, without a key.
    metrics_public: bool,
    /// `PATRON_SECRETS_KEY`: the keys that encrypt webhook secrets at rest, 32 bytes each in base64 or hexadecimal,
    /// separated by commas. The first one encrypts, all decrypt.
    #[serde(skip_serializing)]
    secrets_key: Option<SecretString>,
    /// `PATRON_SECRETS_KEY_FILE`: a file that contains these keys.
    #[serde(skip_serializing)]
    secrets_key_file: Option<PathBuf>,
    /// `PATRON_WEBHOOKS_DELIVER`: whether this process delivers webhooks.
    webhooks_deliver: bool,
    /// `PATRON_WEBHOOKS_ALLOW_HTTP`: whether deliveries may go to public addresses over plain `http`.
    webhooks_allow_http: bool,
    /// `PATRON_WEBHOOKS_ALLOW_PRIVATE`: whether deliveries may go to private addresses, including this machine, over
    /// `https` and plain `http`. For development.
    webhooks_allow_private: bool,
    /// `PATRON_WEBHOOKS_NEVER_CALL`: networks that deliveries and onboarding calls never reach, such as 203.0.113.0/24,
    /// separated by commas.
    webhooks_never_call: String,
    /// `PATRON_WEBHOOKS_NAME_SERVERS`: the name servers for hosts of deliveries and onboarding calls, such as 192.0.2.53:53,
    /// separated by commas; the system's by default.
    webhooks_name_servers: String,
    /// `PATRON_WEBHOOKS_MEMORY_MIB`: the memory for events that are being delivered, 16 to 65,536 MiB.
    webhooks_memory_mib: usize,
    /// `PATRON_WEBHOOKS_LEASE_SECONDS`: the time after which another process takes over from one that stopped
    /// responding, 2 to 600 s.
    webhooks_lease_seconds: u64,
    /// `PATRON_WEBHOOKS_RETRY_SECONDS`: how long a failed delivery is retried, 1 s to 30 days.
    webhooks_retry_seconds: u64,
    /// `PATRON_WEBHOOKS_DISABLE_AFTER_SECONDS`: the time after which an endpoint that accepts nothing is disabled, 1 s
    /// to 90 days.
    webhooks_disable_after_seconds: u64,
    /// `PATRON_WEBHOOKS_RETENTION_HOURS`: how long deliveries are kept, 1 hour to 10 years.
    webhooks_retention_hours: u32,
    /// `PATRON_ONBOARDING_CONCURRENCY`: the maximum number of concurrent onboarding runs of this process, 0 (none) to 1000.
    onboarding_concurrency: u16,
    /// `PATRON_LOG_FORMAT`: auto, human or json.
    log_format: LogFormat,
    /// `PATRON_LOG_LEVEL`: error, warn, info or debug.
    log_level: LogLevel,
}

fn expose<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

impl Default for Raw {
    fn default() -> Self {
        let (http, database) = (HttpOptions::default(), OpenOptions::default());
        Self {
            database_url: SecretString::from("sqlite://patron.db"),
            database_url_file: None,
            database_connections: database.connections,
            write_queue: database.write_queue,
            commits_by_environment: database.commits_by_environment,
            address: IpAddr::from([127, 0, 0, 1]),
            port: 8080,
            workers: None,
            body_limit_bytes: http.body_limit,
            body_timeout_seconds: http.body_timeout.as_secs(),
            request_timeout_seconds: http.request_timeout.as_secs(),
            cors_origins: String::new(),
            shutdown_grace_seconds: 10,
            idempotency_hours: 24,
            events_days: None,
            audit_addresses_days: 90,
            rate_limit_reads: None,
            rate_limit_writes: None,
            quota_customers: None,
            quota_endpoints: None,
            quota_workflows: None,
            quota_custom_fields: None,
            quota_import_bytes: 4 << 30,
            key_max_days: None,
            trusted_proxies: String::new(),
            bootstrap_key: None,
            bootstrap_key_file: None,
            metrics_address: None,
            metrics_public: false,
            secrets_key: None,
            secrets_key_file: None,
            webhooks_deliver: true,
            webhooks_allow_http: false,
            webhooks_allow_private: false,
            webhooks_never_call: String::new(),
            webhooks_name_servers: String::new(),
            webhooks_memory_mib: Budget::USUAL >> 20,
            webhooks_lease_seconds: 30,
            webhooks_retry_seconds: Retries::SPAN.as_secs(),
            webhooks_disable_after_seconds: DISABLE_AFTER.as_secs(),
            webhooks_retention_hours: 30 * 24,
            onboarding_concurrency: 16,
            log_format: LogFormat::Auto,
            log_level: LogLevel::Info,
        }
    }
}

/// Settings of webhook delivery.
#[derive(Debug, Clone)]
pub(crate) struct WebhookSettings {
    /// The first one encrypts, all decrypt.
    pub(crate) secrets_keys: Vec<SealingKey>,
    pub(crate) deliver: bool,
    pub(crate) calls: CallPolicy,
    pub(crate) name_servers: Vec<SocketAddr>,
    /// In bytes.
    pub(crate) memory: usize,
    pub(crate) lease: Duration,
    pub(crate) retries: Retries,
    pub(crate) disable_after: Duration,
    pub(crate) retention: Duration,
}

/// The settings, checked.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) database_url: DatabaseUrl,
    /// The place where the URL was set, for messages: a flag, a variable, or a key in a file. `None` for the default.
    pub(crate) database_set_by: Option<String>,
    pub(crate) database_connections: usize,
    pub(crate) write_queue: usize,
    pub(crate) commits_by_environment: bool,
    pub(crate) address: IpAddr,
    pub(crate) port: u16,
    pub(crate) workers: usize,
    pub(crate) http: HttpOptions,
    pub(crate) shutdown_grace_seconds: u32,
    pub(crate) idempotency_ttl: Duration,
    pub(crate) events_ttl: Option<Duration>,
    pub(crate) audit_addresses_ttl: Duration,
    /// The rate limit of each tenant.
    pub(crate) rate_limit: RateLimit,
    pub(crate) quotas: Quotas,
    pub(crate) key_max_age: Option<Duration>,
    pub(crate) bootstrap_key: Option<ApiKeySecret>,
    pub(crate) metrics_address: Option<SocketAddr>,
    pub(crate) metrics_public: bool,
    pub(crate) webhooks: WebhookSettings,
    pub(crate) onboarding_concurrency: u16,
    pub(crate) log_format: LogFormat,
    pub(crate) log_level: LogLevel,
}

impl Raw {
    /// Checks the rules that types do not express. Errors name a setting by the place where it was set.
    pub(super) fn check(self, names: &Names<'_>) -> Result<Settings, String> {
        let url = Some(self.database_url);
        let url = secret_file::resolve(names, "database_url", url, self.database_url_file.as_deref())?;
        let database_set_by = url.origin.ne(&Origin::Default).then(|| url.name.clone());
        let key = secret_file::resolve(names, "bootstrap_key", self.bootstrap_key, self.bootstrap_key_file.as_deref())?;
        let sealing = secret_file::resolve(names, "secrets_key", self.secrets_key, self.secrets_key_file.as_deref())?;
        let processors = available_parallelism().map_or(1, usize::from);
        within(names, "database_connections", self.database_connections, 1, 1_000)?;
        within(names, "write_queue", self.write_queue, 1, 1_000_000)?;
        within(names, "workers", self.workers.unwrap_or(processors), 1, 1_024)?;
        within(names, "body_limit_bytes", self.body_limit_bytes, 1_024, 16_777_216)?;
        within(names, "body_timeout_seconds", self.body_timeout_seconds, 1, 300)?;
        within(names, "request_timeout_seconds", self.request_timeout_seconds, 1, 300)?;
        within(names, "idempotency_hours", self.idempotency_hours, 1, 720)?;
        if let Some(days) = self.events_days {
            within(names, "events_days", days, 1, 36_500)?;
            if days * 24 <= self.idempotency_hours {
                return Err(format!(
                    "{} must be longer than {}: repeated requests are answered from their events, and {days} days \
                     are not more than {} hours",
                    names.of("events_days"),
                    names.of("idempotency_hours"),
                    self.idempotency_hours
                ));
            }
        }
        within(names, "key_max_days", self.key_max_days.unwrap_or(1), 1, 36_500)?;
        within(names, "audit_addresses_days", self.audit_addresses_days, 1, 3_650)?;
        within(names, "shutdown_grace_seconds", self.shutdown_grace_seconds, 0, 300)?;
        within(names, "webhooks_memory_mib", self.webhooks_memory_mib, 16, 65_536)?;
        within(names, "webhooks_lease_seconds", self.webhooks_lease_seconds, 2, 600)?;
        within(names, "webhooks_retry_seconds", self.webhooks_retry_seconds, 1, 30 * 86_400)?;
        within(names, "webhooks_disable_after_seconds", self.webhooks_disable_after_seconds, 1, 90 * 86_400)?;
        within(names, "webhooks_retention_hours", self.webhooks_retention_hours, 1, 87_600)?;
        within(names, "onboarding_concurrency", self.onboarding_concurrency, 0, 1_000)?;
        let url = url.read(DatabaseUrl::from_str)?.ok_or("the database is not set: set PATRON_DATABASE_URL")?;
        Ok(Settings {
            database_url: url,
            database_set_by,
            database_connections: self.database_connections,
            write_queue: self.write_queue,
            commits_by_environment: self.commits_by_environment,
            address: self.address,
            port: self.port,
            workers: self.workers.unwrap_or(processors),
            http: HttpOptions {
                body_limit: self.body_limit_bytes,
                body_timeout: Duration::from_secs(self.body_timeout_seconds),
                request_timeout: Duration::from_secs(self.request_timeout_seconds),
                cors_origins: origins(names, &self.cors_origins)?,
                trusted_proxies: networks(names, "trusted_proxies", &self.trusted_proxies)?,
            },
            shutdown_grace_seconds: self.shutdown_grace_seconds,
            idempotency_ttl: Duration::from_secs(u64::from(self.idempotency_hours) * 3_600),
            quotas: Quotas {
                customers: quota(self.quota_customers),
                endpoints: quota(self.quota_endpoints),
                workflows: quota(self.quota_workflows),
                custom_fields: quota(self.quota_custom_fields),
                import_bytes: Quota::of(self.quota_import_bytes),
            },
            rate_limit: RateLimit {
                reads: per_second(names, "rate_limit_reads", self.rate_limit_reads)?,
                writes: per_second(names, "rate_limit_writes", self.rate_limit_writes)?,
            },
            key_max_age: self.key_max_days.map(|days| Duration::from_secs(u64::from(days) * 86_400)),
            audit_addresses_ttl: Duration::from_secs(u64::from(self.audit_addresses_days) * 86_400),
            events_ttl: self.events_days.map(|days| Duration::from_secs(u64::from(days) * 86_400)),
            bootstrap_key: key.read(|text| {
                ApiKeySecret::chosen(text).map_err(|error| format!("{error}; without this setting the key is random"))
            })?,
            metrics_address: self.metrics_address,
            metrics_public: self.metrics_public,
            webhooks: WebhookSettings {
                secrets_keys: sealing.read(SealingKey::parse_list)?.unwrap_or_default(),
                deliver: self.webhooks_deliver,
                calls: CallPolicy {
                    allow_http: self.webhooks_allow_http,
                    allow_private: self.webhooks_allow_private,
                    never: networks(names, "webhooks_never_call", &self.webhooks_never_call)?,
                },
                name_servers: name_servers(names, &self.webhooks_name_servers)?,
                memory: self.webhooks_memory_mib << 20,
                lease: Duration::from_secs(self.webhooks_lease_seconds),
                retries: Retries::over(Duration::from_secs(self.webhooks_retry_seconds)),
                disable_after: Duration::from_secs(self.webhooks_disable_after_seconds),
                retention: Duration::from_secs(u64::from(self.webhooks_retention_hours) * 3_600),
            },
            onboarding_concurrency: self.onboarding_concurrency,
            log_format: self.log_format,
            log_level: self.log_level,
        })
    }
}
