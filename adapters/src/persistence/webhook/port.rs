//! The port for webhooks.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures_util::FutureExt;
use patron_domain::{
    audit::Act,
    idempotency::{Answer, CallersClaim, Done, OnceError},
    ids::{WebhookDeliveryId, WebhookEndpointId},
    lifecycle::{Owner, Precondition},
    page::{Page, PageRequest},
    store::StoreError,
    tenancy::{EnvironmentScope, Quota, SystemScope},
    time::Timestamp,
    webhook::{
        ChangeEndpoint, Delivery, DeliveryKind, DeliveryQuery, DeliveryState, LeaseClaim, RoundRecord, WebhookEndpoint,
        WebhookError, WebhookRepository, check_endpoints,
    },
};

use super::row::{DeliveryPlaceRow, DeliveryRow, EndpointRow};
use crate::persistence::{
    audit::Auditing,
    author::Author,
    engine::{Decision, Pace},
    error::{Failure, refused},
    idempotency::{self, Before, Once},
    page::{Window, page_of},
    party::Party,
    store::Store,
    value::Key,
    writes::Writes,
};

fn deliveries(owner: Owner, rows: Vec<DeliveryRow>) -> Result<Vec<Delivery>, StoreError> {
    rows.into_iter().map(|row| row.delivery(owner)).collect()
}

#[async_trait]
impl WebhookRepository for Store {
    async fn create_endpoint(
        &self,
        scope: &EnvironmentScope,
        endpoint: WebhookEndpoint,
        quota: Quota,
        claim: Option<CallersClaim>,
    ) -> Result<Done<WebhookEndpoint>, WebhookError> {
        let endpoint = WebhookEndpoint { owner: scope.owner, ..endpoint };
        let environment = self.environment_to_write(&scope.origin, scope.owner).await?;
        let (once, auditing) = (Once::of(self, claim).await?, Auditing::of(self, scope).await?);
        let create = self.write(Author::from(scope), environment, move |unit| {
            let (endpoint, once, auditing) = (endpoint.clone(), once.clone(), auditing.clone());
            let create = async move {
                let known = unit.count_endpoints_of(environment).await?;
                let keeping = match idempotency::before(unit, once.as_ref()).await? {
                    Before::Done(made) => return Ok(Decision::nothing(Done::before(made))),
                    Before::Free(keeping) => keeping,
                };
                check_endpoints(u64::try_from(known).unwrap_or_default(), quota).map_err(Failure::Refused)?;
                let mut writes = Writes { marked: Some(environment), ..Writes::default() };
                writes.new_endpoints.push(EndpointRow::new(environment, &endpoint));
                auditing.note(&mut writes, Act::endpoint_created(&endpoint), endpoint.audit.updated_at);
                keeping.answer(&mut writes, &endpoint, endpoint.audit.updated_at);
                Ok(Decision { answer: Done::now(endpoint), writes })
            };
            create.boxed()
        });
        create.await
    }

