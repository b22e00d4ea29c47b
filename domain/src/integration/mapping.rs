//! Integration mappings: the ids of customers in other systems.

use crate::{
    ids::{CustomerId, MappingId},
    lifecycle::{Audit, Owner, Status},
    metadata::JsonObject,
    text::text_newtype,
    violation::{Rule, Violations},
    words::words,
};

text_newtype! {
    /// The name of another system, such as `stripe` or `razorpay`: 1–50 characters, not blank, no control characters.
    public ProviderType, ProviderTypeError, "provider type", max 50, not_blank true
}

text_newtype! {
    /// The customer's id in another system: 1–255 characters, not blank, no control characters.
    personal ProviderEntityId, ProviderEntityIdError, "provider entity id", max 255, not_blank true
}

text_newtype! {
    /// The entity id that a client may send in a create: 1–255 characters. It is checked and then replaced by the new
    /// customer's id, which the client cannot know yet.
    personal ClaimedEntityId, ClaimedEntityIdError, "entity id", max 255
}

/// The kind of entity that a mapping belongs to. Only customers are supported.
///
/// ```
/// use patron_domain::{customer::Customer, integration::MappedEntityType};
///
/// assert_eq!(MappedEntityType::Customer.as_str(), "customer");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MappedEntityType {
    /// A customer. The default.
    #[default]
    Customer,
}

words!(MappedEntityType, "customer", Customer => "customer");

/// The id of a customer in another system.
///
/// A customer has at most one published mapping for each provider. Several customers may be mapped to the same entity
/// of a provider, for example subsidiaries.
///
/// ```
/// use patron_domain::{integration::IntegrationMapping, testkit::a_customer};
///
/// let mapping: IntegrationMapping = a_customer("acme").linked("stripe", "cus_1").existing().mappings.remove(0);
/// assert_eq!(mapping.provider_type.as_str(), "stripe");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct IntegrationMapping {
    /// The id.
    pub id: MappingId,
    /// The tenant and environment that it belongs to.
    pub owner: Owner,
    /// The customer.
    pub customer_id: CustomerId,
    /// The other system.
    pub provider_type: ProviderType,
    /// The id in the other system.
    pub provider_entity_id: ProviderEntityId,
    /// The client's metadata.
    pub metadata: JsonObject,
    /// The status.
    pub status: Status,
    /// Who created and last changed it, and when.
    pub audit: Audit,
}

/// A request for a link.
///
/// ```
/// use patron_domain::{integration::{NewLink, ProviderEntityId, ProviderType}, metadata::JsonObject};
///
/// let link = NewLink {
///     provider_type: ProviderType::new("stripe").unwrap(),
///     provider_entity_id: ProviderEntityId::new("cus_1").unwrap(),
///     metadata: JsonObject::default(),
/// };
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct NewLink {
    /// The other system.
    pub provider_type: ProviderType,
    /// The id in the other system.
    pub provider_entity_id: ProviderEntityId,
    /// The client's metadata.
    pub metadata: JsonObject,
}

impl NewLink {
    /// The mapping for this link.
    pub(crate) fn map(self, id: MappingId, customer_id: CustomerId, owner: Owner, audit: &Audit) -> IntegrationMapping {
        IntegrationMapping {
            id,
            owner,
            customer_id,
            provider_type: self.provider_type,
            provider_entity_id: self.provider_entity_id,
            metadata: self.metadata,
            status: Status::Published,
            audit: audit.clone(),
        }
    }
}

/// The links of one create or update: at most [`NewLinks::MAX`], each provider once.
///
/// ```
/// use patron_domain::{integration::NewLinks, testkit::a_customer};
///
/// let links: NewLinks = a_customer("acme").linked("stripe", "cus_1").linked("crm", "7").build().links;
/// assert_eq!(links.into_iter().count(), 2);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NewLinks(Vec<NewLink>);

