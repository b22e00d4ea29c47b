//! A bundle as a page for people: every member of the document with its name, nested as it is.

use std::fmt::Write;

use serde_json::Value;

/// The head of the page. It loads nothing.
const HEAD: &str = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
    <title>Everything that is held about a customer</title>\n<style>\n\
    body { font: 16px/1.5 sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }\n\
    dl { display: grid; grid-template-columns: minmax(8rem, auto) 1fr; gap: 0 1rem; margin: 0; }\n\
    dt { color: #555; } dd { margin: 0; overflow-wrap: anywhere; } ol { padding-left: 1.5rem; }\n\
    h2 { margin: 2rem 0 0.5rem; border-bottom: 1px solid #ccc; }\n</style>\n</head>\n<body>\n\
    <h1>Everything that is held about a customer</h1>\n";

/// The page of a bundle.
pub(super) fn html(bundle: &Value) -> String {
    let mut page = HEAD.to_owned();
    for (name, value) in bundle.as_object().into_iter().flatten() {
        // Writing to a string cannot fail.
        let _ = writeln!(page, "<h2>{}</h2>", title(name));
        write_value(value, &mut page);
        page.push('\n');
    }
    page.push_str("</body>\n</html>");
    page
}

fn write_value(value: &Value, page: &mut String) {
    match value {
        Value::Object(members) => {
            page.push_str("<dl>");
            for (name, value) in members {
                let _ = write!(page, "<dt>{}</dt><dd>", title(name));
                write_value(value, page);
                page.push_str("</dd>\n");
            }
            page.push_str("</dl>");
        }
        Value::Array(items) if items.is_empty() => page.push('–'),
        Value::Array(items) => {
            page.push_str("<ol>");
            for item in items {
                page.push_str("<li>");
                write_value(item, page);
                page.push_str("</li>\n");
            }
            page.push_str("</ol>");
        }
        Value::Null => page.push('–'),
        Value::String(text) if text.is_empty() => page.push('–'),
        Value::String(text) => page.push_str(&escaped(text)),
        other => page.push_str(&other.to_string()),
    }
}

/// The name of a member in words.
fn title(name: &str) -> String {
    escaped(&name.replace('_', " "))
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::html;

    #[test]
    fn data_is_shown_and_never_becomes_markup() {
        let page =
            html(&json!({ "customer": { "name": "<script>alert('&')</script>", "tags": ["a", "b"], "email": "" } }));
        assert!(page.contains("&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;"), "{page}");
        assert!(page.contains("<dt>tags</dt><dd><ol><li>a</li>") && !page.contains("<script>"));
    }
}
