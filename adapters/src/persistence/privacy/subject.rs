//! Recognising external ids of suppressed and erased customers.

use patron_domain::{customer::ChangeCustomer, lifecycle::Owner, privacy::SubjectKey};

/// The external ids that a change may claim, each with its tag. Without the key of the installation their tags are not
/// known.
#[derive(Debug, Clone)]
pub(crate) struct Claimed(pub(crate) Vec<(String, Option<Vec<u8>>)>);

/// The external ids that a change may claim.
pub(crate) fn claimed(key: Option<&SubjectKey>, owner: Owner, command: &ChangeCustomer) -> Claimed {
    let tagged = |external_id: &str| key.map(|key| key.tag(owner, external_id).as_bytes().to_vec());
    let all = command.claimable_external_ids().into_iter();
    Claimed(all.map(|external_id| (external_id.as_str().to_owned(), tagged(external_id.as_str()))).collect())
}
