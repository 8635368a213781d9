//! JSON text as a tree, with every duplicate key noticed: `serde_json` alone would keep the last of two silently, and a
//! plan that says two things must not be read as saying one.

use std::cell::RefCell;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::problem::{Problem, ProblemCode, shown};

/// Reads the text; the problems are the duplicate keys. A syntax error alone is returned as the only problem.
pub(super) fn read(text: &str) -> (Value, Vec<Problem>) {
    let duplicates = RefCell::new(Vec::new());
    let seed = Tree { path: String::new(), duplicates: &duplicates };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = seed.deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));
    match read {
        Ok(value) => (value, duplicates.into_inner()),
        Err(error) => {
            let expected = format!("JSON ({error})");
            (Value::Null, vec![Problem { code: ProblemCode::InvalidJson, path: String::new(), value: None, expected }])
        }
    }
}

/// The path of `key` below `path`.
pub(crate) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

struct Tree<'a> {
    path: String,
    duplicates: &'a RefCell<Vec<Problem>>,
}

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) =
            items.next_element_seed(Tree { path: format!("{}[{}]", self.path, list.len()), duplicates: self.duplicates })?
        {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let path = join(&self.path, &key);
            let value = entries.next_value_seed(Tree { path: path.clone(), duplicates: self.duplicates })?;
            if let Some(first) = map.get(&key) {
                let problem = Problem::new(
                    ProblemCode::DuplicateKey,
                    &path,
                    Some(&value),
                    format!("one value for one key, which has `{}` already", shown(first)),
                );
                self.duplicates.borrow_mut().push(problem);
            } else {
                map.insert(key, value);
            }
        }
        Ok(Value::Object(map))
    }
}
