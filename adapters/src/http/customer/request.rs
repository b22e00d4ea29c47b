//! The body of a request that creates a customer, and its conversion to the domain.

use patron_domain::{
    customer::{
        AddressLine, BillingCurrency, BuyerReference, City, Contact, CountryCode, CustomerName, CustomerType, Email,
        ExternalId, LegalName, Limits, Locale, NewCustomer, PostalCode, Profile, RegistrationNumber, State, Tag,
        TaxChoice, TaxTreatment, TimeZone,
    },
    integration::{ClaimedEntityId, MappedEntityType, NewLink, NewLinks, ProviderEntityId, ProviderType},
    onboarding::{Onboarding, WorkflowName},
    tax::{CurrencyCode, Priority, TaxBehavior, TaxRateCode, TaxRateOverride, TaxRateOverrides},
    violation::{Violation, Violations},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    items::request::{ContactPersonRequest, TaxExemptionRequest, TaxIdRequest, exempt_rate_codes, items},
    parts_request::{
        ElectronicAddressRequest, MAX_LOCALES, MAX_TAGS, ShippingAddressRequest, electronic_address, list,
        shipping_address,
    },
};
use crate::http::{
    json::{Elements, Field, Given, List, Object, Reader, Strings, Text, object_from_json},
    openapi::{
        exactly, given_any_object, given_custom_fields, given_metadata, object_or_null, objects, optional, values,
    },
};

macro_rules! create_request {
    ($($wire:ident: $type:ident, $variant:ident, [$($place:tt)+], $unset:ident, $says:literal;)+) => {
        /// The body of a create. Unknown members are ignored.
        #[derive(Deserialize, ToSchema)]
        #[serde(bound(deserialize = "'de: 'a"))]
        pub(super) struct CreateCustomerRequest<'a> {
            #[serde(default)]
            #[schema(required = true, schema_with = exactly::<ExternalId>)]
            external_id: Field<Text<'a>>,
            $(
                #[serde(default)]
                #[schema(schema_with = optional::<$type>)]
                $wire: Field<Text<'a>>,
            )+
            #[serde(default)]
            #[schema(schema_with = given_metadata)]
            metadata: Field<Strings>,
            #[serde(default)]
            #[schema(schema_with = object_or_null::<ElectronicAddressRequest<'_>>)]
            electronic_address: Field<ElectronicAddressRequest<'a>>,
            #[serde(default)]
            #[schema(schema_with = object_or_null::<ShippingAddressRequest<'_>>)]
            shipping_address: Field<ShippingAddressRequest<'a>>,
            #[serde(default)]
            #[schema(schema_with = values::<Locale, { MAX_LOCALES }>)]
            preferred_locales: Field<List<Text<'a>>>,
            #[serde(default)]
            #[schema(schema_with = values::<Tag, { MAX_TAGS }>)]
            tags: Field<List<Text<'a>>>,
            #[serde(default)]
            #[schema(schema_with = objects::<ContactPersonRequest<'_>, { Limits::CONTACT_PERSONS }>)]
            contact_persons: Field<List<ContactPersonRequest<'a>>>,
            #[serde(default)]
            #[schema(schema_with = objects::<TaxIdRequest<'_>, { Limits::TAX_IDS }>)]
            tax_ids: Field<List<TaxIdRequest<'a>>>,
            #[serde(default)]
            #[schema(schema_with = objects::<TaxExemptionRequest<'_>, { Limits::TAX_EXEMPTIONS }>)]
            tax_exemptions: Field<List<TaxExemptionRequest<'a>>>,
            #[serde(default)]
            #[schema(schema_with = given_custom_fields)]
            custom_fields: Field<Given>,
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
            /// Whether this is another customer than the one with this external id whose deletion was requested.
            #[serde(default)]
            #[schema(schema_with = optional::<bool>)]
            confirm_new_subject: Field<bool>,
        }

        impl CreateCustomerRequest<'_> {
            /// Checks every field and notes all that is wrong.
            pub(super) fn into_domain(self, broken: &mut Violations) -> Option<NewCustomer> {
                let fields = &mut Reader::new(broken);
                let external_id = fields.required("external_id", self.external_id, ExternalId::new);
                let mut profile = Profile::default();
                $(
                    let value = fields.optional(stringify!($wire), self.$wire, $type::new);
                    profile.$($place)+ = or_unset!($unset, value);
                )+
                profile.metadata = fields.metadata(self.metadata);
                profile.electronic_address = electronic_address(fields, self.electronic_address);
                shipping_address(fields, self.shipping_address).apply(&mut profile.shipping_address);
                profile.preferred_locales = list(fields, self.preferred_locales, Locale::new).unwrap_or_default();
                profile.tags = list(fields, self.tags, Tag::new).unwrap_or_default();
                let skip = fields.take("skip_onboarding_workflow", self.skip_onboarding_workflow).unwrap_or_default();
                let workflow =
                    fields.optional("onboarding_workflow_name", self.onboarding_workflow_name, WorkflowName::new);
                let confirmed = fields.take("confirm_new_subject", self.confirm_new_subject).unwrap_or_default();
                let taxes = taxes(fields, self.tax_rate_overrides);
                let links = links(fields, self.integration_entity_mapping);
                let custom_fields = fields.take("custom_fields", self.custom_fields).unwrap_or_default().0;
                let onboarding = Onboarding { skip, workflow };
                let contact_persons = items(fields, self.contact_persons).unwrap_or_default();
                let tax_ids = items(fields, self.tax_ids).unwrap_or_default();
                let tax_exemptions = items(fields, self.tax_exemptions).unwrap_or_default();
                Some(NewCustomer {
                    external_id: external_id?,
                    profile,
                    contact_persons,
                    tax_ids,
                    tax_exemptions,
                    custom_fields,
                    taxes,
                    links,
                    onboarding,
                    confirm_new_subject: confirmed,
                })
            }
        }
    };
}

