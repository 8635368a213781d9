//! The JSONPath of outputs: `$`, `.name`, `['name']`, `[n]`, `[*]`, `.*`.

use serde_json::Value;

/// The value that a selector names; several as a list. `None`: there is nothing.
pub fn select(value: &Value, selector: &str) -> Option<Value> {
    let mut rest = selector.strip_prefix('$')?;
    let mut found = vec![value];
    let mut many = false;
    while !rest.is_empty() {
        if let Some(tail) = rest.strip_prefix("[*]").or_else(|| rest.strip_prefix(".*")) {
            many = true;
            found = found.into_iter().flat_map(children).collect();
            rest = tail;
        } else if let Some(tail) = rest.strip_prefix('[') {
            let (inside, after) = tail.split_once(']')?;
            let name = inside.trim_matches(['\'', '"']);
            found = found
                .into_iter()
                .filter_map(|value| match inside.parse::<usize>() {
                    Ok(index) => value.get(index),
                    Err(_) => value.get(name),
                })
                .collect();
            rest = after;
        } else {
            let tail = rest.strip_prefix('.')?;
            let end = tail.find(['.', '[']).unwrap_or(tail.len());
            let (name, after) = tail.split_at(end);
            found = found.into_iter().filter_map(|value| value.get(name)).collect();
            rest = after;
        }
    }
    if many {
        return Some(found.into_iter().cloned().collect());
    }
    found.first().map(|value| (*value).clone()).filter(|value| !value.is_null())
}

fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(fields) => fields.values().collect(),
        _ => Vec::new(),
    }
}

/// Whether a value is of an output's type, as Automation names it.
pub fn typed(value: &Value, kind: &str) -> bool {
    match kind {
        "String" => value.is_string(),
        "Integer" => value.is_i64() || value.is_u64(),
        "Boolean" => value.is_boolean(),
        "StringList" => value.as_array().is_some_and(|items| items.iter().all(Value::is_string)),
        "StringMap" => value.is_object(),
        "MapList" => value.as_array().is_some_and(|items| items.iter().all(Value::is_object)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths() {
        let value = json!({"a": {"b": [{"c": 1}, {"c": 2}, {}], "d-e": null}, "x": "y"});
        let cases = [
            ("$", Some(value.clone())),
            ("$.x", Some(json!("y"))),
            ("$['x']", Some(json!("y"))),
            ("$.a.b[1].c", Some(json!(2))),
            ("$.a.b[*].c", Some(json!([1, 2]))),
            ("$.a.d-e", None),
            ("$.a.b[7]", None),
            ("$.none[*]", Some(json!([]))),
            ("x", None),
            ("$x", None),
        ];
        for (selector, wanted) in cases {
            assert_eq!(select(&value, selector), wanted, "{selector}");
        }
    }

    #[test]
    fn types() {
        let cases = [(json!("x"), "String"), (json!(1), "Integer"), (json!(false), "Boolean"), (json!([]), "StringList")];
        for (value, kind) in cases {
            assert!(typed(&value, kind), "{kind}");
        }
        assert!(typed(&json!({}), "StringMap") && typed(&json!([{}]), "MapList"));
        assert!(!typed(&json!(1), "String") && !typed(&json!(1.5), "Integer") && !typed(&json!([1]), "StringList"));
    }
}
