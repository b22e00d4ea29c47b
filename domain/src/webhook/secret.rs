//! The secret with which an endpoint's owner verifies deliveries, and its signatures, as in Standard Webhooks
//! (<https://www.standardwebhooks.com>).

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{time::Timestamp, violation::Rule};

/// A secret: 24 to 64 bytes, written as `whsec_` and base64. It is shown only once, when it is created.
///
/// ```
/// use patron_domain::webhook::WebhookSecret;
///
/// let secret = WebhookSecret::from_random([7; 32]);
/// assert_eq!(WebhookSecret::parse(&secret.expose()), Ok(secret.clone()));
/// assert_eq!(format!("{secret:?}"), "WebhookSecret(redacted)");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret(Vec<u8>);

/// Why a text is not a valid [`WebhookSecret`].
///
/// ```
/// use patron_domain::webhook::{WebhookSecret, WebhookSecretError};
///
/// assert_eq!(WebhookSecret::parse("whsec_short"), Err(WebhookSecretError));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a webhook secret must be whsec_ and the base64 form of {min} to {max} bytes",
    min = WebhookSecret::MIN_BYTES, max = WebhookSecret::MAX_BYTES
)]
pub struct WebhookSecretError;

impl Rule for WebhookSecretError {
    fn rule(&self) -> &'static str {
        "webhook_secret"
    }
}

impl WebhookSecret {
    /// The minimum length in bytes.
    pub const MIN_BYTES: usize = 24;
    /// The maximum length in bytes.
    pub const MAX_BYTES: usize = 64;

    const PREFIX: &'static str = "whsec_";

    /// A secret of 256 random bits.
    #[must_use]
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self(bytes.to_vec())
    }

    /// Parses a secret.
    ///
    /// # Errors
    /// When the text is not a secret. The error does not contain the text.
    pub fn parse(text: &str) -> Result<Self, WebhookSecretError> {
        let bytes = text.strip_prefix(Self::PREFIX).and_then(|base64| STANDARD.decode(base64).ok());
        let fits = |bytes: &Vec<u8>| (Self::MIN_BYTES..=Self::MAX_BYTES).contains(&bytes.len());
        bytes.filter(fits).map(Self).ok_or(WebhookSecretError)
    }

    /// The secret as text. Callers must not log it, and may store it only where that is documented.
    #[must_use]
    pub fn expose(&self) -> String {
        format!("{}{}", Self::PREFIX, STANDARD.encode(&self.0))
    }

    /// Appends the signature of one attempt: `v1,` and the base64 form of the HMAC-SHA256 over `id.timestamp.body`.
    fn sign(&self, message: &Message<'_>, to: &mut String) {
        // HMAC accepts keys of any length, so this cannot fail.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return };
        mac.update(message.id.as_bytes());
        mac.update(b".");
        mac.update(seconds(message.at).to_string().as_bytes());
        mac.update(b".");
        mac.update(message.body);
        to.push_str("v1,");
        STANDARD.encode_string(mac.finalize().into_bytes(), to);
    }

    /// A proof of knowing this secret: a MAC over a message whose form differs from that of all signed messages.
    pub(crate) fn proof(&self, of: &str) -> [u8; 32] {
        // As above, this cannot fail.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return [0; 32] };
        mac.update(b"proof of ");
        mac.update(of.as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// Whether one of the signatures in a `webhook-signature` header was made with this secret. Compares in constant
    /// time.
    #[must_use]
    pub fn verifies(&self, message: &Message<'_>, header: &str) -> bool {
        let wanted = signature(std::slice::from_ref(self), message);
        header.split(' ').filter(|given| same(given.as_bytes(), wanted.as_bytes())).count() > 0
    }
}

/// Compares two texts of the same length in constant time.
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(redacted)")
    }
}

/// The signed parts of a request.
///
/// ```
/// use patron_domain::{testkit::a_time, webhook::{Message, WebhookSecret, signature}};
///
/// let secret = WebhookSecret::from_random([7; 32]);
/// let message = Message { id: "evt_1", at: a_time(), body: b"{}" };
/// let header = signature(&[secret.clone()], &message);
/// assert!(secret.verifies(&message, &header));
/// assert!(!secret.verifies(&Message { body: b"{ }", ..message }, &header));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// `webhook-id`: the event's id, the same in every attempt.
    pub id: &'a str,
    /// The time of the attempt; `webhook-timestamp` is its seconds.
    pub at: Timestamp,
    /// The exact bytes of the body.
    pub body: &'a [u8],
}

/// The value of `webhook-timestamp`: whole seconds since the Unix epoch.
#[must_use]
pub fn seconds(at: Timestamp) -> i64 {
    at.micros().div_euclid(1_000_000)
}

/// The value of `webhook-signature`: one signature for each secret, separated by spaces. During a rotation, a receiver
/// with either secret can verify it.
#[must_use]
pub fn signature(secrets: &[WebhookSecret], message: &Message<'_>) -> String {
    // Each signature has 47 characters.
    let mut all = String::with_capacity(48 * secrets.len());
    for secret in secrets {
        if !all.is_empty() {
            all.push(' ');
        }
        secret.sign(message, &mut all);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::{Message, WebhookSecret, signature};
    use crate::time::Timestamp;

    #[test]
    fn the_specification_s_example_gets_the_same_signature() {
        let secret = WebhookSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let at = Timestamp::from_micros(1_614_265_330_000_000).unwrap();
        let message = Message { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body: br#"{"test": 2432232314}"# };
        assert_eq!(
            signature(std::slice::from_ref(&secret), &message),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn during_a_rotation_either_secret_verifies_and_a_third_does_not() {
        let [old, new, third] = [1, 2, 3].map(|byte| WebhookSecret::from_random([byte; 32]));
        let message = Message { id: "evt_1", at: Timestamp::UNIX_EPOCH, body: b"{}" };
        let header = signature(&[new.clone(), old.clone()], &message);
        assert!(
            new.verifies(&message, &header) && old.verifies(&message, &header) && !third.verifies(&message, &header)
        );
        assert!(!new.verifies(&Message { body: b"{ }", ..message }, &header));
    }

    #[test]
    fn the_public_library_verifies_a_signature() {
        let secret = WebhookSecret::from_random([9; 32]);
        let at = Timestamp::from_micros(1_800_000_000_999_999).unwrap();
        let message = Message { id: "evt_2", at, body: "{\"a\":\"ä\"}".as_bytes() };
        let theirs = standardwebhooks::Webhook::new(&secret.expose()).unwrap();
        let signed = theirs.sign(message.id, super::seconds(at), message.body).unwrap();
        assert_eq!(signature(&[secret], &message), signed);
    }

    #[test]
    fn length_and_form_are_checked_and_the_secret_is_not_shown() {
        let secret = WebhookSecret::from_random([7; 32]);
        assert_eq!(WebhookSecret::parse(&secret.expose()), Ok(secret.clone()));
        assert_eq!(format!("{secret:?}"), "WebhookSecret(redacted)");
        for bad in
            ["", "whsec_", "whsec_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_!!!!", &secret.expose()[..20]]
        {
            assert!(WebhookSecret::parse(bad).is_err(), "{bad}");
        }
    }
}
