//! Statements about erasures.

use diesel::{ExpressionMethods, NullableExpressionMethods, QueryDsl};
use patron_domain::privacy::DeletionQuery;

use super::{
    entries::Entries,
    row::{DeletionRow, InstallationKeyRow, RetentionRow, SuppressedRow},
};
use crate::persistence::{
    customer::row::CustomerIndexRow,
    literal::CANCELLED,
    schema::{
        customer_index, customers, deletion_requests, erased_subjects, installation_keys, retention_settings,
        suppressed_customers, webhook_deliveries,
    },
    statements::statements,
    value::Key,
    webhook::row::DeliveryRow,
    word::Word,
};

/// The requests of an environment.
macro_rules! requests_of {
    ($environment:expr) => {
        deletion_requests::table.filter(deletion_requests::environment.eq($environment))
    };
}

/// The customers that retention counts.
macro_rules! retained {
    ($environment:expr) => {
        customers::table.filter(customers::environment.eq($environment)).filter(customers::retained_from.is_not_null())
    };
}

/// The deliveries about customers whose answers are stored.
macro_rules! answered {
    ($environment:expr, $about:expr) => {
        webhook_deliveries::table
            .filter(webhook_deliveries::environment.eq($environment))
            .filter($about)
            .filter(webhook_deliveries::last_answer.is_not_null())
    };
}

