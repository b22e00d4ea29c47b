//! Helpers for all obligations: fresh environments, times and ids, and error messages.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, PoisonError},
};

use super::Ports;
use crate::{
    custom_field::CustomFieldDefinition,
    customer::{ChangeCustomerError, CustomerRecord, ExternalId},
    event::{CustomerEvent, TaxRateEvent},
    ids::{CustomerId, Id, IdGenerator, Kind, TenantId},
    lifecycle::{Audit, Owner},
    page::{Page, PageRequest},
    tax::{CreateTaxRateError, TaxAssociation, TaxRate},
    tenancy::{ApiKey, ApiKeySecret, Environment, EnvironmentScope, Quota, SystemScope, Tenant, TenantScope},
    testkit::{CountingIds, CustomerBuilder, FixedClock, a_scope, a_tax_default, a_tenant, an_api_key, an_environment},
    time::Timestamp,
};

/// Success, or a description of the wrong behaviour.
pub(super) type Outcome = Result<(), String>;

/// The store under test, with times and ids for it.
pub(super) struct World<'a> {
    pub(super) ports: &'a Ports,
    /// Whether the store also keeps tax rates and associations.
    pub(super) has_taxes: bool,
    /// Whether the store also keeps custom fields.
    pub(super) has_custom_fields: bool,
    /// Whether lists of customers are checked.
    pub(super) with_lists: bool,
    ids: CountingIds,
    clock: FixedClock,
    owners: Option<&'a Owners<'a>>,
    numbers: Mutex<Numbers>,
}

/// Makes an owner from the numbers of a tenant and an environment.
pub(super) type Owners<'a> = dyn Fn(u64, u64) -> Owner + Send + Sync + 'a;

/// The numbers in use.
#[derive(Default)]
struct Numbers {
    next_tenant: u64,
    /// The number of each tenant, and of its next environment.
    known: BTreeMap<TenantId, (u64, u64)>,
}

/// Two environments of one tenant, and one of another.
pub(super) struct Neighbours {
    pub(super) here: EnvironmentScope,
    pub(super) next_door: EnvironmentScope,
    pub(super) abroad: EnvironmentScope,
}

impl Neighbours {
    /// Every scope that must not see data in `here`: the other two, and those that share the tenant or the environment
    /// with it.
    pub(super) fn elsewhere(&self) -> [(&'static str, EnvironmentScope); 4] {
        let mixed = |tenant: &EnvironmentScope, environment: &EnvironmentScope| {
            let (tenant_id, environment_id) = (tenant.owner.tenant_id, environment.owner.environment_id);
            EnvironmentScope::new(Owner { tenant_id, environment_id }, self.here.actor.clone())
        };
        [
            ("another environment", self.next_door.clone()),
            ("another tenant", self.abroad.clone()),
            ("another tenant with this environment's id", mixed(&self.abroad, &self.here)),
            ("this tenant with another tenant's environment", mixed(&self.here, &self.abroad)),
        ]
    }
}

impl<'a> World<'a> {
    /// Worlds with different salts have no ids or secrets in common.
    pub(super) fn new(ports: &'a Ports, salt: u64) -> Self {
        Self {
            ports,
            has_taxes: true,
            has_custom_fields: true,
            with_lists: true,
            ids: CountingIds::salted(salt),
            clock: FixedClock::default(),
            owners: None,
            numbers: Mutex::default(),
        }
    }

    /// A world whose owners the caller makes.
    pub(super) fn of_owners(ports: &'a Ports, salt: u64, owners: &'a Owners<'a>, has_taxes: bool) -> Self {
        let numbers = Mutex::new(Numbers { next_tenant: salt << 16, ..Numbers::default() });
        Self { has_taxes, has_custom_fields: false, owners: Some(owners), numbers, ..Self::new(ports, salt) }
    }

    /// The same world, with or without the lists of customers.
    #[cfg(test)]
    pub(super) fn listing(self, with_lists: bool) -> Self {
        Self { with_lists, ..self }
    }

    /// A new environment of this tenant, or of a new one.
    fn numbered(&self, owners: &Owners<'_>, tenant: Option<TenantId>) -> EnvironmentScope {
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let known = tenant.and_then(|tenant| numbers.known.get(&tenant).copied());
        let (number, environment) = known.unwrap_or((numbers.next_tenant + 1, 1));
        numbers.next_tenant = numbers.next_tenant.max(number);
        let owner = owners(number, environment);
        numbers.known.insert(owner.tenant_id, (number, environment + 1));
        EnvironmentScope::new(owner, a_scope().actor)
    }

