//! Statements about webhook endpoints and deliveries.

use diesel::{BoolExpressionMethods, ExpressionMethods, JoinOnDsl, NullableExpressionMethods, QueryDsl, dsl::exists};
use patron_domain::webhook::{DeliveryKind, DeliveryQuery, DeliveryStatus};

use super::row::{DeliveryRow, EndpointRow};
use crate::persistence::{
    literal::{FAILED, WAITING},
    page::Window,
    schema::{logs, webhook_deliveries, webhook_endpoints},
    statements::statements,
    value::Key,
    word::Word,
};

/// The endpoints of an environment that are not deleted.
macro_rules! endpoints_of {
    ($environment:expr) => {
        webhook_endpoints::table
            .filter(webhook_endpoints::environment.eq($environment))
            .filter(webhook_endpoints::deleted_at.is_null())
    };
}

/// The deliveries of an endpoint.
macro_rules! deliveries_of {
    ($environment:expr, $endpoint:expr) => {
        webhook_deliveries::table
            .filter(webhook_deliveries::environment.eq($environment))
            .filter(webhook_deliveries::endpoint.eq($endpoint))
    };
}

/// The waiting deliveries about entities.
macro_rules! waiting_about {
    ($environment:expr, $about:expr) => {
        webhook_deliveries::table
            .filter(webhook_deliveries::environment.eq($environment))
            .filter(webhook_deliveries::status.eq(WAITING))
            .filter($about)
    };
}

