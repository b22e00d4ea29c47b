//! Made-up customers. Each depends only on a seed and its number, so every run gives the same ones.

use patron_domain::{
    customer::{
        Address, AddressLine, BillingCurrency, City, Contact, CountryCode, CustomerName, CustomerType, Email,
        ExternalId, ExternalIdError, NewCustomer, PostalCode, Profile, State, TaxChoice, TimeZone,
    },
    integration::{NewLink, NewLinks, ProviderEntityId, ProviderType},
    metadata::{JsonObject, Metadata},
    onboarding::Onboarding,
};

use super::tables::{FAMILY_NAMES, FORMS, GIVEN_NAMES, PLACES, PLANS, Place, SOURCES, STREETS, TRADES};

/// The numbers in a block. They form [`GROUPS`] groups, whose members lie [`GROUPS`] numbers apart.
const BLOCK: u32 = 2_000;
/// The groups in a block, of 20 customers each.
const GROUPS: u32 = 100;

/// The customers of a prefix and a seed.
#[derive(Debug, Clone)]
pub(super) struct MadeUp {
    prefix: String,
    seed: u64,
}

impl MadeUp {
    /// # Errors
    /// If the prefix cannot start an external id.
    pub(super) fn new(prefix: &str, seed: u64) -> Result<Self, ExternalIdError> {
        let made_up = Self { prefix: prefix.to_owned(), seed };
        made_up.external_id(0).map(|_| made_up)
    }

    fn external_id(&self, number: u32) -> Result<ExternalId, ExternalIdError> {
        ExternalId::new(format!("{}{number:09}", self.prefix))
    }

    /// The customer with a number.
    pub(super) fn customer(&self, number: u32) -> Result<NewCustomer, ExternalIdError> {
        let mut draws = Draws(self.seed ^ (u64::from(number) << 32));
        let (family, family_ascii) = draws.of(&FAMILY_NAMES);
        let (given, place) = (draws.of(&GIVEN_NAMES), draws.of(&PLACES));
        let (trade, form) = (draws.of(&TRADES), draws.of(&FORMS));
        // Two out of three are companies.
        let (name, domain, customer_type) = if draws.below(3) > 0 {
            let domain = format!("{family_ascii}-{trade}.example").to_lowercase();
            (format!("{family} {trade} {form}"), domain, CustomerType::Company)
        } else {
            (format!("{given} {family}"), "mail.example".to_owned(), CustomerType::Individual)
        };
        let email = format!("{}.{family_ascii}.{number}@{domain}", given.to_lowercase());
        // An invalid value would be left out; a test shows that all are valid.
        let profile = Profile {
            name: CustomerName::new(name).ok(),
            email: Email::new(email).ok(),
            contact: Contact::new(format!("{} {}", place.dial, 1_000_000 + draws.below(9_000_000))).ok(),
            address: address(place, &mut draws),
            timezone: TimeZone::new(place.time_zone).unwrap_or_default(),
            billing_currency: BillingCurrency::new(currency(place.country)).ok(),
            customer_type: Some(customer_type),
            metadata: metadata(number, &mut draws),
            ..Profile::default()
        };
        let links = stripe(&mut draws).map(|link| NewLinks::new(vec![link]).unwrap_or_default()).unwrap_or_default();
        // Made-up customers need no onboarding.
        let onboarding = Onboarding { skip: true, workflow: None };
        let new = NewCustomer::new(self.external_id(number)?);
        Ok(NewCustomer { profile, taxes: TaxChoice::Defaults, links, onboarding, ..new })
    }
}

fn address(place: &Place, draws: &mut Draws) -> Address {
    Address {
        line1: AddressLine::new(format!("{} {}", 1 + draws.below(180), draws.of(&STREETS))).ok(),
        line2: None,
        city: City::new(place.city).ok(),
        state: State::new(place.state).ok(),
        postal_code: PostalCode::new(format!("{}{:02}", place.postal, draws.below(100))).ok(),
        country: CountryCode::new(place.country).ok(),
    }
}

