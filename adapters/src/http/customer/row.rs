//! The row of an import as a change: its body is read as that of a create, an update, or both.

use patron_domain::{
    customer::{Amendment, CustomerChange, CustomerUpdate},
    import::ImportMode,
    violation::{Rule, Violations},
};

use serde_json::{Map, Value};

use super::{request::CreateCustomerRequest, update_request::UpdateCustomerRequest};
use crate::http::json::{FromJson, examine};

/// A row without an external id.
#[derive(Debug, thiserror::Error)]
#[error("external_id is required")]
struct Unnamed;

impl Rule for Unnamed {
    fn rule(&self) -> &'static str {
        "required"
    }
}

/// A body that is not a JSON object.
#[derive(Debug, thiserror::Error)]
#[error("the row is not a JSON object")]
struct NoObject;

impl Rule for NoObject {
    fn rule(&self) -> &'static str {
        "json"
    }
}

/// The lists whose items have ids.
const WITH_IDS: [&str; 3] = ["contact_persons", "tax_ids", "tax_exemptions"];

/// The change that a row asks for, from the body of a create. Fields that it does not have are kept; metadata is merged. The
/// ids of items in an export belong to the customer that was exported, so a create gives new ones.
///
/// # Errors
/// When fields are invalid.
pub(crate) fn row_change(mode: ImportMode, body: Map<String, Value>) -> Result<CustomerChange, Violations> {
    let update = |body: &Map<String, Value>| read(&text(body), UpdateCustomerRequest::into_merge);
    match mode {
        ImportMode::Create => {
            read(&text(&without_ids(body)), CreateCustomerRequest::into_domain).map(CustomerChange::Create)
        }
        ImportMode::Update => {
            let mut update = update(&body)?;
            let external_id = update.external_id.take().ok_or_else(|| fault("external_id", &Unnamed))?;
            Ok(CustomerChange::AmendNamed(external_id, Amendment::Update(Box::new(update))))
        }
        ImportMode::Upsert => {
            let update = update(&body);
            let new = Box::new(read(&text(&without_ids(body)), CreateCustomerRequest::into_domain)?);
            let update = Box::new(CustomerUpdate { external_id: None, ..update? });
            Ok(CustomerChange::CreateOrUpdate { new, update })
        }
    }
}

/// The body without the ids of items.
fn without_ids(mut body: Map<String, Value>) -> Map<String, Value> {
    for list in WITH_IDS {
        for item in body.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            item.as_object_mut().and_then(|item| item.remove("id"));
        }
    }
    body
}

fn text(body: &Map<String, Value>) -> String {
    serde_json::to_string(body).unwrap_or_default()
}

fn fault(place: &str, rule: &dyn Rule) -> Violations {
    let mut broken = Violations::new();
    broken.add(place, rule);
    broken
}

fn read<'b, T: FromJson<'b>, C>(
    body: &'b str,
    into: impl FnOnce(T, &mut Violations) -> Option<C>,
) -> Result<C, Violations> {
    let examined = examine(body.as_bytes(), into).map_err(|_| fault("", &NoObject))?;
    examined.broken.into_result()?;
    examined.command.ok_or_else(|| fault("", &NoObject))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_is_a_change_in_every_mode() {
        let object = |body: Value| body.as_object().cloned().unwrap_or_default();
        let row_change = |mode, body: &Value| row_change(mode, object(body.clone()));
        let body = &json!({
            "external_id": "a", "name": "A", "metadata": { "k": null }, "skip_onboarding_workflow": true,
            "contact_persons": [{ "id": "cper_01JDG3W9Z5X0M8R2K7T4B6Q1NE", "first_name": "Ada" }],
        });
        assert!(
            matches!(row_change(ImportMode::Create, body), Ok(CustomerChange::Create(new)) if new.external_id.as_str() == "a")
        );
        let Ok(CustomerChange::AmendNamed(external_id, Amendment::Update(update))) =
            row_change(ImportMode::Update, body)
        else {
            panic!("an update");
        };
        assert_eq!((external_id.as_str(), update.external_id), ("a", None));
        assert!(matches!(row_change(ImportMode::Upsert, body), Ok(CustomerChange::CreateOrUpdate { .. })));
        let broken = row_change(ImportMode::Update, &json!({ "email": "x" })).unwrap_err();
        assert_eq!(broken.iter().next().unwrap().path, "email");
        assert_eq!(row_change(ImportMode::Update, &json!({})).unwrap_err().iter().next().unwrap().path, "external_id");
    }
}
