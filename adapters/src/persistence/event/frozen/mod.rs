//! The column `payload` of a customer's event: the state that it freezes, as JSON.
//!
//! Each event writes one, so it holds nothing that stands elsewhere or follows from the rest: not whose the event is, nor of
//! which customer its mappings and associations are, no text that was never given, and who changed something last, and
//! when, only where that is not who made it, and when. Its members are named as the columns of their tables but are its
//! own, so these tables may change. Members that nobody knows are passed over: earlier payloads were the rows themselves.

mod association;
mod customer;
mod mapping;

use patron_domain::{customer::CustomerAggregate, lifecycle::Owner, store::StoreError};
use serde::{Deserialize, Serialize};

use self::{association::FrozenAssociation, customer::FrozenCustomer, mapping::FrozenMapping};
use crate::persistence::{
    customer::row::CustomerRow, integration::row::MappingRow, tax::association_row::TaxAssociationRow,
};

/// A customer with all that belongs to it.
#[derive(Serialize, Deserialize)]
pub(super) struct FrozenState<'a> {
    customer: FrozenCustomer<'a>,
    mappings: Vec<FrozenMapping<'a>>,
    associations: Vec<FrozenAssociation<'a>>,
}

impl<'a> FrozenState<'a> {
    pub(super) fn new(
        customer: &'a CustomerRow,
        mappings: &'a [MappingRow],
        associations: &'a [TaxAssociationRow],
    ) -> Self {
        Self {
            customer: customer.into(),
            mappings: mappings.iter().map(FrozenMapping::from).collect(),
            associations: associations.iter().map(FrozenAssociation::from).collect(),
        }
    }

    pub(super) fn of(self, owner: Owner) -> Result<CustomerAggregate, StoreError> {
        let customer = self.customer.of(owner)?;
        let mappings = self.mappings.into_iter().map(|mapping| mapping.of(owner, customer.id));
        let associations = self.associations.into_iter().map(|association| association.of(owner, customer.id));
        let (mappings, associations) = (mappings.collect::<Result<_, _>>()?, associations.collect::<Result<_, _>>()?);
        Ok(CustomerAggregate::new(customer, mappings, associations))
    }
}

/// What something was last, where that is not what it was first.
fn later<T: PartialEq>(first: T, last: T) -> Option<T> {
    (first != last).then_some(last)
}

/// What it was last, from what [`later`] left of it.
fn last<T: Clone>(first: &T, later: Option<T>) -> T {
    later.unwrap_or_else(|| first.clone())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use patron_domain::{
        lifecycle::{Audit, Status},
        tax::{TaxAssociation, TaxedEntity},
        tenancy::Actor,
        testkit::{a_customer, a_tax_default, a_tax_rate, a_time, an_owner},
    };
    use serde_json::{Value, json};

    use super::*;

    fn new() -> CustomerAggregate {
        let customer = a_customer("acme").named("Acme").noted("plan", "gold").linked("stripe", "cus_1");
        let mut new = customer.existing();
        let entity = TaxedEntity::Customer(new.customer.id);
        new.associations = vec![TaxAssociation { entity, ..a_tax_default(&a_tax_rate("VAT")) }];
        new
    }

    fn frozen(state: &CustomerAggregate) -> String {
        let mappings: Vec<_> = state.mappings.iter().map(MappingRow::from).collect();
        let associations: Vec<_> = state.associations.iter().map(TaxAssociationRow::from).collect();
        let customer = CustomerRow::from(&state.customer);
        serde_json::to_string(&FrozenState::new(&customer, &mappings, &associations)).unwrap()
    }

    fn thawed(payload: &str) -> CustomerAggregate {
        serde_json::from_str::<FrozenState<'_>>(payload).unwrap().of(an_owner()).unwrap()
    }

    /// What is stored has to stay readable, so what it looks like is written down.
    fn stored() -> Value {
        let customer = json!({
            "id": "cust_01KG9H1S3VE008000000000000", "external_id": "acme", "name": "Acme", "timezone": "UTC",
            "metadata": r#"{"plan":"gold"}"#, "status": "published", "version": 1,
            "created_at": 1_769_846_400_123_457_i64, "created_by": "tester",
        });
        let mapping = json!({
            "id": "eim_01KG9H1S3VE008000000000002", "provider_type": "stripe", "provider_entity_id": "cus_1",
            "metadata": "{}", "status": "published",
            "created_at": 1_769_846_400_123_457_i64, "created_by": "tester",
        });
        let association = json!({
            "id": "ta_01KG9H1S3VE00BY00000000001", "tax_rate_id": "taxrate_01KG9H1S3VE00BY00000000001", "priority": 0,
            "auto_apply": true, "metadata": "{}", "start_at": 1_769_846_400_123_457_i64, "status": "published",
            "created_at": 1_769_846_400_123_457_i64, "created_by": "tester",
        });
        json!({ "customer": customer, "mappings": [mapping], "associations": [association] })
    }

    /// The same as whole rows, which is what was stored at first.
    fn rows() -> Value {
        let mut rows = stored();
        for pointer in ["/customer", "/mappings/0", "/associations/0"] {
            let row = rows.pointer_mut(pointer).and_then(Value::as_object_mut).unwrap();
            for (column, value) in [
                ("tenant_id", json!("tenant_1")),
                ("environment_id", json!("env_1")),
                ("customer_id", json!("cust_01KG9H1S3VE008000000000000")),
                ("entity_type", json!("customer")),
                ("currency_key", json!("")),
                ("email", Value::Null),
                ("currency", Value::Null),
                ("end_at", Value::Null),
                ("updated_at", row["created_at"].clone()),
                ("updated_by", row["created_by"].clone()),
            ] {
                row.insert(column.to_owned(), value);
            }
        }
        rows
    }

    #[test]
    fn what_is_new_says_nothing_twice_and_is_read_in_either_form() {
        assert_eq!(serde_json::from_str::<Value>(&frozen(&new())).unwrap(), stored());
        assert_eq!(thawed(&stored().to_string()), new());
        assert_eq!(thawed(&rows().to_string()), new());
    }

    #[test]
    fn what_was_changed_keeps_both_times_and_both_actors() {
        let touch = |audit: &mut Audit, seconds, by| {
            audit.touch(a_time().later(Duration::from_secs(seconds)), &Actor::new(by).unwrap());
        };
        let full = a_customer("acme").named("Acme").reached_at("a@acme.example").called_at("1").in_berlin();
        let mut changed = CustomerAggregate { customer: full.existing().customer, ..new() };
        touch(&mut changed.customer.audit, 1, "tester");
        touch(&mut changed.mappings[0].audit, 2, "two");
        touch(&mut changed.associations[0].audit, 3, "three");
        changed.associations[0].end = Some(a_time());
        changed.customer.status = Status::Archived;
        changed.mappings[0].status = Status::Archived;
        assert_eq!(thawed(&frozen(&changed)), changed);
    }
}
