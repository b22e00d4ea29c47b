//! Links from customers to their ids in other systems.

mod mapping;

pub use mapping::{
    ClaimedEntityId, ClaimedEntityIdError, IntegrationMapping, MappedEntityType, NewLink, NewLinks, NewLinksError,
    ProviderEntityId, ProviderEntityIdError, ProviderType, ProviderTypeError,
};
