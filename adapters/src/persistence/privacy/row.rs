//! Rows of the tables about erasures.

use patron_domain::{
    customer::CustomerAggregate,
    ids::DeletionRequestKind,
    lifecycle::Owner,
    onboarding::OnboardingRun,
    privacy::{DeletionRequest, RetentionSetting},
    store::StoreError,
    time::Timestamp,
};

use crate::persistence::{
    rows::rows,
    value::{Document, Key},
    word::Word,
};

rows! {
    /// One row of `deletion_requests`.
    DeletionRow: deletion_requests {
        environment: i32, id: Key;
        customer: Key,
        state: i16,
        due_at: Option<i64>,
        holder: Option<String>,
        document: Document,
    }
}

rows! {
    /// One row of `suppressed_customers`.
    SuppressedRow: suppressed_customers {
        environment: i32, id: Key;
        document: Document,
        run: Option<Document>,
    }
}

rows! {
    /// The key of a suppressed customer, for deleting its row.
    SuppressedPlaceRow: suppressed_customers {
        environment: i32, id: Key;
    }
}

rows! {
    /// The key of a customer, for deleting its row.
    CustomerPlaceRow: customers {
        environment: i32, id: Key;
    }
}

rows! {
    /// The key of an onboarding run, for deleting it.
    RunPlaceRow: onboarding_runs {
        environment: i32, customer: Key;
    }
}

rows! {
    /// One row of `erased_subjects`.
    SubjectRow: erased_subjects {
        environment: i32, tag: Vec<u8>, request: Key;
    }
}

rows! {
    /// One row of `retention_settings`.
    RetentionRow: retention_settings {
        environment: i32;
        document: Document,
    }
}

rows! {
    /// One row of `installation_keys`.
    InstallationKeyRow: installation_keys {
        id: Key;
        kind: i16,
        public_key: Option<Vec<u8>>,
        secret: String,
        created_at: i64,
        retired_at: Option<i64>,
    }
}

impl RetentionRow {
    pub(crate) fn new(environment: i32, setting: &RetentionSetting) -> Self {
        Self { environment, document: Document::of(setting) }
    }

    /// The setting, with its owner.
    pub(crate) fn setting(&self, owner: Owner) -> Result<RetentionSetting, StoreError> {
        self.document.read(owner, "of an environment")
    }
}

impl DeletionRow {
    /// A request without a lease.
    pub(crate) fn new(environment: i32, request: &DeletionRequest) -> Self {
        Self {
            environment,
            id: request.id.into(),
            customer: request.customer_id.into(),
            state: request.state.code(),
            due_at: request.next_at().map(Timestamp::micros),
            holder: None,
            document: Document::of(request),
        }
    }

    /// A request under a lease.
    pub(crate) fn held(environment: i32, request: &DeletionRequest, holder: &str, until: Timestamp) -> Self {
        Self { due_at: Some(until.micros()), holder: Some(holder.to_owned()), ..Self::new(environment, request) }
    }

    /// The request, with its owner.
    pub(crate) fn request(&self, owner: Owner) -> Result<DeletionRequest, StoreError> {
        self.document.read(owner, self.id.id::<DeletionRequestKind>())
    }
}

impl SuppressedRow {
    pub(crate) fn new(environment: i32, customer: &CustomerAggregate, run: Option<Document>) -> Self {
        Self { environment, id: customer.customer.id.into(), document: Document::of(customer), run }
    }

    /// The customer, with its owner.
    pub(crate) fn customer(&self, owner: Owner) -> Result<CustomerAggregate, StoreError> {
        self.document.read(owner, "a suppressed customer")
    }

    /// Its onboarding run, if it has one.
    pub(crate) fn run(&self, owner: Owner) -> Result<Option<OnboardingRun>, StoreError> {
        self.run.as_ref().map(|run| run.read(owner, "of a suppressed customer")).transpose()
    }
}
