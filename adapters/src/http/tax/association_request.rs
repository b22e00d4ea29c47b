//! The bodies of requests that create or change a tax association, and their conversion to the domain.

use patron_domain::{
    customer::ExternalId,
    ids::CustomerId,
    integration::ClaimedEntityId,
    patch::Patch,
    tax::{
        CurrencyCode, NamedCustomer, NewTaxAssociation, Priority, TaxAssociationUpdate, TaxBehavior, TaxRateCode,
        TaxedEntityType,
    },
    tenancy::Caller,
    time::Timestamp,
    violation::{Rule, Violation, Violations},
};
use serde::{Deserialize, de::MapAccess};
use utoipa::ToSchema;

use super::entity::{EntityFields, NamedEntity};
use crate::http::{
    json::{Field, FromJson, Reader, Strings, Text, found_map},
    openapi::{exactly, given_metadata, optional, or_null},
};

/// The body of a create. Unknown members are ignored.
#[derive(Deserialize, ToSchema)]
#[serde(bound(deserialize = "'de: 'a"))]
#[schema(as = CreateTaxAssociationRequest)]
pub(super) struct CreateAssociationRequest<'a> {
    #[serde(default)]
    #[schema(required = true, schema_with = exactly::<TaxRateCode>)]
    tax_rate_code: Field<Text<'a>>,
    #[serde(default)]
    #[schema(schema_with = optional::<TaxedEntityType>)]
    entity_type: Field<Text<'a>>,
    #[serde(default)]
    #[schema(schema_with = optional::<ClaimedEntityId>)]
    entity_id: Field<Text<'a>>,
    #[serde(default)]
    #[schema(schema_with = optional::<ExternalId>)]
    external_customer_id: Field<Text<'a>>,
    #[serde(default)]
    #[schema(schema_with = optional::<CurrencyCode>)]
    currency: Field<Text<'a>>,
    #[serde(default)]
    #[schema(schema_with = optional::<Timestamp>)]
    start_date: Field<Text<'a>>,
    #[serde(default)]
    #[schema(schema_with = optional::<Timestamp>)]
    end_date: Field<Text<'a>>,
    #[serde(default)]
    #[schema(schema_with = optional::<Priority>)]
    priority: Field<i64>,
    #[serde(default)]
    #[schema(schema_with = optional::<bool>)]
    auto_apply: Field<bool>,
    #[serde(default)]
    #[schema(schema_with = optional::<TaxBehavior>)]
    tax_behavior: Field<Text<'a>>,
    #[serde(default)]
    #[schema(schema_with = given_metadata)]
    metadata: Field<Strings>,
}

/// The changeable fields. The body of an update; unknown members are ignored.
#[derive(Deserialize, ToSchema)]
#[serde(bound(deserialize = "'de: 'a"))]
#[schema(as = UpdateTaxAssociationRequest)]
pub(super) struct TermsRequest<'a> {
    #[serde(default)]
    #[schema(schema_with = optional::<Priority>)]
    priority: Field<i64>,
    #[serde(default)]
    #[schema(schema_with = optional::<bool>)]
    auto_apply: Field<bool>,
    #[serde(default)]
    #[schema(schema_with = optional::<TaxBehavior>)]
    tax_behavior: Field<Text<'a>>,
    #[serde(default)]
    #[schema(schema_with = or_null::<Timestamp>)]
    start_date: Field<Text<'a>>,
    /// An empty text removes the end.
    #[serde(default)]
    #[schema(schema_with = optional::<Timestamp>)]
    end_date: Field<Text<'a>>,
    #[serde(default)]
    #[schema(schema_with = given_metadata)]
    metadata: Field<Strings>,
}

impl<'de: 'a, 'a> FromJson<'de> for CreateAssociationRequest<'a> {
    const EXPECTED: &'static str = "an object";

    fn from_map<A: MapAccess<'de>>(map: A) -> Result<Option<Self>, A::Error> {
        found_map(map)
    }
}

impl<'de: 'a, 'a> FromJson<'de> for TermsRequest<'a> {
    const EXPECTED: &'static str = "an object";

    fn from_map<A: MapAccess<'de>>(map: A) -> Result<Option<Self>, A::Error> {
        found_map(map)
    }
}

impl TermsRequest<'_> {
    /// Converts the request. Checks every field and collects all faults.
    pub(super) fn into_domain(self, broken: &mut Violations) -> Option<TaxAssociationUpdate> {
        let fields = &mut Reader::new(broken);
        let says_metadata = self.metadata != Field::Absent;
        let metadata = fields.metadata(self.metadata);
        let priority = fields.take("priority", self.priority);
        Some(TaxAssociationUpdate {
            priority: priority.and_then(|number| fields.check("priority", Priority::new(number))),
            auto_apply: fields.take("auto_apply", self.auto_apply),
            behavior: patch(fields, "tax_behavior", self.tax_behavior, TaxBehavior::new),
            start: fields.optional("start_date", self.start_date, |text| Timestamp::parse(&text)),
            end: patch(fields, "end_date", self.end_date, |text| Timestamp::parse(&text)),
            metadata: says_metadata.then_some(metadata),
        })
    }
}

