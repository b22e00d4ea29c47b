//! `patron customers find`

use patron_domain::{
    customer::find::{FindQuery, FindService, FindStatus, Hit},
    tenancy::TenancyService,
};
use serde_json::{Value, json};

use super::super::{caller, output};
use crate::{cli::Find, failure::Failure};

/// Prints the customers that a piece of text finds.
pub(super) async fn find(tenancy: &TenancyService, service: &FindService, asked: Find) -> Result<(), Failure> {
    let status = if asked.all { FindStatus::All } else { FindStatus::Published };
    let query = FindQuery::new(&asked.text.join(" "), Some(asked.limit), status);
    let query = query.map_err(|broken| {
        let reasons: Vec<_> = broken.iter().map(|one| one.message.replacen("q must", "the text must", 1)).collect();
        Failure::configuration(reasons.join("; "))
    })?;
    let caller = caller(tenancy, asked.environment).await?;
    let hits = service.find(&caller, &query).await.map_err(Failure::failed)?;
    let rows: Vec<Value> = hits.iter().map(row).collect();
    output::list(&rows, &["id", "external_id", "name", "email", "class", "matched"], asked.json)
}

fn row(hit: &Hit) -> Value {
    let customer = &hit.record.customer;
    json!({
        "id": customer.id.to_string(),
        "external_id": customer.external_id.as_str(),
        "name": customer.profile.name.as_ref().map(|name| name.as_str()),
        "email": customer.profile.email.as_ref().map(|email| email.as_str()),
        "status": customer.status.as_str(),
        "class": hit.class.as_str(),
        "matched": hit.matched.iter().map(|matched| matched.path.to_string()).collect::<Vec<_>>(),
    })
}
