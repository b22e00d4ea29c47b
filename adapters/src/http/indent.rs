//! Indented JSON for people, on request.

use std::borrow::Cow;

use rocket::Request;

/// Whether a request asks for indented JSON: by `?pretty`, `?pretty=true`, or `Accept: application/json; pretty`.
pub(super) fn is_wanted(request: &Request<'_>) -> bool {
    let query = request.uri().query().map_or("", |query| query.as_str());
    let in_query = query.split('&').any(|pair| matches!(pair, "pretty" | "pretty=true" | "pretty=1"));
    let is_pretty = |parameter: &str| matches!(parameter.trim(), "pretty" | "pretty=true" | "pretty=1");
    in_query || request.headers().get("accept").any(|accept| accept.split([',', ';']).any(is_pretty))
}

/// A query without the parameter for indentation.
pub(super) fn without_wish(query: &str) -> Cow<'_, str> {
    let is_wish = |pair: &&str| pair.split('=').next() == Some("pretty");
    if !query.split('&').any(|pair| is_wish(&pair)) {
        return Cow::Borrowed(query);
    }
    Cow::Owned(query.split('&').filter(|pair| !is_wish(pair)).collect::<Vec<_>>().join("&"))
}

/// Puts each member and element of compact JSON on its own line. Order, numbers and escapes stay unchanged.
pub(super) fn indent(json: &[u8]) -> Vec<u8> {
    const STEP: usize = 2;
    let mut indented = Vec::with_capacity(json.len() * 2);
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    let line = |indented: &mut Vec<u8>, depth: usize| {
        indented.push(b'\n');
        indented.resize(indented.len() + depth * STEP, b' ');
    };
    for (index, byte) in json.iter().copied().enumerate() {
        if in_text {
            in_text = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            indented.push(byte);
            continue;
        }
        let is_empty = |close: u8| json.get(index + 1) == Some(&close);
        let opened = |open: u8| index > 0 && json[index - 1] == open;
        match byte {
            b'{' | b'[' => {
                indented.push(byte);
                depth += 1;
                if !is_empty(byte + 2) {
                    line(&mut indented, depth);
                }
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if !opened(byte - 2) {
                    line(&mut indented, depth);
                }
                indented.push(byte);
            }
            b',' => {
                indented.push(byte);
                line(&mut indented, depth);
            }
            b':' => indented.extend(b": "),
            _ => {
                in_text = byte == b'"';
                indented.push(byte);
            }
        }
    }
    indented
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{indent, without_wish};

    #[test]
    fn indentation_does_not_change_the_fingerprint() {
        for (query, rest) in
            [("a=1", "a=1"), ("pretty", ""), ("a=1&pretty=true&b", "a=1&b"), ("prettya=1", "prettya=1")]
        {
            assert_eq!(without_wish(query), rest);
        }
    }

    #[test]
    fn indentation_equals_that_of_serde_json() {
        for value in [
            json!({}),
            json!([]),
            json!([[], {}, [1, -2.5e300, null, true], { "a": {}, "b": [{ "c": [] }] }]),
            json!({ "a \" b\\": "{[,:]}\\", "c": "\\\\\"", "ü": "🦀\n" }),
            json!("text"),
            Value::Null,
        ] {
            let compact = serde_json::to_vec(&value).unwrap();
            let wanted = serde_json::to_string_pretty(&value).unwrap();
            assert_eq!(String::from_utf8(indent(&compact)).unwrap(), wanted);
        }
    }
}
