//! `Serialize` and `Deserialize` of whole values (feature `serde`): the document with the owner, in the members `tenant_id` and
//! `environment_id`.
//!
//! Deserialisation has the checks of documents. It works with self-describing formats, such as JSON.

mod record;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use serde_json::{Map, Value};

use super::{
    association::{AssociationForm, Whole},
    customer::{CustomerForm, MappingForm},
    tax_rate::TaxRateForm,
    values::{AsInt, Int},
};
use crate::{
    customer::{Customer, CustomerAggregate, CustomerRecord, query::CustomerCursor},
    event::{EventCursor, EventPosition},
    ids::{CustomerId, EnvironmentId, TenantId},
    integration::IntegrationMapping,
    lifecycle::{Owner, Status, Version},
    tax::{Priority, TaxAssociation, TaxRate},
    time::Timestamp,
};

/// Numbers, as in documents.
macro_rules! numbers {
    ($($type:ty),+) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                Int(*self).serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Int::deserialize(deserializer).map(|number| number.0)
            }
        }
    )+};
}

numbers!(EventPosition, Priority, Version);

/// Times of whole values, in microseconds as in documents.
pub(crate) mod micros {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(at.int())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        Int::deserialize(deserializer).map(|at| at.0)
    }
}

/// A form with its owner.
#[derive(Serialize)]
struct Owned<F> {
    tenant_id: TenantId,
    environment_id: EnvironmentId,
    #[serde(flatten)]
    form: F,
}

impl<F> Owned<F> {
    fn of(owner: Owner, form: F) -> Self {
        let Owner { tenant_id, environment_id } = owner;
        Self { tenant_id, environment_id, form }
    }
}

/// Removes a member from an object.
fn member<'de, T: serde::de::DeserializeOwned, D: Deserializer<'de>>(
    object: &mut Map<String, Value>,
    name: &'static str,
) -> Result<T, D::Error> {
    let value = object.remove(name).ok_or_else(|| D::Error::missing_field(name))?;
    // The error must not contain the value, which may be personal data.
    serde_json::from_value(value).map_err(|_| D::Error::custom(format_args!("{name} is invalid")))
}

/// The owner of an object, and its other members.
fn owned<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(Owner, Map<String, Value>), D::Error> {
    let mut object = Map::deserialize(deserializer)?;
    let tenant_id = member::<_, D>(&mut object, "tenant_id")?;
    let environment_id = member::<_, D>(&mut object, "environment_id")?;
    Ok((Owner { tenant_id, environment_id }, object))
}

/// A form from the other members of an object.
fn form<'de, F: serde::de::DeserializeOwned, D: Deserializer<'de>>(object: Map<String, Value>) -> Result<F, D::Error> {
    serde_json::from_value(Value::Object(object)).map_err(|_| D::Error::custom("a member is missing, unknown or wrong"))
}

fn unfit<E: Error>(member: &'static str) -> E {
    E::custom(format_args!("{member} is missing or does not fit the rest"))
}

macro_rules! whole_values {
    ($($value:ident: $form:ty, $owner:expr, $of:expr, $take:expr;)+) => {$(
        impl Serialize for $value {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let owner: fn(&Self) -> Owner = $owner;
                Owned::of(owner(self), ($of)(self)).serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $value {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let (owner, object) = owned(deserializer)?;
                let form: $form = form::<_, D>(object)?;
                ($take)(form, owner).map_err(unfit)
            }
        }
    )+};
}

whole_values! {
    CustomerAggregate: CustomerForm<'static>, |one| one.customer.owner, CustomerForm::of, CustomerForm::take;
    TaxRate: TaxRateForm<'static>, |one| one.owner, TaxRateForm::of, TaxRateForm::take;
    TaxAssociation: AssociationForm<'static>, |one| one.owner,
        |one| AssociationForm::of(one, Whole::DEFAULT),
        |form: AssociationForm<'static>, owner| form.take(owner, Whole::DEFAULT);
}

/// As the aggregate, without the parts that a record lacks.
impl Serialize for CustomerRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { customer, mappings } = self;
        CustomerAggregate::new(customer.clone(), mappings.clone(), Vec::new()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for CustomerRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let CustomerAggregate { customer, mappings, .. } = Deserialize::deserialize(deserializer)?;
        Ok(Self { customer, mappings })
    }
}

/// As the aggregate, with the customer alone.
impl Serialize for Customer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        CustomerAggregate::new(self.clone(), Vec::new(), Vec::new()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Customer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        CustomerAggregate::deserialize(deserializer).map(|aggregate| aggregate.customer)
    }
}

/// A mapping with its customer's id.
#[derive(Serialize)]
struct MappingOfCustomer<'a> {
    customer_id: CustomerId,
    #[serde(flatten)]
    form: MappingForm<'a>,
}

impl Serialize for IntegrationMapping {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let form = MappingForm::of(self, Status::Published, None);
        Owned::of(self.owner, MappingOfCustomer { customer_id: self.customer_id, form }).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for IntegrationMapping {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (owner, mut object) = owned(deserializer)?;
        let customer_id = member::<_, D>(&mut object, "customer_id")?;
        let form: MappingForm<'static> = form::<_, D>(object)?;
        form.take(owner, customer_id, Status::Published, None).map_err(unfit)
    }
}

