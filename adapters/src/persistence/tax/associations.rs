//! Lists of tax associations: the environment's defaults and the customers' associations, merged into one order.

use std::collections::{BTreeSet, HashMap};

use diesel::QueryResult;
use futures_util::FutureExt;
use patron_domain::{
    customer::{CustomerAggregate, ListedAssociation, query::Direction},
    ids::{CustomerId, TaxAssociationId},
    lifecycle::Owner,
    page::{Page, PageRequest},
    store::StoreError,
    tax::{TaxAssociation, TaxAssociationFilter, TaxedEntities, TaxedEntity},
};

use super::{port::default, row::DefaultRow, statements::Listed};
use crate::persistence::{
    engine::Pace,
    page::Window,
    store::Store,
    unit::Reads,
    value::{Key, corrupt},
    word::Word,
};

/// The rows for a page of associations.
pub(super) struct Found {
    defaults: Vec<DefaultRow>,
    /// Index entries of customers' associations: at least all up to the end of the page.
    listed: Vec<Listed>,
    /// The total number of these entries.
    count: i64,
    /// The associations of each customer that may be on the page.
    associations: HashMap<Key, Result<Vec<TaxAssociation>, StoreError>>,
}

/// The number of customers that are read at once. They may be large: of each, only its associations are kept.
const CHUNK: usize = 64;

/// Reads the rows for a page of associations. Defaults are few and read completely. Of the customers' associations it
/// reads the keys up to the end of the page, and the documents of those that may be on the page.
pub(super) async fn list(
    unit: &dyn Reads,
    (owner, environment): (Owner, i32),
    filter: &TaxAssociationFilter,
    page: PageRequest,
) -> QueryResult<Found> {
    let of_customers = !matches!(filter.entities, TaxedEntities::One(TaxedEntity::Tenant));
    let of_tenant = !matches!(filter.entities, TaxedEntities::Customers);
    let mut defaults = Vec::new();
    if of_tenant {
        for status in filter.statuses() {
            defaults.extend(unit.defaults(environment, status.code()).await?);
        }
    }
    let (mut listed, mut count) = (Vec::new(), 0);
    if of_customers {
        let rates = filter.tax_rate_ids.as_ref();
        let rates: Vec<Option<Key>> = match rates {
            None => vec![None],
            Some(ids) => ids.iter().collect::<BTreeSet<_>>().into_iter().map(|id| Some(Key::from(*id))).collect(),
        };
        let Window { limit, offset } = page.into();
        let up_to = Window { limit: limit.saturating_add(offset), offset: 0 };
        for rate in rates {
            for status in filter.statuses() {
                listed.extend(unit.associations_admitted(environment, filter, *status, rate, up_to).await?);
                count += unit.count_associations_admitted(environment, filter, *status, rate).await?;
            }
        }
    }
    // Defaults on earlier pages shift the start of the page by at most their number.
    let mut order: Vec<&Listed> = listed.iter().collect();
    sort(&mut order, filter.order);
    let skipped = usize::try_from(page.offset()).unwrap_or(usize::MAX).saturating_sub(defaults.len());
    let near = order.into_iter().skip(skipped).take(usize::from(page.limit()) + defaults.len());
    let customers: BTreeSet<Key> = near.map(|(_, customer)| *customer).collect();
    let customers: Vec<Key> = customers.into_iter().collect();
    let mut associations = HashMap::new();
    for chunk in customers.chunks(CHUNK) {
        for (key, document) in unit.documents_of(environment, chunk).await? {
            let customer = document.read::<CustomerAggregate>(owner, "in a list of associations");
            let of_customer = customer
                .map(|customer| customer.associations.into_iter().chain(customer.removed_associations).collect());
            associations.insert(key, of_customer);
        }
    }
    Ok(Found { defaults, listed, count, associations })
}

/// The part of a key that orders lists.
fn place(key: &[u8]) -> Option<ListedAssociation> {
    ListedAssociation::from_bytes(key.get(key.len().checked_sub(ListedAssociation::LENGTH)?..)?)
}

fn sort(entries: &mut [&Listed], order: Direction) {
    entries.sort_by_key(|(key, _)| place(key).map(|listed| (listed.created_at, listed.id)));
    if order == Direction::Desc {
        entries.reverse();
    }
}

/// Builds the page from the defaults and the customers' associations.
pub(super) fn merge(
    owner: Owner,
    filter: &TaxAssociationFilter,
    page: PageRequest,
    found: Found,
) -> Result<Page<TaxAssociation>, StoreError> {
    enum One {
        Default(TaxAssociation),
        Of(Key, TaxAssociationId),
    }
    let defaults = found.defaults.iter().map(|row| default(owner, row)).collect::<Result<Vec<_>, _>>()?;
    let defaults = defaults.into_iter().filter(|default| filter.admits(default));
    let mut all: Vec<_> =
        defaults.map(|default| ((default.audit.created_at.micros(), default.id), One::Default(default))).collect();
    let total = u64::try_from(found.count).unwrap_or_default().saturating_add(all.len() as u64);
    for (key, customer) in &found.listed {
        let listed = place(key).ok_or_else(|| corrupt("customer_index", "key", owner.environment_id))?;
        all.push(((listed.created_at, listed.id), One::Of(*customer, listed.id)));
    }
    all.sort_by_key(|(place, _)| *place);
    if filter.order == Direction::Desc {
        all.reverse();
    }
    let skipped = usize::try_from(page.offset()).unwrap_or(usize::MAX);
    let mut items = Vec::new();
    for (_, one) in all.into_iter().skip(skipped).take(usize::from(page.limit())) {
        match one {
            One::Default(default) => items.push(default),
            One::Of(customer, id) => {
                let of_customer = found.associations.get(&customer);
                let all = of_customer.ok_or_else(|| corrupt("customer_index", "customer", id))?;
                let all = all.as_ref().map_err(Clone::clone)?;
                let association = all.iter().find(|association| association.id == id).cloned();
                items.push(association.ok_or_else(|| corrupt("customer_index", "key", id))?);
            }
        }
    }
    Ok(Page { items, total })
}

impl Store {
    /// The associations of one customer that match a filter.
    pub(super) async fn associations_of(
        &self,
        owner: Owner,
        environment: i32,
        id: CustomerId,
        filter: &TaxAssociationFilter,
        page: PageRequest,
    ) -> Result<Page<TaxAssociation>, StoreError> {
        let document = self.read(Pace::LookUp, move |unit| unit.document(environment, id.into()).boxed()).await?;
        let Some(document) = document else { return Ok(Page::empty()) };
        let CustomerAggregate { associations, removed_associations, .. } = document.read(owner, id)?;
        let all = associations.into_iter().chain(removed_associations);
        let mut admitted: Vec<_> = all.filter(|association| filter.admits(association)).collect();
        admitted.sort_by_key(|association| (association.audit.created_at, association.id));
        if filter.order == Direction::Desc {
            admitted.reverse();
        }
        Ok(Page::cut(admitted, page))
    }
}
