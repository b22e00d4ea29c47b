//! Customers found and sorted by their custom fields.

use super::super::world::{OrSay, Outcome, World, same};
use crate::{
    custom_field::CustomFieldType,
    customer::{
        Customer,
        query::{Condition, CustomerQuery, CustomerQueryParts, Direction, FilterField, Operand, Operator, SortField},
    },
    page::PageRequest,
    tenancy::EnvironmentScope,
    testkit::{a_custom_field, a_customer},
};

/// Customers are found and sorted by their values.
pub(super) async fn found(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let customers = customers(world, &scope).await?;
    for parts in filters()?.into_iter().chain(orders()?) {
        check(world, &scope, &customers, parts).await?;
    }
    Ok(())
}

/// Customers with values of every type, and one without any.
async fn customers(world: &World<'_>, scope: &EnvironmentScope) -> Result<Vec<Customer>, String> {
    for kind in CustomFieldType::ALL {
        world.defined(scope, a_custom_field(kind.as_str(), *kind)).await?;
    }
    let mut customers = vec![world.created(scope, a_customer("nothing")).await?.state.customer];
    for (number, (text, decimal)) in
        [("Éa", "-0.5"), ("éA", "12.50"), ("zebra_%", "9"), ("Apple", "100"), ("apple", "-12.5")]
            .into_iter()
            .enumerate()
    {
        let new = a_customer(&format!("c {number}"));
        let new = new.with_custom("string", text).with_custom("decimal", decimal);
        let new = new.with_custom("integer", 10 - i64::try_from(number).unwrap_or_default() * 4);
        let new = new.with_custom("boolean", number % 2 == 0);
        let new = new.with_custom("date", format!("20{}-01-31", 29 - number));
        let options = ["one", "two", "three"];
        let chosen: Vec<_> = options.into_iter().take(number % 3 + 1).collect();
        let new = new.with_custom("multi_select", chosen).with_custom("select", options.get(number % 3).copied());
        customers.push(world.created(scope, new).await?.state.customer);
    }
    Ok(customers)
}

/// One query for each kind of filter.
fn filters() -> Result<Vec<CustomerQueryParts>, String> {
    let text = |text: &str| Operand::Text(text.to_owned());
    let number = |text: &str| Operand::Number(text.to_owned());
    let texts = |texts: &[&str]| Operand::Array(texts.iter().map(|text| (*text).to_owned()).collect());
    let mut queries = Vec::new();
    for (field, operator, operand) in [
        ("string", Operator::Eq, text("éA")),
        ("string", Operator::Eq, text("")),
        ("string", Operator::Ieq, text("APPLE")),
        ("string", Operator::Contains, text("A_%")),
        ("string", Operator::In, texts(&["Apple", "zebra_%", ""])),
        ("select", Operator::Eq, text("two")),
        ("integer", Operator::Gt, number("2")),
        ("integer", Operator::Lt, number("2.5")),
        ("integer", Operator::Eq, number("2.0")),
        ("decimal", Operator::Gte, number("-0.5")),
        ("decimal", Operator::Lt, text("9")),
        ("decimal", Operator::Eq, text("12.5")),
        ("boolean", Operator::Eq, Operand::Boolean(true)),
        ("date", Operator::Before, text("2028-01-31")),
        ("date", Operator::Eq, text("2028-01-31")),
        ("multi_select", Operator::ContainsAll, texts(&["one", "two"])),
        ("multi_select", Operator::ContainsAny, texts(&["three"])),
        ("multi_select", Operator::Eq, text("two")),
        ("string", Operator::Gt, number("0")),
    ] {
        let field = FilterField::parse(&format!("custom_fields.{field}")).or_say("the literal")?;
        let filters = vec![Condition::filter(field, operator, operand).or_say("the literal")?];
        queries.push(CustomerQueryParts { filters, ..CustomerQueryParts::default() });
    }
    Ok(queries)
}

/// Two queries for each type: in both directions.
fn orders() -> Result<Vec<CustomerQueryParts>, String> {
    let mut queries = Vec::new();
    for field in CustomFieldType::ALL {
        let field = SortField::parse(&format!("custom_fields.{field}")).or_say("the literal")?;
        for direction in [Direction::Asc, Direction::Desc] {
            let sort = vec![(field, Some(direction))];
            queries.push(CustomerQueryParts { sort, ..CustomerQueryParts::default() });
        }
    }
    Ok(queries)
}

/// Checks that the pages of a query have the customers that the domain finds.
async fn check(
    world: &World<'_>,
    scope: &EnvironmentScope,
    customers: &[Customer],
    mut parts: CustomerQueryParts,
) -> Outcome {
    parts.page = PageRequest::new(2, 0).or_say("the literal")?;
    let what = format!("{:?} {:?}", parts.filters, parts.sort);
    let mut items = Vec::new();
    loop {
        let query = CustomerQuery::new(parts.clone()).or_say("the query")?;
        let page = world.ports.customers.list(scope, &query).await.or_say("customers.list")?;
        items.extend(page.items.iter().map(|record| record.customer.id));
        let Some(next) = page.next else { break };
        parts.starting_after = Some(next.to_string());
    }
    let whole = CustomerQueryParts { page: PageRequest::whole(), starting_after: None, ..parts };
    let whole = CustomerQuery::new(whole).or_say("the query")?;
    let wanted: Vec<_> = whole.evaluate(customers).items.iter().map(|customer| customer.id).collect();
    same(&what, &items, &wanted)
}
