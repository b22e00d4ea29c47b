//! Permissions, and the calls that reach the ports.

use std::sync::Arc;

use futures::executor::block_on;

use super::*;
use crate::{
    customer::DEFAULT_IDEMPOTENCY_TTL,
    idempotency::{Fingerprint, IdempotencyKey, IdempotencyRecord, MockIdempotencyRecords, Outcome},
    ids::{EnvironmentId, TenantId},
    lifecycle::Owner,
    tenancy::{Actor, ApiKeyName, MockApiKeyRepository, MockTenancyRepository, RequestId, Role, Roles},
    testkit::{CountingIds, FixedClock, FixedRandomness, a_scope, a_time, an_api_key, an_environment, an_id},
};

fn caller(role: Role) -> Caller {
    Caller::new(a_scope(), Roles::new([role]).unwrap(), None::<RequestId>)
}

/// A caller that administers a tenant and one of its environments, as the first key does.
fn admin() -> Caller {
    Caller::new(a_scope(), Roles::first_key(), None)
}

/// A service over ports; a mock without expectations panics when it is asked.
fn service(tenancy: MockTenancyRepository, keys: MockApiKeyRepository) -> AdministrationService {
    AdministrationService {
        tenancy: Arc::new(tenancy),
        keys: Arc::new(keys),
        clock: Arc::new(FixedClock::default()),
        ids: Arc::new(CountingIds::default()),
        randomness: Arc::new(FixedRandomness([7; 32])),
        records: Arc::new(MockIdempotencyRecords::new()),
        idempotency_ttl: DEFAULT_IDEMPOTENCY_TTL,
        key_max_age: None,
    }
}

fn untouched() -> AdministrationService {
    service(MockTenancyRepository::new(), MockApiKeyRepository::new())
}

fn new_key(roles: Roles) -> NewApiKey {
    NewApiKey::new(ApiKeyName::new("a key").unwrap(), roles)
}

fn name() -> EnvironmentName {
    EnvironmentName::new("Another").unwrap()
}

/// A repository that finds an environment of this tenant.
fn found(tenant_id: TenantId) -> MockTenancyRepository {
    let environment = Environment { tenant_id, id: an_id(77), ..an_environment() };
    let mut tenancy = MockTenancyRepository::new();
    tenancy.expect_find_environment().returning(move |_, id| Ok((id == environment.id).then(|| environment.clone())));
    tenancy
}

#[test]
fn only_administrators_can_change_environments_and_keys() {
    for role in [Role::WebhookAdmin, Role::AllWriter, Role::AllReader] {
        let (caller, service) = (caller(role), untouched());
        let denied = PermissionDenied::Role(Permission::AdministerTenant);
        let environment = block_on(service.create_environment(&caller, name(), EnvironmentType::Production, None));
        assert_eq!(environment, Err(denied.into()));
        let changed = block_on(service.change_environment(
            &caller,
            an_id(77),
            EnvironmentChange::default(),
            Default::default(),
            None,
        ));
        assert_eq!(changed, Err(denied.into()));
        let denied = PermissionDenied::Role(Permission::AdministerKeys);
        let roles = Roles::new([Role::AllReader]).unwrap();
        assert_eq!(block_on(service.create_key(&caller, None, new_key(roles), None)), Err(denied.into()));
        let keys = block_on(service.keys(&caller, None, Status::Deleted, PageRequest::default()));
        assert_eq!(keys, Err(denied.into()));
        assert_eq!(block_on(service.revoke_key(&caller, an_id(9), None)), Err(denied.into()));
    }
}

#[test]
fn a_super_admin_administers_only_its_own_environment() {
    let (caller, denied) = (caller(Role::SuperAdmin), PermissionDenied::Role(Permission::AdministerTenant));
    let made = block_on(untouched().create_environment(&caller, name(), EnvironmentType::Production, None));
    assert_eq!(made, Err(denied.into()));
    let elsewhere = Some(an_id(77));
    let key = block_on(untouched().create_key(&caller, elsewhere, new_key(Roles::default()), None));
    assert_eq!(key, Err(denied.into()));
    let keys = block_on(untouched().keys(&caller, elsewhere, Status::Published, PageRequest::default()));
    assert_eq!(keys, Err(denied.into()));
    let beyond = block_on(untouched().create_key(&caller, None, new_key(Roles::first_key()), None));
    assert_eq!(beyond, Err(PermissionDenied::MoreThanOwn.into()));
    // The key of another environment of its tenant is as if it did not exist.
    let owner = Owner { environment_id: an_id(77), ..a_scope().owner };
    let mut keys = MockApiKeyRepository::new();
    keys.expect_find().times(2).returning(move |_, _| Ok(Some(ApiKey { owner, ..an_api_key() })));
    let service = service(MockTenancyRepository::new(), keys);
    assert_eq!(block_on(service.key(&caller, an_id(5))), Err(KeyError::UnknownKey));
    assert_eq!(block_on(service.revoke_key(&caller, an_id(5), None)), Err(KeyError::UnknownKey));
}

