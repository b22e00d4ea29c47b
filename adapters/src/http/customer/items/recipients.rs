//! `GET /customers/{id}/recipients`

use patron_domain::{
    customer::{ContactRole, CustomerName, Email, Recipient, RecipientReason},
    ids::{ContactPersonId, CustomerId},
};
use rocket::{get, routes};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::missing;
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanRead, Services},
    openapi::{Endpoint, exactly, or_empty},
    query::Query,
};

/// The recipients of mail.
#[derive(Serialize, ToSchema)]
#[schema(as = Recipients)]
struct RecipientsResponse<'a> {
    recipients: Vec<RecipientResponse<'a>>,
}

/// A recipient of mail.
#[derive(Serialize, ToSchema)]
#[schema(as = Recipient)]
struct RecipientResponse<'a> {
    #[schema(schema_with = exactly::<Email>)]
    email: &'a Email,
    #[schema(schema_with = or_empty::<CustomerName>)]
    name: String,
    /// Absent for the customer's own address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<ContactPersonId>)]
    contact_person_id: Option<ContactPersonId>,
    #[schema(schema_with = exactly::<RecipientReason>)]
    reason: RecipientReason,
}

impl<'a> From<Recipient<'a>> for RecipientResponse<'a> {
    fn from(recipient: Recipient<'a>) -> Self {
        let Recipient { email, name, contact_person_id, reason, .. } = recipient;
        Self { email, name, contact_person_id, reason }
    }
}

/// The recipients of mail about a subject, in order, each with the reason.
// The rank puts it after `/customers/external/<_..>`.
#[get("/customers/<id>/recipients", rank = 1)]
pub(super) async fn recipients(
    caller: CanRead,
    services: Services<'_>,
    query: Query<'_>,
    id: &str,
) -> Result<Answer, ApiError> {
    let mut broken = query.faults();
    let role = query.checked("role", &mut broken, |text| ContactRole::new(text));
    broken.into_result()?;
    let id = CustomerId::parse(id).map_err(|_| missing())?;
    let record = services.customers.find(&caller, id).await?.ok_or_else(missing)?;
    let recipients = record.customer.recipients(role.as_ref());
    Answer::ok(&RecipientsResponse { recipients: recipients.into_iter().map(RecipientResponse::from).collect() })
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "The people with the role, the primary one first. If no person has it: the primary one, or else the customer's \
                own address. Without a role: everyone with an address.";
    Endpoint::new(routes![recipients], "listRecipients", "List the recipients of mail", says)
        .with_key()
        .path::<CustomerId>("id", "The customer.")
        .query::<ContactRole>("role", "The subject of the mail, such as `billing`.")
        .answers::<RecipientsResponse<'_>>(200, "The recipients.")
}
