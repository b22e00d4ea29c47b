//! Changing tax rates and environments' defaults over PostgreSQL: facts under lock, decision, row.

use async_trait::async_trait;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, update};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use patron_domain::{
    store::StoreError,
    tax::{
        ChangeTaxDefault, ChangeTaxDefaultError, ChangeTaxRate, ChangeTaxRateError, TaxAssociation, TaxRate,
        TaxRateFacts,
    },
    tenancy::EnvironmentScope,
};

use super::{
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
}

#[async_trait]
impl Change for ChangeRate {
    type Answer = TaxRate;
    type Refusal = ChangeTaxRateError;

    async fn write(&self, mut pg: &AsyncPgConnection) -> Result<TaxRate, Failure<ChangeTaxRateError>> {
        let refused = |error: StoreError| Failure::Refused(error.into());
        let (tenant, environment) = names(self.scope.owner);
        let id = self.command.id.to_string();
        let own = || queries::rate_by_id(&tenant, &environment, &id);
        // Whoever uses the rate takes a share of this lock first: what is found afterwards stays so until the commit.
        let current = own().for_update().first::<TaxRateRow>(&mut pg).await.optional()?;
        let in_use = queries::uses_of_rate(&tenant, &environment, &id);
        let in_use = in_use.first::<String>(&mut pg).await.optional()?.is_some();
        let holder = match self.command.wanted_code() {
            None => None,
            Some(code) => {
                let holder = queries::rate_by_code(&tenant, &environment, code.as_str()).select(tax_rates::id);
                holder.first::<String>(&mut pg).await.optional()?
            }
        };
        let facts = TaxRateFacts {
            current: current.map(TaxRate::try_from).transpose().map_err(refused)?,
            in_use,
            holder: holder.map(|holder| rate_id(&holder)).transpose().map_err(refused)?,
        };
        let event = self.command.clone().decide(&self.scope, &facts).map_err(Failure::Refused)?;
        let TaxRateRows { rate, event: row, payload } = TaxRateRows::new(&event).map_err(refused)?;
        update(own()).set(&rate).execute(&mut pg).await?;
        log(pg, &row, &payload).await?;
        Ok(event.state)
    }

    async fn is_written(&self, mut pg: &AsyncPgConnection, rate: &TaxRate) -> QueryResult<bool> {
        let row = TaxRateRow::from(rate);
        let own = queries::rate_by_id(&row.tenant_id, &row.environment_id, &row.id);
        let own = own.filter(tax_rates::version.eq(row.version)).filter(tax_rates::updated_at.eq(row.updated_at));
        own.count().get_result::<i64>(&mut pg).await.map(|count| count == 1)
    }
}

/// A change of a default.
pub(super) struct ChangeDefault {
    pub(super) scope: EnvironmentScope,
    pub(super) command: ChangeTaxDefault,
}

#[async_trait]
impl Change for ChangeDefault {
    type Answer = TaxAssociation;
    type Refusal = ChangeTaxDefaultError;

    async fn write(&self, mut pg: &AsyncPgConnection) -> Result<TaxAssociation, Failure<ChangeTaxDefaultError>> {
        let (tenant, environment) = names(self.scope.owner);
        let id = self.command.id.to_string();
        let own = || queries::association_by_id(&tenant, &environment, &id);
        let current = own().for_update().first::<TaxAssociationRow>(&mut pg).await.optional()?;
        let current = current.map(TaxAssociation::try_from).transpose();
        let current = current.map_err(|error| Failure::Refused(error.into()))?;
        let default = self.command.clone().decide(&self.scope, current.as_ref()).map_err(Failure::Refused)?;
        update(own()).set(TaxAssociationRow::from(&default)).execute(&mut pg).await?;
        Ok(default)
    }

    async fn is_written(&self, mut pg: &AsyncPgConnection, default: &TaxAssociation) -> QueryResult<bool> {
        let row = TaxAssociationRow::from(default);
        let own = queries::association_by_id(&row.tenant_id, &row.environment_id, &row.id);
        let own = own.filter(tax_associations::status.eq(&row.status));
        let own = own.filter(tax_associations::updated_at.eq(row.updated_at));
        own.count().get_result::<i64>(&mut pg).await.map(|count| count == 1)
    }
}
