//! Wrong stores of tenants, environments and keys.

use super::{Fault, Wrong, committing, first, now, reversed, whole};
use crate::{
    idempotency::Done,
    lifecycle::Audit,
    page::{Page, PageRequest},
    tenancy::{
        Actor, ApiKey, ApiKeyRepository, ApiKeySecret, Bootstrap, CreateEnvironmentError, Environment, EnvironmentName,
        EnvironmentScope, EnvironmentType, SystemScope, TenancyRepository, Tenant, TenantName, TenantScope,
    },
};

pub(super) fn pass_on(wrong: &mut Wrong) {
    let store = wrong.store.clone();
    wrong.tenancy.expect_bootstrap().returning(move |scope, start| now(store.bootstrap(scope, start)));
    let store = wrong.store.clone();
    wrong.tenancy.expect_create_tenant().returning(move |scope, tenant| now(store.create_tenant(scope, tenant)));
    let store = wrong.store.clone();
    wrong.tenancy.expect_tenants().returning(move |scope, page| now(store.tenants(scope, page)));
    let store = wrong.store.clone();
    wrong
        .tenancy
        .expect_create_environment()
        .returning(move |scope, one, claim| now(store.create_environment(scope, one, claim)));
    let store = wrong.store.clone();
    wrong.tenancy.expect_rename_environment().returning(move |scope, id, name, at, only_if, claim| {
        now(store.rename_environment(scope, id, name, at, only_if, claim))
    });
    let store = wrong.store.clone();
    wrong
        .tenancy
        .expect_suspend_tenant()
        .returning(move |scope, id, suspended, at| now(store.suspend_tenant(scope, id, suspended, at)));
    let store = wrong.store.clone();
    wrong.keys.expect_rotate().returning(move |scope, rotation, claim| now(store.rotate(scope, rotation, claim)));
    let store = wrong.store.clone();
    wrong.tenancy.expect_environments().returning(move |scope, page| now(store.environments(scope, page)));
    let store = wrong.store.clone();
    wrong.tenancy.expect_find_environment().returning(move |scope, id| now(store.find_environment(scope, id)));
    let (store, seen) = (wrong.store.clone(), wrong.seen.clone());
    wrong.keys.expect_create().returning(move |scope, key, secret, claim| {
        seen.note(scope);
        now(store.create(scope, key, secret, claim))
    });
    let store = wrong.store.clone();
    wrong.keys.expect_list().returning(move |scope, revoked, page| now(store.list(scope, revoked, page)));
    let store = wrong.store.clone();
    wrong.keys.expect_revoke().returning(move |scope, id, at, claim| now(store.revoke(scope, id, at, claim)));
    let store = wrong.store.clone();
    wrong.keys.expect_find().returning(move |scope, id| now(ApiKeyRepository::find(&*store, scope, id)));
    let store = wrong.store.clone();
    wrong.keys.expect_find_by_secret().returning(move |scope, secret| now(store.find_by_secret(scope, secret)));
    let store = wrong.store.clone();
    wrong.keys.expect_record_uses().returning(move |scope, uses| now(store.record_uses(scope, uses)));
}

