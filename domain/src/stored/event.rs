//! Events: the data that a log keeps besides the state's document. The type is a separate word, see
//! [`EventKind::event_type`]. The rest of the kind is the *detail*, a small JSON document without personal data.
//!
//! ```
//! use patron_domain::{
//!     event::{CustomerEventKind, CustomerField, EventKind},
//!     stored::event::{detail, kind},
//! };
//!
//! let renamed = EventKind::Customer(CustomerEventKind::Updated { changed: vec![CustomerField::Name] });
//! assert_eq!(detail(&renamed).as_deref(), Some(r#"{"changed":["name"]}"#));
//! assert_eq!(kind(renamed.event_type(), detail(&renamed).as_deref()), Ok(renamed));
//! ```

use serde::{Deserialize, Serialize};

use super::{
    Stored, StoredError, fits, read,
    values::{Text, word_texts},
    write,
};
use crate::{
    customer::CustomerAggregate,
    event::{
        CustomerEventKind, CustomerField, EventEntityType, EventKind, EventState, EventType, ImportEventKind,
        ImportSummary, TaxRateEventKind, TaxRateField,
    },
    ids::{MappingId, TaxAssociationId, TaxRateChangeId},
    lifecycle::Owner,
    onboarding::{Onboarding, WorkflowName},
    tax::TaxRate,
};

/// The name of a detail in errors.
const NAME: &str = "event detail";

word_texts!(CustomerField, TaxRateField);

/// All members of all details; each event type uses its own.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CustomerDetail<'a> {
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    skip_onboarding: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    onboarding_workflow: Option<Text<'a, WorkflowName>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changed: Option<Vec<Text<'a, CustomerField>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mapping_id: Option<Text<'a, MappingId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    association_id: Option<Text<'a, TaxAssociationId>>,
}

/// The same for the events of tax rates.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TaxRateDetail<'a> {
    changed: Vec<Text<'a, TaxRateField>>,
}

/// The same for a scheduled change that has begun.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ValueChangedDetail<'a> {
    change_id: Text<'a, TaxRateChangeId>,
}

/// The detail of a kind of event; `None` when the type is enough.
#[must_use]
pub fn detail(kind: &EventKind) -> Option<String> {
    match kind {
        EventKind::Customer(kind) => customer_detail(kind),
        EventKind::TaxRate(kind) => tax_rate_detail(kind),
        EventKind::Import(_) => None,
    }
}

/// The same for a customer's event.
///
/// ```
/// use patron_domain::{event::CustomerEventKind, stored::event::customer_detail, testkit::an_id};
///
/// let linked = CustomerEventKind::IntegrationLinked { mapping_id: an_id(1) };
/// assert_eq!(customer_detail(&linked).unwrap(), r#"{"mapping_id":"eim_01KG9H1S3VE00BY00000000001"}"#);
/// assert_eq!(customer_detail(&CustomerEventKind::Deleted), None);
/// ```
#[must_use]
pub fn customer_detail(kind: &CustomerEventKind) -> Option<String> {
    let none = CustomerDetail::default;
    Some(write(&match kind {
        CustomerEventKind::Created { onboarding: Onboarding { skip: false, workflow: None } }
        | CustomerEventKind::Deleted
        | CustomerEventKind::Restored
        | CustomerEventKind::OnboardingCompleted
        | CustomerEventKind::OnboardingFailed
        | CustomerEventKind::Suppressed
        | CustomerEventKind::Unsuppressed
        | CustomerEventKind::Erased
        | CustomerEventKind::LegalHoldPlaced
        | CustomerEventKind::LegalHoldRemoved => return None,
        CustomerEventKind::Created { onboarding } => CustomerDetail {
            skip_onboarding: onboarding.skip,
            onboarding_workflow: Text::of_any(onboarding.workflow.as_ref()),
            ..none()
        },
        CustomerEventKind::Updated { changed } => {
            CustomerDetail { changed: Some(changed.iter().map(Text::of).collect()), ..none() }
        }
        CustomerEventKind::IntegrationLinked { mapping_id } | CustomerEventKind::IntegrationUnlinked { mapping_id } => {
            CustomerDetail { mapping_id: Some(Text::of(mapping_id)), ..none() }
        }
        CustomerEventKind::TaxAssociated { association_id }
        | CustomerEventKind::TaxAssociationUpdated { association_id }
        | CustomerEventKind::TaxDissociated { association_id } => {
            CustomerDetail { association_id: Some(Text::of(association_id)), ..none() }
        }
    }))
}

/// The same for a tax rate's event.
///
/// ```
/// use patron_domain::{event::{TaxRateEventKind, TaxRateField}, stored::event::tax_rate_detail};
///
/// let changed = TaxRateEventKind::Updated { changed: vec![TaxRateField::Code] };
/// assert_eq!(tax_rate_detail(&changed).unwrap(), r#"{"changed":["code"]}"#);
/// ```
#[must_use]
pub fn tax_rate_detail(kind: &TaxRateEventKind) -> Option<String> {
    match kind {
        TaxRateEventKind::Created | TaxRateEventKind::Deleted => None,
        TaxRateEventKind::Updated { changed } => {
            Some(write(&TaxRateDetail { changed: changed.iter().map(Text::of).collect() }))
        }
        TaxRateEventKind::ValueChanged { change_id } => {
            Some(write(&ValueChangedDetail { change_id: Text::of(change_id) }))
        }
    }
}

