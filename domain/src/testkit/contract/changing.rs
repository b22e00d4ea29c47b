//! Helpers for changing existing customers, and for checking their state.

use super::{
    equal::{all_equal, is_record},
    world::{OrSay, Outcome, World, same},
};
use crate::{
    customer::{
        Amendment, ChangeCustomer, ChangeCustomerError, CustomerChange, CustomerChanged, CustomerName, CustomerUpdate,
        ExternalId, MappingFilter, MetadataUpdate, NewCustomer, Stamp,
    },
    event::CustomerEvent,
    ids::{CustomerId, IdGenerator},
    integration::{NewLink, ProviderEntityId, ProviderType},
    lifecycle::Status,
    metadata::JsonObject,
    page::PageRequest,
    patch::Patch,
    tax::{NewTaxAssociation, Priority, TaxAssociation, TaxAssociationFilter, TaxRateCode, TaxedEntity},
    tenancy::EnvironmentScope,
};

impl World<'_> {
    /// A command with its own ids and time.
    pub(super) fn command(&self, change: CustomerChange) -> ChangeCustomer {
        let at = self.now();
        ChangeCustomer::new(change, Stamp { ids: self.ids().start(at), at, request_id: None })
    }

    pub(super) async fn change(
        &self,
        scope: &EnvironmentScope,
        command: ChangeCustomer,
    ) -> Result<CustomerChanged, ChangeCustomerError> {
        self.ports.customers.change(scope, command).await
    }

    pub(super) async fn amend(
        &self,
        scope: &EnvironmentScope,
        id: CustomerId,
        amendment: Amendment,
    ) -> Result<CustomerEvent, ChangeCustomerError> {
        let changed = self.change(scope, self.command(CustomerChange::Amend(id, amendment))).await;
        changed.map(|changed| changed.event)
    }

    /// An amendment that must succeed.
    pub(super) async fn amended(
        &self,
        scope: &EnvironmentScope,
        id: CustomerId,
        amendment: Amendment,
    ) -> Result<CustomerEvent, String> {
        self.amend(scope, id, amendment).await.or_say("customers.change")
    }

    pub(super) async fn events(&self, scope: &EnvironmentScope, id: CustomerId) -> Result<Vec<CustomerEvent>, String> {
        let history = self.ports.customers.history(scope, id, PageRequest::default()).await;
        Ok(history.or_say("customers.history")?.items)
    }

    /// The published associations of a customer, in the order of their ids.
    pub(super) async fn taxes_of(
        &self,
        scope: &EnvironmentScope,
        id: CustomerId,
    ) -> Result<Vec<TaxAssociation>, String> {
        let filter = TaxAssociationFilter::of(TaxedEntity::Customer(id));
        let page = self.ports.taxes.associations(scope, &filter, PageRequest::default()).await;
        let mut items = page.or_say("taxes.associations")?.items;
        items.sort_by_key(|association| association.id);
        Ok(items)
    }

    /// Checks that a customer has the state of its last event, with mappings and associations. Those of an archived
    /// customer are not listed.
    pub(super) async fn is_as(&self, scope: &EnvironmentScope, event: &CustomerEvent) -> Outcome {
        let id = event.state.customer.id;
        let mut shown = event.clone();
        if shown.state.customer.status != Status::Published {
            shown.state.mappings.clear();
            shown.state.associations.clear();
        }
        is_record("customers.find", self.find(scope, id).await?.as_ref(), &shown)?;
        if self.has_taxes {
            all_equal("taxes.associations", &self.taxes_of(scope, id).await?, &shown.state.associations)?;
        }
        let listed = self.ports.customers.mappings(scope, &MappingFilter::Customer(id), PageRequest::default()).await;
        let wanted = u64::try_from(shown.state.mappings.len()).unwrap_or(u64::MAX);
        same("customers.mappings", &listed.or_say("customers.mappings")?.total, &wanted)
    }
}

pub(super) fn update(update: CustomerUpdate) -> Amendment {
    Amendment::Update(Box::new(update))
}

pub(super) fn rename(external_id: &str) -> Result<Amendment, String> {
    let external_id = Some(ExternalId::new(external_id).or_say("making an external id")?);
    Ok(update(CustomerUpdate { external_id, ..CustomerUpdate::default() }))
}

/// Sets the name and adds a metadata pair.
pub(super) fn note(name: &str, key: &str) -> Result<CustomerUpdate, String> {
    let name = Patch::Set(CustomerName::new(name).or_say("making a name")?);
    let metadata = MetadataUpdate::Merge([(key.to_owned(), Some("noted".to_owned()))].into());
    Ok(CustomerUpdate { name, metadata, ..CustomerUpdate::default() })
}

pub(super) fn link(provider: &str, entity_id: &str) -> Result<Amendment, String> {
    Ok(Amendment::Link(NewLink {
        provider_type: ProviderType::new(provider).or_say("the literal")?,
        provider_entity_id: ProviderEntityId::new(entity_id).or_say("the literal")?,
        metadata: JsonObject::default(),
    }))
}

pub(super) fn unlink(provider: &str) -> Result<Amendment, String> {
    let provider_type = ProviderType::new(provider).or_say("the literal")?;
    Ok(Amendment::Unlink { provider_type, provider_entity_id: None })
}

pub(super) fn associate(code: &str) -> Result<Amendment, String> {
    Ok(Amendment::Associate(Box::new(NewTaxAssociation {
        behavior: None,
        code: TaxRateCode::new(code).or_say("the literal")?,
        currency: None,
        priority: Priority::default(),
        auto_apply: true,
        metadata: crate::metadata::Metadata::default(),
        start: None,
        end: None,
    })))
}

/// Creates the customer, or adds a note to the one with this external id.
pub(super) fn create_or_note(new: NewCustomer, name: &str, key: &str) -> Result<CustomerChange, String> {
    Ok(CustomerChange::CreateOrUpdate { new: Box::new(new), update: Box::new(note(name, key)?) })
}