    async fn endpoints(
        &self,
        scope: &EnvironmentScope,
        page_request: PageRequest,
    ) -> Result<Page<WebhookEndpoint>, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(Page::empty()) };
        let window = Window::from(page_request);
        let read = self.read(Pace::list(environment), move |unit| {
            let read = async move {
                Ok((unit.endpoints_of(environment, window).await?, unit.count_endpoints_of(environment).await?))
            };
            read.boxed()
        });
        page_of(read.await?, |row| row.endpoint(scope.owner))
    }

    async fn find_endpoint(
        &self,
        scope: &EnvironmentScope,
        id: WebhookEndpointId,
    ) -> Result<Option<WebhookEndpoint>, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(None) };
        let row = self.read(Pace::LookUp, move |unit| unit.endpoint(environment, id.into()).boxed()).await?;
        row.map(|row| row.endpoint(scope.owner)).transpose()
    }

    async fn find_any_endpoint(
        &self,
        _scope: &SystemScope,
        id: WebhookEndpointId,
    ) -> Result<Option<WebhookEndpoint>, StoreError> {
        let row = self.read(Pace::LookUp, move |unit| unit.any_endpoint(id.into()).boxed()).await?;
        let Some(row) = row else { return Ok(None) };
        let owners = self.owners_of([row.environment]).await?;
        owners.get(&row.environment).map(|owner| row.endpoint(*owner)).transpose()
    }

    async fn change_endpoint(
        &self,
        scope: &EnvironmentScope,
        change: ChangeEndpoint,
        claim: Option<CallersClaim>,
    ) -> Result<Done<WebhookEndpoint>, WebhookError> {
        let environment = self.environment(scope.owner).await?.ok_or(WebhookError::UnknownEndpoint)?;
        let (once, auditing) = (Once::of(self, claim).await?, Auditing::of(self, scope).await?);
        let scope = scope.clone();
        let work = self.write(Author::from(&scope), environment, move |unit| {
            let (scope, change, once, auditing) = (scope.clone(), change.clone(), once.clone(), auditing.clone());
            let work = async move {
                let row = unit.lock_endpoint(environment, change.id.into()).await?;
                let keeping = match idempotency::before(unit, once.as_ref()).await? {
                    Before::Done(changed) => return Ok(Decision::nothing(Done::before(changed))),
                    Before::Free(keeping) => keeping,
                };
                let row = row.ok_or(Failure::Refused(WebhookError::UnknownEndpoint))?;
                let at = change.at;
                let before = row.endpoint(scope.owner).map_err(refused)?;
                let endpoint = change.decide(&scope, &before).map_err(|conflict| Failure::Refused(conflict.into()))?;
                let mut writes = Writes { marked: Some(environment), ..Writes::default() };
                auditing.note(&mut writes, Act::endpoint_changed(&before, &endpoint), at);
                if endpoint != before {
                    writes.endpoints.push(row.changed(&endpoint));
                }
                keeping.answer(&mut writes, &endpoint, at);
                Ok(Decision { answer: Done::now(endpoint), writes })
            };
            work.boxed()
        });
        work.await
    }

    async fn delete_endpoint(
        &self,
        scope: &EnvironmentScope,
        id: WebhookEndpointId,
        at: Timestamp,
        only_if: Precondition,
        claim: Option<CallersClaim>,
    ) -> Result<Option<Done<()>>, WebhookError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(None) };
        let (once, auditing) = (Once::of(self, claim).await?, Auditing::of(self, scope).await?);
        let scope = scope.clone();
        let work = self.write(Author::from(&scope), environment, move |unit| {
            let (scope, once, auditing) = (scope.clone(), once.clone(), auditing.clone());
            let only_if = only_if.clone();
            let work = async move {
                let row = unit.lock_endpoint(environment, id.into()).await?;
                let keeping = match idempotency::before::<(), WebhookError>(unit, once.as_ref()).await? {
                    Before::Done(()) => return Ok(Decision::nothing(Some(Done::before(())))),
                    Before::Free(keeping) => keeping,
                };
                let Some(row) = row else { return Ok(Decision::nothing(None)) };
                let endpoint = row.endpoint(scope.owner).map_err(refused)?;
                only_if.check(Some(endpoint.version())).map_err(|conflict| Failure::Refused(conflict.into()))?;
                let mut endpoint = endpoint.without_secrets();
                endpoint.audit.touch(at, &scope.actor);
                let mut writes = Writes { marked: Some(environment), ..Writes::default() };
                auditing.note(&mut writes, Act::endpoint_deleted(id), at);
                // Its secrets are deleted at once.
                writes.endpoints.push(EndpointRow {
                    deleted_at: Some(at.micros()),
                    lease_holder: None,
                    lease_until: None,
                    ..row.changed(&endpoint)
                });
                keeping.answer(&mut writes, &(), at);
                Ok::<_, Failure<WebhookError>>(Decision { answer: Some(Done::now(())), writes })
            };
            work.boxed()
        });
        work.await
    }

    async fn deliveries(
        &self,
        scope: &EnvironmentScope,
        id: WebhookEndpointId,
        query: DeliveryQuery,
    ) -> Result<Vec<Delivery>, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(Vec::new()) };
        let read = self.read(Pace::list(environment), move |unit| {
            async move { unit.deliveries(environment, id.into(), &query).await }.boxed()
        });
        deliveries(scope.owner, read.await?)
    }

    async fn add_deliveries(
        &self,
        scope: &EnvironmentScope,
        deliveries: Vec<Delivery>,
        at: Timestamp,
        claim: Option<CallersClaim>,
    ) -> Result<Done<u64>, OnceError> {
        let count = deliveries.len() as u64;
        self.add(scope, deliveries, (count, at), claim).await
    }

    async fn add_test(
        &self,
        scope: &EnvironmentScope,
        test: Delivery,
        claim: Option<CallersClaim>,
    ) -> Result<Done<Delivery>, OnceError> {
        let test = Delivery { owner: scope.owner, ..test };
        let at = test.created_at;
        self.add(scope, vec![test.clone()], (test, at), claim).await
    }

    async fn retry_failed(
        &self,
        scope: &EnvironmentScope,
        id: WebhookEndpointId,
        at: Timestamp,
        limit: u32,
        claim: Option<CallersClaim>,
    ) -> Result<Done<u64>, OnceError> {
        let environment = self.environment_to_write(&scope.origin, scope.owner).await?;
        let (once, owner) = (Once::of(self, claim).await?, scope.owner);
        let work = self.write(Author::from(scope), environment, move |unit| {
            let once = once.clone();
            let work = async move {
                let keeping = match idempotency::before(unit, once.as_ref()).await? {
                    Before::Done(count) => return Ok(Decision::nothing(Done::before(count))),
                    Before::Free(keeping) => keeping,
                };
                let mut writes = Writes { marked: Some(environment), ..Writes::default() };
                for row in unit.lock_failed(environment, id.into(), limit.into()).await? {
                    let failed = row.delivery(owner).map_err(refused)?;
                    let again = Delivery {
                        kind: DeliveryKind::Replay,
                        state: DeliveryState::Waiting { next_attempt_at: Some(at) },
                        attempts: 0,
                        updated_at: at,
                        ..failed
                    };
                    writes.deliveries.push(DeliveryRow::new(environment, &again));
                }
                let count = writes.deliveries.len() as u64;
                keeping.answer(&mut writes, &count, at);
                Ok::<_, Failure<OnceError>>(Decision { answer: Done::now(count), writes })
            };
            work.boxed()
        });
        work.await
    }

    async fn claim(&self, _scope: &SystemScope, claim: LeaseClaim) -> Result<Vec<WebhookEndpoint>, StoreError> {
        self.claim_endpoints(claim).await
    }

    async fn renew(
        &self,
        _scope: &SystemScope,
        id: WebhookEndpointId,
        holder: &str,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        self.renew_lease(id, holder.to_owned(), until).await
    }

    async fn waiting(
        &self,
        scope: &EnvironmentScope,
        id: WebhookEndpointId,
        now: Timestamp,
        first: u32,
        replays: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(Vec::new()) };
        let read = self.read(Pace::list(environment), move |unit| {
            let read = async move {
                let mut rows = unit.waiting(environment, id.into(), first.into()).await?;
                rows.extend(unit.due_replays(environment, id.into(), now.micros(), replays.into()).await?);
                Ok(rows)
            };
            read.boxed()
        });
        deliveries(scope.owner, read.await?)
    }

    async fn record(&self, _scope: &SystemScope, record: RoundRecord) -> Result<bool, StoreError> {
        self.record_round(record).await
    }

    async fn remove_deliveries(
        &self,
        _scope: &SystemScope,
        changed_before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let last = Key::from(WebhookDeliveryId::last_at(changed_before));
        let remove = self.write(Author::system(), Party::System, move |unit| {
            let remove = async move {
                let all = unit.environments_known().await?;
                let old = unit.old_deliveries(&all, changed_before.micros(), last, limit.into()).await?;
                let place = |(environment, endpoint, id)| DeliveryPlaceRow { environment, endpoint, id };
                let deliveries_gone: Vec<_> = old.into_iter().map(place).collect();
                let count = deliveries_gone.len() as u64;
                let writes = Writes { deliveries_gone, ..Writes::default() };
                Ok::<_, Failure<StoreError>>(Decision { answer: count, writes })
            };
            remove.boxed()
        });
        remove.await
    }
}

