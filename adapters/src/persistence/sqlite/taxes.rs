//! The port for tax rates and associations over SQLite.

use async_trait::async_trait;
use diesel::{insert_into, prelude::*};
use patron_domain::{
    ids::TaxRateId,
    lifecycle::Status,
    store::{Page, PageRequest, StoreError},
    tax::{CreateTaxDefaultError, CreateTaxRateError, TaxAssociation, TaxRate, TaxRepository, TaxedEntity},
    tenancy::EnvironmentScope,
};

use super::{SqliteStore, customers::names};
use crate::persistence::{
    error::Failure,
    page::{Window, page},
    schema::{tax_associations, tax_rates},
    tax::{
        association_row::{TaxAssociationRow, entity_id},
        queries,
        rate_row::{TaxRateRow, taken},
    },
};

#[async_trait]
impl TaxRepository for SqliteStore {
    async fn create_rate(&self, scope: &EnvironmentScope, rate: TaxRate) -> Result<(), CreateTaxRateError> {
        let row = TaxRateRow::from(&TaxRate { owner: scope.owner, ..rate });
        let create = move |connection: &mut SqliteConnection| {
            let inserted = insert_into(tax_rates::table).values(&row).on_conflict_do_nothing().execute(connection)?;
            if inserted == 1 {
                return Ok(());
            }
            let holder = queries::rate_by_code(&row.tenant_id, &row.environment_id, &row.code);
            Err(Failure::Refused(taken(&holder.select(tax_rates::id).get_result::<String>(connection)?)))
        };
        self.writer.write(create).await
    }

    async fn find_rate(&self, scope: &EnvironmentScope, id: TaxRateId) -> Result<Option<TaxRate>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let id = id.to_string();
        let query = move |connection: &mut SqliteConnection| {
            queries::rate_by_id(&tenant, &environment, &id).first::<TaxRateRow>(connection).optional()
        };
        let row = self.readers.read(query).await?;
        row.map(TaxRate::try_from).transpose()
    }

    async fn create_default(
        &self,
        scope: &EnvironmentScope,
        association: TaxAssociation,
    ) -> Result<(), CreateTaxDefaultError> {
        let row = TaxAssociationRow::from(&TaxAssociation { owner: scope.owner, ..association });
        let create = move |connection: &mut SqliteConnection| {
            let rate = queries::rate_by_id(&row.tenant_id, &row.environment_id, &row.tax_rate_id);
            let status: Option<String> = rate.select(tax_rates::status).get_result(connection).optional()?;
            if status.as_deref() != Some(Status::Published.as_str()) {
                return Err(Failure::Refused(CreateTaxDefaultError::UnknownRate));
            }
            let inserted = insert_into(tax_associations::table).values(&row).on_conflict_do_nothing();
            match inserted.execute(connection)? {
                0 => Err(Failure::Refused(CreateTaxDefaultError::AlreadyAssociated)),
                _ => Ok(()),
            }
        };
        self.writer.write(create).await
    }

    async fn associations(
        &self,
        scope: &EnvironmentScope,
        entity: TaxedEntity,
        page_request: PageRequest,
    ) -> Result<Page<TaxAssociation>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let (kind, id) = (entity.kind().as_str(), entity_id(scope.owner, entity));
        let window = Window::from(page_request);
        let query = move |connection: &mut SqliteConnection| {
            connection.transaction::<(Vec<TaxAssociationRow>, i64), diesel::result::Error, _>(|connection| {
                let all = || queries::associations_of(&tenant, &environment, kind, &id);
                let ordered = all().order(queries::newest_first());
                let rows = ordered.limit(window.limit).offset(window.offset).load(connection)?;
                Ok((rows, all().count().get_result(connection)?))
            })
        };
        page(self.readers.read(query).await?)
    }
}
