//! Listing and searching customers: every store finds what [`CustomerQuery::evaluate`] finds.

use super::{
    Report,
    any_query::Choices,
    world::{OrSay, Outcome, World, holds, same},
};
use crate::{
    customer::{
        Customer,
        query::{CustomerPage, CustomerQuery, CustomerQueryParts, SortField, TextField},
    },
    ids::{CustomerId, IdGenerator, TenantKind},
    page::PageRequest,
    tenancy::EnvironmentScope,
    testkit::a_customer,
};

/// The number of customers in the store, and the number of queries.
const CUSTOMERS: usize = 60;
const QUERIES: usize = 400;

pub(super) async fn check(world: &World<'_>, report: &mut Report) {
    report.note(
        "customers.list: finds the same customers as the reference, in the same order",
        as_the_reference(world).await,
    );
    report.note(
        "customers.list: the pages from cursor to cursor have every customer exactly once",
        from_cursor(world).await,
    );
    report
        .note("customers.list: a cursor keeps its place when customers are created in between", newcomers(world).await);
    report.note("customers.list: finds no customer of another environment or tenant", isolation(world).await);
    report.note("customers.list: returns mappings only when requested, and only published ones", mappings(world).await);
    report.note("customers.list: counts all matches, but only when requested", totals(world).await);
}

fn query(parts: CustomerQueryParts) -> Result<CustomerQuery, String> {
    CustomerQuery::new(parts).or_say("making a query")
}

async fn list(world: &World<'_>, scope: &EnvironmentScope, parts: CustomerQueryParts) -> Result<CustomerPage, String> {
    world.ports.customers.list(scope, &query(parts)?).await.or_say("customers.list")
}

fn ids(page: &CustomerPage) -> Vec<CustomerId> {
    page.items.iter().map(|record| record.customer.id).collect()
}

/// Various customers, several with the same time.
async fn fill(world: &World<'_>, choices: &mut Choices) -> Result<(EnvironmentScope, Vec<Customer>), String> {
    let scope = world.environment().await?;
    let mut all = Vec::new();
    let mut at = world.now();
    for number in 0..CUSTOMERS {
        if choices.below(3) == 0 {
            at = world.now();
        }
        let command = choices.customer(number).command(world.ids().start(at), at);
        let created = world.ports.customers.change(&scope, command).await;
        all.push(created.or_say("customers.change")?.event.state.customer);
    }
    Ok((scope, all))
}

async fn as_the_reference(world: &World<'_>) -> Outcome {
    // Ids never repeat, so every run makes different choices.
    let bits = world.id::<TenantKind>().uuid().as_u128();
    let seed = (bits ^ (bits >> 64)) as u64;
    let mut choices = Choices::new(seed);
    let (scope, all) = fill(world, &mut choices).await?;
    let mut found_some = 0;
    for number in 0..QUERIES {
        let query = query(choices.query(&all))?;
        let what = format!("query {number} of seed {seed}, {query:?}");
        let page = world.ports.customers.list(&scope, &query).await.or_say(&what)?;
        let wanted = query.evaluate(&all);
        let limit = usize::from(query.page().limit());
        let wanted_ids: Vec<_> = wanted.items.iter().take(limit).map(|customer| customer.id).collect();
        same(&what, &ids(&page), &wanted_ids)?;
        let total = query.with_total().then(|| u64::try_from(wanted.total).unwrap_or(u64::MAX));
        same(&format!("the total of {what}"), &page.total, &total)?;
        let last = wanted.items.get(limit.saturating_sub(1)).filter(|_| wanted.items.len() > limit);
        let next = last.map(|customer| query.order().place_of(customer));
        same(&format!("the cursor of {what}"), &page.next, &next)?;
        found_some += usize::from(!wanted_ids.is_empty());
    }
    holds(found_some > QUERIES / 4, || format!("only {found_some} queries found a customer: the check is too weak"))
}

async fn from_cursor(world: &World<'_>) -> Outcome {
    let (scope, all) = fill(world, &mut Choices::new(7)).await?;
    for field in SortField::all() {
        let mut seen = Vec::new();
        let mut cursor = None;
        loop {
            let page = PageRequest::new(7, 0).or_say("making a page request")?;
            let sort = vec![(field, None)];
            let parts = CustomerQueryParts { sort, page, starting_after: cursor, ..Default::default() };
            let page = list(world, &scope, parts).await?;
            same("the total on every page", &page.total, &Some(all.len() as u64))?;
            seen.extend(ids(&page));
            holds(seen.len() <= all.len(), || format!("sorted by {field}, the pages do not end"))?;
            let Some(next) = page.next else { break };
            cursor = Some(next.to_string());
        }
        let whole = query(CustomerQueryParts {
            sort: vec![(field, None)],
            page: PageRequest::new(1_000, 0).or_say("making a page request")?,
            ..Default::default()
        })?;
        let wanted: Vec<_> = whole.evaluate(&all).items.iter().map(|customer| customer.id).collect();
        same(&format!("sorted by {field}"), &seen, &wanted)?;
    }
    Ok(())
}

