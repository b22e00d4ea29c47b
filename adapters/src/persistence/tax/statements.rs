//! Statements about tax rates, defaults, and the index of customers' tax associations.

use diesel::{
    ExpressionMethods, NullableExpressionMethods, QueryDsl,
    dsl::sql,
    sql_types::{Binary, Bool},
};
use patron_domain::{
    customer::{IndexKind, ListedAssociation, query::Direction},
    lifecycle::Status,
    page::PageBytes,
    tax::{TaxAssociationFilter, TaxRateFilter},
};

use super::row::{DefaultRow, RateRow};
use crate::persistence::{
    literal::PUBLISHED,
    page::Window,
    schema::{customer_index, tax_defaults, tax_rates},
    statements::statements,
    value::Key,
    word::Word,
};

/// A key of the index, and its customer.
pub(crate) type Listed = (Vec<u8>, Key);

/// The rates that match a filter, not ordered yet.
macro_rules! rates_admitted {
    ($environment:expr, $filter:expr) => {{
        let filter: &TaxRateFilter = $filter;
        let mut query = tax_rates::table.filter(tax_rates::environment.eq($environment)).into_boxed();
        if let Some(status) = filter.status {
            query = query.filter(tax_rates::status.eq(status.code()));
        }
        if let Some(codes) = &filter.codes {
            query = query.filter(tax_rates::code.eq_any(codes.iter().map(|code| code.as_str()).collect::<Vec<_>>()));
        }
        if let Some(ids) = &filter.ids {
            query = query.filter(tax_rates::id.eq_any(ids.iter().map(|id| Key::from(*id)).collect::<Vec<_>>()));
        }
        if let Some(scope) = filter.scope {
            query = query.filter(tax_rates::scope.eq(scope.code()));
        }
        if let Some(status) = filter.rate_status {
            query = query.filter(tax_rates::rate_status.eq(status.code()));
        }
        if let Some(from) = filter.created_from {
            query = query.filter(tax_rates::created_at.ge(from.micros()));
        }
        if let Some(until) = filter.created_until {
            query = query.filter(tax_rates::created_at.le(until.micros()));
        }
        query
    }};
}

/// The index entries of customers' associations that match a filter, not ordered yet. `status` is one of the filter's
/// statuses, `rate` one of its rates.
///
/// Everything that can be filtered is part of the key: see [`ListedAssociation`].
macro_rules! associations_admitted {
    ($environment:expr, $filter:expr, $status:expr, $rate:expr) => {{
        let (filter, rate): (&TaxAssociationFilter, Option<Key>) = ($filter, $rate);
        let kind = if rate.is_some() { IndexKind::RateList } else { IndexKind::AssociationList };
        let prefix = rate.map(|rate| rate.as_bytes().to_vec()).unwrap_or_default();
        let status = ListedAssociation::status_byte($status);
        // The time of creation follows the status, so a range of times is a range of keys.
        let from = filter.created_from.map(|from| ListedAssociation::time_bytes(from.micros()));
        let until =
            filter.created_until.and_then(|until| until.micros().checked_add(1)).map(ListedAssociation::time_bytes);
        let first = [prefix.as_slice(), &[status], from.as_ref().map_or(&[], <[u8; 8]>::as_slice)].concat();
        let end = match until {
            Some(until) => [prefix.as_slice(), &[status], &until].concat(),
            None => [prefix.as_slice(), &[status + 1]].concat(),
        };
        let mut query = customer_index::table
            .filter(customer_index::environment.eq($environment))
            .filter(customer_index::kind.eq(kind.code()))
            .filter(customer_index::key.ge(first))
            .filter(customer_index::key.lt(end))
            .into_boxed();
        // `substr` counts from 1.
        if let Some(currency) = filter.currency {
            let place = prefix.len() + ListedAssociation::CURRENCY + 1;
            let wanted = currency.key().as_str().as_bytes().to_vec();
            query = query.filter(sql::<Bool>(&format!("substr(key, {place}, 3) = ")).bind::<Binary, _>(wanted));
        }
        if let Some(auto_apply) = filter.auto_apply {
            let place = prefix.len() + ListedAssociation::AUTO_APPLY + 1;
            let wanted = vec![u8::from(auto_apply)];
            query = query.filter(sql::<Bool>(&format!("substr(key, {place}, 1) = ")).bind::<Binary, _>(wanted));
        }
        query
    }};
}