#[test]
fn a_tenant_admin_creates_keys_of_every_role_for_every_environment() {
    for role in Role::ALL {
        let mut keys = MockApiKeyRepository::new();
        keys.expect_create().once().returning(|_, key, _, _| Ok(Done::now(key)));
        let service = service(found(a_scope().owner.tenant_id), keys);
        let new = new_key(Roles::new([*role]).unwrap());
        let made = block_on(service.create_key(&caller(Role::TenantAdmin), Some(an_id(77)), new, None));
        assert_eq!(made.unwrap().0.owner.environment_id, an_id(77));
    }
}

#[test]
fn every_role_except_webhook_admin_can_read_the_environments_of_its_tenant() {
    for role in Role::ALL.iter().filter(|role| **role != Role::WebhookAdmin) {
        let own = service(found(a_scope().owner.tenant_id), MockApiKeyRepository::new());
        assert_eq!(block_on(own.environment(&caller(*role), an_id(77))).unwrap().id, an_id(77));
    }
    let denied = block_on(untouched().environment(&caller(Role::WebhookAdmin), an_id(77)));
    assert_eq!(denied, Err(PermissionDenied::Role(Permission::ReadEnvironments).into()));
}

#[test]
fn an_environment_of_another_tenant_is_as_if_it_did_not_exist() {
    let admin = admin();
    let foreign = || service(found(an_id(1_000)), MockApiKeyRepository::new());
    for id in [an_id::<crate::ids::EnvironmentKind>(77), an_id(78)] {
        assert_eq!(block_on(foreign().environment(&admin, id)), Err(EnvironmentError::Unknown));
        let change = EnvironmentChange { name: Some(name()), kind: None };
        assert_eq!(
            block_on(foreign().change_environment(&admin, id, change, Default::default(), None)),
            Err(EnvironmentError::Unknown)
        );
        let key = block_on(foreign().create_key(&admin, Some(id), new_key(Roles::default()), None));
        assert_eq!(key, Err(KeyError::UnknownEnvironment));
        let keys = block_on(foreign().keys(&admin, Some(id), Status::Published, PageRequest::default()));
        assert_eq!(keys, Err(KeyError::UnknownEnvironment));
    }
}

#[test]
fn an_environment_is_created_in_the_callers_tenant_by_the_caller() {
    let mut tenancy = MockTenancyRepository::new();
    tenancy.expect_create_environment().once().returning(|scope, environment, _| {
        assert_eq!((scope.tenant_id, &scope.actor), (a_scope().owner.tenant_id, &a_scope().actor));
        assert_eq!((environment.tenant_id, environment.audit.created_at), (scope.tenant_id, a_time()));
        Ok(Done::now(environment))
    });
    let service = service(tenancy, MockApiKeyRepository::new());
    let made = block_on(service.create_environment(&admin(), name(), EnvironmentType::Production, None));
    assert_eq!(made.unwrap().value.audit.created_by, a_scope().actor);
}

#[test]
fn the_type_of_an_environment_is_fixed() {
    let admin = admin();
    let (own, kind) = (a_scope().owner.tenant_id, an_environment().kind);
    let other = EnvironmentType::ALL.iter().copied().find(|one| *one != kind);
    let change = EnvironmentChange { name: Some(name()), kind: other };
    let refused = block_on(service(found(own), MockApiKeyRepository::new()).change_environment(
        &admin,
        an_id(77),
        change,
        Default::default(),
        None,
    ));
    let Err(EnvironmentError::Invalid(broken)) = refused else { panic!("{refused:?}") };
    assert_eq!(broken.iter().map(|one| (one.path.as_str(), one.rule)).collect::<Vec<_>>(), [("type", "fixed")]);

    let mut tenancy = found(own);
    tenancy.expect_rename_environment().once().returning(|scope, id, name, at, _, _| {
        assert_eq!((scope.tenant_id, at), (a_scope().owner.tenant_id, a_time()));
        let name = name.expect("a name");
        Ok(Some(Done::now(Environment { id, name, ..an_environment() })))
    });
    let change = EnvironmentChange { name: Some(name()), kind: Some(kind) };
    let renamed = block_on(service(tenancy, MockApiKeyRepository::new()).change_environment(
        &admin,
        an_id(77),
        change,
        Default::default(),
        None,
    ));
    assert_eq!(renamed.unwrap().value.name, name());

    // An empty change, or the present type alone, changes nothing: the mock expects no call.
    let change = EnvironmentChange { name: None, kind: Some(kind) };
    let unchanged = service(found(own), MockApiKeyRepository::new());
    assert!(block_on(unchanged.change_environment(&admin, an_id(77), change, Default::default(), None)).is_ok());
}

