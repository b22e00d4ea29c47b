//! The services and options of the routes.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use patron_domain::{
    audit::AuditService,
    custom_field::CustomFieldService,
    customer::{CustomerService, find::FindService},
    event::{EventService, PastService},
    network::Network,
    onboarding::OnboardingService,
    privacy::PrivacyService,
    tax::TaxService,
    tenancy::AdministrationService,
    webhook::WebhookService,
};
use rocket::Request;
use utoipa::openapi::OpenApi;

use super::{Callers, LongWork, Origins, RateLimits, Readiness, document, error::ApiError, wrap::CurrentApi};

/// The services and options of the routes. Only the routes of the services that it has are mounted and documented.
///
/// [`Api::over`] builds one with all services over a Patron database.
pub struct Api {
    /// Customers, and their links to other systems.
    pub customers: CustomerService,
    /// Finding customers by a piece of text.
    pub find: Option<FindService>,
    /// Tax rates and associations.
    pub taxes: Option<TaxService>,
    /// Definitions of custom fields.
    pub custom_fields: Option<CustomFieldService>,
    /// The audit log.
    pub audit: Option<AuditService>,
    /// The log of events.
    pub events: Option<EventService>,
    /// Earlier states of customers. Without it, only their current state is shown.
    pub past: Option<PastService>,
    /// Environments and API keys.
    pub administration: Option<AdministrationService>,
    /// Webhook endpoints and deliveries.
    pub webhooks: Option<WebhookService>,
    /// Onboarding workflows and runs.
    pub onboarding: Option<OnboardingService>,
    /// Erasures, receipts and legal holds.
    pub privacy: Option<PrivacyService>,
    /// Identifies callers.
    pub callers: Arc<dyn Callers>,
    /// Counts requests against rate limits. Without limits by default.
    pub limits: RateLimits,
    /// Limits the concurrency of long work. Several APIs of one process should share it.
    pub long_work: LongWork,
    /// Checks whether requests can be served. Without it, the process is always ready.
    pub readiness: Option<Arc<dyn Readiness>>,
    /// Limits.
    pub options: HttpOptions,
    pub(super) places: Places,
}

/// The places where the parts of an API are mounted, for its document and for errors that link to them.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// The base of `docs` and `openapi.json`.
    pub(super) docs: OnceLock<String>,
    /// The base of `live` and `ready`.
    pub(super) health: OnceLock<String>,
    /// Whether `/metrics` is mounted.
    pub(super) metrics: OnceLock<()>,
}

/// Limits of the HTTP API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpOptions {
    /// The most bytes in a body. A longer one gets a 413. Default: 1 MiB.
    pub body_limit: usize,
    /// How long a body may take to arrive. A slower one gets a 408. Default: 10 s.
    pub body_timeout: Duration,
    /// How long a request may take, from the end of its body to the start of its answer. A slower one gets a 503.
    /// Default: 10 s. Use the same value for the database.
    pub request_timeout: Duration,
    /// The origins that browsers may send requests from. Default: none.
    pub cors_origins: Origins,
    /// The proxies whose `X-Forwarded-For` is trusted. Default: none.
    pub trusted_proxies: Vec<Network>,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            body_limit: 1_048_576,
            body_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(10),
            cors_origins: Origins::None,
            trusted_proxies: Vec::new(),
        }
    }
}

/// Access to an optional service.
macro_rules! service {
    ($name:ident: $service:ty) => {
        pub(super) fn $name(&self) -> Result<&$service, ApiError> {
            // Its routes are mounted only together with it.
            self.$name.as_ref().ok_or_else(ApiError::system_error)
        }
    };
}

impl Api {
    /// Customers alone, with the default limits.
    #[must_use]
    pub fn new(customers: CustomerService, callers: Arc<dyn Callers>) -> Self {
        Self {
            customers,
            find: None,
            taxes: None,
            custom_fields: None,
            audit: None,
            events: None,
            past: None,
            administration: None,
            webhooks: None,
            onboarding: None,
            privacy: None,
            callers,
            limits: RateLimits::default(),
            long_work: LongWork::default(),
            readiness: None,
            options: HttpOptions::default(),
            places: Places::default(),
        }
    }

    /// Builds the OpenAPI document of this API under a base path such as `/v1`. It describes only what is mounted.
    #[must_use]
    pub fn document(&self, base: &str) -> OpenApi {
        document::document(self, base)
    }

    service!(find: FindService);
    service!(taxes: TaxService);
    service!(custom_fields: CustomFieldService);
    service!(audit: AuditService);
    service!(events: EventService);
    service!(past: PastService);
    service!(administration: AdministrationService);
    service!(webhooks: WebhookService);
    service!(onboarding: OnboardingService);
    service!(privacy: PrivacyService);

    /// 404: no route has this path.
    pub(super) fn no_such_path(&self, method: &str, path: &str) -> ApiError {
        let docs = self.places.docs.get().map(|base| format!("{base}/docs"));
        ApiError::no_such_path(method, path, docs.as_deref())
    }

    /// The API of the request's route.
    pub(super) fn of<'r>(request: &'r Request<'_>) -> Result<&'r Self, ApiError> {
        request.local_cache(CurrentApi::default).0.as_deref().ok_or_else(ApiError::system_error)
    }
}