pub(super) const FAULTS: &[(&str, Fault)] = &[
    ("writes keys that a dry run only asks for", |wrong| {
        let store = wrong.store.clone();
        wrong
            .keys
            .expect_create()
            .returning(move |scope, key, secret, claim| now(store.create(&committing(scope), key, secret, claim)));
    }),
    ("writes environments that a dry run only asks for", |wrong| {
        let store = wrong.store.clone();
        wrong.tenancy.expect_create_environment().returning(move |scope, one, claim| {
            let scope = TenantScope::new(scope.tenant_id, scope.actor.clone());
            now(store.create_environment(&scope, one, claim))
        });
    }),
    ("treats every start as the first", |wrong| {
        wrong.tenancy.expect_bootstrap().returning(|_, _| Ok(true));
    }),
    ("keeps the objects of a later start", |wrong| {
        let store = wrong.store.clone();
        wrong.tenancy.expect_bootstrap().returning(move |scope, start| {
            let Bootstrap { tenant, environment, key, secret } = start.clone();
            let answer = now(store.bootstrap(scope, start))?;
            if !answer {
                let _ = now(store.create_tenant(scope, tenant.clone()));
                let actor = scope.actor.clone();
                let of_tenant = TenantScope::new(tenant.id, actor.clone());
                let _ = now(store.create_environment(&of_tenant, environment, None));
                let _ = now(store.create(&EnvironmentScope::new(key.owner, actor), key, secret, None));
            }
            Ok(answer)
        });
    }),
    ("truncates names", |wrong| {
        let store = wrong.store.clone();
        wrong.tenancy.expect_create_tenant().returning(move |scope, tenant| {
            let name = TenantName::new("cut").unwrap();
            now(store.create_tenant(scope, Tenant { name, ..tenant }))
        });
        let store = wrong.store.clone();
        wrong.tenancy.expect_create_environment().returning(move |scope, one, claim| {
            let (name, kind) = (EnvironmentName::new("cut").unwrap(), EnvironmentType::Development);
            now(store.create_environment(scope, Environment { name, kind, ..one }, claim))
        });
    }),
    ("lists the oldest first, and ignores pages", |wrong| {
        let store = wrong.store.clone();
        wrong.tenancy.expect_tenants().returning(move |scope, page| Ok(reversed(now(store.tenants(scope, page))?)));
        let store = wrong.store.clone();
        wrong
            .tenancy
            .expect_environments()
            .returning(move |scope, page| Ok(reversed(now(store.environments(scope, first(page)))?)));
        let store = wrong.store.clone();
        wrong
            .keys
            .expect_list()
            .returning(move |scope, revoked, page| Ok(reversed(now(store.list(scope, revoked, first(page)))?)));
    }),
    ("creates environments of tenants that do not exist", |wrong| {
        let store = wrong.store.clone();
        wrong.tenancy.expect_create_environment().returning(move |scope, one, claim| {
            match now(store.create_environment(scope, one.clone(), claim)) {
                Err(CreateEnvironmentError::UnknownTenant) => Ok(Done::now(one)),
                other => other,
            }
        });
    }),
    ("creates environments and keys for the owner of the value", |wrong| {
        let store = wrong.store.clone();
        wrong.tenancy.expect_create_environment().returning(move |scope, one, claim| {
            let scope = TenantScope { tenant_id: one.tenant_id, ..scope.clone() };
            now(store.create_environment(&scope, one, claim))
        });
        let store = wrong.store.clone();
        wrong.keys.expect_create().returning(move |scope, key, secret, claim| {
            let scope = EnvironmentScope { owner: key.owner, ..scope.clone() };
            now(store.create(&scope, key, secret, claim))
        });
    }),
    ("lists the environments of all tenants", |wrong| {
        let store = wrong.store.clone();
        wrong.tenancy.expect_environments().returning(move |scope, page| {
            let tenants = whole(now(store.tenants(&SystemScope::patron(), PageRequest::whole()))?);
            let of = |tenant: Tenant| {
                let scope = TenantScope { tenant_id: tenant.id, ..scope.clone() };
                whole(now(store.environments(&scope, PageRequest::whole())).unwrap())
            };
            Ok(Page::cut(tenants.into_iter().flat_map(of).collect(), page))
        });
    }),
    ("does not record who renames", |wrong| {
        let store = wrong.store.clone();
        wrong.tenancy.expect_rename_environment().returning(move |scope, id, name, at, only_if, claim| {
            let scope = TenantScope { actor: Actor::system(), ..scope.clone() };
            now(store.rename_environment(&scope, id, name, at, only_if, claim))
        });
    }),
    ("renames environments of other tenants", |wrong| {
        let store = wrong.store.clone();
        wrong.tenancy.expect_rename_environment().returning(move |scope, id, name, at, only_if, claim| {
            let found = now(store.find_environment(&SystemScope::patron(), id))?;
            let Some(found) = found else { return Ok(None) };
            let scope = TenantScope { tenant_id: found.tenant_id, ..scope.clone() };
            now(store.rename_environment(&scope, id, name, at, only_if, claim))
        });
    }),
    ("finds any environment and any key", |wrong| {
        let (store, seen) = (wrong.store.clone(), wrong.seen.clone());
        wrong.tenancy.expect_find_environment().returning(move |scope, id| {
            let found = now(store.find_environment(scope, id))?;
            let any = || {
                let tenant = whole(now(store.tenants(scope, PageRequest::default())).unwrap()).into_iter().next()?;
                let scope = TenantScope::new(tenant.id, scope.actor.clone());
                whole(now(store.environments(&scope, PageRequest::default())).unwrap()).pop()
            };
            Ok(found.or_else(any))
        });
        let store = wrong.store.clone();
        wrong.keys.expect_find().returning(move |scope, id| {
            let any = || seen.find(|scope| whole(now(store.list(&scope, None, PageRequest::default())).unwrap()).pop());
            Ok(now(ApiKeyRepository::find(&*store, scope, id))?.or_else(any))
        });
    }),
    ("compares only the beginnings of secrets", |wrong| {
        let short = |secret: &ApiKeySecret| ApiKeySecret::new(secret.expose().chars().take(30).collect::<String>());
        let store = wrong.store.clone();
        wrong
            .keys
            .expect_create()
            .returning(move |scope, key, secret, claim| now(store.create(scope, key, short(&secret).unwrap(), claim)));
        let store = wrong.store.clone();
        wrong
            .keys
            .expect_find_by_secret()
            .returning(move |scope, secret| now(store.find_by_secret(scope, &short(secret).unwrap())));
    }),
    ("forgets the expiry of keys", |wrong| {
        let store = wrong.store.clone();
        wrong.keys.expect_create().returning(move |scope, key, secret, claim| {
            now(store.create(scope, ApiKey { expires_at: None, ..key }, secret, claim))
        });
    }),
    ("lists the keys of all environments, revoked or not", |wrong| {
        let (store, seen) = (wrong.store.clone(), wrong.seen.clone());
        wrong.keys.expect_list().returning(move |scope, _, page| {
            let own = now(store.list(scope, None, page))?;
            let found =
                seen.find(|scope| Some(now(store.list(&scope, None, page)).unwrap()).filter(|found| found.total > 0));
            Ok(if own.total == 0 { found.unwrap_or(own) } else { own })
        });
    }),
    ("revokes keys of any environment, and repeatedly", |wrong| {
        let (store, seen) = (wrong.store.clone(), wrong.seen.clone());
        wrong.keys.expect_revoke().returning(move |scope, id, at, claim| {
            let revoked = now(store.revoke(scope, id, at, claim))?;
            let revoked = revoked.or_else(|| seen.find(|scope| now(store.revoke(&scope, id, at, None)).unwrap()));
            let audit = |audit: Audit| Audit { updated_at: at, updated_by: scope.actor.clone(), ..audit };
            let again = |key: ApiKey| ApiKey { revoked_at: Some(at), audit: audit(key.audit), ..key };
            Ok(revoked.map(|done| Done { value: again(done.value), ..done }))
        });
    }),
    ("does not end a replaced key", |wrong| {
        let store = wrong.store.clone();
        wrong.keys.expect_rotate().returning(move |scope, rotation, claim| {
            now(store.create(scope, rotation.key, rotation.secret, claim)).map_err(Into::into)
        });
    }),
    ("returns a suspension that it does not make", |wrong| {
        let store = wrong.store.clone();
        wrong.tenancy.expect_suspend_tenant().returning(move |scope, id, suspended, at| {
            let tenants = whole(now(store.tenants(scope, PageRequest::whole()))?);
            let mut found = tenants.into_iter().find(|tenant| tenant.id == id);
            if let Some(tenant) = &mut found {
                tenant.suspend(suspended, at, &scope.actor);
            }
            Ok(found)
        });
    }),
    ("returns a revocation that it does not make", |wrong| {
        let store = wrong.store.clone();
        wrong.keys.expect_revoke().returning(move |_, id, _, _| {
            Ok(now(ApiKeyRepository::find(&*store, &SystemScope::patron(), id))?.map(Done::now))
        });
    }),
    ("keeps the last reported use", |wrong| {
        let store = wrong.store.clone();
        let last = std::sync::Mutex::new(std::collections::HashMap::new());
        let last = std::sync::Arc::new(last);
        let told = last.clone();
        wrong.keys.expect_record_uses().returning(move |_, uses| {
            told.lock().unwrap().extend(uses.into_iter().map(|one| (one.id, one.at)));
            Ok(())
        });
        wrong.keys.expect_find().returning(move |scope, id| {
            let found = now(ApiKeyRepository::find(&*store, scope, id))?;
            let at = last.lock().unwrap().get(&id).copied();
            Ok(found.map(|key| ApiKey { last_used_at: at.or(key.last_used_at), ..key }))
        });
    }),
    ("records no uses when one of the keys is unknown", |wrong| {
        let store = wrong.store.clone();
        wrong.keys.expect_record_uses().returning(move |scope, uses| {
            let known = |id| now(ApiKeyRepository::find(&*store, scope, id)).unwrap().is_some();
            if uses.iter().all(|one| known(one.id)) { now(store.record_uses(scope, uses)) } else { Ok(()) }
        });
    }),
];
