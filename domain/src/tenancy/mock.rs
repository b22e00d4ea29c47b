//! Ready-made mocks of the ports for tenants, environments and API keys.

use super::{
    ApiKey, ApiKeySecret, CreateEnvironmentError, Environment, MockApiKeyRepository, MockKeyUses,
    MockTenancyRepository, RotateKeyError,
};
use crate::{idempotency::Done, page::Page, store::StoreError};

fn unavailable() -> StoreError {
    StoreError::unavailable("this mock is never available")
}

impl MockTenancyRepository {
    /// A store without tenants. Bootstrapping and creating a tenant succeed, but are not kept.
    ///
    /// ```
    /// # use patron_domain::{tenancy::*, testkit::an_id};
    /// # futures::executor::block_on(async {
    /// let tenancy = MockTenancyRepository::empty();
    /// assert_eq!(tenancy.find_environment(&SystemScope::patron(), an_id(1)).await, Ok(None));
    /// # });
    /// ```
    #[must_use]
    pub fn empty() -> Self {
        Self::holding(None)
    }

    /// A store with one environment and its tenant; only the environment can be found. A bootstrap finds the store in
    /// use; a rename is returned but not kept.
    ///
    /// ```
    /// # use patron_domain::{tenancy::*, testkit::an_environment};
    /// # futures::executor::block_on(async {
    /// let tenancy = MockTenancyRepository::with(an_environment());
    /// let found = tenancy.find_environment(&SystemScope::patron(), an_environment().id).await;
    /// assert_eq!(found, Ok(Some(an_environment())));
    /// # });
    /// ```
    #[must_use]
    pub fn with(environment: Environment) -> Self {
        Self::holding(Some(environment))
    }

    /// A store that cannot be reached: every call returns [`StoreError::Unavailable`].
    #[must_use]
    pub fn always_unavailable() -> Self {
        let mut tenancy = Self::new();
        tenancy.expect_bootstrap().returning(|_, _| Err(unavailable()));
        tenancy.expect_create_tenant().returning(|_, _| Err(unavailable()));
        tenancy.expect_tenants().returning(|_, _| Err(unavailable()));
        tenancy.expect_suspend_tenant().returning(|_, _, _, _| Err(unavailable()));
        tenancy.expect_create_environment().returning(|_, _, _| Err(unavailable().into()));
        tenancy.expect_rename_environment().returning(|_, _, _, _, _, _| Err(unavailable().into()));
        tenancy.expect_environments().returning(|_, _| Err(unavailable()));
        tenancy.expect_find_environment().returning(|_, _| Err(unavailable()));
        tenancy
    }

    fn holding(environment: Option<Environment>) -> Self {
        let mut tenancy = Self::new();
        let is_empty = environment.is_none();
        let of_tenant = {
            let held = environment.clone();
            move |tenant| held.clone().filter(|one| one.tenant_id == tenant)
        };
        tenancy.expect_bootstrap().returning(move |_, _| Ok(is_empty));
        tenancy.expect_create_tenant().returning(|_, _| Ok(()));
        tenancy.expect_tenants().returning(|_, page| Ok(Page::cut(Vec::new(), page)));
        tenancy.expect_suspend_tenant().returning(|_, _, _, _| Ok(None));
        let one = of_tenant.clone();
        tenancy.expect_create_environment().returning(move |scope, new, _| {
            one(scope.tenant_id).map(|_| Done::now(new)).ok_or(CreateEnvironmentError::UnknownTenant)
        });
        let one = of_tenant.clone();
        tenancy.expect_rename_environment().returning(move |scope, id, name, at, _, _| {
            Ok(one(scope.tenant_id).filter(|one| one.id == id).map(|mut one| {
                one.rename(name, at, &scope.actor);
                Done::now(one)
            }))
        });
        tenancy
            .expect_environments()
            .returning(move |scope, page| Ok(Page::cut(of_tenant(scope.tenant_id).into_iter().collect(), page)));
        tenancy.expect_find_environment().returning(move |_, id| Ok(environment.clone().filter(|one| one.id == id)));
        tenancy
    }
}

