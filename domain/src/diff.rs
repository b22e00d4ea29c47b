//! The differences between two states of a resource, as paths with the values before and after.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// One difference.
///
/// ```
/// use patron_domain::{diff::changes, serde_json::json};
///
/// let change = &changes(&json!({ "name": "Acme" }), &json!({ "name": "Acme Ltd" }))[0];
/// assert_eq!((change.path.as_str(), &change.from, &change.to), ("name", &json!("Acme"), &json!("Acme Ltd")));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The place, such as `metadata.plan` or `contact_persons[cper_…].email`.
    pub path: String,
    /// The value before; `null` if it was not set.
    pub from: Value,
    /// The value after; `null` if it is no longer set.
    pub to: Value,
}

/// The members that every change sets.
const STAMPS: [&str; 2] = ["updated_at", "updated_by"];

/// The differences between two states of a resource, in the alphabetical order of its members. `null` stands for a resource that does
/// not exist, so that the changes of a new resource are everything that is set.
///
/// Objects are compared member by member. In lists of objects with ids, items with the same id are compared with each
/// other, and a new or removed item is one change. Other lists are compared as a whole. Absent members, `null`, and empty
/// texts, lists and objects are equal. `updated_at` and `updated_by` of the resource and of its items are left out.
///
/// ```
/// use patron_domain::{diff::changes, serde_json::json};
///
/// let before = json!({ "metadata": { "plan": "gold" }, "tags": ["a"], "contact_persons": [{ "id": "cper_1", "email": "" }] });
/// let after = json!({ "tags": ["a", "b"], "contact_persons": [{ "id": "cper_1", "email": "a@b.example" }] });
/// let paths: Vec<_> = changes(&before, &after).into_iter().map(|change| change.path).collect();
/// assert_eq!(paths, ["contact_persons[cper_1].email", "metadata.plan", "tags"]);
/// ```
#[must_use]
pub fn changes(before: &Value, after: &Value) -> Vec<Change> {
    let mut found = Vec::new();
    members(&mut found, "", &STAMPS, before, after);
    found
}

/// Compares two objects member by member.
fn members(found: &mut Vec<Change>, path: &str, left_out: &[&str], before: &Value, after: &Value) {
    let empty = Map::new();
    let (before, after) = (before.as_object().unwrap_or(&empty), after.as_object().unwrap_or(&empty));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in names.into_iter().filter(|name| !left_out.contains(&name.as_str())) {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let member = |object: &Map<String, Value>| object.get(name).cloned().unwrap_or_default();
        compare(found, path, member(before), member(after));
    }
}

fn compare(found: &mut Vec<Change>, path: String, before: Value, after: Value) {
    if before == after || is_unset(&before) && is_unset(&after) {
        return;
    }
    let is_object = |value: &Value| value.is_object() || is_unset(value);
    if is_object(&before) && is_object(&after) {
        return members(found, &path, &[], &before, &after);
    }
    match (items(&before), items(&after)) {
        (Some(old), Some(new)) => compare_items(found, &path, &old, &new),
        _ => found.push(Change { path, from: set(before), to: set(after) }),
    }
}

/// Compares the items of two lists by their ids.
fn compare_items(found: &mut Vec<Change>, path: &str, old: &[(&str, &Value)], new: &[(&str, &Value)]) {
    let ids = |items: &[(&str, &Value)]| items.iter().map(|(id, _)| (*id).to_owned()).collect::<BTreeSet<_>>();
    let (old_ids, new_ids) = (ids(old), ids(new));
    for (id, before) in old {
        let path = format!("{path}[{id}]");
        match new.iter().find(|(other, _)| other == id) {
            Some((_, after)) => members(found, &path, &STAMPS, before, after),
            None => found.push(Change { path, from: unstamped(before), to: Value::Null }),
        }
    }
    for (id, after) in new.iter().filter(|(id, _)| !old_ids.contains(*id)) {
        found.push(Change { path: format!("{path}[{id}]"), from: Value::Null, to: unstamped(after) });
    }
    let kept = |items: &[(&str, &Value)], others: &BTreeSet<String>| {
        items.iter().filter(|(id, _)| others.contains(*id)).map(|(id, _)| Value::from(*id)).collect::<Vec<_>>()
    };
    let (before, after) = (kept(old, &new_ids), kept(new, &old_ids));
    if before != after {
        // The order has changed.
        found.push(Change { path: path.to_owned(), from: before.into(), to: after.into() });
    }
}

