//! How requests name whom a tax applies to: `entity_type`, `entity_id`, `external_customer_id`.

use patron_domain::{
    customer::ExternalId,
    ids::CustomerId,
    tax::{NamedCustomer, TaxedEntityType},
    tenancy::Caller,
    violation::{Violation, Violations},
};

/// The three fields as they were given; an empty one is as if absent.
pub(super) struct EntityFields<'a> {
    pub(super) kind: Option<TaxedEntityType>,
    pub(super) entity_id: Option<&'a str>,
    pub(super) external_customer_id: Option<&'a str>,
}

/// Whom they name.
pub(super) enum NamedEntity {
    /// The environment, by its defaults.
    Tenant,
    /// One customer.
    Customer(NamedCustomer),
    /// Every customer: the type alone.
    Customers,
    /// Nobody in particular: none of the fields.
    All,
}

impl EntityFields<'_> {
    /// Whom they name; notes what contradicts itself.
    pub(super) fn read(&self, caller: &Caller, broken: &mut Violations) -> NamedEntity {
        let refuse = |broken: &mut Violations, path: &str, rule, message: &str| {
            broken.push(Violation { path: path.to_owned(), rule, message: format!("{path} {message}") });
        };
        match (self.kind, self.entity_id, self.external_customer_id) {
            (Some(TaxedEntityType::Tenant), id, external) => {
                if id.is_some_and(|id| id != caller.owner().tenant_id.to_string()) {
                    refuse(broken, "entity_id", "own_tenant", "must be left out or name your own tenant");
                }
                if external.is_some() {
                    refuse(broken, "external_customer_id", "exclusive", "must be left out: entity_type is tenant");
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
                    refuse(broken, "entity_type", "required", "is needed beside entity_id: customer or tenant");
                }
                NamedEntity::All
            }
        }
    }
}
