//! The column `payload`: the state that an event freezes, as JSON.
//!
//! Each event writes one, so it holds nothing that stands elsewhere or follows from the rest: not whose the event is, nor of
//! which customer its mappings and associations are, no text that was never given, and who changed something last, and when,
//! only where that is not who made it, and when. Its members are named as the columns of their tables but are its own, so a
//! table may change; members that nobody knows are passed over.

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
    #[serde(borrow)]
    customer: FrozenCustomer<'a>,
    #[serde(borrow)]
    mappings: Vec<FrozenMapping<'a>>,
    #[serde(borrow)]
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
        Ok(CustomerAggregate {
            mappings: mappings.collect::<Result<_, _>>()?,
            associations: associations.collect::<Result<_, _>>()?,
            customer,
        })
    }
}

/// What something was last, where that is not what it was first.
fn later<T: PartialEq>(first: T, last: T) -> Option<T> {
    (first != last).then_some(last)
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

    #[test]
    fn what_is_new_is_read_back_and_says_nothing_twice() {
        let payload = frozen(&new());
        assert_eq!(thawed(&payload), new());
        for absent in ["tenant", "environment", "customer_id", "entity_type", "email", "updated", "null"] {
            assert!(!payload.contains(absent), "{absent} in {payload}");
        }
    }

    #[test]
    fn what_was_changed_keeps_both_times_and_both_actors() {
        let touch = |audit: &mut Audit, seconds, by| {
            audit.touch(a_time().later(Duration::from_secs(seconds)), &Actor::new(by).unwrap());
        };
        let mut changed = new();
        touch(&mut changed.customer.audit, 1, "one");
        touch(&mut changed.mappings[0].audit, 2, "two");
        touch(&mut changed.associations[0].audit, 3, "three");
        changed.associations[0].end = Some(a_time());
        changed.customer.status = Status::Archived;
        changed.mappings[0].status = Status::Archived;
        assert_eq!(thawed(&frozen(&changed)), changed);
    }

    #[test]
    fn members_that_nobody_knows_are_passed_over() {
        let payload = frozen(&new()).replace(r#"{"id":"#, r#"{"tenant_id":"t","email":null,"id":"#);
        assert_eq!(payload.matches("tenant_id").count(), 3, "in each part");
        assert_eq!(thawed(&payload), new());
    }
}
