//! Says why and where a body is not JSON, without quoting it.

use serde_json::error::Category;

/// The parser's messages and ours. Only these exact messages are replaced, because others can quote the body. If a
/// newer parser changes a message, the place is reported without a reason, and a test fails.
const REASONS: [(&str, &str); 17] = [
    ("trailing comma", "there is a comma before a closing bracket; remove it"),
    ("expected `,` or `}`", "a comma or a closing } is missing"),
    ("expected `,` or `]`", "a comma or a closing ] is missing"),
    ("expected `:`", "a colon is missing between a name and its value"),
    ("key must be a string", "the name of a member must be in double quotes"),
    ("expected value", "a value is expected here: texts need double quotes, and true, false and null are lower case"),
    (
        "expected ident",
        "an unquoted word is not a value, except for true, false and null in lower case; texts need double quotes",
    ),
    ("invalid number", "this is not a JSON number"),
    ("number out of range", "a number is beyond 1e308"),
    ("trailing characters", "there is text after the end of the object; send one object"),
    ("recursion limit exceeded", "there are more than 127 levels of nesting"),
    ("invalid escape", "this escape does not exist; write a backslash as \\\\"),
    ("lone leading surrogate in hex escape", "an escape is half of a surrogate pair; send both halves"),
    ("unexpected end of hex escape", "an escape is half of a surrogate pair; send both halves"),
    ("invalid unicode code point", "the text is not UTF-8"),
    (
        "control character (\\u0000-\\u001F) found while parsing a string",
        "a text contains a control character, such as a line break; write it as an escape, for example \\n",
    ),
    ("EOF while parsing a value", "the body ends where a value is expected"),
];

/// Says what is wrong with a body, and where.
pub(super) fn complaint(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    let said = error.to_string();
    let said = said.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&said);
    let known = REASONS.iter().find(|(theirs, _)| *theirs == said).map(|(_, ours)| (*ours).to_owned());
    let reason = match error.classify() {
        Category::Eof => known.or_else(|| Some("the body ends too early".to_owned())),
        // The only possible fault of this kind. The name is a known one, so it does not come from the body.
        Category::Data => said
            .strip_prefix("duplicate field `")
            .and_then(|rest| rest.strip_suffix('`'))
            .map(|name| format!("{name} is given twice; keep one")),
        Category::Syntax | Category::Io => known,
    };
    let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("the body is not valid JSON: line {line}, column {column}{reason}")
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, de::MapAccess};

    use super::{
        super::{Field, FromJson, Object, found_map},
        complaint,
    };

    #[derive(Debug, Deserialize)]
    struct Request {
        #[serde(default)]
        #[expect(dead_code, reason = "only read")]
        a: Field<Object>,
    }

    impl<'de> FromJson<'de> for Request {
        const EXPECTED: &'static str = "an object";

        fn from_map<A: MapAccess<'de>>(map: A) -> Result<Option<Self>, A::Error> {
            found_map(map)
        }
    }

    #[test]
    fn each_mistake_is_reported_with_its_place() {
        for (body, wanted) in [
            (r#"{"external_id":"acme",}"#, "line 1, column 23: there is a comma before a closing bracket"),
            ("{\"a\":\n[1,]}", "line 2, column 4: there is a comma before a closing bracket"),
            (r#"{"a":1 "b":2}"#, "line 1, column 8: a comma or a closing } is missing"),
            (r#"{"a":[1 2]}"#, "line 1, column 9: a comma or a closing ] is missing"),
            (r#"{"a" 1}"#, "line 1, column 6: a colon is missing"),
            ("{'a':1}", "line 1, column 2: the name of a member must be in double quotes"),
            (r#"{"a":True}"#, "line 1, column 6: a value is expected here"),
            (r#"{"a":truth}"#, "line 1, column 9: an unquoted word is not a value"),
            (r#"{"a":01}"#, "line 1, column 7: this is not a JSON number"),
            (r#"{"a":1e999}"#, "line 1, column 10: a number is beyond 1e308"),
            (r#"{"a":1} {}"#, "line 1, column 9: there is text after the end"),
            (r#"{"a":"\x"}"#, "line 1, column 8: this escape does not exist"),
            (r#"{"a":"\ud800"}"#, "line 1, column 13: an escape is half of a surrogate pair"),
            (r#"{"a":"\ud800x"}"#, "line 1, column 13: an escape is half of a surrogate pair"),
            ("{\"a\":\"x\ny\"}", "line 2, column 0: a text contains a control character"),
            (r#"{"a":"x"#, "line 1, column 7: the body ends too early"),
            (r#"{"a":"#, "line 1, column 5: the body ends where a value is expected"),
            (r#"{"a":{},"a":{}}"#, "line 1, column 11: a is given twice"),
        ] {
            let told = complaint(&serde_json::from_str::<Field<Request>>(body).unwrap_err());
            let told = told.strip_prefix("the body is not valid JSON: ").unwrap();
            assert!(told.starts_with(wanted), "{body}: {told}");
        }
        let deep = "[".repeat(200);
        let told =
            complaint(&serde_json::from_str::<Field<Request>>(&format!("{{\"a\":{{\"x\":{deep}}}}}")).unwrap_err());
        assert!(told.ends_with("more than 127 levels of nesting"), "{told}");
    }

    #[test]
    fn errors_do_not_quote_the_body() {
        for body in [r#"{secret: 1}"#, r#"{"a":secret}"#, r#""secret"x"#, r#"{"a":1,"secret"}"#, r#"{"secret":"#] {
            let told = complaint(&serde_json::from_str::<Field<Request>>(body).unwrap_err());
            assert!(!told.contains("secret"), "{told}");
        }
    }
}