    /// A time later than all earlier ones.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.advance_micros(1_003)
    }

    pub(super) fn id<K: Kind>(&self) -> Id<K> {
        self.ids.start(self.now()).next_id()
    }

    pub(super) fn secret(&self) -> Result<ApiKeySecret, String> {
        // Ids never repeat, so neither do secrets made from them.
        ApiKeySecret::new(format!("sk_{}", self.id::<crate::ids::ApiKeyKind>())).or_say("making a secret")
    }

    pub(super) async fn tenant(&self) -> Result<Tenant, String> {
        let audit = Audit::created(self.now(), &a_scope().actor);
        let tenant = Tenant { id: self.id(), audit, ..a_tenant() };
        self.ports
            .tenancy
            .create_tenant(&SystemScope::patron(), tenant.clone())
            .await
            .or_say("tenancy.create_tenant")?;
        Ok(tenant)
    }

    pub(super) fn new_environment(&self, tenant_id: TenantId) -> Environment {
        let audit = Audit::created(self.now(), &a_scope().actor);
        Environment { id: self.id(), tenant_id, audit, ..an_environment() }
    }

    pub(super) async fn environment_of(&self, tenant_id: TenantId) -> Result<EnvironmentScope, String> {
        if let Some(owners) = self.owners {
            return Ok(self.numbered(owners, Some(tenant_id)));
        }
        let environment = self.new_environment(tenant_id);
        let actor = a_scope().actor;
        let owner = Owner { tenant_id, environment_id: environment.id };
        let scope = TenantScope::new(tenant_id, actor.clone());
        let created = self.ports.tenancy.create_environment(&scope, environment, None).await;
        created.or_say("tenancy.create_environment")?;
        Ok(EnvironmentScope::new(owner, actor))
    }

    /// A fresh environment of a fresh tenant.
    pub(super) async fn environment(&self) -> Result<EnvironmentScope, String> {
        if let Some(owners) = self.owners {
            return Ok(self.numbered(owners, None));
        }
        self.environment_of(self.tenant().await?.id).await
    }

    pub(super) async fn neighbours(&self) -> Result<Neighbours, String> {
        let here = self.environment().await?;
        let next_door = self.environment_of(here.owner.tenant_id).await?;
        Ok(Neighbours { here, next_door, abroad: self.environment().await? })
    }

    /// A create with its own time.
    pub(super) async fn create(
        &self,
        scope: &EnvironmentScope,
        new: CustomerBuilder,
    ) -> Result<CustomerEvent, ChangeCustomerError> {
        let at = self.now();
        let created = self.ports.customers.change(scope, new.command(self.ids.start(at), at)).await;
        created.map(|created| created.event)
    }

    /// A create that must succeed.
    pub(super) async fn created(
        &self,
        scope: &EnvironmentScope,
        new: CustomerBuilder,
    ) -> Result<CustomerEvent, String> {
        self.create(scope, new).await.or_say("customers.change")
    }

    pub(super) fn ids(&self) -> &CountingIds {
        &self.ids
    }

    /// The rate as it would be created in a scope now.
    pub(super) fn rate(&self, scope: &EnvironmentScope, rate: TaxRate) -> TaxRate {
        let audit = Audit::created(self.now(), &scope.actor);
        TaxRate { id: self.id(), owner: scope.owner, audit, ..rate }
    }

    /// A create of a rate.
    pub(super) async fn create_rate(&self, scope: &EnvironmentScope, rate: TaxRate) -> Result<(), CreateTaxRateError> {
        let created = TaxRateEvent::created(self.id(), None, rate);
        self.ports.taxes.create_rate(scope, created, None).await.map(drop)
    }

    /// Creates a rate.
    pub(super) async fn created_rate(&self, scope: &EnvironmentScope, rate: TaxRate) -> Result<TaxRate, String> {
        let rate = self.rate(scope, rate);
        self.create_rate(scope, rate.clone()).await.or_say("taxes.create_rate")?;
        Ok(rate)
    }

    /// The rate as a default of its environment, from now on.
    pub(super) fn default_of(&self, rate: &TaxRate) -> TaxAssociation {
        let audit = Audit::created(self.now(), &a_scope().actor);
        TaxAssociation { id: self.id(), audit, ..a_tax_default(rate) }
    }

