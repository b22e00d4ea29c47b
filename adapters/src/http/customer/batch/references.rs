//! Unknown tax rates of a batch, reported beside the other faults as for a single create.

use std::collections::BTreeMap;

use patron_domain::{tenancy::Caller, violation::Violations};

use super::place;
use crate::http::{
    Api,
    error::ApiError,
    references::{told, unknown_rates},
};

/// The most references that are looked up for one request. A refusal names about as many faults.
const MAX: usize = 1_000;

/// The codes of an item, each with its path.
type Codes = Vec<(String, String)>;

/// An item that is refused: its number, its operation, and the reason.
type Refused = (usize, String, ApiError);

/// The unknown rates of items, by their numbers and with paths within them.
async fn unknown(
    api: &Api,
    caller: &Caller,
    codes: impl Iterator<Item = (usize, Codes)>,
) -> BTreeMap<usize, Violations> {
    let named = codes.flat_map(|(number, codes)| codes.into_iter().map(move |(path, code)| (number, path, code)));
    let named: Vec<_> = named.take(MAX).collect();
    // The numbers travel as paths.
    let places = named.iter().enumerate().map(|(place, (_, _, code))| (place.to_string(), code.clone())).collect();
    let mut found: BTreeMap<usize, Violations> = BTreeMap::new();
    for mut violation in unknown_rates(api, caller, places).await {
        let Some((number, path, _)) = violation.path.parse::<usize>().ok().and_then(|place| named.get(place)) else {
            continue;
        };
        violation.path.clone_from(path);
        found.entry(*number).or_default().push(violation);
    }
    found
}

/// Adds the unknown rates of each refused item to its refusal.
pub(super) async fn beside_each(
    api: &Api,
    caller: &Caller,
    refused: Vec<(usize, String, ApiError, Codes)>,
) -> Vec<Refused> {
    let codes = refused.iter().map(|(number, _, _, codes)| (*number, codes.clone()));
    let mut unknown = unknown(api, caller, codes).await;
    let add = |(number, op, refusal, _): (usize, _, _, _)| {
        (number, op, told(refusal, unknown.remove(&number).unwrap_or_default()))
    };
    refused.into_iter().map(add).collect()
}

/// Adds the unknown rates of all items to the refusal of an atomic batch. The codes are in the order of the items.
pub(super) async fn beside_all(api: &Api, caller: &Caller, refusal: ApiError, codes: Vec<Codes>) -> ApiError {
    let mut all = Violations::new();
    for (number, unknown) in unknown(api, caller, codes.into_iter().enumerate()).await {
        for mut violation in unknown {
            violation.path = format!("{}.{}", place(number), violation.path);
            all.push(violation);
        }
    }
    told(refusal, all)
}
