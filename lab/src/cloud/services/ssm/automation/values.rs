//! References in inputs: `{{ parameter }}`, `{{ step.output }}`, `{{ global:REGION }}`, `{{ automation:EXECUTION_ID }}`.

use serde_json::Value;

/// What a reference can name.
pub trait Scope {
    /// The value of a reference, with its type.
    fn value(&self, reference: &str) -> Option<Value>;
}

/// A text cut into literals and references.
fn pieces(text: &str) -> Vec<(bool, &str)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find("{{") {
        let (before, tail) = rest.split_at(open);
        let inner = tail.get(2..).unwrap_or_default();
        let Some(close) = inner.find("}}") else { break };
        let (name, after) = inner.split_at(close);
        let plain = name.trim();
        let fine = !plain.is_empty()
            && plain.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'-' | b'/'));
        if fine {
            found.push((false, before));
            found.push((true, plain));
            rest = after.get(2..).unwrap_or_default();
        } else {
            // Braces of something else, such as an f-string of a script.
            let (literal, after) = rest.split_at(open + 2);
            found.push((false, literal));
            rest = after;
        }
    }
    found.push((false, rest));
    found
}

/// The references of a text.
pub fn references(text: &str) -> Vec<String> {
    pieces(text).into_iter().filter(|(reference, _)| *reference).map(|(_, name)| name.to_owned()).collect()
}

/// The references of all texts in a value.
pub fn all_references(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => references(text),
        Value::Array(items) => items.iter().flat_map(all_references).collect(),
        Value::Object(fields) => fields.values().flat_map(all_references).collect(),
        _ => Vec::new(),
    }
}

/// A value with its references replaced. A text that is one reference alone takes its value with its type.
pub fn resolve(value: &Value, scope: &dyn Scope) -> Result<Value, String> {
    match value {
        Value::String(text) => resolve_text(text, scope),
        Value::Array(items) => items.iter().map(|item| resolve(item, scope)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| Ok((key.clone(), resolve(value, scope)?)))
            .collect::<Result<_, String>>()
            .map(Value::Object),
        other => Ok(other.clone()),
    }
}

fn resolve_text(text: &str, scope: &dyn Scope) -> Result<Value, String> {
    let found = |name: &str| {
        scope.value(name).ok_or_else(|| format!("Failed to resolve input: {name} is not defined or has no value yet"))
    };
    let pieces = pieces(text);
    let mut meaningful = pieces.iter().filter(|(reference, text)| *reference || !text.is_empty());
    if let (Some((true, name)), None) = (meaningful.next(), meaningful.next()) {
        return found(name);
    }
    let mut whole = String::with_capacity(text.len());
    for (reference, piece) in pieces {
        if reference {
            whole.push_str(&plain(&found(piece)?));
        } else {
            whole.push_str(piece);
        }
    }
    Ok(Value::String(whole))
}

/// A value as it stands within a text.
pub fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    struct Names;

    impl Scope for Names {
        fn value(&self, reference: &str) -> Option<Value> {
            match reference {
                "text" => Some(json!("with {{ list }} inside")),
                "list" => Some(json!(["a", "b"])),
                "step.yes" => Some(json!(true)),
                _ => None,
            }
        }
    }

    #[test]
    fn a_reference_alone_keeps_its_type_and_is_not_resolved_again() {
        let inputs =
            json!({"a": "{{list}}", "b": ["{{ step.yes }}"], "c": "x {{ list }} {{ text }}", "d": 1, "e": " {{ list }}"});
        let wanted = json!({
            "a": ["a", "b"], "b": [true], "c": "x [\"a\",\"b\"] with {{ list }} inside", "d": 1, "e": " [\"a\",\"b\"]"
        });
        assert_eq!(resolve(&inputs, &Names), Ok(wanted));
        assert!(resolve(&json!("{{ other }}"), &Names).is_err());
    }

    #[test]
    fn other_braces_stay() {
        for text in ["{{", "}} {{ a b }}", "{{{{ }}", "f'{{{name}}}'", "{{}}"] {
            assert_eq!(resolve(&json!(text), &Names), Ok(json!(text)), "{text}");
        }
        assert_eq!(references("{{ x }}{{ '{{ y:z }}"), ["x", "y:z"]);
    }
}
