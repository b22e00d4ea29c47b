//! Rows of the table `kept_answers`.

use patron_domain::{
    idempotency::{Fingerprint, IdempotencyRecord, KeptAnswer, Outcome},
    store::StoreError,
    time::Timestamp,
};

use super::Once;
use crate::persistence::{
    rows::rows,
    value::{Document, Key, corrupt},
};

/// The kind of an answer that was erased.
const GONE: &str = "gone";

rows! {
    /// One row of `kept_answers`.
    KeptAnswerRow: kept_answers {
        environment: i32, key: String;
        fingerprint: Vec<u8>,
        at: i64,
        event: Option<Key>,
        kind: Option<String>,
        answer: Option<Document>,
        customer: Option<Key>,
    }
}

impl KeptAnswerRow {
    pub(super) fn new(
        once: &Once,
        (event, kept): (Option<Key>, Option<KeptAnswer>),
        customer: Option<Key>,
        at: Timestamp,
    ) -> Self {
        let (kind, answer) = kept.map(|kept| (kept.kind().to_owned(), Document(kept.json().to_owned()))).unzip();
        Self {
            environment: once.environment,
            key: once.claim.key.as_str().to_owned(),
            fingerprint: once.claim.fingerprint.as_bytes().to_vec(),
            at: at.micros(),
            event,
            kind,
            answer,
            customer,
        }
    }

    /// A row whose key later shows whether its transaction was committed, for transactions that write nothing else to
    /// look for.
    pub(crate) fn mark(environment: i32, key: String, at: i64) -> Self {
        Self { environment, key, fingerprint: Vec::new(), at, event: None, kind: None, answer: None, customer: None }
    }

    /// The row without the answer, and without the fingerprint, which is a hash of the request.
    pub(crate) fn redacted(self) -> Self {
        let kind = Some(GONE.to_owned());
        Self { fingerprint: vec![0; 32], event: None, kind, answer: None, customer: None, ..self }
    }

    /// The kept answer.
    pub(crate) fn record(&self) -> Result<IdempotencyRecord, StoreError> {
        let broken = |column| corrupt("kept_answers", column, self.environment);
        let fingerprint = self.fingerprint.as_slice().try_into().map_err(|_| broken("fingerprint"))?;
        let outcome = match (self.event, &self.kind, &self.answer) {
            (Some(id), ..) => Outcome::Event(id.id()),
            (None, Some(kind), None) if kind == GONE => Outcome::Gone,
            (None, Some(kind), Some(answer)) => Outcome::Kept(KeptAnswer::new(kind.clone(), answer.0.clone())),
            _ => return Err(broken("answer")),
        };
        let at = Timestamp::from_micros(self.at).map_err(|_| broken("at"))?;
        Ok(IdempotencyRecord { fingerprint: Fingerprint::from_bytes(fingerprint), outcome, at })
    }
}