statements! {
    /// Statements about erasures.
    PrivacyStatements {
        /// A request.
        fn deletion(db, environment: i32, id: Key) -> Option<DeletionRow> {
            db.one(requests_of!(environment).filter(deletion_requests::id.eq(id))).await
        }

        /// The same, locked.
        fn lock_deletion(db, environment: i32, id: Key) -> Option<DeletionRow> {
            db.locked(requests_of!(environment).filter(deletion_requests::id.eq(id))).await
        }

        /// Several requests, locked.
        fn lock_deletions(db, environment: i32, ids: &[Key]) -> Vec<DeletionRow> {
            db.each_locked(
                ids,
                |id| requests_of!(environment).filter(deletion_requests::id.eq(id)),
                |ids| requests_of!(environment).filter(deletion_requests::id.eq_any(ids)).order(deletion_requests::id.asc()),
            ).await
        }

        /// Requests, the newest first.
        fn deletions(db, environment: i32, query: &DeletionQuery) -> Vec<DeletionRow> {
            let all = requests_of!(environment).order(deletion_requests::id.desc());
            let mut all = all.limit(query.limit.into()).into_boxed();
            if let Some(state) = query.state {
                all = all.filter(deletion_requests::state.eq(state.code()));
            }
            if let Some(before) = query.before {
                all = all.filter(deletion_requests::id.lt(Key::from(before)));
            }
            db.rows(all).await
        }

        /// The request in force about a customer.
        fn deletion_in_force(db, environment: i32, customer: Key) -> Option<DeletionRow> {
            let about = requests_of!(environment).filter(deletion_requests::customer.eq(customer));
            db.one(about.filter(deletion_requests::state.ne(CANCELLED))).await
        }

        /// The customers among these with a request in force whose redaction has begun.
        fn erased_among(db, environment: i32, customers: &[Key]) -> Vec<Key> {
            let of = || requests_of!(environment).filter(deletion_requests::state.ne(CANCELLED));
            let begun = deletion_requests::state.ne(patron_domain::privacy::DeletionState::Suppressed.code());
            db.each(
                customers,
                |one| of().filter(deletion_requests::customer.eq(one)).filter(begun).select(deletion_requests::customer),
                |all| of().filter(deletion_requests::customer.eq_any(all)).filter(begun).select(deletion_requests::customer),
            ).await
        }

        /// The requests of any state about customers.
        fn deletions_about(db, environment: i32, customers: &[Key]) -> Vec<DeletionRow> {
            let of = || requests_of!(environment).order(deletion_requests::id.asc());
            db.each(
                customers,
                |one| of().filter(deletion_requests::customer.eq(one)),
                |all| of().filter(deletion_requests::customer.eq_any(all)),
            ).await
        }

        /// The requests of a tag, the newest first.
        fn requests_of_tag(db, environment: i32, tag: &[u8]) -> Vec<Key> {
            let of = erased_subjects::table.filter(erased_subjects::environment.eq(environment));
            let of = of.filter(erased_subjects::tag.eq(tag)).order(erased_subjects::request.desc());
            db.rows(of.select(erased_subjects::request)).await
        }

        /// The tags of a request.
        fn tags_of(db, environment: i32, request: Key) -> Vec<Vec<u8>> {
            let of = erased_subjects::table.filter(erased_subjects::environment.eq(environment));
            db.rows(of.filter(erased_subjects::request.eq(request)).select(erased_subjects::tag)).await
        }

        /// The tags among these that belong to subjects that are suppressed or erased.
        fn tags_known(db, environment: i32, tags: &[Vec<u8>]) -> Vec<Vec<u8>> {
            let of = || erased_subjects::table.filter(erased_subjects::environment.eq(environment));
            db.each(
                tags,
                |one| of().filter(erased_subjects::tag.eq(one)).select(erased_subjects::tag),
                |all| of().filter(erased_subjects::tag.eq_any(all)).select(erased_subjects::tag),
            ).await
        }

        /// Whether any subject of an environment is suppressed or erased.
        fn has_subjects(db, environment: i32) -> bool {
            let of = erased_subjects::table.filter(erased_subjects::environment.eq(environment));
            Ok(db.one::<_, Key>(of.select(erased_subjects::request).limit(1)).await?.is_some())
        }

        /// Suppressed customers.
        fn suppressed(db, environment: i32, ids: &[Key]) -> Vec<SuppressedRow> {
            let of = || suppressed_customers::table.filter(suppressed_customers::environment.eq(environment));
            db.each(
                ids,
                |one| of().filter(suppressed_customers::id.eq(one)),
                |all| of().filter(suppressed_customers::id.eq_any(all)),
            ).await
        }

        /// The suppressed customers among these.
        fn suppressed_among(db, environment: i32, ids: &[Key]) -> Vec<Key> {
            let of = || suppressed_customers::table.filter(suppressed_customers::environment.eq(environment));
            db.each(
                ids,
                |one| of().filter(suppressed_customers::id.eq(one)).select(suppressed_customers::id),
                |all| of().filter(suppressed_customers::id.eq_any(all)).select(suppressed_customers::id),
            ).await
        }

        /// The environment and the id of each due request, those due longest first.
        fn due_deletions(db, environments: &[i32], now: i64, limit: i64) -> Vec<(i32, Key)> {
            let due = deletion_requests::table
                .filter(deletion_requests::environment.eq_any(environments))
                .filter(deletion_requests::due_at.is_not_null())
                .filter(deletion_requests::due_at.assume_not_null().le(now))
                .order(deletion_requests::due_at.asc());
            db.rows(due.select((deletion_requests::environment, deletion_requests::id)).limit(limit)).await
        }

        /// The entries among these that exist. All belong to one environment.
        fn entries_among(db, wanted: &[CustomerIndexRow]) -> Vec<CustomerIndexRow> {
            db.each(
                wanted,
                |one| {
                    customer_index::table
                        .filter(customer_index::environment.eq(one.environment))
                        .filter(customer_index::kind.eq(one.kind))
                        .filter(customer_index::key.eq(&one.key))
                        .filter(customer_index::customer.eq(one.customer))
                },
                Entries::among,
            ).await
        }

        /// Deliveries about customers whose answers are stored, locked; at most `limit` of each.
        fn lock_answered(db, environment: i32, entities: &[String], limit: i64) -> Vec<DeliveryRow> {
            db.each_locked(
                entities,
                |one| answered!(environment, webhook_deliveries::entity.eq(one)).limit(limit),
                |all| answered!(environment, webhook_deliveries::entity.eq_any(all)).limit(limit),
            ).await
        }

        /// The deliveries about a customer whose answers are stored.
        fn answered(db, environment: i32, entity: &str) -> Vec<DeliveryRow> {
            db.rows(answered!(environment, webhook_deliveries::entity.eq(entity))).await
        }

        /// For each delivery about one of these customers whose answer is stored, the customer.
        fn entities_answered(db, environment: i32, entities: &[String]) -> Vec<String> {
            db.each(
                entities,
                |one| answered!(environment, webhook_deliveries::entity.eq(one)).select(webhook_deliveries::entity),
                |all| answered!(environment, webhook_deliveries::entity.eq_any(all)).select(webhook_deliveries::entity),
            ).await
        }

        /// The retention of an environment.
        fn retention(db, environment: i32) -> Option<RetentionRow> {
            db.one(retention_settings::table.filter(retention_settings::environment.eq(environment))).await
        }

        /// The same, locked.
        fn lock_retention(db, environment: i32) -> Option<RetentionRow> {
            db.locked(retention_settings::table.filter(retention_settings::environment.eq(environment))).await
        }

        /// The retention of every environment that has one.
        fn retentions(db) -> Vec<RetentionRow> {
            db.rows(retention_settings::table.order(retention_settings::environment.asc())).await
        }

        /// The customers that retention counts, and since when, those first that count longest.
        fn retained(db, environment: i32, limit: i64) -> Vec<(Key, i64)> {
            let from = customers::retained_from.assume_not_null();
            db.rows(retained!(environment).order(from.asc()).select((customers::id, from)).limit(limit)).await
        }

        /// The customers that retention counts since a time or longer, those first that count longest.
        fn retained_since(db, environment: i32, before: i64, limit: i64) -> Vec<Key> {
            let from = customers::retained_from.assume_not_null();
            let old = retained!(environment).filter(from.le(before)).order(from.asc());
            db.rows(old.select(customers::id).limit(limit)).await
        }

        /// The customers with a former external id whose term ended at a time or earlier.
        fn with_former_id(db, environment: i32, before: i64, limit: i64) -> Vec<Key> {
            let until = customers::former_until.assume_not_null();
            let with = customers::table
                .filter(customers::environment.eq(environment))
                .filter(customers::former_until.is_not_null())
                .filter(until.le(before));
            db.rows(with.order(until.asc()).select(customers::id).limit(limit)).await
        }

        /// The keys of the installation, the newest first.
        fn installation_keys(db) -> Vec<InstallationKeyRow> {
            db.rows(installation_keys::table.order(installation_keys::id.desc())).await
        }
    }
}
