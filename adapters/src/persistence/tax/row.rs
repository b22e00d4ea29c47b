//! Rows of the tables `tax_rates` and `tax_defaults`.

use patron_domain::tax::{CurrencyCode, TaxAssociation, TaxRate};

use crate::persistence::{
    page::{Shape, Weighed},
    rows::rows,
    value::{Document, Key},
    word::Word,
};

rows! {
    /// One row of `tax_rates`.
    RateRow: tax_rates {
        environment: i32, id: Key;
        code: String,
        status: i16,
        rate_status: i16,
        scope: i16,
        created_at: i64,
        next_change_at: Option<i64>,
        document: Document,
    }
}

rows! {
    /// One row of `tax_defaults`.
    DefaultRow: tax_defaults {
        environment: i32, id: Key;
        tax_rate: Key,
        currency: String,
        status: i16,
        document: Document,
    }
}

impl Weighed for RateRow {
    const SHAPE: Shape = Shape { columns: 9, weighed: &[8] };

    fn bytes(&self) -> usize {
        self.document.bytes()
    }
}

impl RateRow {
    pub(crate) fn new(environment: i32, rate: &TaxRate) -> Self {
        Self {
            environment,
            id: rate.id.into(),
            code: rate.code.as_str().to_owned(),
            status: rate.status.code(),
            rate_status: rate.rate_status.code(),
            scope: rate.scope.code(),
            created_at: rate.audit.created_at.micros(),
            next_change_at: rate.next_change().map(|change| change.effective_from.micros()),
            document: Document::of(rate),
        }
    }
}

/// The column `currency`.
pub(crate) fn currency_column(currency: Option<CurrencyCode>) -> String {
    currency.map(|currency| currency.key().as_str().to_owned()).unwrap_or_default()
}

impl DefaultRow {
    pub(crate) fn new(environment: i32, default: &TaxAssociation) -> Self {
        Self {
            environment,
            id: default.id.into(),
            tax_rate: default.tax_rate_id.into(),
            currency: currency_column(default.currency),
            status: default.status.code(),
            document: Document::of(default),
        }
    }
}
