//! Finding, with permission checks.

use std::sync::Arc;

use super::{CustomerFinder, FindQuery, Hit, Hits, LookUp, Named, Sought};
use crate::{
    customer::ReadError,
    lifecycle::Status,
    store::StoreError,
    tenancy::{Caller, EnvironmentScope, Permission},
};

/// Finds customers, for callers with permissions.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{
///     customer::find::{FindQuery, FindService, FindStatus},
///     testkit::{MemoryStore, a_caller},
/// };
///
/// # futures::executor::block_on(async {
/// let service = FindService { finder: Arc::new(MemoryStore::default()) };
/// let query = FindQuery::new("acme", None, FindStatus::Published).unwrap();
/// assert!(service.find(&a_caller(), &query).await.unwrap().is_empty());
/// # });
/// ```
#[derive(Clone)]
pub struct FindService {
    /// The index.
    pub finder: Arc<dyn CustomerFinder>,
}

impl FindService {
    /// The customers that a query finds, in order: published ones first, then by class, similarity, and the newest first.
    ///
    /// An index names at most [`LookUp::MOST`] customers at a time, the newest ones. If more have every word, those with an
    /// identifier that is exactly the text, and those with a text that begins with it, are looked up besides. Typing errors are
    /// looked for only if the others do not fill the page.
    ///
    /// # Errors
    /// When the caller may not read or the store fails.
    pub async fn find(&self, caller: &Caller, query: &FindQuery) -> Result<Vec<Hit>, ReadError> {
        let scope = caller.authorise(Permission::Read)?;
        let mut found = Vec::new();
        for status in query.statuses() {
            let limit = query.limit().saturating_sub(found.len());
            if limit == 0 {
                break;
            }
            let mut hits = self.of_status(scope, query, *status).await?.in_order();
            hits.truncate(limit);
            found.append(&mut hits);
        }
        Ok(found)
    }

    async fn of_status<'q>(
        &self,
        scope: &EnvironmentScope,
        query: &'q FindQuery,
        status: Status,
    ) -> Result<Hits<'q>, StoreError> {
        let mut hits = Hits::of(query, status);
        let first = query.first(status);
        let by_words = first.iter().any(|look_up| matches!(look_up.sought, Sought::Tokens { .. }));
        let mut named = self.named(scope, first).await?;
        if !(named.are_all && by_words) {
            named.customers.extend(self.named(scope, query.better(status)).await?.customers);
        }
        hits.add(named.customers, false);
        if hits.len() < query.limit() {
            hits.add(self.named(scope, query.similar(status)).await?.customers, true);
        }
        Ok(hits)
    }

    async fn named(&self, scope: &EnvironmentScope, look_ups: Vec<LookUp>) -> Result<Named, StoreError> {
        match look_ups.is_empty() {
            true => Ok(Named { are_all: true, ..Named::default() }),
            false => self.finder.named(scope, look_ups).await,
        }
    }
}