/// In what people there pay.
fn currency(country: &str) -> &'static str {
    match country {
        "AU" => "aud",
        "BR" => "brl",
        "CH" => "chf",
        "DK" => "dkk",
        "GB" => "gbp",
        "IN" => "inr",
        "JP" => "jpy",
        "KR" => "krw",
        "MX" => "mxn",
        "NO" => "nok",
        "PL" => "pln",
        "SE" => "sek",
        "SG" => "sgd",
        "US" => "usd",
        "ZA" => "zar",
        _ => "eur",
    }
}

/// Two pairs with few values, and `group`, which at most 20 customers share.
fn metadata(number: u32, draws: &mut Draws) -> Metadata {
    let group = number / BLOCK * GROUPS + number % GROUPS;
    let pairs = [
        ("plan", draws.of(&PLANS).to_string()),
        ("source", draws.of(&SOURCES).to_string()),
        ("group", format!("group-{group:07}")),
    ];
    Metadata::new(pairs.map(|(key, value)| (key.to_owned(), value)).into(), "metadata").unwrap_or_default()
}

fn stripe(draws: &mut Draws) -> Option<NewLink> {
    let provider_entity_id = ProviderEntityId::new(format!("cus_{:016x}", draws.next())).ok()?;
    Some(NewLink {
        provider_type: ProviderType::new("stripe").ok()?,
        provider_entity_id,
        metadata: JsonObject::default(),
    })
}

/// Pseudo-random numbers from SplitMix64, whose sequence does not depend on the version of a library.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to, but excluding, `bound`.
    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// Picks an element.
    fn of<'a, T, const N: usize>(&mut self, all: &'a [T; N]) -> &'a T {
        // The remainder is less than the length.
        &all[(self.next() % N as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::MadeUp;

    #[test]
    fn every_customer_has_all_fields() {
        let made_up = MadeUp::new("c-", 1).unwrap();
        for number in 1..=5_000 {
            let new = made_up.customer(number).unwrap();
            let (profile, address) = (&new.profile, &new.profile.address);
            assert!(profile.name.is_some() && profile.email.is_some() && profile.contact.is_some(), "{number}");
            assert!(address.line1.is_some() && address.city.is_some() && address.state.is_some(), "{number}");
            assert!(address.postal_code.is_some() && address.country.is_some(), "{number}");
            assert_ne!(profile.timezone.as_str(), "UTC");
            assert!(profile.billing_currency.is_some() && profile.customer_type.is_some(), "{number}");
            assert_eq!(profile.metadata.len(), 3);
            assert_eq!(new.links.into_iter().count(), 1);
        }
        assert_eq!(made_up.customer(7).unwrap().external_id.as_str(), "c-000000007");
    }

    #[test]
    fn a_customer_depends_only_on_seed_and_number() {
        let customer = |seed, number| MadeUp::new("c-", seed).unwrap().customer(number).unwrap();
        assert_eq!(customer(1, 5), customer(1, 5));
        assert_ne!(customer(1, 5).profile, customer(2, 5).profile);
        assert_ne!(customer(1, 5).profile, customer(1, 6).profile);
    }

    #[test]
    fn email_addresses_are_unique_and_groups_have_twenty_members() {
        let made_up = MadeUp::new("", 3).unwrap();
        let (mut emails, mut groups) = (BTreeSet::new(), BTreeMap::<_, u32>::new());
        for number in 0..40_000 {
            let profile = made_up.customer(number).unwrap().profile;
            assert!(emails.insert(profile.email.unwrap().into_string()), "{number}");
            *groups.entry(profile.metadata.get("group").unwrap().to_owned()).or_default() += 1;
        }
        assert_eq!((groups.len(), groups.values().max()), (2_000, Some(&20)));
    }

    #[test]
    fn an_invalid_prefix_is_rejected() {
        assert!(MadeUp::new("a\nb", 1).is_err());
        assert!(MadeUp::new(&"x".repeat(247), 1).is_err());
        assert!(MadeUp::new(&"x".repeat(246), 1).is_ok());
    }
}
