//! The body of a request that creates a customer, and its conversion to the domain.

use patron_domain::{
    customer::{
        Address, AddressLine, City, Contact, CountryCode, CustomerName, Email, ExternalId, NewCustomer, PostalCode,
        Profile, State, TaxChoice, TimeZone,
    },
    integration::{ClaimedEntityId, MappedEntityType, NewLink, NewLinks, ProviderEntityId, ProviderType},
    onboarding::{Onboarding, WorkflowName},
    tax::{CurrencyCode, Priority, TaxRateCode, TaxRateOverride, TaxRateOverrides},
    violation::{Violation, Violations},
};
use serde::{Deserialize, de::MapAccess};
use utoipa::ToSchema;

use crate::http::{
    json::{Elements, Field, FromJson, List, Object, Reader, Strings, Text, found_map},
    openapi::{exactly, given_any_object, given_metadata, objects, optional},
};

/// The body of a create. Unknown members are ignored.
#[derive(Deserialize, ToSchema)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct CreateCustomerRequest<'a> {
    #[serde(default)]
    #[schema(required = true, schema_with = exactly::<ExternalId>)]
    external_id: Field<Text<'a>>,
    #[serde(default)]
    #[schema(schema_with = optional::<CustomerName>)]
    name: Field<Text<'a>>,
    #[serde(default)]
    #[schema(schema_with = optional::<Email>)]
    email: Field<Text<'a>>,
    #[serde(default)]
    #[schema(schema_with = optional::<Contact>)]
    contact: Field<Text<'a>>,
    #[serde(default)]
    #[schema(schema_with = optional::<AddressLine>)]
    address_line1: Field<Text<'a>>,
    #[serde(default)]
    #[schema(schema_with = optional::<AddressLine>)]
    address_line2: Field<Text<'a>>,
    #[serde(default)]
    #[schema(schema_with = optional::<City>)]
    address_city: Field<Text<'a>>,
    #[serde(default)]
    #[schema(schema_with = optional::<State>)]
    address_state: Field<Text<'a>>,
    #[serde(default)]
    #[schema(schema_with = optional::<PostalCode>)]
    address_postal_code: Field<Text<'a>>,
    #[serde(default)]
    #[schema(schema_with = optional::<CountryCode>)]
    address_country: Field<Text<'a>>,
    #[serde(default)]
    #[schema(schema_with = optional::<TimeZone>)]
    timezone: Field<Text<'a>>,
    #[serde(default)]
    #[schema(schema_with = given_metadata)]
    metadata: Field<Strings>,
    #[serde(default)]
    #[schema(schema_with = objects::<OverrideRequest<'_>, { TaxRateOverrides::MAX }>)]
    tax_rate_overrides: Field<List<OverrideRequest<'a>>>,
    #[serde(default)]
    #[schema(schema_with = objects::<LinkRequest<'_>, { NewLinks::MAX }>)]
    integration_entity_mapping: Field<List<LinkRequest<'a>>>,
    #[serde(default)]
    #[schema(schema_with = optional::<bool>)]
    skip_onboarding_workflow: Field<bool>,
    #[serde(default)]
    #[schema(schema_with = optional::<WorkflowName>)]
    onboarding_workflow_name: Field<Text<'a>>,
}

#[derive(Deserialize, ToSchema)]
#[serde(bound(deserialize = "'de: 'a"))]
struct OverrideRequest<'a> {
    #[serde(default)]
    #[schema(required = true, schema_with = exactly::<TaxRateCode>)]
    tax_rate_code: Field<Text<'a>>,
    #[serde(default)]
    #[schema(required = true, schema_with = exactly::<CurrencyCode>)]
    currency: Field<Text<'a>>,
    #[serde(default)]
    #[schema(schema_with = optional::<Priority>)]
    priority: Field<i64>,
    #[serde(default)]
    #[schema(schema_with = optional::<bool>)]
    auto_apply: Field<bool>,
    #[serde(default)]
    #[schema(schema_with = given_metadata)]
    metadata: Field<Strings>,
}

#[derive(Deserialize, ToSchema)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct LinkRequest<'a> {
    #[serde(default)]
    #[schema(required = true, schema_with = exactly::<ProviderType>)]
    provider_type: Field<Text<'a>>,
    #[serde(default)]
    #[schema(required = true, schema_with = exactly::<ProviderEntityId>)]
    provider_entity_id: Field<Text<'a>>,
    #[serde(default)]
    #[schema(schema_with = optional::<MappedEntityType>)]
    entity_type: Field<Text<'a>>,
    #[serde(default)]
    #[schema(schema_with = optional::<ClaimedEntityId>)]
    entity_id: Field<Text<'a>>,
    #[serde(default)]
    #[schema(schema_with = given_any_object)]
    metadata: Field<Object>,
}

macro_rules! object_from_json {
    ($request:ident) => {
        impl<'de: 'a, 'a> FromJson<'de> for $request<'a> {
            const EXPECTED: &'static str = "an object";

            fn from_map<A: MapAccess<'de>>(map: A) -> Result<Option<Self>, A::Error> {
                found_map(map)
            }
        }
    };
}

object_from_json!(CreateCustomerRequest);
object_from_json!(OverrideRequest);
object_from_json!(LinkRequest);

