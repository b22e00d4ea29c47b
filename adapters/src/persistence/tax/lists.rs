//! Lists of tax rates and associations: filters of which any part may be absent, written once and compiled for each
//! database.

/// The tax rates that a filter names, in no order yet: a boxed query for a backend.
macro_rules! rates {
    ($backend:ty, $scope:expr, $filter:expr) => {{
        use diesel::{ExpressionMethods as _, QueryDsl as _};
        use $crate::persistence::schema::tax_rates;

        let ((tenant, environment), filter) = ($scope, $filter);
        let own =
            tax_rates::table.filter(tax_rates::tenant_id.eq(tenant)).filter(tax_rates::environment_id.eq(environment));
        let mut query = own.into_boxed::<$backend>();
        if let Some(status) = filter.status {
            query = query.filter(tax_rates::status.eq(status.as_str()));
        }
        if let Some(codes) = &filter.codes {
            query = query.filter(tax_rates::code.eq_any(codes.iter().map(|code| code.as_str()).collect::<Vec<_>>()));
        }
        if let Some(ids) = &filter.ids {
            query = query.filter(tax_rates::id.eq_any(ids.iter().map(ToString::to_string).collect::<Vec<_>>()));
        }
        if let Some(scope) = filter.scope {
            query = query.filter(tax_rates::scope.eq(scope.as_str()));
        }
        if let Some(rate_status) = filter.rate_status {
            query = query.filter(tax_rates::rate_status.eq(rate_status.as_str()));
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

/// The associations that a filter names, in no order yet: a boxed query for a backend.
macro_rules! associations {
    ($backend:ty, $scope:expr, $owner:expr, $filter:expr) => {{
        use diesel::{ExpressionMethods as _, QueryDsl as _};
        use patron_domain::{
            lifecycle::Status,
            tax::{TaxedEntities, TaxedEntityType},
        };
        use $crate::persistence::{
            literal::{Archived, Deleted, Published},
            schema::tax_associations,
            tax::association_row::entity_id,
        };

        let ((tenant, environment), filter) = ($scope, $filter);
        let own = tax_associations::table
            .filter(tax_associations::tenant_id.eq(tenant))
            .filter(tax_associations::environment_id.eq(environment));
        let mut query = own.into_boxed::<$backend>();
        // Words of the statement itself, so that the partial indexes serve.
        query = match filter.status {
            Status::Published => query.filter(tax_associations::status.eq(Published)),
            Status::Archived => query.filter(tax_associations::status.eq(Archived)),
            Status::Deleted => query.filter(tax_associations::status.eq(Deleted)),
        };
        if let Some(ids) = &filter.tax_rate_ids {
            let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
            query = query.filter(tax_associations::tax_rate_id.eq_any(ids));
            if filter.status != Status::Deleted {
                query = query.filter(tax_associations::status.ne(Deleted));
            }
        }
        query = match filter.entities {
            TaxedEntities::All => query,
            TaxedEntities::Customers => {
                query.filter(tax_associations::entity_type.eq(TaxedEntityType::Customer.as_str()))
            }
            TaxedEntities::One(entity) => query
                .filter(tax_associations::entity_type.eq(entity.kind().as_str()))
                .filter(tax_associations::entity_id.eq(entity_id($owner, entity))),
        };
        if let Some(currency) = filter.currency {
            query = query.filter(tax_associations::currency_key.eq(currency.key().as_str().to_owned()));
        }
        if let Some(auto_apply) = filter.auto_apply {
            query = query.filter(tax_associations::auto_apply.eq(auto_apply));
        }
        query
    }};
}

/// One page of a boxed query of a table, in the order asked for.
macro_rules! in_order {
    ($table:ident, $query:expr, $order:expr, $window:expr) => {{
        use patron_domain::customer::query::Direction;
        use $crate::persistence::schema::$table;

        let (query, window) = ($query, $window);
        let query = match $order {
            Direction::Asc => query.order(($table::created_at.asc(), $table::id.asc())),
            Direction::Desc => query.order(($table::created_at.desc(), $table::id.desc())),
        };
        query.limit(window.limit).offset(window.offset)
    }};
}

pub(crate) use {associations, in_order, rates};