statements! {
    /// Statements about taxes.
    TaxStatements {
        /// A rate.
        fn rate(db, environment: i32, id: Key) -> Option<RateRow> {
            let one = tax_rates::table.filter(tax_rates::environment.eq(environment)).filter(tax_rates::id.eq(id));
            db.one(one).await
        }

        /// A rate, locked. Transactions that use a rate share a lock on it, so its uses cannot change in the meantime.
        fn lock_rate(db, environment: i32, id: Key) -> Option<RateRow> {
            let one = tax_rates::table.filter(tax_rates::environment.eq(environment)).filter(tax_rates::id.eq(id));
            db.locked(one).await
        }

        /// The environment and the id of each rate with a change that begins by a time, the earliest first.
        fn due_rates(db, environments: &[i32], at: i64, limit: i64) -> Vec<(i32, Key)> {
            let due = tax_rates::table
                .filter(tax_rates::environment.eq_any(environments))
                .filter(tax_rates::next_change_at.is_not_null())
                .filter(tax_rates::next_change_at.assume_not_null().le(at))
                .order(tax_rates::next_change_at.asc());
            db.rows(due.select((tax_rates::environment, tax_rates::id)).limit(limit)).await
        }

        /// The id of the published rate with a code.
        fn rate_of_code(db, environment: i32, code: &str) -> Option<Key> {
            let one = tax_rates::table.filter(tax_rates::environment.eq(environment)).filter(tax_rates::code.eq(code));
            db.one(one.filter(tax_rates::status.eq(PUBLISHED)).select(tax_rates::id)).await
        }

        /// The published rates with these codes, with a shared lock.
        fn share_rates_of_codes(db, environment: i32, codes: &[String]) -> Vec<RateRow> {
            db.each_shared(
                codes,
                |code| tax_rates::table
                    .filter(tax_rates::environment.eq(environment))
                    .filter(tax_rates::code.eq(code))
                    .filter(tax_rates::status.eq(PUBLISHED)),
                |codes| tax_rates::table
                    .filter(tax_rates::environment.eq(environment))
                    .filter(tax_rates::code.eq_any(codes))
                    .filter(tax_rates::status.eq(PUBLISHED))
                    .order(tax_rates::code.asc()),
            ).await
        }

        /// Rates of any status.
        fn rates_of_ids(db, environment: i32, ids: &[Key]) -> Vec<RateRow> {
            db.each(
                ids,
                |id| tax_rates::table.filter(tax_rates::environment.eq(environment)).filter(tax_rates::id.eq(id)),
                |ids| tax_rates::table.filter(tax_rates::environment.eq(environment)).filter(tax_rates::id.eq_any(ids)),
            ).await
        }

        /// A page of the rates that match a filter. If it ends early because they are large, there is one more row.
        fn rates_admitted(db, environment: i32, filter: &TaxRateFilter, window: Window) -> Vec<RateRow> {
            let all = rates_admitted!(environment, filter);
            let ordered = match filter.order {
                Direction::Asc => all.order((tax_rates::created_at.asc(), tax_rates::id.asc())),
                Direction::Desc => all.order((tax_rates::created_at.desc(), tax_rates::id.desc())),
            };
            db.rows_within(ordered.limit(window.limit).offset(window.offset), PageBytes::default()).await
        }

        /// The number of rates that match a filter.
        fn count_rates_admitted(db, environment: i32, filter: &TaxRateFilter) -> i64 {
            let all = rates_admitted!(environment, filter).count();
            Ok(db.one::<_, i64>(all).await?.unwrap_or_default())
        }

        /// A default.
        fn default(db, environment: i32, id: Key) -> Option<DefaultRow> {
            let one = tax_defaults::table.filter(tax_defaults::environment.eq(environment)).filter(tax_defaults::id.eq(id));
            db.one(one).await
        }

        /// A default, locked.
        fn lock_default(db, environment: i32, id: Key) -> Option<DefaultRow> {
            let one = tax_defaults::table.filter(tax_defaults::environment.eq(environment)).filter(tax_defaults::id.eq(id));
            db.locked(one).await
        }

        /// The published defaults of a rate.
        fn defaults_of_rate(db, environment: i32, rate: Key) -> Vec<DefaultRow> {
            let same = tax_defaults::table
                .filter(tax_defaults::environment.eq(environment))
                .filter(tax_defaults::tax_rate.eq(rate))
                .filter(tax_defaults::status.eq(PUBLISHED));
            db.rows(same).await
        }

        /// All defaults of a status.
        fn defaults(db, environment: i32, status: i16) -> Vec<DefaultRow> {
            let all = tax_defaults::table.filter(tax_defaults::environment.eq(environment));
            db.rows(all.filter(tax_defaults::status.eq(status))).await
        }

        /// The published defaults with a shared lock.
        fn share_defaults(db, environment: i32) -> Vec<DefaultRow> {
            let all = tax_defaults::table.filter(tax_defaults::environment.eq(environment));
            db.shared_rows(all.filter(tax_defaults::status.eq(PUBLISHED))).await
        }

        /// Whether a default uses a rate.
        fn is_default(db, environment: i32, rate: Key) -> bool {
            let uses = tax_defaults::table.filter(tax_defaults::environment.eq(environment));
            let uses = uses.filter(tax_defaults::tax_rate.eq(rate)).filter(tax_defaults::status.eq(PUBLISHED));
            Ok(db.one::<_, Key>(uses.select(tax_defaults::id)).await?.is_some())
        }

        /// Whether an association of a customer uses a rate; with `ever`, also removed ones.
        fn is_associated(db, environment: i32, rate: Key, ever: bool) -> bool {
            // Removed ones come last in the index.
            let end = ListedAssociation::status_byte(Status::Deleted) + u8::from(ever);
            let (first, end) = (rate.as_bytes().to_vec(), [rate.as_bytes().as_slice(), &[end]].concat());
            let uses = customer_index::table
                .filter(customer_index::environment.eq(environment))
                .filter(customer_index::kind.eq(IndexKind::RateList.code()))
                .filter(customer_index::key.ge(first))
                .filter(customer_index::key.lt(end));
            Ok(db.one::<_, Key>(uses.select(customer_index::customer).limit(1)).await?.is_some())
        }

        /// The first customers' associations that match a filter and have a status, in the filter's order.
        fn associations_admitted(
            db, environment: i32, filter: &TaxAssociationFilter, status: Status, rate: Option<Key>, window: Window,
        ) -> Vec<Listed> {
            let all = associations_admitted!(environment, filter, status, rate);
            let ordered = match filter.order {
                Direction::Asc => all.order(customer_index::key.asc()),
                Direction::Desc => all.order(customer_index::key.desc()),
            };
            let columns = (customer_index::key, customer_index::customer);
            db.rows(ordered.select(columns).limit(window.limit).offset(window.offset)).await
        }

        /// The number of customers' associations that match a filter and have a status.
        fn count_associations_admitted(
            db, environment: i32, filter: &TaxAssociationFilter, status: Status, rate: Option<Key>,
        ) -> i64 {
            let all = associations_admitted!(environment, filter, status, rate).count();
            Ok(db.one::<_, i64>(all).await?.unwrap_or_default())
        }
    }
}