impl CreateCustomerRequest<'_> {
    /// The same for a customer whose external id is in the path. The body may repeat it, but not contradict it.
    pub(super) fn into_domain_named(mut self, named: String, broken: &mut Violations) -> Option<NewCustomer> {
        let is_other = |text: &Text<'_>| *text != named.as_str();
        if matches!(&self.external_id, Field::Value(text) if is_other(text)) {
            broken.push(Violation {
                path: "external_id".to_owned(),
                rule: "same_as_path",
                message: "external_id must equal the one in the path or be omitted".to_owned(),
            });
        }
        if !matches!(self.external_id, Field::Wrong(_)) {
            self.external_id = Field::Value(named.into());
        }
        self.into_domain(broken)
    }

    /// The codes of tax rates in the body, each with its path.
    pub(super) fn rate_codes(&self) -> Vec<(String, String)> {
        let Field::Value(list) = &self.tax_rate_overrides else { return Vec::new() };
        let codes = list.elements.iter().enumerate().take(TaxRateOverrides::MAX);
        let codes = codes.filter_map(|(index, element)| match element {
            Field::Value(OverrideRequest { tax_rate_code: Field::Value(code), .. }) => {
                Some((format!("tax_rate_overrides[{index}].tax_rate_code"), code.clone().into_owned()))
            }
            _ => None,
        });
        codes.collect()
    }

    /// Converts the request. Checks every field and collects all faults.
    pub(super) fn into_domain(self, broken: &mut Violations) -> Option<NewCustomer> {
        let fields = &mut Reader::new(broken);
        let external_id = fields.required("external_id", self.external_id, ExternalId::new);
        let address = Address {
            line1: fields.optional("address_line1", self.address_line1, AddressLine::new),
            line2: fields.optional("address_line2", self.address_line2, AddressLine::new),
            city: fields.optional("address_city", self.address_city, City::new),
            state: fields.optional("address_state", self.address_state, State::new),
            postal_code: fields.optional("address_postal_code", self.address_postal_code, PostalCode::new),
            country: fields.optional("address_country", self.address_country, CountryCode::new),
        };
        let profile = Profile {
            name: fields.optional("name", self.name, CustomerName::new),
            email: fields.optional("email", self.email, Email::new),
            contact: fields.optional("contact", self.contact, Contact::new),
            address,
            timezone: fields.optional("timezone", self.timezone, TimeZone::new).unwrap_or_default(),
            metadata: fields.metadata(self.metadata),
        };
        let onboarding = Onboarding {
            skip: fields.take("skip_onboarding_workflow", self.skip_onboarding_workflow).unwrap_or_default(),
            workflow: fields.optional("onboarding_workflow_name", self.onboarding_workflow_name, WorkflowName::new),
        };
        let taxes = match fields.take("tax_rate_overrides", self.tax_rate_overrides) {
            None => TaxChoice::Defaults,
            Some(list) => {
                let Elements { count, valid } =
                    fields.each("tax_rate_overrides", list, OverrideRequest::into_domain, "an object");
                TaxChoice::Overrides(fields.group(TaxRateOverrides::at_places(count, valid)).unwrap_or_default())
            }
        };
        let links = links(fields, self.integration_entity_mapping);
        Some(NewCustomer { external_id: external_id?, profile, taxes, links, onboarding })
    }
}

/// The links of a create or an update.
pub(super) fn links(fields: &mut Reader<'_>, given: Field<List<LinkRequest<'_>>>) -> NewLinks {
    let Some(list) = fields.take("integration_entity_mapping", given) else { return NewLinks::default() };
    let Elements { count, valid } =
        fields.each("integration_entity_mapping", list, LinkRequest::into_domain, "an object");
    fields.group(NewLinks::at_places(count, valid)).unwrap_or_default()
}

impl OverrideRequest<'_> {
    fn into_domain(self, fields: &mut Reader<'_>) -> Option<TaxRateOverride> {
        let code = fields.required("tax_rate_code", self.tax_rate_code, TaxRateCode::new);
        let currency = fields.required("currency", self.currency, CurrencyCode::new);
        let priority =
            fields.take("priority", self.priority).and_then(|number| fields.check("priority", Priority::new(number)));
        let auto_apply = fields.take("auto_apply", self.auto_apply).unwrap_or(true);
        let metadata = fields.metadata(self.metadata);
        Some(TaxRateOverride {
            code: code?,
            currency: currency?,
            priority: priority.unwrap_or_default(),
            auto_apply,
            metadata,
        })
    }
}

impl LinkRequest<'_> {
    fn into_domain(self, fields: &mut Reader<'_>) -> Option<NewLink> {
        let provider_type = fields.required("provider_type", self.provider_type, ProviderType::new);
        let provider_entity_id = fields.required("provider_entity_id", self.provider_entity_id, ProviderEntityId::new);
        // Checked but not used: the entity is always the new customer.
        fields.optional("entity_type", self.entity_type, |word| MappedEntityType::parse(&word));
        fields.optional("entity_id", self.entity_id, ClaimedEntityId::new);
        let metadata = fields.take("metadata", self.metadata).map(Object::into_metadata);
        let metadata = metadata.and_then(|checked| fields.check("metadata", checked)).unwrap_or_default();
        Some(NewLink { provider_type: provider_type?, provider_entity_id: provider_entity_id?, metadata })
    }
}
