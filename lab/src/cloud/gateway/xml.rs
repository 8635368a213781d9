//! XML as the models lay it out: reading bodies, writing answers.

use std::fmt::Write as _;

use bytes::Bytes;
use roxmltree::{Document, Node};
use serde_json::{Map, Value};

use super::models::{Member, Model, Shape};
use super::scalars::{self, Times};
use crate::cloud::call::ApiError;

/// Text as it may stand in XML, in attributes too.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // XML 1.0 has no way to write other control characters.
            '\u{0}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            '\r' => escaped.push_str("&#13;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Writes the members of a structure that lie in the body.
pub fn members(model: &Model, name: &str, value: &Value, out: &mut String) {
    let Some(shape) = model.shape(name) else { return };
    for (field, value) in value.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()) {
        if let Some(member) = shape.members.get(field).filter(|member| member.location.is_none() && !member.xml_attribute) {
            element(model, member, member.location_name.as_deref().unwrap_or(field), value, out);
        }
    }
}

fn tag(name: &str, inner: &str, out: &mut String) {
    // Writing to a text cannot fail.
    let _written = write!(out, "<{name}>{inner}</{name}>");
}

/// Writes an element, or the elements of a list that has none around them.
fn element(model: &Model, member: &Member, name: &str, value: &Value, out: &mut String) {
    let shape = model.shape(&member.shape);
    let flat = member.flattened || shape.is_some_and(|shape| shape.flattened);
    let mut inner = String::new();
    match (shape, value) {
        (Some(shape), Value::Array(items)) => {
            let Some(item) = &shape.member else { return };
            for value in items {
                let inside = item.location_name.as_deref().unwrap_or("member");
                let (name, out) =
                    if flat { (item.location_name.as_deref().unwrap_or(name), &mut *out) } else { (inside, &mut inner) };
                element(model, item, name, value, out);
            }
            if !flat {
                tag(name, &inner, out);
            }
        }
        (Some(shape), Value::Object(fields)) if shape.kind == "map" => {
            let (Some(keys), Some(values)) = (&shape.key, &shape.value) else { return };
            for (key, value) in fields {
                let mut entry = String::new();
                tag(keys.location_name.as_deref().unwrap_or("key"), &escape(key), &mut entry);
                element(model, values, values.location_name.as_deref().unwrap_or("value"), value, &mut entry);
                if flat { tag(name, &entry, out) } else { tag("entry", &entry, &mut inner) }
            }
            if !flat {
                tag(name, &inner, out);
            }
        }
        (Some(shape), Value::Object(_)) => {
            members(model, &member.shape, value, &mut inner);
            let _written = write!(out, "<{name}{}>{inner}</{name}>", attributes(model, shape, value));
        }
        _ => tag(name, &escape(&scalars::write(model, member, value, Times::Iso8601)), out),
    }
}

fn attributes(model: &Model, shape: &Shape, value: &Value) -> String {
    let mut text = String::new();
    for (field, member) in shape.members.iter().filter(|(_, member)| member.xml_attribute) {
        if let Some(value) = value.get(field).filter(|value| !value.is_null()) {
            let name = member.location_name.as_deref().unwrap_or(field);
            // A prefix needs its namespace; there is one in use, S3's.
            let space =
                name.split_once(':').map(|(prefix, _)| format!(" xmlns:{prefix}=\"http://www.w3.org/2001/XMLSchema-instance\""));
            let shown = escape(&scalars::write(model, member, value, Times::Iso8601));
            let _written = write!(text, "{} {name}=\"{shown}\"", space.unwrap_or_default());
        }
    }
    text
}

/// Reads a body whose root is a structure.
pub fn read(model: &Model, name: &str, body: &Bytes) -> Result<Value, ApiError> {
    let malformed = |error: &dyn std::fmt::Display| {
        ApiError::bad("MalformedXML", format!("The XML you provided was not well-formed or did not validate: {error}"))
    };
    let text = std::str::from_utf8(body).map_err(|error| malformed(&error))?;
    let document = Document::parse(text).map_err(|error| malformed(&error))?;
    structure(model, name, document.root_element())
}

fn elements<'a, 'd>(node: Node<'a, 'd>) -> impl Iterator<Item = Node<'a, 'd>> {
    node.children().filter(Node::is_element)
}

fn structure(model: &Model, name: &str, node: Node<'_, '_>) -> Result<Value, ApiError> {
    let mut fields = Map::new();
    let Some(shape) = model.shape(name) else {
        return Err(ApiError::internal(format!("no shape `{name}`")));
    };
    for (field, member) in shape.members.iter().filter(|(_, member)| member.location.is_none()) {
        let wire = member.location_name.as_deref().unwrap_or(field);
        if member.xml_attribute {
            let local = wire.rsplit(':').next().unwrap_or(wire);
            let found = node.attributes().find(|attribute| attribute.name() == local);
            fields.extend(found.map(|found| (field.clone(), Value::String(found.value().to_owned()))));
            continue;
        }
        let inner = model.shape(&member.shape);
        let flat = inner.filter(|shape| member.flattened || shape.flattened);
        let item = flat.and_then(|shape| shape.member.as_ref()).and_then(|item| item.location_name.as_deref());
        let mut found = elements(node).filter(|child| child.tag_name().name() == item.unwrap_or(wire)).peekable();
        let Some(first) = found.peek().copied() else { continue };
        let value = match flat {
            Some(shape) => many(model, shape, &mut found)?,
            None => value(model, member, first)?,
        };
        fields.insert(field.clone(), value);
    }
    Ok(Value::Object(fields))
}

/// A list of these elements, or a map of these entries.
fn many<'a, 'd: 'a>(model: &Model, shape: &Shape, nodes: &mut dyn Iterator<Item = Node<'a, 'd>>) -> Result<Value, ApiError> {
    if let Some(item) = &shape.member {
        return nodes.map(|node| value(model, item, node)).collect::<Result<Vec<_>, _>>().map(Value::Array);
    }
    let mut fields = Map::new();
    if let (Some(keys), Some(values)) = (&shape.key, &shape.value) {
        let named = |node: Node<'a, 'd>, name: &str| elements(node).find(|child| child.tag_name().name() == name);
        for node in nodes {
            let key = named(node, keys.location_name.as_deref().unwrap_or("key"));
            let key = key.and_then(|key| key.text()).unwrap_or_default().to_owned();
            let inner = named(node, values.location_name.as_deref().unwrap_or("value"));
            fields.insert(key, inner.map_or(Ok(Value::Null), |inner| value(model, values, inner))?);
        }
    }
    Ok(Value::Object(fields))
}

fn value(model: &Model, member: &Member, node: Node<'_, '_>) -> Result<Value, ApiError> {
    match model.shape(&member.shape) {
        Some(shape) if shape.kind == "structure" => structure(model, &member.shape, node),
        Some(shape) if matches!(shape.kind.as_str(), "list" | "map") => many(model, shape, &mut elements(node)),
        _ => scalars::read(model, member, node.text().unwrap_or_default()),
    }
}
