//! The items of a customer.

use serde::{Deserialize, Serialize};

use super::values::{Int, Text, list_from, list_of};
use crate::{
    customer::{
        CertificateNumber, ContactDepartment, ContactDesignation, ContactMobile, ContactPerson, ContactRole,
        CountryCode, DocumentUrl, Email, ExemptionNote, ExemptionReason, FirstName, Item, LastName, Locale, Salutation,
        State, TaxExemption, TaxId, TaxIdType,
    },
    ids::{ContactPersonId, TaxExemptionId, TaxIdId},
    tax::TaxRateCode,
    time::Timestamp,
};

/// A flag; absent if it is off.
fn is_off(switch: &bool) -> bool {
    !switch
}

macro_rules! person_form {
    ($($field:ident: $type:ident, $says:literal;)+) => {
        #[derive(Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct PersonForm<'a> {
            id: Text<'a, ContactPersonId>,
            first_name: Text<'a, FirstName>,
            $(
                #[serde(skip_serializing_if = "Option::is_none")]
                $field: Option<Text<'a, $type>>,
            )+
            #[serde(default, skip_serializing_if = "is_off")]
            is_primary: bool,
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            roles: Vec<Text<'a, ContactRole>>,
        }

        impl<'a> PersonForm<'a> {
            pub(super) fn of(item: &'a Item<ContactPerson>) -> Self {
                let person = &item.value;
                Self {
                    id: Text::of(&item.id),
                    first_name: Text::of(&person.first_name),
                    $($field: Text::of_any(person.$field.as_ref()),)+
                    is_primary: person.is_primary,
                    roles: list_of(&person.roles),
                }
            }

            pub(super) fn take(self) -> Item<ContactPerson> {
                let value = ContactPerson {
                    first_name: self.first_name.take(),
                    $($field: Text::take_any(self.$field),)+
                    is_primary: self.is_primary,
                    roles: list_from(self.roles),
                };
                Item { id: self.id.take(), value }
            }
        }
    };
}

crate::contact_person_texts!(person_form);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TaxIdForm<'a> {
    id: Text<'a, TaxIdId>,
    #[serde(rename = "type")]
    tax_id_type: Text<'a, TaxIdType>,
    value: std::borrow::Cow<'a, str>,
    #[serde(default, skip_serializing_if = "is_off")]
    unchecked: bool,
}

impl<'a> TaxIdForm<'a> {
    pub(super) fn of(item: &'a Item<TaxId>) -> Self {
        Self {
            id: Text::of(&item.id),
            tax_id_type: Text::from(item.value.tax_id_type()),
            value: item.value.value().into(),
            unchecked: item.value.is_unchecked(),
        }
    }

    pub(super) fn take(self) -> Result<Item<TaxId>, &'static str> {
        let value = TaxId::from_stored(self.tax_id_type.take(), self.value.into_owned(), self.unchecked);
        Ok(Item { id: self.id.take(), value: value.map_err(|_| "tax_ids")? })
    }
}

macro_rules! exemption_form {
    ($($field:ident: $type:ident, $says:literal;)+) => {
        #[derive(Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct ExemptionForm<'a> {
            id: Text<'a, TaxExemptionId>,
            reason: Text<'a, ExemptionReason>,
            $(
                #[serde(skip_serializing_if = "Option::is_none")]
                $field: Option<Text<'a, $type>>,
            )+
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            tax_rate_codes: Vec<Text<'a, TaxRateCode>>,
            #[serde(skip_serializing_if = "Option::is_none")]
            starts_at: Option<Int<Timestamp>>,
            #[serde(skip_serializing_if = "Option::is_none")]
            ends_at: Option<Int<Timestamp>>,
        }

        impl<'a> ExemptionForm<'a> {
            pub(super) fn of(item: &'a Item<TaxExemption>) -> Self {
                let exemption = &item.value;
                Self {
                    id: Text::of(&item.id),
                    reason: Text::of(&exemption.reason),
                    $($field: Text::of_any(exemption.$field.as_ref()),)+
                    tax_rate_codes: list_of(&exemption.tax_rate_codes),
                    starts_at: exemption.starts_at.map(Int),
                    ends_at: exemption.ends_at.map(Int),
                }
            }

            pub(super) fn take(self) -> Item<TaxExemption> {
                let value = TaxExemption {
                    reason: self.reason.take(),
                    $($field: Text::take_any(self.$field),)+
                    tax_rate_codes: list_from(self.tax_rate_codes),
                    starts_at: self.starts_at.map(|at| at.0),
                    ends_at: self.ends_at.map(|at| at.0),
                };
                Item { id: self.id.take(), value }
            }
        }
    };
}

crate::tax_exemption_texts!(exemption_form);
