//! Fields that an update may repeat but not change.

use super::Customer;
use crate::{
    time::Timestamp,
    violation::{Violation, Violations},
    words::words,
};

/// A field of a customer that updates cannot change.
///
/// ```
/// use patron_domain::customer::FixedField;
///
/// assert_eq!(FixedField::parse("status"), Ok(FixedField::Status));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each has the name of its field")]
pub enum FixedField {
    Id,
    TenantId,
    EnvironmentId,
    Status,
    CreatedAt,
    CreatedBy,
}

words!(
    FixedField,
    "id, tenant_id, environment_id, status, created_at, created_by",
    Id => "id",
    TenantId => "tenant_id",
    EnvironmentId => "environment_id",
    Status => "status",
    CreatedAt => "created_at",
    CreatedBy => "created_by",
);

impl FixedField {
    /// Whether the customer has this value there.
    fn is(self, customer: &Customer, said: &str) -> bool {
        match self {
            Self::Id => customer.id.to_string() == said,
            Self::TenantId => customer.owner.tenant_id.to_string() == said,
            Self::EnvironmentId => customer.owner.environment_id.to_string() == said,
            Self::Status => customer.status.as_str() == said,
            Self::CreatedAt => Timestamp::parse(said).is_ok_and(|at| at == customer.audit.created_at),
            Self::CreatedBy => customer.audit.created_by.as_str() == said,
        }
    }
}

/// The fields of an update that it cannot change. Their present values may be repeated, as by a client that sends back what it
/// has read.
///
/// ```
/// use patron_domain::{customer::{FixedField, Repeated}, testkit::a_customer};
///
/// let acme = a_customer("acme").existing().customer;
/// assert!(Repeated(vec![(FixedField::Status, "published".to_owned())]).check(&acme).is_ok());
/// assert!(Repeated(vec![(FixedField::Status, "archived".to_owned())]).check(&acme).is_err());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repeated(
    /// The fields with their values, as in responses.
    pub Vec<(FixedField, String)>,
);

impl Repeated {
    /// Checks that the customer has all of these values.
    ///
    /// # Errors
    /// Each other value, under its name.
    pub fn check(&self, customer: &Customer) -> Result<(), Violations> {
        let mut broken = Violations::new();
        for (field, said) in &self.0 {
            if !field.is(customer, said) {
                let message = format!("{field} cannot be changed; leave it out, or send it as it is");
                broken.push(Violation { path: field.as_str().to_owned(), rule: "fixed", message });
            }
        }
        broken.into_result()
    }
}
