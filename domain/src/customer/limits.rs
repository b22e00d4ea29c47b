//! How much may belong to one customer: it is read and written as a whole.

use super::{ChangeCustomerError, CustomerAggregate, InvalidOperation};
use crate::{lifecycle::Status, stored::Stored};

/// A customer with this many parts stays below [`CustomerAggregate::MAX_BYTES`], even if the metadata of each is at its limit.
const FEW: usize = 8;

impl CustomerAggregate {
    /// The most links to other systems at a time. Removed ones do not count.
    pub const MAX_LINKS: usize = 100;
    /// The most tax associations at a time. Removed ones do not count.
    pub const MAX_ASSOCIATIONS: usize = 100;
    /// The most bytes of a customer as compact JSON, with everything that belongs to it.
    pub const MAX_BYTES: usize = 1_048_576;

    /// Checks a customer after a change. One that was beyond a limit before may stay there, but not grow.
    pub(super) fn check_growth(&self, before: Option<&Self>) -> Result<(), ChangeCustomerError> {
        let grew = |now: usize, count: fn(&Self) -> usize| now > before.map_or(0, count);
        let links = links(self);
        if links > Self::MAX_LINKS && grew(links, self::links) {
            return Err(InvalidOperation::TooManyLinks.into());
        }
        let associations = associations(self);
        if associations > Self::MAX_ASSOCIATIONS && grew(associations, self::associations) {
            return Err(InvalidOperation::TooManyAssociations.into());
        }
        if self.mappings.len() + self.associations.len() + self.removed_associations.len() <= FEW {
            return Ok(());
        }
        let bytes = bytes(self);
        if bytes > Self::MAX_BYTES && grew(bytes, self::bytes) {
            return Err(InvalidOperation::TooLarge.into());
        }
        Ok(())
    }
}

fn links(customer: &CustomerAggregate) -> usize {
    customer.mappings.iter().filter(|mapping| mapping.status != Status::Deleted).count()
}

fn associations(customer: &CustomerAggregate) -> usize {
    customer.associations.iter().filter(|association| association.status != Status::Deleted).count()
}

fn bytes(customer: &CustomerAggregate) -> usize {
    customer.to_document().len()
}

#[cfg(test)]
mod tests {
    use crate::{
        customer::{
            Amendment, ChangeCustomer, ChangeCustomerError, CustomerAggregate, CustomerChange, CustomerFacts,
            InvalidOperation, Stamp,
        },
        ids::IdSequence,
        integration::{NewLink, ProviderEntityId, ProviderType},
        metadata::JsonObject,
        testkit::{a_customer, a_scope, a_time},
    };

    fn link(number: usize, metadata: &str) -> Amendment {
        Amendment::Link(NewLink {
            provider_type: ProviderType::new(format!("system_{number}")).unwrap(),
            provider_entity_id: ProviderEntityId::new("x").unwrap(),
            metadata: JsonObject::new(serde_json::from_str(metadata).unwrap()).unwrap(),
        })
    }

    fn amended(customer: &CustomerAggregate, amendment: Amendment) -> Result<CustomerAggregate, ChangeCustomerError> {
        let change = CustomerChange::Amend(customer.customer.id, amendment);
        let stamp = Stamp { ids: IdSequence::start(a_time(), [0; 10]), at: a_time(), request_id: None };
        let facts = CustomerFacts { current: Some(customer.clone()), ..CustomerFacts::default() };
        ChangeCustomer::new(change, stamp).decide(&a_scope(), &facts).map(|decision| decision.event.state)
    }

    #[test]
    fn a_customer_has_at_most_100_links() {
        let mut customer = a_customer("acme").existing();
        for number in 0..CustomerAggregate::MAX_LINKS {
            customer = amended(&customer, link(number, "{}")).unwrap();
        }
        let refused = Err(ChangeCustomerError::Forbidden(InvalidOperation::TooManyLinks));
        assert_eq!(amended(&customer, link(CustomerAggregate::MAX_LINKS, "{}")), refused);
        assert!(amended(&customer, link(7, r#"{"again":true}"#)).is_ok(), "the same link with other metadata");
        let unlink =
            Amendment::Unlink { provider_type: ProviderType::new("system_7").unwrap(), provider_entity_id: None };
        let fewer = amended(&customer, unlink).unwrap();
        assert!(amended(&fewer, link(CustomerAggregate::MAX_LINKS, "{}")).is_ok());
    }

    #[test]
    fn a_customer_has_at_most_a_mebibyte_and_one_that_has_may_still_shrink() {
        let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(60_000));
        let mut customer = a_customer("acme").existing();
        let mut links = 0;
        let refused = loop {
            match amended(&customer, link(links, &large)) {
                Ok(next) => customer = next,
                Err(refused) => break refused,
            }
            links += 1;
        };
        assert_eq!((links, refused), (17, ChangeCustomerError::Forbidden(InvalidOperation::TooLarge)));
        let smaller = amended(&customer, link(3, "{}")).unwrap();
        assert!(amended(&smaller, link(99, "{}")).is_ok());
        assert!(amended(&customer, Amendment::Archive).is_ok());
        assert!(amended(&customer, Amendment::EndOnboarding { succeeded: true }).is_ok());
    }
}