/// The items of a list with their ids; `None` if it is another value, or its items have no ids of their own.
fn items(value: &Value) -> Option<Vec<(&str, &Value)>> {
    match value {
        Value::Array(list) => {
            let items: Vec<_> =
                list.iter().map(|item| Some((item.get("id")?.as_str()?, item))).collect::<Option<_>>()?;
            let ids: BTreeSet<_> = items.iter().map(|(id, _)| id).collect();
            (ids.len() == items.len()).then_some(items)
        }
        other => is_unset(other).then(Vec::new),
    }
}

fn unstamped(item: &Value) -> Value {
    let mut item = item.clone();
    if let Some(members) = item.as_object_mut() {
        members.retain(|name, _| !STAMPS.contains(&name.as_str()));
    }
    item
}

fn is_unset(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.values().all(is_unset),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The value, or `null` if it is empty.
fn set(value: Value) -> Value {
    if is_unset(&value) { Value::Null } else { value }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn told(before: &Value, after: &Value) -> Vec<(String, Value, Value)> {
        changes(before, after).into_iter().map(|change| (change.path, change.from, change.to)).collect()
    }

    fn one(path: &str, from: Value, to: Value) -> (String, Value, Value) {
        (path.to_owned(), from, to)
    }

    #[test]
    fn a_new_resource_lists_everything_that_is_set() {
        let new = json!({
            "id": "cust_1", "name": "", "email": "a@b.example", "tags": [], "metadata": { "plan": "gold", "": "x" },
            "contact_persons": [{ "id": "cper_1", "first_name": "Ada", "updated_at": "now" }], "updated_at": "now",
        });
        assert_eq!(
            told(&Value::Null, &new),
            [
                one("contact_persons[cper_1]", Value::Null, json!({ "id": "cper_1", "first_name": "Ada" })),
                one("email", Value::Null, json!("a@b.example")),
                one("id", Value::Null, json!("cust_1")),
                one("metadata.", Value::Null, json!("x")),
                one("metadata.plan", Value::Null, json!("gold")),
            ]
        );
    }

    #[test]
    fn items_are_compared_by_their_ids_and_their_order_is_a_change_of_the_list() {
        let person = |id: &str, email: &str| json!({ "id": id, "email": email, "updated_at": email });
        let before = json!({ "people": [person("1", "a"), person("2", "b"), person("3", "c")] });
        let after = json!({ "people": [person("3", "d"), person("4", "e"), person("1", "a")] });
        assert_eq!(
            told(&before, &after),
            [
                one("people[2]", json!({ "id": "2", "email": "b" }), Value::Null),
                one("people[3].email", json!("c"), json!("d")),
                one("people[4]", Value::Null, json!({ "id": "4", "email": "e" })),
                one("people", json!(["1", "3"]), json!(["3", "1"])),
            ]
        );
    }

    #[test]
    fn the_client_s_own_members_of_any_name_are_compared() {
        let before = json!({ "metadata": { "updated_at": "1" }, "name": "a" });
        let after = json!({ "metadata": { "updated_at": "2" }, "name": "" });
        let expected = [one("metadata.updated_at", json!("1"), json!("2")), one("name", json!("a"), Value::Null)];
        assert_eq!(told(&before, &after), expected);
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<u8>().prop_map(Value::from),
            "[a-c]{0,2}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("id|[a-c]", inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_same_state_has_no_changes_and_backwards_is_the_mirror(before in any_value(), after in any_value()) {
            prop_assert_eq!(told(&before, &before), []);
            let mut forwards = told(&before, &after);
            let mut back: Vec<_> = told(&after, &before).into_iter().map(|(path, from, to)| (path, to, from)).collect();
            let key = |one: &(String, Value, Value)| (one.0.clone(), one.1.to_string(), one.2.to_string());
            forwards.sort_by_key(key);
            back.sort_by_key(key);
            prop_assert_eq!(forwards, back);
        }
    }
}
