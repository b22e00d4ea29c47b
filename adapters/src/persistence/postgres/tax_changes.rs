//! Changing tax rates and environments' defaults over PostgreSQL: facts under lock, decision, row.

use async_trait::async_trait;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, update};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use patron_domain::{
    idempotency::{CallersClaim, Done},
    store::StoreError,
    tax::{
        ChangeTaxDefault, ChangeTaxDefaultError, ChangeTaxRate, ChangeTaxRateError, TaxAssociation, TaxRate,
        TaxRateFacts,
    },
    tenancy::EnvironmentScope,
};

use super::{
    idempotency::{keep, kept_before, rate_before},
    names,
    statements::{InsertEvents, InsertPayloads},
    write::Change,
};
use crate::persistence::{
    error::Failure,
    event::{
        row::{EventPayloadRow, EventRow},
        tax_rate::TaxRateRows,
    },
    idempotency::row::IdempotencyRow,
    schema::{tax_associations, tax_rates},
    tax::{
        association_row::TaxAssociationRow,
        queries,
        rate_row::{TaxRateRow, rate_id},
    },
};

/// Writes the event of a tax rate, once the rate is written: its lock puts the positions of its events in their order.
pub(super) async fn log(mut pg: &AsyncPgConnection, event: &EventRow, payload: &EventPayloadRow) -> QueryResult<()> {
    InsertEvents::new([event]).execute(&mut pg).await?;
    InsertPayloads::new([payload]).execute(&mut pg).await?;
    Ok(())
}

/// A change of a tax rate.
pub(super) struct ChangeRate {
    pub(super) scope: EnvironmentScope,
    pub(super) command: ChangeTaxRate,
    pub(super) claim: Option<CallersClaim>,
}

#[async_trait]
impl Change for ChangeRate {
    type Answer = Done<TaxRate>;
    type Refusal = ChangeTaxRateError;

    async fn write(&self, mut pg: &AsyncPgConnection) -> Result<Done<TaxRate>, Failure<ChangeTaxRateError>> {
        let refused = |error: StoreError| Failure::Refused(error.into());
        let (tenant, environment) = names(self.scope.owner);
        let id = self.command.id.to_string();
        let own = || queries::rate_by_id(&tenant, &environment, &id);
        // Whoever uses the rate takes a share of this lock first: what is found afterwards stays so until the commit.
        let current = own().for_update().first::<TaxRateRow>(&mut pg).await.optional()?;
        let claim = self.claim.as_ref();
        if let Some(rate) = rate_before(pg, claim).await? {
            return Ok(Done::before(rate));
        }
        let in_use = queries::uses_of_rate(&tenant, &environment, &id);
        let in_use = in_use.first::<String>(&mut pg).await.optional()?.is_some();
        let holder = match self.command.wanted_code() {
            None => None,
            Some(code) => {
                let holder = queries::rate_by_code(&tenant, &environment, code.as_str()).select(tax_rates::id);
                holder.first::<String>(&mut pg).await.optional()?
            }
        };
        let facts = TaxRateFacts::new(
            current.map(TaxRate::try_from).transpose().map_err(refused)?,
            in_use,
            holder.map(|holder| rate_id(&holder)).transpose().map_err(refused)?,
        );
        let event = self.command.clone().decide(&self.scope, &facts).map_err(Failure::Refused)?;
        let TaxRateRows { rate, event: row, payload } = TaxRateRows::new(&event).map_err(refused)?;
        keep(pg, claim, IdempotencyRow::of_rate(claim, &event).as_ref()).await?;
        update(own()).set(&rate).execute(&mut pg).await?;
        log(pg, &row, &payload).await?;
        Ok(Done::now(event.state))
    }

    async fn is_written(&self, mut pg: &AsyncPgConnection, rate: &Done<TaxRate>) -> QueryResult<bool> {
        if rate.replayed {
            return Ok(true);
        }
        let row = TaxRateRow::from(&rate.value);
        let own = queries::rate_by_id(&row.tenant_id, &row.environment_id, &row.id);
        let own = own.filter(tax_rates::version.eq(row.version)).filter(tax_rates::updated_at.eq(row.updated_at));
        own.count().get_result::<i64>(&mut pg).await.map(|count| count == 1)
    }
}

/// A change of a default.
pub(super) struct ChangeDefault {
    pub(super) scope: EnvironmentScope,
    pub(super) command: ChangeTaxDefault,
    pub(super) claim: Option<CallersClaim>,
}

#[async_trait]
impl Change for ChangeDefault {
    type Answer = Done<TaxAssociation>;
    type Refusal = ChangeTaxDefaultError;

    async fn write(&self, mut pg: &AsyncPgConnection) -> Result<Done<TaxAssociation>, Failure<ChangeTaxDefaultError>> {
        let (tenant, environment) = names(self.scope.owner);
        let id = self.command.id.to_string();
        let own = || queries::association_by_id(&tenant, &environment, &id);
        let current = own().for_update().first::<TaxAssociationRow>(&mut pg).await.optional()?;
        let claim = self.claim.as_ref();
        if let Some(changed) = kept_before(pg, claim).await? {
            return Ok(Done::before(changed));
        }
        let current = current.map(TaxAssociation::try_from).transpose();
        let current = current.map_err(|error| Failure::Refused(error.into()))?;
        let default = self.command.clone().decide(&self.scope, current.as_ref()).map_err(Failure::Refused)?;
        let record = IdempotencyRow::kept(claim, &default, default.audit.updated_at);
        let record = record.map_err(|error| Failure::Refused(error.into()))?;
        keep(pg, claim, record.as_ref()).await?;
        update(own()).set(TaxAssociationRow::from(&default)).execute(&mut pg).await?;
        Ok(Done::now(default))
    }

    async fn is_written(&self, mut pg: &AsyncPgConnection, default: &Done<TaxAssociation>) -> QueryResult<bool> {
        if default.replayed {
            return Ok(true);
        }
        let row = TaxAssociationRow::from(&default.value);
        let own = queries::association_by_id(&row.tenant_id, &row.environment_id, &row.id);
        let own = own.filter(tax_associations::status.eq(&row.status));
        let own = own.filter(tax_associations::updated_at.eq(row.updated_at));
        own.count().get_result::<i64>(&mut pg).await.map(|count| count == 1)
    }
}
