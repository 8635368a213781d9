//! The query protocol: a form with the action and its members, answered in XML. STS, CloudFormation, IAM, and CloudWatch's old clients.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bytes::Bytes;
use hyper::http::request::Parts;
use serde_json::{Map, Value};

use super::models::{Member, Model, Operation};
use super::routing::{Found, pairs};
use super::{Written, scalars, xml};
use crate::cloud::call::{ApiError, Reply, Request};

/// The form as a tree: `Tags.member.1.Key=a` lies at Tags, member, 1, Key.
#[derive(Debug, Default)]
struct Node {
    text: Option<String>,
    inner: BTreeMap<String, Node>,
}

/// Deeper than any model; a path of more parts is nobody's.
const DEEPEST: usize = 64;

/// A request's members.
pub fn read(found: &Found<'_>, parts: &Parts, body: &Bytes) -> Result<Request, ApiError> {
    let mut root = Node::default();
    let mut form = pairs(parts.uri.query().unwrap_or_default());
    form.extend(pairs(&String::from_utf8_lossy(body)));
    for (name, value) in form.into_iter().filter(|(name, _)| name.split('.').count() <= DEEPEST) {
        let node = name.split('.').fold(&mut root, |node, part| node.inner.entry(part.to_owned()).or_default());
        node.text = Some(value);
    }
    root.inner.retain(|name, _| name != "Action" && name != "Version" && !name.starts_with("X-Amz-"));
    let input = match &found.operation.input {
        Some(shape) => structure(found.model, shape, &root)?,
        None => Value::Object(Map::new()),
    };
    Ok(Request { input, ..Request::default() })
}

fn structure(model: &Model, name: &str, node: &Node) -> Result<Value, ApiError> {
    let mut fields = Map::new();
    let members = model.shape(name).into_iter().flat_map(|shape| &shape.members);
    let mut known: BTreeMap<&str, (&String, &Member)> = BTreeMap::new();
    for (field, member) in members {
        // The items of a flattened list lie where the list would, under the items' own name if they have one.
        let shape = model.shape(&member.shape);
        let flat = shape.filter(|shape| member.flattened || shape.flattened);
        let item = flat.and_then(|shape| shape.member.as_ref()).and_then(|item| item.location_name.as_deref());
        known.insert(item.or(member.location_name.as_deref()).unwrap_or(field), (field, member));
    }
    for (name, inner) in &node.inner {
        match known.get(name.as_str()) {
            Some((field, member)) => fields.insert((*field).clone(), value(model, member, inner)?),
            None => fields.insert(name.clone(), Value::Null),
        };
    }
    Ok(Value::Object(fields))
}

fn value(model: &Model, member: &Member, node: &Node) -> Result<Value, ApiError> {
    let Some(shape) = model.shape(&member.shape) else {
        return Err(ApiError::internal(format!("no shape `{}`", member.shape)));
    };
    let flat = member.flattened || shape.flattened;
    match shape.kind.as_str() {
        "structure" => structure(model, &member.shape, node),
        "list" => {
            let inner = shape.member.as_ref();
            let name = inner.and_then(|inner| inner.location_name.as_deref()).unwrap_or("member");
            let items = numbered(if flat { Some(node) } else { node.inner.get(name) });
            let item = |node: &Node| inner.map_or(Ok(Value::Null), |inner| value(model, inner, node));
            items.into_iter().map(item).collect::<Result<Vec<_>, _>>().map(Value::Array)
        }
        "map" => {
            let mut fields = Map::new();
            let name = |of: Option<&Member>, usual: &str| {
                of.and_then(|member| member.location_name.clone()).unwrap_or_else(|| usual.to_owned())
            };
            let (keys, values) = (name(shape.key.as_ref(), "key"), name(shape.value.as_ref(), "value"));
            for entry in numbered(if flat { Some(node) } else { node.inner.get("entry") }) {
                let key = entry.inner.get(&keys).and_then(|key| key.text.clone()).unwrap_or_default();
                let inner = entry.inner.get(&values).zip(shape.value.as_ref());
                fields.insert(key, inner.map_or(Ok(Value::Null), |(node, member)| value(model, member, node))?);
            }
            Ok(Value::Object(fields))
        }
        _ => match &node.text {
            Some(text) => scalars::read(model, member, text),
            // Something lies below what has nothing below it.
            None => Ok(Value::Object(Map::new())),
        },
    }
}

/// The items 1, 2, … in the order of their numbers.
fn numbered(node: Option<&Node>) -> Vec<&Node> {
    let inner = node.into_iter().flat_map(|node| &node.inner);
    let mut items: Vec<(u64, &Node)> = inner.filter_map(|(number, node)| Some((number.parse().ok()?, node))).collect();
    items.sort_by_key(|(number, _)| *number);
    items.into_iter().map(|(_, node)| node).collect()
}

/// An answer.
pub fn write(model: &Model, operation: &Operation, reply: &Reply, id: &str) -> Written {
    let namespace = model.namespace.as_deref().unwrap_or_default();
    let name = &operation.name;
    let mut inner = String::new();
    if let Some(output) = &operation.output {
        xml::members(model, output, &reply.body, &mut inner);
    }
    if let Some(wrapper) = &operation.wrapper {
        inner = format!("<{wrapper}>{inner}</{wrapper}>");
    }
    let mut text = String::new();
    // Writing to a text cannot fail.
    let _written = write!(
        text,
        "<{name}Response xmlns=\"{}\">{inner}<ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></{name}Response>",
        xml::escape(namespace)
    );
    Written { status: reply.status.unwrap_or(operation.http.response_code), headers: Vec::new(), body: Bytes::from(text) }
}

/// A refusal.
pub fn error(error: &ApiError, code: &str, namespace: Option<&str>, id: &str) -> Bytes {
    let whose = if error.status < 500 { "Sender" } else { "Receiver" };
    Bytes::from(format!(
        "<ErrorResponse xmlns=\"{}\"><Error><Type>{whose}</Type><Code>{}</Code><Message>{}</Message></Error><RequestId>{id}</RequestId>\
         </ErrorResponse>",
        xml::escape(namespace.unwrap_or_default()),
        xml::escape(code),
        xml::escape(&error.message)
    ))
}
