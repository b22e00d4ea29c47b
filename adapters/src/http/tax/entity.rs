//! The taxed entity in requests: `entity_type`, `entity_id`, `external_customer_id`.

use patron_domain::{
    UnknownWord,
    customer::ExternalId,
    ids::{CustomerId, CustomerKind, Kind, TenantKind},
    tax::{NamedCustomer, TaxedEntityType},
    tenancy::Caller,
    violation::{Violation, Violations},
};

use crate::http::elsewhere;

/// The entity type of a list.
pub(super) enum AskedEntityType {
    /// A type that exists here.
    Held(TaxedEntityType),
    /// A type of Flexprice's billing, of which nothing exists here.
    Elsewhere,
}

impl AskedEntityType {
    /// # Errors
    /// For a word that neither Patron nor Flexprice knows.
    pub(super) fn parse(word: &str) -> Result<Self, UnknownWord> {
        if elsewhere::is_entity_type(word) {
            return Ok(Self::Elsewhere);
        }
        TaxedEntityType::parse(word).map(Self::Held)
    }
}

/// The kind of entity that an id names by its prefix.
pub(super) fn kind_of_id(id: &str) -> Option<TaxedEntityType> {
    if id.starts_with(CustomerKind::PREFIX) {
        return Some(TaxedEntityType::Customer);
    }
    id.starts_with(TenantKind::PREFIX).then_some(TaxedEntityType::Tenant)
}

/// The three fields as given. Empty ones count as absent.
pub(super) struct EntityFields<'a> {
    pub(super) kind: Option<TaxedEntityType>,
    pub(super) entity_id: Option<&'a str>,
    pub(super) external_customer_id: Option<&'a str>,
}

/// The entity that the fields name.
pub(super) enum NamedEntity {
    /// The environment, by its defaults.
    Tenant,
    /// One customer.
    Customer(NamedCustomer),
    /// All customers: only the type is given.
    Customers,
    /// No restriction: no field is given.
    All,
}

impl EntityFields<'_> {
    /// The entity that the fields name. Contradictions are reported.
    pub(super) fn read(&self, caller: &Caller, broken: &mut Violations) -> NamedEntity {
        let refuse = |broken: &mut Violations, path: &str, rule, message: &str| {
            broken.push(Violation { path: path.to_owned(), rule, message: format!("{path} {message}") });
        };
        match (self.kind, self.entity_id, self.external_customer_id) {
            (Some(TaxedEntityType::Tenant), id, external) => {
                if id.is_some_and(|id| id != caller.owner().tenant_id.to_string()) {
                    refuse(broken, "entity_id", "own_tenant", "must be omitted or name your own tenant");
                }
                if external.is_some() {
                    refuse(broken, "external_customer_id", "exclusive", "must be omitted if entity_type is tenant");
                }
                NamedEntity::Tenant
            }
            (_, id, Some(external)) => NamedEntity::Customer(NamedCustomer::ExternalId {
                external_id: ExternalId::new(external).ok(),
                entity_id: id.map(str::to_owned),
            }),
            (Some(TaxedEntityType::Customer), Some(id), None) => {
                NamedEntity::Customer(NamedCustomer::Id(CustomerId::parse(id).ok()))
            }
            (Some(TaxedEntityType::Customer), None, None) => NamedEntity::Customers,
            (None, id, None) => {
                if id.is_some() {
                    let message = "is required with an entity_id that is neither a customer's (cust_…) nor a tenant's";
                    refuse(broken, "entity_type", "required", message);
                }
                NamedEntity::All
            }
        }
    }
}