/// An optional value, as a place of the table holds it.
macro_rules! or_unset {
    (default, $value:expr) => {
        $value.unwrap_or_default()
    };
    ($unset:ident, $value:expr) => {
        $value
    };
}

patron_domain::customer_texts!(create_request);

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
    #[schema(schema_with = optional::<TaxBehavior>)]
    tax_behavior: Field<Text<'a>>,
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

object_from_json!(CreateCustomerRequest<'a>, OverrideRequest<'a>, LinkRequest<'a>);

impl CreateCustomerRequest<'_> {
    /// The same for a customer whose external id is in the path. The body may repeat it, but not contradict it.
    pub(super) fn into_domain_named(mut self, named: String, broken: &mut Violations) -> Option<NewCustomer> {
        let is_other = |text: &Text<'_>| *text != named.as_str();
        if matches!(&self.external_id, Field::Value(text) if is_other(text)) {
            broken.push(Violation {
                path: "external_id".to_owned(),
                rule: "same_as_path",
                message: "external_id must equal the one that names the customer, or be omitted".to_owned(),
            });
        }
        if !matches!(self.external_id, Field::Wrong(_)) {
            self.external_id = Field::Value(named.into());
        }
        self.into_domain(broken)
    }

    /// The codes of tax rates in the body, each with its path.
    pub(super) fn rate_codes(&self) -> Vec<(String, String)> {
        let mut codes = exempt_rate_codes(&self.tax_exemptions);
        let Field::Value(list) = &self.tax_rate_overrides else { return codes };
        let overrides = list.elements.iter().enumerate().take(TaxRateOverrides::MAX);
        let overrides = overrides.filter_map(|(index, element)| match element {
            Field::Value(OverrideRequest { tax_rate_code: Field::Value(code), .. }) => {
                Some((format!("tax_rate_overrides[{index}].tax_rate_code"), code.clone().into_owned()))
            }
            _ => None,
        });
        codes.extend(overrides);
        codes
    }
}

/// Where the taxes of a new customer come from.
fn taxes(fields: &mut Reader<'_>, given: Field<List<OverrideRequest<'_>>>) -> TaxChoice {
    let Some(list) = fields.take("tax_rate_overrides", given) else { return TaxChoice::Defaults };
    let Elements { count, valid } = fields.each("tax_rate_overrides", list, OverrideRequest::into_domain, "an object");
    TaxChoice::Overrides(fields.group(TaxRateOverrides::at_places(count, valid)).unwrap_or_default())
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
        let behavior = fields.optional("tax_behavior", self.tax_behavior, TaxBehavior::new);
        let metadata = fields.metadata(self.metadata);
        Some(TaxRateOverride {
            code: code?,
            currency: currency?,
            priority: priority.unwrap_or_default(),
            auto_apply,
            behavior,
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
