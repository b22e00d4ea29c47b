//! The document at `/openapi.json`, read like a client, and checks of answers against it.

use jsonschema::Validator;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;

use crate::patron::Server;

/// The document.
pub struct Document {
    /// The whole document.
    pub json: Value,
}

/// One operation.
#[derive(Debug, Clone)]
pub struct Operation {
    /// Its name.
    pub id: String,
    /// Its method.
    pub method: Method,
    /// Its path, with `{…}` for parameters.
    pub path: String,
    /// Its description in the document.
    pub json: Value,
}

impl Operation {
    /// The statuses that it may return.
    #[must_use]
    pub fn statuses(&self) -> Vec<u16> {
        let statuses = self.json["responses"].as_object().expect("responses").keys();
        statuses.map(|status| status.parse().expect("a status")).collect()
    }

    /// Whether its body is a file.
    #[must_use]
    pub fn takes_file(&self) -> bool {
        self.json["requestBody"]["content"].get("application/octet-stream").is_some()
    }

    /// The example bodies.
    #[must_use]
    pub fn examples(&self) -> Vec<Value> {
        let examples = self.json["requestBody"]["content"]["application/json"]["examples"].as_object();
        examples.map(|map| map.values().map(|example| example["value"].clone()).collect()).unwrap_or_default()
    }
}

impl Document {
    /// Fetches it from a server, without a key.
    pub async fn fetch(server: &Server) -> Self {
        let answer = server.anonymous(Method::GET, "/openapi.json").send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        Self { json: answer.json().await.expect("JSON") }
    }

    /// Every operation.
    #[must_use]
    pub fn operations(&self) -> Vec<Operation> {
        let paths = self.json["paths"].as_object().expect("paths").iter();
        let operations = paths.flat_map(|(path, item)| {
            item.as_object().expect("operations").iter().map(|(method, json)| Operation {
                id: json["operationId"].as_str().expect("an id").to_owned(),
                method: method.to_uppercase().parse().expect("a method"),
                path: path.clone(),
                json: json.clone(),
            })
        });
        operations.collect()
    }

    /// Every `$ref`.
    #[must_use]
    pub fn references(&self) -> Vec<String> {
        let mut found = Vec::new();
        walk(&self.json, &mut |value| found.extend(value["$ref"].as_str().map(str::to_owned)));
        found
    }

    /// Every example with its schema. Request bodies are omitted, because the tests send them.
    #[must_use]
    pub fn examples(&self) -> Vec<(Value, Value)> {
        let mut found = Vec::new();
        walk(&self.json, &mut |value| {
            let schema = value.get("schema").unwrap_or(value);
            match &value["examples"] {
                // An example of a schema.
                Value::Array(examples) => found.extend(examples.iter().map(|one| (value.clone(), one.clone()))),
                // An example of a media type.
                Value::Object(examples) => {
                    found.extend(examples.values().map(|one| (schema.clone(), one["value"].clone())));
                }
                _ => {}
            }
        });
        found
    }

    fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(reference) => self.json.pointer(&reference[1..]).expect("the target of a reference"),
            None => value,
        }
    }

    /// The parameters of an operation.
    #[must_use]
    pub fn parameters<'a>(&'a self, operation: &'a Operation) -> Vec<&'a Value> {
        let parameters = operation.json["parameters"].as_array();
        parameters.into_iter().flatten().map(|parameter| self.resolved(parameter)).collect()
    }

    /// Whether an answer of the operation describes this header.
    #[must_use]
    pub fn header(&self, operation: &Operation, status: u16, name: &str) -> bool {
        let response = self.resolved(&operation.json["responses"][status.to_string()]);
        response["headers"].get(name).is_some()
    }

    fn validator(&self, schema: &Value) -> Validator {
        let mut schema = schema.clone();
        schema["components"] = self.json["components"].clone();
        jsonschema::draft202012::new(&schema).unwrap_or_else(|error| panic!("invalid schema: {error}"))
    }

    /// Whether a value matches a schema.
    #[must_use]
    pub fn is_valid(&self, schema: &Value, value: &Value) -> bool {
        self.validator(schema).is_valid(value)
    }

    /// Fails the test when a value does not match a schema.
    #[track_caller]
    pub fn assert_valid(&self, schema: &Value, value: &Value, what: &str) {
        let validator = self.validator(schema);
        let faults: Vec<_> =
            validator.iter_errors(value).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
        assert!(faults.is_empty(), "{what} does not match its schema: {faults:#?}\n{value:#}");
    }

    /// A request as the document describes it, with the examples of its required parameters, the further query parameters
    /// in `asked`, and a body. Example ids are replaced by the given ones with the same prefix.
    pub fn request(
        &self,
        server: &Server,
        operation: &Operation,
        ids: &[(&str, String)],
        asked: &[(&str, &str)],
        body: Option<&Value>,
    ) -> RequestBuilder {
        let pair = |(name, value): &(&str, &str)| format!("{name}={value}");
        let (mut path, mut query) = (operation.path.clone(), asked.iter().map(pair).collect::<Vec<_>>());
        for parameter in self.parameters(operation).into_iter().filter(|one| one["required"] == true) {
            let name = parameter["name"].as_str().expect("a name");
            let example = match &parameter["schema"]["examples"][0] {
                Value::String(text) => text.clone(),
                Value::Null => panic!("{name} has no example"),
                other => other.to_string(),
            };
            match parameter["in"].as_str() {
                Some("path") => path = path.replace(&format!("{{{name}}}"), &example),
                _ => query.push(format!("{name}={example}")),
            }
        }
        let target = real(&format!("{path}?{}", query.join("&")), ids);
        let request = server.request(operation.method.clone(), &target);
        match body {
            Some(body) => request.header("content-type", "application/json").body(real(&body.to_string(), ids)),
            None => request,
        }
    }

    /// Checks an answer against its description in the operation, and returns its body.
    pub async fn check(&self, operation: &Operation, answer: Response) -> Value {
        let (id, status) = (&operation.id, answer.status().as_u16());
        let response = &operation.json["responses"][status.to_string()];
        assert!(!response.is_null(), "{id} returned {status}, which is not described");
        assert!(answer.headers().contains_key("x-request-id") || id == "getMetrics", "{id} returned no request id");
        let kind = answer.headers().get("content-type").map(|kind| kind.to_str().expect("text").to_owned());
        let text = answer.bytes().await.expect("a body");
        let content = self.resolved(response)["content"].as_object();
        let Some((described, content)) = content.and_then(|content| content.iter().next()) else {
            assert!(text.is_empty(), "{id} returned {status} with a body, which is not described");
            return Value::Null;
        };
        assert!(kind.as_ref().is_some_and(|kind| kind.starts_with(described)), "{id} returned {status} as {kind:?}");
        if described != "application/json" {
            return Value::Null;
        }
        let body = serde_json::from_slice(&text).expect("JSON");
        self.assert_valid(&content["schema"], &body, &format!("the answer {status} of {id}"));
        body
    }
}

/// Replaces the ids of examples in a text.
fn real(text: &str, ids: &[(&str, String)]) -> String {
    ids.iter()
        .fold(text.to_owned(), |text, (prefix, id)| text.replace(&format!("{prefix}01JDG3W9Z5X0M8R2K7T4B6Q1NE"), id))
}

/// Visits every object except examples.
fn walk(value: &Value, visit: &mut impl FnMut(&Value)) {
    match value {
        Value::Object(members) => {
            visit(value);
            let deeper = members.iter().filter(|(name, member)| *name != "examples" && !member.is_null());
            deeper.for_each(|(_, member)| walk(member, visit));
        }
        Value::Array(elements) => elements.iter().for_each(|element| walk(element, visit)),
        _ => {}
    }
}
