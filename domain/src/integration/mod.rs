//! Links from customers to the systems that know them under other ids.

mod mapping;

pub use mapping::{
    ClaimedEntityId, ClaimedEntityIdError, IntegrationMapping, MappedEntityType, NewLink, NewLinks, NewLinksError,
    ProviderEntityId, ProviderEntityIdError, ProviderType, ProviderTypeError,
};
