//! The types of events and their details.

use crate::{
    event::{CustomerEventKind, CustomerField, EventKind, ImportEventKind, TaxRateEventKind, TaxRateField},
    onboarding::Onboarding,
    stored::{StoredError, event},
    testkit::an_id,
};

#[test]
fn every_kind_of_event_can_be_restored_from_type_and_detail() {
    let workflow = Some(crate::onboarding::WorkflowName::new("welcome").unwrap());
    let of_customers = [
        (CustomerEventKind::Created { onboarding: Onboarding::default() }, None),
        (
            CustomerEventKind::Created { onboarding: Onboarding { skip: true, workflow: workflow.clone() } },
            Some(r#"{"skip_onboarding":true,"onboarding_workflow":"welcome"}"#),
        ),
        (
            CustomerEventKind::Created { onboarding: Onboarding { skip: false, workflow } },
            Some(r#"{"onboarding_workflow":"welcome"}"#),
        ),
        (
            CustomerEventKind::Updated { changed: vec![CustomerField::Name, CustomerField::AddressCity] },
            Some(r#"{"changed":["name","address_city"]}"#),
        ),
        (CustomerEventKind::Updated { changed: Vec::new() }, Some(r#"{"changed":[]}"#)),
        (CustomerEventKind::Deleted, None),
        (CustomerEventKind::Restored, None),
        (
            CustomerEventKind::IntegrationLinked { mapping_id: an_id(1) },
            Some(r#"{"mapping_id":"eim_01KG9H1S3VE00BY00000000001"}"#),
        ),
        (
            CustomerEventKind::IntegrationUnlinked { mapping_id: an_id(1) },
            Some(r#"{"mapping_id":"eim_01KG9H1S3VE00BY00000000001"}"#),
        ),
        (
            CustomerEventKind::TaxAssociated { association_id: an_id(1) },
            Some(r#"{"association_id":"ta_01KG9H1S3VE00BY00000000001"}"#),
        ),
        (
            CustomerEventKind::TaxAssociationUpdated { association_id: an_id(1) },
            Some(r#"{"association_id":"ta_01KG9H1S3VE00BY00000000001"}"#),
        ),
        (
            CustomerEventKind::TaxDissociated { association_id: an_id(1) },
            Some(r#"{"association_id":"ta_01KG9H1S3VE00BY00000000001"}"#),
        ),
        (CustomerEventKind::OnboardingCompleted, None),
        (CustomerEventKind::OnboardingFailed, None),
        (CustomerEventKind::Suppressed, None),
        (CustomerEventKind::Unsuppressed, None),
        (CustomerEventKind::Erased, None),
        (CustomerEventKind::LegalHoldPlaced, None),
        (CustomerEventKind::LegalHoldRemoved, None),
    ];
    let of_rates = [
        (TaxRateEventKind::Created, None),
        (TaxRateEventKind::Updated { changed: vec![TaxRateField::Code] }, Some(r#"{"changed":["code"]}"#)),
        (TaxRateEventKind::Deleted, None),
        (
            TaxRateEventKind::ValueChanged { change_id: an_id(1) },
            Some(r#"{"change_id":"trc_01KG9H1S3VE00BY00000000001"}"#),
        ),
    ];
    let of_imports = [ImportEventKind::Completed, ImportEventKind::Failed, ImportEventKind::Cancelled];
    let all = of_customers.map(|(kind, detail)| (EventKind::Customer(kind), detail)).into_iter();
    let all = all.chain(of_rates.map(|(kind, detail)| (EventKind::TaxRate(kind), detail)));
    for (kind, detail) in all.chain(of_imports.map(|kind| (EventKind::Import(kind), None))) {
        assert_eq!(event::detail(&kind).as_deref(), detail);
        assert_eq!(event::kind(kind.event_type(), detail).as_ref(), Ok(&kind));
        let damaged = event::kind(kind.event_type(), Some("["));
        assert_eq!(
            damaged.is_err(),
            !matches!(
                kind,
                EventKind::TaxRate(TaxRateEventKind::Created | TaxRateEventKind::Deleted) | EventKind::Import(_)
            )
        );
    }
    for lacking in [
        "customer.integration_linked",
        "customer.tax_dissociated",
        "customer.updated",
        "tax_rate.updated",
        "tax_rate.value_changed",
    ] {
        let event_type = crate::event::EventType::parse(lacking).unwrap();
        assert!(matches!(event::kind(event_type, None), Err(StoredError::Member { .. })), "{lacking}");
    }
}