/// The kind of an event, from its type and detail.
///
/// # Errors
/// When they do not match, or the detail is damaged.
pub fn kind(event_type: EventType, detail: Option<&str>) -> Result<EventKind, StoredError> {
    use CustomerEventKind as Kind;
    let rate = |kind| Ok(EventKind::TaxRate(kind));
    let import = |kind| Ok(EventKind::Import(kind));
    match event_type {
        EventType::TaxRateCreated => return rate(TaxRateEventKind::Created),
        EventType::TaxRateDeleted => return rate(TaxRateEventKind::Deleted),
        EventType::TaxRateUpdated => {
            let TaxRateDetail { changed } = read(NAME, fits(NAME, detail.ok_or("changed"))?)?;
            return rate(TaxRateEventKind::Updated { changed: changed.into_iter().map(Text::take).collect() });
        }
        EventType::TaxRateValueChanged => {
            let ValueChangedDetail { change_id } = read(NAME, fits(NAME, detail.ok_or("change_id"))?)?;
            return rate(TaxRateEventKind::ValueChanged { change_id: change_id.take() });
        }
        EventType::ImportCompleted => return import(ImportEventKind::Completed),
        EventType::ImportFailed => return import(ImportEventKind::Failed),
        EventType::ImportCancelled => return import(ImportEventKind::Cancelled),
        _ => {}
    }
    let all = detail.map_or_else(|| Ok(CustomerDetail::default()), |detail| read(NAME, detail))?;
    let changed = all.changed.map(|changed| changed.into_iter().map(Text::take).collect());
    let mapping_id = Text::take_any(all.mapping_id).ok_or("mapping_id");
    let association_id = Text::take_any(all.association_id).ok_or("association_id");
    let kind = match event_type {
        EventType::CustomerCreated => Ok(Kind::Created {
            onboarding: Onboarding { skip: all.skip_onboarding, workflow: Text::take_any(all.onboarding_workflow) },
        }),
        EventType::CustomerUpdated => changed.ok_or("changed").map(|changed| Kind::Updated { changed }),
        EventType::CustomerDeleted => Ok(Kind::Deleted),
        EventType::CustomerRestored => Ok(Kind::Restored),
        EventType::CustomerIntegrationLinked => mapping_id.map(|mapping_id| Kind::IntegrationLinked { mapping_id }),
        EventType::CustomerIntegrationUnlinked => mapping_id.map(|mapping_id| Kind::IntegrationUnlinked { mapping_id }),
        EventType::CustomerTaxAssociated => association_id.map(|association_id| Kind::TaxAssociated { association_id }),
        EventType::CustomerTaxAssociationUpdated => {
            association_id.map(|association_id| Kind::TaxAssociationUpdated { association_id })
        }
        EventType::CustomerTaxDissociated => {
            association_id.map(|association_id| Kind::TaxDissociated { association_id })
        }
        EventType::CustomerOnboardingCompleted => Ok(Kind::OnboardingCompleted),
        EventType::CustomerOnboardingFailed => Ok(Kind::OnboardingFailed),
        EventType::CustomerSuppressed => Ok(Kind::Suppressed),
        EventType::CustomerUnsuppressed => Ok(Kind::Unsuppressed),
        EventType::CustomerErased => Ok(Kind::Erased),
        EventType::CustomerLegalHoldPlaced => Ok(Kind::LegalHoldPlaced),
        EventType::CustomerLegalHoldRemoved => Ok(Kind::LegalHoldRemoved),
        EventType::TaxRateCreated
        | EventType::TaxRateUpdated
        | EventType::TaxRateDeleted
        | EventType::TaxRateValueChanged
        | EventType::ImportCompleted
        | EventType::ImportFailed
        | EventType::ImportCancelled => Err("type"),
    };
    fits(NAME, kind).map(EventKind::Customer)
}

/// The document of an entity's state after an event.
///
/// ```
/// use patron_domain::{
///     event::{EventEntityType, EventState},
///     stored::event::{state, state_document},
///     testkit::{a_tax_rate, an_owner},
/// };
///
/// let rate = EventState::TaxRate(Box::new(a_tax_rate("VAT")));
/// assert_eq!(state(an_owner(), EventEntityType::TaxRate, &state_document(&rate)), Ok(rate));
/// ```
#[must_use]
pub fn state_document(state: &EventState) -> String {
    match state {
        EventState::Customer(state) => state.to_document(),
        EventState::TaxRate(state) => state.to_document(),
        EventState::Import(state) => state.to_document(),
    }
}

/// Reads an entity of a kind from its document.
///
/// # Errors
/// As [`Stored::from_document`].
pub fn state(owner: Owner, entity: EventEntityType, document: &str) -> Result<EventState, StoredError> {
    Ok(match entity {
        EventEntityType::Customer => EventState::Customer(Box::new(CustomerAggregate::from_document(owner, document)?)),
        EventEntityType::TaxRate => EventState::TaxRate(Box::new(TaxRate::from_document(owner, document)?)),
        EventEntityType::Import => EventState::Import(Box::new(ImportSummary::from_document(owner, document)?)),
    })
}
