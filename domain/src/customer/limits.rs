//! The limits of a whole customer.

use super::{Customer, CustomerAggregate, InvalidOperation};
use crate::{
    metadata::{JsonObject, Metadata},
    stored::Stored,
};

/// The limits of a whole customer. A change is refused only if it adds to a number that is beyond its limit, so a lower limit
/// in a later version does not prevent other changes.
///
/// ```
/// use patron_domain::customer::Limits;
///
/// assert_eq!(Limits::TAGS, 50);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limits {}

impl Limits {
    /// The most live links to other systems.
    pub const LINKS: usize = 100;
    /// The most live tax associations.
    pub const TAX_ASSOCIATIONS: usize = 100;
    /// The maximum number of tags.
    pub const TAGS: usize = 50;
    /// The most contact persons.
    pub const CONTACT_PERSONS: usize = 50;
    /// The most tax ids.
    pub const TAX_IDS: usize = 20;
    /// The most tax exemptions.
    pub const TAX_EXEMPTIONS: usize = 50;
    /// The most bytes of a customer as it is stored: 1 MiB.
    pub const BYTES: usize = 1_048_576;

    /// Checks a customer after a change.
    ///
    /// # Errors
    /// If a number has grown beyond its limit.
    pub(super) fn check(before: Option<&CustomerAggregate>, now: &CustomerAggregate) -> Result<(), InvalidOperation> {
        let counts = |customer: &CustomerAggregate| {
            [
                ("links", Self::LINKS, customer.mappings.len()),
                ("tax associations", Self::TAX_ASSOCIATIONS, customer.associations.len()),
                ("tags", Self::TAGS, customer.customer.profile.tags.len()),
                ("contact persons", Self::CONTACT_PERSONS, customer.customer.contact_persons.len()),
                ("tax ids", Self::TAX_IDS, customer.customer.tax_ids.len()),
                ("tax exemptions", Self::TAX_EXEMPTIONS, customer.customer.tax_exemptions.len()),
            ]
        };
        let known = before.map(counts);
        for (place, (what, max, count)) in counts(now).into_iter().enumerate() {
            let had = known.and_then(|known| known.get(place).map(|(_, _, count)| *count)).unwrap_or_default();
            if count > max && count > had {
                return Err(InvalidOperation::TooMany { what, max });
            }
        }
        // Most customers are clearly smaller, so they need not be written to be measured.
        if now.may_exceed(Self::BYTES) {
            let bytes = now.to_document().len();
            if bytes > Self::BYTES && before.is_none_or(|before| bytes > before.to_document().len()) {
                return Err(InvalidOperation::TooLarge);
            }
        }
        Ok(())
    }
}

impl CustomerAggregate {
    /// Whether the customer could take more bytes, if everything but metadata is at its limit.
    fn may_exceed(&self, bytes: usize) -> bool {
        /// More bytes than all single texts, tags and tax ids at their limits.
        const TEXTS: usize = 60_000;
        /// More bytes than a person at its limits.
        const PERSON: usize = 6_000;
        /// More bytes than an exemption at its limits, without the codes of its rates.
        const EXEMPTION: usize = 16_000;
        /// A byte takes at most six bytes when it is escaped.
        const ESCAPED: usize = 6;
        let Customer { profile, contact_persons, tax_exemptions, .. } = &self.customer;
        let pairs =
            |metadata: &Metadata| metadata.iter().map(|(key, value)| key.len() + value.len() + 6).sum::<usize>();
        let associations = self.associations.iter().chain(&self.removed_associations);
        let codes = tax_exemptions.iter().flat_map(|item| item.value.tax_rate_codes.iter());
        let texts = pairs(&profile.metadata)
            + associations.map(|association| pairs(&association.metadata) + 300).sum::<usize>()
            + codes.map(|code| code.as_str().len() + 3).sum::<usize>()
            + profile.custom_fields.iter().map(|(_, value)| value.bytes() + 100).sum::<usize>();
        let link = |metadata: &JsonObject| if metadata.is_empty() { 2_000 } else { JsonObject::MAX_BYTES };
        let links: usize = self.mappings.iter().map(|mapping| link(&mapping.metadata)).sum();
        let items = contact_persons.len() * PERSON + tax_exemptions.len() * EXEMPTION;
        texts * ESCAPED + links + items + TEXTS > bytes
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        customer::{
            Amendment, ChangeCustomer, ChangeCustomerError, CustomerAggregate, CustomerChange, CustomerFacts,
            InvalidOperation, Limits, Stamp,
        },
        ids::IdSequence,
        integration::{NewLink, ProviderEntityId, ProviderType},
        metadata::JsonObject,
        stored::Stored,
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
        for number in 0..Limits::LINKS {
            customer = amended(&customer, link(number, "{}")).unwrap();
        }
        let refused =
            Err(ChangeCustomerError::Forbidden(InvalidOperation::TooMany { what: "links", max: Limits::LINKS }));
        assert_eq!(amended(&customer, link(Limits::LINKS, "{}")), refused);
        assert!(amended(&customer, link(7, r#"{"again":true}"#)).is_ok(), "the same link with other metadata");
        let unlink =
            Amendment::Unlink { provider_type: ProviderType::new("system_7").unwrap(), provider_entity_id: None };
        let fewer = amended(&customer, unlink).unwrap();
        assert!(amended(&fewer, link(Limits::LINKS, "{}")).is_ok());
    }

    #[test]
    fn the_size_holds_to_the_byte() {
        let letters = |count| format!(r#"{{"a":"{}"}}"#, "x".repeat(count));
        let mut customer = a_customer("acme").existing();
        for number in 0..17 {
            customer = amended(&customer, link(number, &letters(60_000))).unwrap();
        }
        let with = |count| amended(&customer, link(17, &letters(count)));
        let rest = Limits::BYTES - with(1).unwrap().to_document().len();
        assert_eq!(with(1 + rest).unwrap().to_document().len(), Limits::BYTES);
        assert_eq!(with(2 + rest), Err(ChangeCustomerError::Forbidden(InvalidOperation::TooLarge)));
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