impl MockApiKeyRepository {
    /// A store without keys. Creates succeed but are not kept.
    #[must_use]
    pub fn empty() -> Self {
        Self::holding(None)
    }

    /// A store with one key, which is found by its secret. Revoking or replacing it is returned but not kept.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use patron_domain::{MockClock, tenancy::*, testkit::{a_time, an_api_key}};
    ///
    /// let secret = ApiKeySecret::new("sk_0123456789abcdef").unwrap();
    /// let keys = Arc::new(MockApiKeyRepository::with(an_api_key(), secret.clone()));
    /// let access = AccessService::new(keys, Arc::new(MockClock::at(a_time())), Arc::new(NoKeyUses));
    /// let caller = futures::executor::block_on(access.authenticate(secret.expose(), Origin::default())).unwrap();
    /// assert_eq!(caller.owner(), an_api_key().owner);
    /// ```
    #[must_use]
    pub fn with(key: ApiKey, secret: ApiKeySecret) -> Self {
        Self::holding(Some((key, secret)))
    }

    /// A store that cannot be reached: every call returns [`StoreError::Unavailable`].
    #[must_use]
    pub fn always_unavailable() -> Self {
        let mut keys = Self::new();
        keys.expect_create().returning(|_, _, _, _| Err(unavailable().into()));
        keys.expect_list().returning(|_, _, _| Err(unavailable()));
        keys.expect_revoke().returning(|_, _, _, _| Err(unavailable().into()));
        keys.expect_rotate().returning(|_, _, _| Err(unavailable().into()));
        keys.expect_find().returning(|_, _| Err(unavailable()));
        keys.expect_find_by_secret().returning(|_, _| Err(unavailable()));
        keys.expect_record_uses().returning(|_, _| Err(unavailable()));
        keys
    }

    fn holding(key: Option<(ApiKey, ApiKeySecret)>) -> Self {
        let mut keys = Self::new();
        let held = {
            let key = key.clone();
            move || key.clone().map(|(key, _)| key)
        };
        keys.expect_create().returning(|_, key, _, _| Ok(Done::now(key)));
        let one = held.clone();
        keys.expect_list().returning(move |scope, revoked, page| {
            let own = one().filter(|key| key.owner == scope.owner);
            let asked = own.filter(|key| revoked.is_none_or(|revoked| revoked == key.revoked_at.is_some()));
            Ok(Page::cut(asked.into_iter().collect(), page))
        });
        let one = held.clone();
        keys.expect_revoke().returning(move |scope, id, at, _| {
            let own = one().filter(|key| key.owner == scope.owner && key.id == id);
            Ok(own.map(|mut key| {
                key.revoke(at, &scope.actor);
                Done::now(key)
            }))
        });
        let one = held.clone();
        keys.expect_rotate().returning(move |scope, rotation, _| {
            let old = one().filter(|key| key.owner == scope.owner && key.id == rotation.replaced);
            let at = rotation.key.audit.created_at;
            old.ok_or(RotateKeyError::Unknown)?.replaced(rotation.until, at, &scope.actor)?;
            Ok(Done::now(rotation.key))
        });
        keys.expect_find().returning(move |_, id| Ok(held().filter(|key| key.id == id)));
        keys.expect_find_by_secret()
            .returning(move |_, asked| Ok(key.clone().filter(|(_, secret)| secret == asked).map(|(key, _)| key)));
        keys.expect_record_uses().returning(|_, _| Ok(()));
        keys
    }
}

impl MockKeyUses {
    /// Ignores every use, as [`NoKeyUses`](super::NoKeyUses) does.
    #[must_use]
    pub fn ignoring() -> Self {
        let mut uses = Self::new();
        uses.expect_note().return_const(());
        uses.expect_note_refused().return_const(());
        uses.expect_note_dry_run().return_const(());
        uses
    }
}