impl Store {
    /// Adds deliveries, at most once under a key, and returns the answer.
    async fn add<T>(
        &self,
        scope: &EnvironmentScope,
        deliveries: Vec<Delivery>,
        (answer, at): (T, Timestamp),
        claim: Option<CallersClaim>,
    ) -> Result<Done<T>, OnceError>
    where
        T: Answer + Clone + Send + Sync + 'static,
    {
        let environment = self.environment_to_write(&scope.origin, scope.owner).await?;
        let once = Once::of(self, claim).await?;
        let rows: Vec<_> = deliveries.iter().map(|delivery| DeliveryRow::new(environment, delivery)).collect();
        let add = self.write(Author::from(scope), environment, move |unit| {
            let (rows, answer, once) = (rows.clone(), answer.clone(), once.clone());
            let add = async move {
                let keeping = match idempotency::before(unit, once.as_ref()).await? {
                    Before::Done(added) => return Ok(Decision::nothing(Done::before(added))),
                    Before::Free(keeping) => keeping,
                };
                let mut writes = Writes { deliveries: rows, marked: Some(environment), ..Writes::default() };
                keeping.answer(&mut writes, &answer, at);
                Ok::<_, Failure<OnceError>>(Decision { answer: Done::now(answer), writes })
            };
            add.boxed()
        });
        add.await
    }

    /// The owners of environments, by the environments' numbers.
    pub(crate) async fn owners_of(
        &self,
        environments: impl IntoIterator<Item = i32>,
    ) -> Result<BTreeMap<i32, Owner>, StoreError> {
        let environments: Vec<i32> = environments.into_iter().collect();
        let read = self.read(Pace::LookUp, move |unit| async move { unit.owners_of(&environments).await }.boxed());
        let owner = |(environment, tenant, id): (i32, Key, Key)| {
            (environment, Owner { tenant_id: tenant.id(), environment_id: id.id() })
        };
        Ok(read.await?.into_iter().map(owner).collect())
    }
}