#[test]
fn a_key_is_created_in_the_given_environment_and_its_secret_is_returned() {
    let own = a_scope().owner;
    let other: EnvironmentId = an_id(77);
    let nowhere = (None, own.environment_id);
    for (named, wanted) in [nowhere, (Some(own.environment_id), own.environment_id), (Some(other), other)] {
        let mut keys = MockApiKeyRepository::new();
        keys.expect_create().once().returning(move |scope, key, secret, _| {
            assert_eq!((scope.owner.tenant_id, scope.owner.environment_id), (a_scope().owner.tenant_id, wanted));
            assert_eq!((key.owner, &key.display_id), (scope.owner, &secret.display_id()));
            Ok(Done::now(key))
        });
        let service = service(found(own.tenant_id), keys);
        let made = block_on(service.create_key(&admin(), named, new_key(Roles::default()), None));
        let (key, secret) = made.unwrap();
        assert_eq!(secret, Some(ApiKeySecret::from_random([7; 32])));
        assert_eq!(key.roles.iter().collect::<Vec<_>>(), [Role::AllWriter]);
        assert_eq!((key.audit.created_by, key.last_used_at), (Actor::clone(&a_scope().actor), None));
    }
}

#[test]
fn an_expired_key_cannot_be_created() {
    let later = |micros| Timestamp::from_micros(a_time().micros() + micros).unwrap();
    for past in [a_time(), later(-1)] {
        let new = NewApiKey { expires_at: Some(past), ..new_key(Roles::default()) };
        let refused = block_on(untouched().create_key(&admin(), None, new, None));
        let Err(KeyError::Invalid(broken)) = refused else { panic!("{refused:?}") };
        let found: Vec<_> = broken.iter().map(|one| (one.path.as_str(), one.rule)).collect();
        assert_eq!(found, [("expires_at", "future")]);
    }
    let mut keys = MockApiKeyRepository::new();
    keys.expect_create().once().returning(|_, key, _, _| Ok(Done::now(key)));
    let new = NewApiKey { expires_at: Some(later(1)), ..new_key(Roles::default()) };
    assert!(block_on(service(MockTenancyRepository::new(), keys).create_key(&admin(), None, new, None)).is_ok());
}

#[test]
fn keys_are_listed_by_status() {
    for (status, wanted) in [(Status::Published, false), (Status::Archived, true)] {
        let mut keys = MockApiKeyRepository::new();
        let listed = keys.expect_list().once().withf(move |_, revoked, _| *revoked == Some(wanted));
        listed.returning(|_, _, _| Ok(Page { items: vec![an_api_key()], total: 1 }));
        let service = service(MockTenancyRepository::new(), keys);
        let page = block_on(service.keys(&admin(), None, status, PageRequest::default()));
        assert_eq!(page.unwrap().total, 1);
    }
    let none = block_on(untouched().keys(&admin(), None, Status::Deleted, PageRequest::default()));
    assert_eq!(none.unwrap().total, 0);
}

#[test]
fn a_key_of_the_tenant_is_found_and_a_foreign_one_is_unknown() {
    let elsewhere = Owner { tenant_id: a_scope().owner.tenant_id, environment_id: an_id(77) };
    let foreign = Owner { tenant_id: an_id(88), environment_id: a_scope().owner.environment_id };
    for (owner, wanted) in [(elsewhere, true), (foreign, false)] {
        let mut keys = MockApiKeyRepository::new();
        keys.expect_find().returning(move |_, _| Ok(Some(ApiKey { owner, ..an_api_key() })));
        let found = block_on(service(MockTenancyRepository::new(), keys).key(&admin(), an_id(5)));
        assert_eq!(found.map(|key| key.owner), if wanted { Ok(owner) } else { Err(KeyError::UnknownKey) });
    }
    let denied = block_on(untouched().key(&caller(Role::AllWriter), an_id(5)));
    assert_eq!(denied, Err(PermissionDenied::Role(Permission::AdministerKeys).into()));
}

