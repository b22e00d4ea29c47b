//! All environments of all tenants, for work that covers every one of them.

use super::{SystemScope, TenancyRepository, TenantScope};
use crate::{lifecycle::Owner, page::PageRequest, store::StoreError};

/// All environments. One that is created during the call may be missing.
///
/// # Errors
/// When the store fails.
pub async fn owners(tenancy: &dyn TenancyRepository, scope: &SystemScope) -> Result<Vec<Owner>, StoreError> {
    let (mut owners, mut tenants) = (Vec::new(), Some(PageRequest::whole()));
    while let Some(page) = tenants {
        let found = tenancy.tenants(scope, page).await?.items;
        for tenant in &found {
            let tenant = TenantScope { tenant_id: tenant.id, actor: scope.actor.clone() };
            let mut environments = Some(PageRequest::whole());
            while let Some(page) = environments {
                let found = tenancy.environments(&tenant, page).await?.items;
                let owner = |id| Owner { tenant_id: tenant.tenant_id, environment_id: id };
                owners.extend(found.iter().map(|environment| owner(environment.id)));
                environments = page.next(found.len());
            }
        }
        tenants = page.next(found.len());
    }
    Ok(owners)
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
        let found = block_on(owners(&tenancy, &SystemScope::patron())).unwrap();
        assert_eq!(found.len(), 1_002);
        assert_eq!(found[1_001], Owner { tenant_id: an_id(1_001), environment_id: an_id(5) });
    }
}