/// The faults of a list of links.
///
/// ```
/// use patron_domain::{integration::{NewLinks, NewLinksError}, testkit::a_customer};
///
/// let link = || a_customer("acme").linked("stripe", "cus_1").build().links.into_iter().next().unwrap();
/// let twice = NewLinks::new(vec![link(), link()]);
/// assert!(twice.is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NewLinksError {
    /// There are too many.
    #[error("integration_entity_mapping must have at most {max} items, it has {count}", max = NewLinks::MAX)]
    TooMany {
        /// The number of links given.
        count: usize,
    },
    /// An earlier link has the same provider.
    #[error("provider_type must not repeat that of integration_entity_mapping[{earlier}]")]
    Repeated {
        /// The position of the earlier one.
        earlier: usize,
    },
}

impl Rule for NewLinksError {
    fn rule(&self) -> &'static str {
        match self {
            Self::TooMany { .. } => "max_items",
            Self::Repeated { .. } => "unique",
        }
    }
}

impl NewLinks {
    /// The maximum number of links in one request.
    pub const MAX: usize = 100;

    /// Checks the list as a whole.
    ///
    /// # Errors
    /// Every broken rule, under `integration_entity_mapping` and the position in the list.
    pub fn new(links: Vec<NewLink>) -> Result<Self, Violations> {
        Self::at_places(links.len(), links.into_iter().enumerate().collect())
    }

    /// Checks a list in which some elements were already refused, so that all faults can be reported together. `count`
    /// is the number of elements given; `valid` are those not refused, each with its position.
    ///
    /// # Errors
    /// Every broken rule, under `integration_entity_mapping` and the position in the list.
    pub fn at_places(count: usize, valid: Vec<(usize, NewLink)>) -> Result<Self, Violations> {
        let mut broken = Violations::new();
        if count > Self::MAX {
            broken.add("integration_entity_mapping", &NewLinksError::TooMany { count });
            return Err(broken);
        }
        for (number, (index, later)) in valid.iter().enumerate() {
            let same = |(_, earlier): &&(usize, NewLink)| earlier.provider_type == later.provider_type;
            if let Some(&(earlier, _)) = valid[..number].iter().find(same) {
                let path = format!("integration_entity_mapping[{index}].provider_type");
                broken.add(path, &NewLinksError::Repeated { earlier });
            }
        }
        broken.into_result()?;
        Ok(Self(valid.into_iter().map(|(_, one)| one).collect()))
    }
}

impl IntoIterator for NewLinks {
    type Item = NewLink;
    type IntoIter = std::vec::IntoIter<NewLink>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::{NewLink, NewLinks, ProviderEntityId, ProviderType};

    fn a_link(provider: &str) -> NewLink {
        NewLink {
            provider_type: ProviderType::new(provider).unwrap(),
            provider_entity_id: ProviderEntityId::new("cus_1").unwrap(),
            metadata: Default::default(),
        }
    }

    #[test]
    fn a_provider_may_occur_once() {
        assert!(NewLinks::new(vec![a_link("stripe"), a_link("Stripe")]).is_ok());
        let broken = NewLinks::new(vec![a_link("stripe"), a_link("crm"), a_link("stripe")]).unwrap_err();
        let found: Vec<_> = broken.iter().map(|v| (v.path.as_str(), v.rule)).collect();
        assert_eq!(found, [("integration_entity_mapping[2].provider_type", "unique")]);
    }

    #[test]
    fn positions_are_those_of_the_request() {
        let broken = NewLinks::at_places(4, vec![(1, a_link("stripe")), (3, a_link("stripe"))]).unwrap_err();
        let found: Vec<_> =
            broken.iter().map(|v| (v.path.as_str(), v.message.contains("integration_entity_mapping[1]"))).collect();
        assert_eq!(found, [("integration_entity_mapping[3].provider_type", true)]);
        assert_eq!(NewLinks::at_places(101, vec![]).unwrap_err().iter().next().unwrap().rule, "max_items");
    }

    #[test]
    fn there_are_at_most_100() {
        let many = |n: usize| (0..n).map(|i| a_link(&format!("p{i}"))).collect::<Vec<_>>();
        assert!(NewLinks::new(many(100)).is_ok());
        assert_eq!(NewLinks::new(many(101)).unwrap_err().iter().next().unwrap().rule, "max_items");
    }
}