#[test]
fn a_key_of_the_tenant_is_revoked_in_its_own_environment_and_a_foreign_one_is_unknown() {
    let tenants = [(a_scope().owner.tenant_id, true), (an_id(1_000), false)];
    for (tenant_id, own) in tenants {
        let owner = Owner { tenant_id, environment_id: an_id(77) };
        let key = ApiKey { owner, ..an_api_key() };
        let mut keys = MockApiKeyRepository::new();
        let stored = key.clone();
        keys.expect_find().once().returning(move |_, _| Ok(Some(stored.clone())));
        let revoked = key.clone();
        keys.expect_revoke().times(usize::from(own)).returning(move |scope, _, at, _| {
            assert_eq!((scope.owner, &scope.actor, at), (owner, &a_scope().actor, a_time()));
            Ok(Some(Done::now(revoked.clone())))
        });
        let service = service(MockTenancyRepository::new(), keys);
        let answer = block_on(service.revoke_key(&admin(), key.id, None));
        assert_eq!(answer, if own { Ok(Done::now(key)) } else { Err(KeyError::UnknownKey) });
    }
}

#[test]
fn a_repeated_create_returns_the_key_without_its_secret_even_when_it_has_expired() {
    let (key, fingerprint) = (IdempotencyKey::new("k").unwrap(), Fingerprint::from_bytes([7; 32]));
    let record = IdempotencyRecord { fingerprint, outcome: Outcome::kept(&an_api_key()), at: a_time() };
    let mut records = MockIdempotencyRecords::new();
    records.expect_find().once().returning(move |_, _| Ok(Some(record.clone())));
    let service = AdministrationService { records: Arc::new(records), ..untouched() };
    let new = NewApiKey { expires_at: Some(a_time()), ..new_key(Roles::default()) };
    let request = Some(IdempotentRequest { key, fingerprint });
    let answer = block_on(service.create_key(&admin(), None, new, request));
    assert_eq!(answer, Ok((an_api_key(), None)));
}

#[test]
fn the_lifetime_of_a_key_is_limited_by_the_operator() {
    let (day, now) = (Duration::from_secs(86_400), a_time());
    for (wanted, end) in [
        (None, Ok(now.later(day * 9))),
        (Some(now.later(day)), Ok(now.later(day))),
        (Some(now.later(day * 10)), Err("max_age")),
    ] {
        let mut keys = MockApiKeyRepository::new();
        keys.expect_create().times(usize::from(end.is_ok())).returning(|_, key, _, _| Ok(Done::now(key)));
        let capped =
            AdministrationService { key_max_age: Some(day * 9), ..service(MockTenancyRepository::new(), keys) };
        let new = NewApiKey { expires_at: wanted, ..new_key(Roles::default()) };
        match block_on(capped.create_key(&admin(), None, new, None)) {
            Ok((key, _)) => assert_eq!(Ok(key.expires_at.unwrap()), end),
            Err(KeyError::Invalid(broken)) => assert_eq!(Err(broken.iter().next().unwrap().rule), end),
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn a_rotation_creates_an_equal_key_and_keeps_the_old_key_for_the_overlap() {
    let day = Duration::from_secs(86_400);
    let old = ApiKey { expires_at: Some(a_time().later(day * 30)), ..an_api_key() };
    let mut keys = MockApiKeyRepository::new();
    let found = old.clone();
    keys.expect_find().returning(move |_, _| Ok(Some(found.clone())));
    keys.expect_rotate().once().returning(|scope, rotation, _| {
        assert_eq!((scope.owner, rotation.replaced), (a_scope().owner, an_api_key().id));
        assert_eq!(rotation.until, a_time().later(Duration::from_secs(60)));
        assert_eq!(rotation.key.display_id, rotation.secret.display_id());
        Ok(Done::now(rotation.key))
    });
    let service = service(MockTenancyRepository::new(), keys);
    let (key, secret) = block_on(service.rotate_key(&admin(), old.id, Duration::from_secs(60), None)).unwrap();
    assert_eq!(secret, Some(ApiKeySecret::from_random([7; 32])));
    assert_eq!((&key.name, &key.roles, key.owner), (&old.name, &old.roles, old.owner));
    assert_eq!(key.expires_at, Some(a_time().later(day * 30)), "the new key has the lifetime of the old key");

    // The old key never lives longer than before.
    let until = a_time().later(day * 99);
    let replaced = old.replaced(until, a_time(), &Actor::system()).unwrap();
    assert_eq!(replaced.expires_at, old.expires_at);
    let replaced = an_api_key().replaced(a_time(), a_time(), &Actor::system()).unwrap();
    assert!(!replaced.is_valid_at(a_time()), "without an overlap the old key ends at once");
}