/// As the opaque text that clients get.
impl Serialize for CustomerCursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// As the opaque text that clients get.
impl Serialize for EventCursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EventCursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for CustomerCursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse_any(&text).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use futures::executor::block_on;
    use serde::de::DeserializeOwned;
    use serde_json::json;

    use super::*;
    use crate::{
        customer::{
            CustomerRepository,
            query::{CustomerPage, CustomerQuery, CustomerQueryParts},
        },
        event::{CustomerEvent, EventLog, EventQuery, EventRecord, TaxRateEvent, TaxRateEventKind},
        ids::IdGenerator,
        page::Page,
        tax::{CurrencyCode, EffectiveTaxes, TaxBasis, TaxRateStatus},
        testkit::{
            CountingIds, MemoryStore, a_customer, a_full_customer, a_scope, a_tax_default, a_tax_rate, a_time, an_id,
        },
    };

    #[track_caller]
    fn comes_back<T: Serialize + DeserializeOwned + PartialEq + fmt::Debug>(value: &T) -> Value {
        let json = serde_json::to_value(value).unwrap();
        assert_eq!(serde_json::from_value::<T>(json.clone()).unwrap(), *value, "{json}");
        // A format that streams gives the same.
        assert_eq!(serde_json::from_str::<T>(&serde_json::to_string(value).unwrap()).unwrap(), *value);
        json
    }

    fn store() -> (MemoryStore, CustomerEvent) {
        let store = MemoryStore::default();
        let new = a_full_customer().onboarded_by("welcome").skipping_onboarding().requested_as("r-1").untaxed();
        let command = new.command(CountingIds::default().start(a_time()), a_time());
        let event = block_on(store.change(&a_scope(), command)).unwrap().event;
        (store, event)
    }

    #[test]
    fn a_customer_and_all_that_is_shown_of_it_come_back() {
        let (store, event) = store();
        let json = comes_back(&event.state);
        let owner = a_scope().owner;
        assert_eq!(json["tenant_id"], json!(owner.tenant_id));
        assert_eq!(json["external_id"], json!(event.state.customer.external_id));
        comes_back(&event.state.customer);
        comes_back(&event.state.record());
        comes_back(&event.state.mappings[0]);
        let detail = comes_back(&event)["detail"].clone();
        assert_eq!(detail, json!({ "skip_onboarding": true, "onboarding_workflow": "welcome" }));
        let query = CustomerQuery::new(CustomerQueryParts { with_mappings: true, ..Default::default() }).unwrap();
        let page: CustomerPage = block_on(store.list(&a_scope(), &query)).unwrap();
        comes_back(&page);
        comes_back(&CustomerPage { next: Some(query.order().place_of(&event.state.customer)), ..page });
        let log = block_on(store.read(&a_scope(), &EventQuery::default())).unwrap();
        assert_eq!(comes_back(&log)["events"][0]["position"], json!(1));
        comes_back(&Page { items: event.state.mappings.clone(), total: 7 });
    }

    #[test]
    fn taxes_come_back() {
        let vat = a_tax_rate("VAT");
        comes_back(&vat);
        comes_back(&TaxRateEvent::created(an_id(1), None, vat.clone()));
        let mut off = TaxRate { rate_status: TaxRateStatus::Inactive, id: an_id(77), ..a_tax_rate("OFF") };
        off.version = off.version.next();
        let event =
            TaxRateEvent { kind: TaxRateEventKind::Deleted, ..TaxRateEvent::created(an_id(1), None, off.clone()) };
        comes_back(&event);
        let defaults = vec![a_tax_default(&vat), TaxAssociation { id: an_id(78), ..a_tax_default(&off) }];
        let basis = TaxBasis { own: Some(vec![]), defaults, rates: vec![vat, off] };
        comes_back(&basis);
        let basis = TaxBasis { own: None, ..basis };
        let taxes: EffectiveTaxes = basis.effective(CurrencyCode::new("EUR").unwrap(), a_time());
        assert_eq!(comes_back(&taxes)["passed_over"][0]["reason"], json!("inactive"));
    }

    #[test]
    fn an_erased_event_and_one_of_another_entity_are_told_apart() {
        let (_, event) = store();
        let record = EventRecord::of_customer(EventPosition::START, event);
        let erased = EventRecord { state: None, ..record.clone() };
        let json = comes_back(&erased);
        assert!(serde_json::from_value::<CustomerEvent>(json).is_err(), "it has no state");
        let mut json = serde_json::to_value(&record).unwrap();
        json["entity_type"] = json!("tax_rate");
        let refused = serde_json::from_value::<EventRecord>(json).unwrap_err().to_string();
        assert_eq!(refused, "entity_id is missing or does not fit the rest");
    }

    #[test]
    fn what_does_not_fit_is_refused_without_its_value() {
        let acme = a_customer("acme").named("Ada Lovelace").existing();
        let mut json = serde_json::to_value(&acme).unwrap();
        json["name"] = json!("Ada\u{7}Lovelace");
        let refused = serde_json::from_value::<CustomerAggregate>(json.clone()).unwrap_err().to_string();
        assert!(!refused.contains("Ada"), "{refused}");
        json["name"] = json!("Ada Lovelace");
        json["motto"] = json!("semper");
        assert!(serde_json::from_value::<CustomerAggregate>(json).is_err(), "an unknown member would be lost");
        let page = serde_json::to_value(Page { items: vec![acme], total: 1 }).unwrap();
        assert_eq!(page["items"][0]["name"], "Ada Lovelace");
    }
}
