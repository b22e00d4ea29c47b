//! Copies of the index: it is made again from the customers' documents, on each side.

use diesel::{
    ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl, SqliteConnection, connection::DefaultLoadingMode,
    result::Error,
};
use futures_util::TryStreamExt as _;
use patron_domain::{
    customer::CustomerAggregate,
    ids::{EnvironmentId, TenantId},
    lifecycle::Owner,
    stored::Stored,
};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use super::CustomerTokensRow;
use crate::persistence::{
    copy::{Copied, gather},
    postgres::unit::PostgresUnit,
    schema::customers,
    value::Document,
};

/// The row of a customer's document. Tokens do not depend on the owner.
fn of_document(environment: i32, document: &Document) -> QueryResult<Option<CustomerTokensRow>> {
    let nobody = Owner {
        tenant_id: TenantId::from_uuid(uuid::Uuid::nil()),
        environment_id: EnvironmentId::from_uuid(uuid::Uuid::nil()),
    };
    let aggregate = CustomerAggregate::from_document(nobody, &document.0);
    let aggregate = aggregate.map_err(|_| Error::DeserializationError("a customer's document".into()))?;
    Ok(CustomerTokensRow::of(environment, &aggregate))
}

impl Copied for CustomerTokensRow {
    fn add_to(&self, sum: &mut Sha256) {
        sum.update(self.environment.to_be_bytes());
        sum.update(self.customer.as_bytes());
        self.tokens.as_slice().iter().for_each(|token| sum.update(token.get().to_be_bytes()));
    }

    fn count_in_sqlite(connection: &mut SqliteConnection) -> QueryResult<i64> {
        customers::table.count().get_result(connection)
    }

    async fn count_in_postgres(unit: &PostgresUnit<'_>) -> QueryResult<i64> {
        diesel_async::RunQueryDsl::get_result(customers::table.count(), &mut unit.pg()).await
    }

    fn read_from_sqlite(connection: &mut SqliteConnection, chunks: &mpsc::Sender<Vec<Self>>) -> QueryResult<()> {
        let all = customers::table
            .select((customers::environment, customers::document))
            .order((customers::environment.asc(), customers::id.asc()));
        let mut chunk = Vec::new();
        for row in all.load_iter::<(i32, Document), DefaultLoadingMode>(connection)? {
            let (environment, document) = row?;
            let Some(row) = of_document(environment, &document)? else { continue };
            if gather(&mut chunk, row) && chunks.blocking_send(std::mem::take(&mut chunk)).is_err() {
                return Ok(());
            }
        }
        // The receiver may have been dropped.
        let _ = chunks.blocking_send(chunk);
        Ok(())
    }

    async fn read_from_postgres(unit: &PostgresUnit<'_>, chunks: &mpsc::Sender<Vec<Self>>) -> QueryResult<()> {
        let all = customers::table
            .select((customers::environment, customers::document))
            .order((customers::environment.asc(), customers::id.asc()));
        let mut pg = unit.pg();
        let rows = diesel_async::RunQueryDsl::load_stream::<(i32, Document)>(all, &mut pg).await?;
        let mut rows = std::pin::pin!(rows);
        let mut chunk = Vec::new();
        while let Some((environment, document)) = rows.try_next().await? {
            let Some(row) = of_document(environment, &document)? else { continue };
            if gather(&mut chunk, row) && chunks.send(std::mem::take(&mut chunk)).await.is_err() {
                return Ok(());
            }
        }
        let _ = chunks.send(chunk).await;
        Ok(())
    }

    fn write_to_sqlite(rows: &[Self], connection: &mut SqliteConnection) -> QueryResult<()> {
        rows.iter().try_for_each(|row| row.insert(connection).map(drop))
    }

    async fn write_to_postgres(rows: &[Self], unit: &PostgresUnit<'_>) -> QueryResult<()> {
        if rows.is_empty() { Ok(()) } else { Self::insert_all(rows, unit).await.map(drop) }
    }
}
