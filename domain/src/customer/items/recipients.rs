//! The recipients of mail about a subject.

use super::{ContactPerson, ContactRole, Item};
use crate::{
    customer::{Customer, Email, query::Folded},
    ids::ContactPersonId,
    words::words,
};

/// A recipient of mail, with the reason.
///
/// ```
/// use patron_domain::{customer::RecipientReason, testkit::a_customer};
///
/// let acme = a_customer("acme").reached_at("billing@acme.example").existing().customer;
/// let recipients = acme.recipients(None);
/// assert_eq!(recipients[0].reason, RecipientReason::Customer);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recipient<'a> {
    /// The address.
    pub email: &'a Email,
    /// The display name; empty if none is known.
    pub name: String,
    /// The person; `None` for the customer's own address.
    pub contact_person_id: Option<ContactPersonId>,
    /// Why.
    pub reason: RecipientReason,
}

/// The reason why a recipient gets mail.
///
/// ```
/// use patron_domain::customer::RecipientReason;
///
/// assert_eq!(RecipientReason::Role.as_str(), "role");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecipientReason {
    /// The person has the role.
    Role,
    /// No person has the role, and this is the primary person.
    Primary,
    /// No role was requested, and this is one of the people.
    Person,
    /// It is the customer's own address.
    Customer,
}

words!(
    RecipientReason,
    "role, primary, person, customer",
    Role => "role",
    Primary => "primary",
    Person => "person",
    Customer => "customer",
);

impl Customer {
    /// The recipients of mail about a subject, in order: the people with the role, the primary person first, then in the
    /// order of the list. If no person has it: the primary person, or else the customer's own address. Without a role: all
    /// people, then the customer's own address. People without an address are left out, and each address occurs once,
    /// without regard to case.
    #[must_use]
    pub fn recipients(&self, role: Option<&ContactRole>) -> Vec<Recipient<'_>> {
        let of = |reason: RecipientReason, admits: &dyn Fn(&ContactPerson) -> bool| {
            let admitted = self.contact_persons.iter().filter(|person| admits(&person.value));
            let mut found: Vec<_> = admitted.filter_map(|person| person_with_address(person, reason)).collect();
            // Stable: all others stay in the order of the list.
            found.sort_by_key(|(is_primary, _)| !is_primary);
            found.into_iter().map(|(_, recipient)| recipient).collect::<Vec<_>>()
        };
        let own = self.profile.email.as_ref().map(|email| Recipient {
            email,
            name: self.profile.name.as_ref().map(|name| name.as_str().to_owned()).unwrap_or_default(),
            contact_person_id: None,
            reason: RecipientReason::Customer,
        });
        let Some(role) = role else {
            let mut all = of(RecipientReason::Person, &|_| true);
            all.extend(own);
            return each_address_once(all);
        };
        let with_role = of(RecipientReason::Role, &|person| person.roles.iter().any(|known| known == role));
        if !with_role.is_empty() {
            return each_address_once(with_role);
        }
        let primary = of(RecipientReason::Primary, &|person| person.is_primary);
        if primary.is_empty() { own.into_iter().collect() } else { primary }
    }
}

fn person_with_address(person: &Item<ContactPerson>, reason: RecipientReason) -> Option<(bool, Recipient<'_>)> {
    let email = person.value.email.as_ref()?;
    let (name, contact_person_id) = (person.value.full_name(), Some(person.id));
    Some((person.value.is_primary, Recipient { email, name, contact_person_id, reason }))
}

fn each_address_once(all: Vec<Recipient<'_>>) -> Vec<Recipient<'_>> {
    let mut known = std::collections::BTreeSet::new();
    all.into_iter().filter(|recipient| known.insert(Folded::new(recipient.email.as_str()))).collect()
}

#[cfg(test)]
mod tests {
    use super::{RecipientReason, *};
    use crate::{
        customer::{ContactRoles, FirstName, Item},
        testkit::{a_customer, an_id},
    };

    fn role(name: &str) -> ContactRole {
        ContactRole::new(name).unwrap()
    }

    fn person(number: u32, name: &str, email: &str, is_primary: bool, roles: &[&str]) -> Item<ContactPerson> {
        let value = ContactPerson {
            email: Email::new(email).ok(),
            is_primary,
            roles: ContactRoles::new(roles.iter().map(|name| role(name)).collect()).unwrap(),
            ..ContactPerson::new(FirstName::new(name).unwrap())
        };
        Item { id: an_id(number), value }
    }

    fn found(customer: &Customer, asked: Option<&str>) -> Vec<(String, RecipientReason)> {
        let asked = asked.map(role);
        let found = customer.recipients(asked.as_ref());
        found.into_iter().map(|one| (one.email.as_str().to_owned(), one.reason)).collect()
    }

    #[test]
    fn who_has_the_role_gets_it_else_the_primary_else_the_customer() {
        use RecipientReason::{Customer, Person, Primary, Role};
        let mut acme = a_customer("acme").named("Acme").reached_at("office@acme.example").existing().customer;
        let own = || vec![("office@acme.example".to_owned(), Customer)];
        assert_eq!((found(&acme, None), found(&acme, Some("billing"))), (own(), own()));

        acme.contact_persons = vec![
            person(1, "Ada", "ada@acme.example", false, &["billing", "legal"]),
            person(2, "Bob", "bob@acme.example", true, &["billing"]),
            person(3, "Cleo", "", false, &["technical"]),
            person(4, "Dan", "ADA@acme.example", false, &["billing"]),
        ];
        let (ada, bob) = (|why| ("ada@acme.example".to_owned(), why), |why| ("bob@acme.example".to_owned(), why));
        assert_eq!(found(&acme, Some("billing")), [bob(Role), ada(Role)]);
        assert_eq!(found(&acme, Some("legal")), [ada(Role)]);
        assert_eq!(found(&acme, Some("technical")), [bob(Primary)], "without an address Cleo gets nothing");
        assert_eq!(found(&acme, Some("Billing")), [bob(Primary)], "roles respect case");
        assert_eq!(found(&acme, None), [vec![bob(Person), ada(Person)], own()].concat());

        acme.contact_persons[1].value.is_primary = false;
        assert_eq!(found(&acme, Some("sales")), own());
        acme.profile.email = None;
        assert_eq!(found(&acme, Some("sales")), []);
        assert_eq!(acme.recipients(None)[0].name, "Ada");
    }
}
