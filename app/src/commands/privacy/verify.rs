//! `patron privacy verify`: offline, with the receipt and the public key alone.

use std::{fs, path::Path};

use data_encoding::BASE64;
use patron_adapters::privacy::verifies;
use patron_domain::privacy::SignedReceipt;
use serde_json::Value;

use crate::{commands::output, failure::Failure};

/// The most bytes of each file.
const MOST: u64 = 1_048_576;

pub(crate) fn verify(receipt: &Path, key: &Path) -> Result<(), Failure> {
    let signed = SignedReceipt::parse(&read(receipt)?);
    let signed = signed.map_err(|error| Failure::failed(format!("{}: {error}", receipt.display())))?;
    let keys = keys(&read(key)?, &signed.key_id);
    if keys.is_empty() {
        return Err(Failure::failed(format!(
            "{}: it has no key {}; save what GET /v1/privacy/receipt-key returns",
            key.display(),
            signed.key_id
        )));
    }
    if !keys.iter().any(|key| verifies(key, &signed)) {
        return Err(Failure::failed(format!(
            "{}: the signature is wrong: the receipt was altered, or was signed by another installation",
            receipt.display()
        )));
    }
    let content = signed.receipt().map_err(|error| Failure::failed(format!("{}: {error}", receipt.display())))?;
    output::line(format_args!(
        "the receipt is genuine: {} was erased, and nothing was left at {}",
        content.request_id(),
        content.verified_at()
    ))
}

fn read(path: &Path) -> Result<String, Failure> {
    let failed = |error: std::io::Error| Failure::failed(format!("{}: {error}", path.display()));
    if fs::metadata(path).map_err(failed)?.len() > MOST {
        return Err(Failure::failed(format!("{}: it is too large for a receipt or a key", path.display())));
    }
    fs::read_to_string(path).map_err(failed)
}

/// The public keys in a file: those with the id, or a single key in base64.
fn keys(text: &str, id: &str) -> Vec<Vec<u8>> {
    let decoded = |text: &str| BASE64.decode(text.trim().as_bytes()).ok().filter(|key| key.len() == 32);
    if let Some(key) = decoded(text) {
        return vec![key];
    }
    let listed = serde_json::from_str::<Value>(text).unwrap_or_default();
    let all = listed["keys"].as_array().cloned().unwrap_or_default().into_iter();
    let with_id = all.filter(|key| key["id"] == id);
    with_id.filter_map(|key| decoded(key["public_key"].as_str()?)).collect()
}
