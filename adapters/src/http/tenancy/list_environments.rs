//! `GET /environments`

use patron_domain::violation::Violations;
use rocket::get;

use super::response::EnvironmentList;
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanRead, Services},
    query::Query,
};

/// The environments of the caller's tenant, the newest first.
#[get("/environments")]
pub(super) async fn list_environments(
    caller: CanRead,
    services: Services<'_>,
    query: Query,
) -> Result<Answer, ApiError> {
    let mut broken = Violations::new();
    let page = query.page(&mut broken);
    broken.into_result()?;
    let found = services.administration.environments(&caller, page).await?;
    Answer::ok(&EnvironmentList::new(&found, page))
}
