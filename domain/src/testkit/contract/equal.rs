//! Compares what was read with what was written. Values of customers are not shown, so a difference is reported by the
//! names of the fields.

use super::world::{Outcome, holds};
use crate::{
    customer::{Customer, CustomerRecord},
    event::CustomerEvent,
    integration::IntegrationMapping,
    tax::{CurrencyCode, TaxAssociation, TaxRate, TaxValue},
};

/// Something with fields that can differ.
pub(super) trait Fields: PartialEq {
    /// The names of the fields in which two values differ.
    fn differing(&self, other: &Self) -> Vec<&'static str>;
}

/// The names of the fields that differ between two values.
macro_rules! differing {
    ($one:ident, $other:ident; $($($field:ident).+),+ $(,)?) => {{
        let mut fields: Vec<&'static str> = Vec::new();
        $(
            if $one.$($field).+ != $other.$($field).+ {
                fields.push(stringify!($($field).+));
            }
        )+
        fields
    }};
}

macro_rules! customer {
    ($($wire:ident: $type:ident, $variant:ident, [$($place:tt)+], $unset:ident, $says:literal;)+) => {
        impl Fields for Customer {
            fn differing(&self, other: &Self) -> Vec<&'static str> {
                let mut fields = differing!(
                    self, other; id, owner, external_id, profile.metadata, profile.electronic_address,
                    profile.shipping_address, profile.custom_fields, profile.preferred_locales, profile.tags, contact_persons, tax_ids,
                    tax_exemptions, status, version, audit.created_at, audit.created_by, audit.updated_at,
                    audit.updated_by
                );
                $(
                    if self.profile.$($place)+ != other.profile.$($place)+ {
                        fields.push(stringify!($wire));
                    }
                )+
                fields
            }
        }
    };
}

crate::customer_texts!(customer);

impl Fields for IntegrationMapping {
    fn differing(&self, other: &Self) -> Vec<&'static str> {
        differing!(
            self, other; id, owner, customer_id, provider_type, provider_entity_id, metadata, status, audit
        )
    }
}

impl Fields for TaxAssociation {
    fn differing(&self, other: &Self) -> Vec<&'static str> {
        let mut fields = differing!(
            self, other; id, owner, tax_rate_id, entity, priority, auto_apply, metadata, start, end, status, audit
        );
        // Currencies are compared in any case, but their case is kept.
        let written = |one: &Self| one.currency.as_ref().map(CurrencyCode::as_str).map(str::to_owned);
        if written(self) != written(other) {
            fields.push("currency");
        }
        fields
    }
}

impl Fields for TaxRate {
    fn differing(&self, other: &Self) -> Vec<&'static str> {
        let mut fields = differing!(
            self, other; id, owner, code, name, description, scope, rate_status, metadata, status, version, audit
        );
        // Decimals are compared without trailing zeros, but shown with them.
        let shown = |one: &Self| match one.value {
            TaxValue::Percentage(percentage) => format!("{percentage}%"),
            TaxValue::Fixed(amount) => amount.to_string(),
        };
        if shown(self) != shown(other) {
            fields.push("value");
        }
        fields
    }
}

impl Fields for CustomerEvent {
    fn differing(&self, other: &Self) -> Vec<&'static str> {
        let mut fields = differing!(self, other; id, kind, sequence, at, actor, request_id);
        let (one, two) = (&self.state, &other.state);
        fields.extend(one.customer.differing(&two.customer));
        fields.extend(differing_items(&one.mappings, &two.mappings).map(|_| "state.mappings"));
        fields.extend(differing_items(&one.associations, &two.associations).map(|_| "state.associations"));
        let removed = differing_items(&one.removed_associations, &two.removed_associations);
        fields.extend(removed.map(|_| "state.removed_associations"));
        fields.extend(differing!(self, other; state.former_external_ids, state.external_id_since));
        fields
    }
}

/// The first difference between two lists.
fn differing_items<T: Fields>(one: &[T], other: &[T]) -> Option<String> {
    if one.len() != other.len() {
        return Some(format!("{} items, expected {}", one.len(), other.len()));
    }
    let pairs = one.iter().zip(other).enumerate();
    let differing = |(index, (one, other)): (usize, (&T, &T))| {
        let fields = one.differing(other);
        (!fields.is_empty() || one != other).then(|| format!("item {index} differs in {}", fields.join(", ")))
    };
    pairs.filter_map(differing).next()
}

pub(super) fn equal<T: Fields>(what: &str, found: &T, wanted: &T) -> Outcome {
    let fields = found.differing(wanted);
    holds(fields.is_empty(), || format!("{what} differs in {}", fields.join(", ")))?;
    // A field that no list above names.
    holds(found == wanted, || format!("{what} differs"))
}

pub(super) fn all_equal<T: Fields>(what: &str, found: &[T], wanted: &[T]) -> Outcome {
    differing_items(found, wanted).map_or(Ok(()), |difference| Err(format!("{what}: {difference}")))
}

/// Checks that a look-up found a customer with the state of the event that created it.
pub(super) fn is_record(what: &str, found: Option<&CustomerRecord>, event: &CustomerEvent) -> Outcome {
    let found = found.ok_or_else(|| format!("{what} found nothing"))?;
    equal(what, &found.customer, &event.state.customer)?;
    all_equal(&format!("{what}: the mappings"), &found.mappings, &event.state.mappings)
}