impl CreateAssociationRequest<'_> {
    /// The tax rate and the customer that the body names, if it names them.
    pub(super) fn references(&self) -> (Option<String>, Option<NamedCustomer>) {
        let text = |field: &Field<Text<'_>>| match field {
            Field::Value(text) if !text.is_empty() => Some(text.clone().into_owned()),
            _ => None,
        };
        let (entity_id, external) = (text(&self.entity_id), text(&self.external_customer_id));
        let is_customer = text(&self.entity_type).is_none_or(|word| word == TaxedEntityType::Customer.as_str());
        let customer = match (external, entity_id) {
            _ if !is_customer => None,
            (Some(external), entity_id) => {
                Some(NamedCustomer::ExternalId { external_id: ExternalId::new(external).ok(), entity_id })
            }
            (None, Some(id)) => Some(NamedCustomer::Id(CustomerId::parse(&id).ok())),
            (None, None) => None,
        };
        (text(&self.tax_rate_code), customer)
    }

    /// Converts the request. Checks every field and collects all faults.
    pub(super) fn into_domain(
        self,
        caller: &Caller,
        broken: &mut Violations,
    ) -> Option<(NamedEntity, NewTaxAssociation)> {
        let terms = TermsRequest {
            priority: self.priority,
            auto_apply: self.auto_apply,
            tax_behavior: self.tax_behavior,
            start_date: Field::Absent,
            end_date: Field::Absent,
            metadata: self.metadata,
        };
        let terms = terms.into_domain(broken)?;
        let fields = &mut Reader::new(broken);
        let code = fields.required("tax_rate_code", self.tax_rate_code, TaxRateCode::new);
        let currency = fields.optional("currency", self.currency, CurrencyCode::new);
        let start = fields.optional("start_date", self.start_date, |text| Timestamp::parse(&text));
        let end = fields.optional("end_date", self.end_date, |text| Timestamp::parse(&text));
        let kind_given = match &self.entity_type {
            Field::Absent => false,
            Field::Value(word) => !word.is_empty(),
            Field::Wrong(_) => true,
        };
        let kind = fields.optional("entity_type", self.entity_type, |word| TaxedEntityType::parse(&word));
        let entity_id = fields.take("entity_id", self.entity_id).filter(|id| !id.is_empty());
        let external = fields.take("external_customer_id", self.external_customer_id).filter(|id| !id.is_empty());
        let named = EntityFields { kind, entity_id: entity_id.as_deref(), external_customer_id: external.as_deref() };
        // An invalid type, which is reported already, says nothing about the other fields.
        let entity = if kind.is_some() || !kind_given { Some(needed(&named, caller, broken)) } else { None };
        let new = NewTaxAssociation {
            code: code?,
            currency,
            priority: terms.priority.unwrap_or_default(),
            // As in Flexprice. Otherwise every new default would tax every new customer.
            auto_apply: terms.auto_apply.unwrap_or(false),
            behavior: terms.behavior.into_set(),
            metadata: terms.metadata.unwrap_or_default(),
            start,
            end,
        };
        if let Err(dates) = new.check_dates() {
            dates.into_iter().for_each(|violation| broken.push(violation));
        }
        Some((entity?, new))
    }
}

/// The update of an optional member as `PUT` means it: an empty text clears.
fn patch<'t, T, E: Rule>(
    fields: &mut Reader<'_>,
    name: &str,
    given: Field<Text<'t>>,
    check: impl FnOnce(Text<'t>) -> Result<T, E>,
) -> Patch<T> {
    match fields.take(name, given) {
        None => Patch::Keep,
        Some(text) if text.is_empty() => Patch::Clear,
        Some(text) => fields.check(name, check(text)).map_or(Patch::Keep, Patch::Set),
    }
}

/// The taxed entity: the environment or one customer.
fn needed(named: &EntityFields<'_>, caller: &Caller, broken: &mut Violations) -> NamedEntity {
    let entity = named.read(caller, broken);
    let missing = match entity {
        NamedEntity::Tenant | NamedEntity::Customer(_) => return entity,
        NamedEntity::Customers => ("entity_id", "entity_id or external_customer_id is required, to name the customer"),
        NamedEntity::All => ("entity_type", "entity_type with entity_id, or external_customer_id, is required"),
    };
    broken.push(Violation { path: missing.0.to_owned(), rule: "required", message: missing.1.to_owned() });
    entity
}