    /// Creates a default.
    pub(super) async fn created_default(
        &self,
        scope: &EnvironmentScope,
        default: TaxAssociation,
    ) -> Result<TaxAssociation, String> {
        self.ports.taxes.create_default(scope, default.clone(), None).await.or_say("taxes.create_default")?;
        Ok(default)
    }

    /// A key of a scope's environment, not yet created.
    pub(super) fn key(&self, scope: &EnvironmentScope, secret: &ApiKeySecret) -> ApiKey {
        let audit = Audit::created(self.now(), &scope.actor);
        ApiKey { id: self.id(), owner: scope.owner, display_id: secret.display_id(), audit, ..an_api_key() }
    }

    /// Creates a key. Returns it with its secret.
    pub(super) async fn created_key(&self, scope: &EnvironmentScope) -> Result<(ApiKey, ApiKeySecret), String> {
        let secret = self.secret()?;
        let key = self.key(scope, &secret);
        self.ports.keys.create(scope, key.clone(), secret.clone(), None).await.or_say("keys.create")?;
        Ok((key, secret))
    }

    /// Defines a custom field in a scope, if the store keeps any.
    pub(super) async fn defined(
        &self,
        scope: &EnvironmentScope,
        definition: CustomFieldDefinition,
    ) -> Result<CustomFieldDefinition, String> {
        let audit = Audit::created(self.now(), &scope.actor);
        let definition = CustomFieldDefinition { id: self.id(), owner: scope.owner, audit, ..definition };
        let fields = &self.ports.custom_fields;
        let made = fields.create_custom_field(scope, definition.clone(), Quota::UNLIMITED, None).await;
        made.or_say("custom_fields.create_custom_field")?;
        Ok(definition)
    }

    pub(super) async fn find(
        &self,
        scope: &EnvironmentScope,
        id: CustomerId,
    ) -> Result<Option<CustomerRecord>, String> {
        self.ports.customers.find(scope, id).await.or_say("customers.find")
    }

    pub(super) async fn find_external(
        &self,
        scope: &EnvironmentScope,
        external_id: &str,
    ) -> Result<Option<CustomerRecord>, String> {
        let external_id = ExternalId::new(external_id).or_say("making an external id")?;
        let found = self.ports.customers.find_by_external_id(scope, &external_id).await;
        found.or_say("customers.find_by_external_id")
    }
}

/// Adds a description to an error.
pub(super) trait OrSay<T> {
    fn or_say(self, what: &str) -> Result<T, String>;
}

impl<T, E: fmt::Display> OrSay<T> for Result<T, E> {
    fn or_say(self, what: &str) -> Result<T, String> {
        self.map_err(|error| format!("{what} failed: {error}"))
    }
}

/// Fails with a message unless the condition holds.
pub(super) fn holds(condition: bool, otherwise: impl FnOnce() -> String) -> Outcome {
    if condition { Ok(()) } else { Err(otherwise()) }
}

/// Fails unless two small values are equal.
pub(super) fn same<T: PartialEq + fmt::Debug>(what: &str, found: &T, wanted: &T) -> Outcome {
    holds(found == wanted, || format!("{what}: found {found:?}, expected {wanted:?}"))
}

/// A page request, which the callers know to be within the limits.
pub(super) fn page(limit: u64, offset: u64) -> Result<PageRequest, String> {
    PageRequest::new(limit, offset).or_say("making a page request")
}

/// Page requests that show whether a list is cut correctly, for a list of three or more items.
pub(super) const CUTS: [(u64, u64); 5] = [(2, 0), (2, 2), (1, 1), (1_000, 0), (1_000, PageRequest::MAX_OFFSET)];

/// Checks one such page against the whole list in order.
pub(super) fn is_cut<T, I: PartialEq + fmt::Debug>(
    (limit, offset): (u64, u64),
    found: &Page<T>,
    id: impl Fn(&T) -> I,
    whole: &[I],
) -> Outcome {
    let skipped = usize::try_from(offset).unwrap_or(usize::MAX);
    let limit_items = usize::try_from(limit).unwrap_or(usize::MAX);
    let wanted: Vec<&I> = whole.iter().skip(skipped).take(limit_items).collect();
    let items: Vec<I> = found.items.iter().map(id).collect();
    let items: Vec<&I> = items.iter().collect();
    same(&format!("the items with limit {limit} and offset {offset}"), &items, &wanted)?;
    let total = u64::try_from(whole.len()).unwrap_or(u64::MAX);
    same(&format!("the total with limit {limit} and offset {offset}"), &found.total, &total)
}
