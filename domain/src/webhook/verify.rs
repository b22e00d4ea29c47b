//! Verification by a receiver: whether a delivery was signed with the secret, and recently.

use std::time::Duration;

use super::secret::{Message, WebhookSecret, seconds};
use crate::time::Timestamp;

/// The maximum difference between a delivery's time and the receiver's, as Standard Webhooks recommends.
pub const TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// A delivery as received: its three headers, and the exact bytes of its body.
///
/// ```
/// use patron_domain::{testkit::a_time, webhook::{Arrival, Message, WebhookSecret, seconds, signature, verify}};
///
/// let (secret, at) = (WebhookSecret::from_random([7; 32]), a_time());
/// let signed = signature(&[secret.clone()], &Message { id: "evt_1", at, body: b"{}" });
/// let timestamp = seconds(at).to_string();
/// let arrival = Arrival { id: "evt_1", timestamp: &timestamp, signature: &signed, body: b"{}" };
/// assert_eq!(verify(&secret, &arrival, at), Ok(()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival<'a> {
    /// `webhook-id`.
    pub id: &'a str,
    /// `webhook-timestamp`.
    pub timestamp: &'a str,
    /// `webhook-signature`.
    pub signature: &'a str,
    /// The body.
    pub body: &'a [u8],
}

/// Why a delivery must not be trusted.
///
/// ```
/// use patron_domain::webhook::Unverified;
///
/// assert_eq!(Unverified::Signature.to_string(), "the webhook-signature was made with another secret");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unverified {
    /// The timestamp is not valid.
    #[error("webhook-timestamp must be a time in whole seconds")]
    Timestamp,
    /// The timestamp is too far from now: the delivery may be a repetition of a recorded one.
    #[error("webhook-timestamp is more than {} minutes from now", TOLERANCE.as_secs() / 60)]
    Stale,
    /// It was signed with another secret, or altered.
    #[error("the webhook-signature was made with another secret")]
    Signature,
}

/// Verifies that a delivery was signed with a secret, within [`TOLERANCE`] of now. Pure.
///
/// # Errors
/// [`Unverified`] with the reason.
pub fn verify(secret: &WebhookSecret, arrival: &Arrival<'_>, now: Timestamp) -> Result<(), Unverified> {
    let sent: i64 = arrival.timestamp.parse().map_err(|_| Unverified::Timestamp)?;
    if sent.abs_diff(seconds(now)) > TOLERANCE.as_secs() {
        return Err(Unverified::Stale);
    }
    let at = Timestamp::from_micros(sent.saturating_mul(1_000_000)).map_err(|_| Unverified::Timestamp)?;
    let message = Message { id: arrival.id, at, body: arrival.body };
    if secret.verifies(&message, arrival.signature) { Ok(()) } else { Err(Unverified::Signature) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Arrival, TOLERANCE, Unverified, verify};
    use crate::{
        testkit::a_time,
        webhook::{Message, WebhookSecret, seconds, signature},
    };

    #[test]
    fn only_a_recent_signature_with_the_secret_is_verified() {
        let (secret, other, at) = (WebhookSecret::from_random([1; 32]), WebhookSecret::from_random([2; 32]), a_time());
        let signed = signature(std::slice::from_ref(&secret), &Message { id: "evt_1", at, body: b"{}" });
        let timestamp = seconds(at).to_string();
        let arrival = Arrival { id: "evt_1", timestamp: &timestamp, signature: &signed, body: b"{}" };
        for now in [at, at.later(TOLERANCE), at.earlier(TOLERANCE)] {
            assert_eq!(verify(&secret, &arrival, now), Ok(()));
        }
        let second = Duration::from_secs(1);
        for now in [at.later(TOLERANCE + second), at.earlier(TOLERANCE + second)] {
            assert_eq!(verify(&secret, &arrival, now), Err(Unverified::Stale));
        }
        assert_eq!(verify(&other, &arrival, at), Err(Unverified::Signature));
        for changed in [Arrival { body: b"[]", ..arrival }, Arrival { id: "evt_2", ..arrival }] {
            assert_eq!(verify(&secret, &changed, at), Err(Unverified::Signature));
        }
        for none in ["soon", "", "1.5", "99999999999999999999"] {
            assert_eq!(
                verify(&secret, &Arrival { timestamp: none, ..arrival }, at),
                Err(Unverified::Timestamp),
                "{none}"
            );
        }
    }
}