statements! {
    /// Statements about webhooks.
    WebhookStatements {
        /// An endpoint that is not deleted.
        fn endpoint(db, environment: i32, id: Key) -> Option<EndpointRow> {
            db.one(endpoints_of!(environment).filter(webhook_endpoints::id.eq(id))).await
        }

        /// The same, locked.
        fn lock_endpoint(db, environment: i32, id: Key) -> Option<EndpointRow> {
            db.locked(endpoints_of!(environment).filter(webhook_endpoints::id.eq(id))).await
        }

        /// Several endpoints, locked.
        fn lock_endpoints(db, environment: i32, ids: &[Key]) -> Vec<EndpointRow> {
            db.each_locked(
                ids,
                |id| endpoints_of!(environment).filter(webhook_endpoints::id.eq(id)),
                |ids| endpoints_of!(environment).filter(webhook_endpoints::id.eq_any(ids)).order(webhook_endpoints::id.asc()),
            ).await
        }

        /// An endpoint of any environment.
        fn any_endpoint(db, id: Key) -> Option<EndpointRow> {
            let one = webhook_endpoints::table.filter(webhook_endpoints::id.eq(id));
            db.one(one.filter(webhook_endpoints::deleted_at.is_null())).await
        }

        /// Every endpoint of an environment that is not deleted, locked.
        fn lock_all_endpoints(db, environment: i32) -> Vec<EndpointRow> {
            db.locked_rows(endpoints_of!(environment).order(webhook_endpoints::id.asc())).await
        }

        /// A page of an environment's endpoints, newest first.
        fn endpoints_of(db, environment: i32, window: Window) -> Vec<EndpointRow> {
            let ordered =
                endpoints_of!(environment).order((webhook_endpoints::created_at.desc(), webhook_endpoints::id.desc()));
            db.rows(ordered.limit(window.limit).offset(window.offset)).await
        }

        /// The number of endpoints of an environment.
        fn count_endpoints_of(db, environment: i32) -> i64 {
            Ok(db.one::<_, i64>(endpoints_of!(environment).count()).await?.unwrap_or_default())
        }

        /// The environment and the id of each endpoint that has work and can be served by a holder, the longest waiting
        /// first.
        fn endpoints_with_work(db, environments: &[i32], holder: &str, now: i64, limit: i64) -> Vec<(i32, Key)> {
            let behind = logs::table
                .filter(logs::environment.eq(webhook_endpoints::environment))
                .filter(logs::position.gt(webhook_endpoints::position));
            let due = webhook_deliveries::table
                .filter(webhook_deliveries::environment.eq(webhook_endpoints::environment))
                .filter(webhook_deliveries::endpoint.eq(webhook_endpoints::id))
                .filter(webhook_deliveries::status.eq(WAITING))
                .filter(webhook_deliveries::next_attempt_at.assume_not_null().le(now));
            let until = webhook_endpoints::lease_until;
            let free = until.is_null().or(until.assume_not_null().le(now));
            let mine = webhook_endpoints::lease_holder.assume_not_null().eq(holder);
            let paused = webhook_endpoints::paused_until;
            let found = webhook_endpoints::table
                .filter(webhook_endpoints::environment.eq_any(environments))
                .filter(webhook_endpoints::deleted_at.is_null())
                .filter(webhook_endpoints::disabled.eq(0_i16))
                .filter(paused.is_null().or(paused.assume_not_null().le(now)))
                .filter(free.or(mine))
                .filter(exists(behind).or(exists(due)))
                // Endpoints that gave up their turn have a lease; all others come first.
                .order((
                    until.is_null().desc(),
                    until.asc(),
                    webhook_endpoints::environment.asc(),
                    webhook_endpoints::id.asc(),
                ));
            let columns = (webhook_endpoints::environment, webhook_endpoints::id);
            db.rows(found.select(columns).limit(limit)).await
        }

        /// Deliveries of an endpoint, newest first.
        fn deliveries(db, environment: i32, endpoint: Key, query: &DeliveryQuery) -> Vec<DeliveryRow> {
            let all = deliveries_of!(environment, endpoint).order(webhook_deliveries::id.desc());
            let mut all = all.limit(query.limit.into()).into_boxed();
            match query.status {
                None => {}
                Some(DeliveryStatus::Waiting) => all = all.filter(webhook_deliveries::status.eq(WAITING)),
                Some(DeliveryStatus::Failed) => all = all.filter(webhook_deliveries::status.eq(FAILED)),
                Some(status) => all = all.filter(webhook_deliveries::status.eq(status.code())),
            }
            if let Some(before) = query.before {
                all = all.filter(webhook_deliveries::id.lt(Key::from(before)));
            }
            db.rows(all).await
        }

        /// The waiting first deliveries of an endpoint, in the order of the log.
        fn waiting(db, environment: i32, endpoint: Key, limit: i64) -> Vec<DeliveryRow> {
            let waiting = deliveries_of!(environment, endpoint)
                .filter(webhook_deliveries::status.eq(WAITING))
                .filter(webhook_deliveries::kind.eq(DeliveryKind::First.code()));
            let ordered = waiting.order((webhook_deliveries::position.asc(), webhook_deliveries::id.asc()));
            db.rows(ordered.limit(limit)).await
        }

        /// The due replays of an endpoint.
        fn due_replays(db, environment: i32, endpoint: Key, now: i64, limit: i64) -> Vec<DeliveryRow> {
            let due = deliveries_of!(environment, endpoint)
                .filter(webhook_deliveries::status.eq(WAITING))
                .filter(webhook_deliveries::kind.eq(DeliveryKind::Replay.code()))
                .filter(webhook_deliveries::next_attempt_at.assume_not_null().le(now));
            let ordered = due.order((webhook_deliveries::position.asc(), webhook_deliveries::id.asc()));
            db.rows(ordered.limit(limit)).await
        }

        /// The waiting deliveries about an entity.
        fn waiting_about(db, environment: i32, entity: &str) -> Vec<DeliveryRow> {
            db.rows(waiting_about!(environment, webhook_deliveries::entity.eq(entity))).await
        }

        /// The waiting deliveries about entities, locked.
        fn lock_waiting_about(db, environment: i32, entities: &[String]) -> Vec<DeliveryRow> {
            db.each_locked(
                entities,
                |one| waiting_about!(environment, webhook_deliveries::entity.eq(one)),
                |all| waiting_about!(environment, webhook_deliveries::entity.eq_any(all)),
            ).await
        }

        /// The failed deliveries of an endpoint, oldest first, locked.
        fn lock_failed(db, environment: i32, endpoint: Key, limit: i64) -> Vec<DeliveryRow> {
            let failed = deliveries_of!(environment, endpoint).filter(webhook_deliveries::status.eq(FAILED));
            db.locked_rows(failed.order(webhook_deliveries::id.asc()).limit(limit)).await
        }

        /// Deliveries that changed last before a time, and do not wait or belong to a deleted endpoint. `last` is the
        /// greatest id of that time: they are found by each endpoint's range of ids, so no index of times is needed.
        fn old_deliveries(db, environments: &[i32], before: i64, last: Key, limit: i64) -> Vec<(i32, Key, Key)> {
            let of_endpoint = webhook_deliveries::environment
                .eq(webhook_endpoints::environment)
                .and(webhook_deliveries::endpoint.eq(webhook_endpoints::id));
            let old = webhook_endpoints::table
                .inner_join(webhook_deliveries::table.on(of_endpoint))
                .filter(webhook_endpoints::environment.eq_any(environments))
                .filter(webhook_deliveries::id.le(last))
                .filter(webhook_deliveries::updated_at.lt(before))
                .filter(webhook_deliveries::status.ne(WAITING).or(webhook_endpoints::deleted_at.is_not_null()))
                .select((webhook_deliveries::environment, webhook_deliveries::endpoint, webhook_deliveries::id));
            db.rows(old.limit(limit)).await
        }
    }
}