async fn newcomers(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let mut old = Vec::new();
    for name in ["one", "two", "three"] {
        old.push(world.created(&scope, a_customer(name)).await?.state.customer.id);
    }
    let page = PageRequest::new(2, 0).or_say("making a page request")?;
    let first = list(world, &scope, CustomerQueryParts { page, ..Default::default() }).await?;
    world.created(&scope, a_customer("four")).await?;
    let cursor = first.next.as_ref().map(ToString::to_string);
    let second = list(world, &scope, CustomerQueryParts { page, starting_after: cursor, ..Default::default() }).await?;
    old.reverse();
    same("both pages", &[ids(&first), ids(&second)].concat(), &old)?;
    same("the total of the second page", &second.total, &Some(4))
}

async fn isolation(world: &World<'_>) -> Outcome {
    let neighbours = world.neighbours().await?;
    let new = a_customer("acme").named("Acme").reached_at("a@example.com").noted("plan", "gold");
    let own = world.created(&neighbours.here, new).await?.state.customer;
    let parts = [
        CustomerQueryParts::default(),
        CustomerQueryParts { email: Some("a@example.com".to_owned()), ..Default::default() },
        CustomerQueryParts { external_id: Some("acme".to_owned()), ..Default::default() },
        CustomerQueryParts { customer_ids: Some(vec![own.id.to_string()]), ..Default::default() },
        CustomerQueryParts { metadata: own.profile.metadata.as_map().clone(), ..Default::default() },
        CustomerQueryParts { sort: vec![(SortField::Text(TextField::Name), None)], ..Default::default() },
    ];
    for (number, parts) in parts.into_iter().enumerate() {
        let page = list(world, &neighbours.here, parts.clone()).await?;
        same(&format!("query {number} in its own scope"), &(ids(&page), page.total), &(vec![own.id], Some(1)))?;
        for (whose, scope) in neighbours.elsewhere() {
            let page = list(world, &scope, parts.clone()).await?;
            same(&format!("query {number} from {whose}"), &(ids(&page), page.total), &(vec![], Some(0)))?;
        }
    }
    Ok(())
}

async fn mappings(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let plain = world.created(&scope, a_customer("plain")).await?.state;
    let linked = world.created(&scope, a_customer("linked").linked("stripe", "cus_1").linked("crm", "1")).await?.state;
    for with_mappings in [false, true] {
        let page = list(world, &scope, CustomerQueryParts { with_mappings, ..Default::default() }).await?;
        let found: Vec<_> = page.items.into_iter().map(|record| (record.customer.id, record.mappings)).collect();
        let of = |mappings: &Vec<_>| if with_mappings { mappings.clone() } else { Vec::new() };
        let wanted = vec![(linked.customer.id, of(&linked.mappings)), (plain.customer.id, Vec::new())];
        holds(found == wanted, || format!("wrong mappings when requested: {with_mappings}"))?;
    }
    Ok(())
}

async fn totals(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let total = async |parts| Ok::<_, String>(list(world, &scope, parts).await?.total);
    same("the total without customers", &total(CustomerQueryParts::default()).await?, &Some(0))?;
    for name in ["one", "two"] {
        world.created(&scope, a_customer(name)).await?;
        // A refused create does not count.
        let refused = world.create(&scope, a_customer(name)).await;
        holds(refused.is_err(), || format!("{name} was created twice"))?;
    }
    let offset = PageRequest::new(1, PageRequest::MAX_OFFSET).or_say("making a page request")?;
    let beyond = CustomerQueryParts { page: offset, ..Default::default() };
    same("the total of two", &total(beyond).await?, &Some(2))?;
    let one = CustomerQueryParts { external_ids: Some(vec!["one".to_owned()]), ..Default::default() };
    same("the total of one of two", &total(one).await?, &Some(1))?;
    let none = CustomerQueryParts { external_ids: Some(Vec::new()), ..Default::default() };
    same("the total of one of none", &total(none).await?, &Some(0))?;
    let uncounted = CustomerQueryParts { without_total: true, ..Default::default() };
    same("the total when not requested", &total(uncounted).await?, &None)
}
