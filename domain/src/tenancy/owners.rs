//! The port that lists all environments, for work that covers every one of them.

use std::sync::Arc;

use async_trait::async_trait;

use super::{SystemScope, TenancyRepository, TenantScope};
use crate::{lifecycle::Owner, page::PageRequest, store::StoreError};

/// Lists the environments that retention covers.
///
/// [`TenancyOwners`] lists the environments of a repository. Our stores also list environments that an application made
/// by itself. Other applications list theirs.
///
/// ```
/// use async_trait::async_trait;
/// use patron_domain::{lifecycle::Owner, store::StoreError, tenancy::{Owners, SystemScope}};
///
/// /// The tenants of an application, which have one environment each.
/// struct Shops(Vec<u64>);
///
/// #[async_trait]
/// impl Owners for Shops {
///     async fn owners(&self, _: &SystemScope) -> Result<Vec<Owner>, StoreError> {
///         Ok(self.0.iter().map(|shop| Owner::numbered(*shop, 1)).collect())
///     }
/// }
///
/// let owners = futures::executor::block_on(Shops(vec![7, 8]).owners(&SystemScope::patron())).unwrap();
/// assert_eq!(owners.len(), 2);
/// ```
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait Owners: Send + Sync {
    /// All environments, each once. One that is created during the call may be missing.
    async fn owners(&self, scope: &SystemScope) -> Result<Vec<Owner>, StoreError>;
}

/// The environments in a repository.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{tenancy::{Owners, SystemScope, TenancyOwners}, testkit::MemoryStore};
///
/// let owners = TenancyOwners(Arc::new(MemoryStore::default()));
/// assert_eq!(futures::executor::block_on(owners.owners(&SystemScope::patron())), Ok(vec![]));
/// ```
#[derive(Clone)]
pub struct TenancyOwners(pub Arc<dyn TenancyRepository>);

#[async_trait]
impl Owners for TenancyOwners {
    async fn owners(&self, scope: &SystemScope) -> Result<Vec<Owner>, StoreError> {
        let (mut owners, mut tenants) = (Vec::new(), Some(PageRequest::whole()));
        while let Some(page) = tenants {
            let found = self.0.tenants(scope, page).await?.items;
            for tenant in &found {
                let tenant = TenantScope::new(tenant.id, scope.actor.clone());
                let mut environments = Some(PageRequest::whole());
                while let Some(page) = environments {
                    let found = self.0.environments(&tenant, page).await?.items;
                    let owner = |id| Owner { tenant_id: tenant.tenant_id, environment_id: id };
                    owners.extend(found.iter().map(|environment| owner(environment.id)));
                    environments = page.next(found.len());
                }
            }
            tenants = page.next(found.len());
        }
        Ok(owners)
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::{
        page::Page,
        tenancy::{Environment, MockTenancyRepository, Tenant},
        testkit::{a_tenant, an_environment, an_id},
    };

    #[test]
    fn every_page_is_read() {
        let mut tenancy = MockTenancyRepository::new();
        tenancy.expect_tenants().returning(|_, page| {
            let ids = 0..if page.offset() == 0 { 1_000 } else { 2 };
            let first = if page.offset() == 0 { 0 } else { 1_000 };
            let tenant = |n: u32| Tenant { id: an_id(first + n), ..a_tenant() };
            Ok(Page { items: ids.map(tenant).collect(), total: 1_002 })
        });
        tenancy.expect_environments().returning(|scope, _| {
            let environment = Environment { id: an_id(5), tenant_id: scope.tenant_id, ..an_environment() };
            Ok(Page { items: vec![environment], total: 1 })
        });
        let found = block_on(TenancyOwners(Arc::new(tenancy)).owners(&SystemScope::patron())).unwrap();
        assert_eq!(found.len(), 1_002);
        assert_eq!(found[1_001], Owner { tenant_id: an_id(1_001), environment_id: an_id(5) });
    }
}
