//! botocore's models of the services (`model.json` in each one's folder): which operations are served, how they lie on the
//! wire, and what their requests must look like. Written by `tests/lab/models.py`; reads only, knows nothing of what operations do.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use fancy_regex::Regex;
use serde::Deserialize;

/// The models of all services of a lab, by botocore's names for them.
#[derive(Debug, Default)]
pub struct Models {
    services: BTreeMap<String, Model>,
}

/// One service.
#[derive(Debug, Deserialize)]
pub struct Model {
    /// botocore's name of the service.
    #[serde(skip)]
    pub name: String,
    /// As botocore calls them, the one that clients prefer first: `rest-json`, `json`, `query`, …
    pub protocols: Vec<String>,
    /// What stands before the dot of `X-Amz-Target`, and in the paths of RPC v2.
    pub target: Option<String>,
    /// The version in the content type of the JSON protocol.
    pub json: Option<String>,
    /// The service's name in signatures.
    pub signing: String,
    /// The API's version, which the query protocol names.
    pub version: String,
    /// The namespace of XML answers.
    pub namespace: Option<String>,
    /// The operations served.
    pub operations: BTreeMap<String, Operation>,
    shapes: BTreeMap<String, Shape>,
    errors: BTreeMap<String, Fault>,
}

/// One operation.
#[derive(Debug, Deserialize)]
pub struct Operation {
    /// Its name.
    #[serde(skip)]
    pub name: String,
    /// Method, path and status.
    pub http: Http,
    /// The input's shape.
    pub input: Option<String>,
    /// The output's shape.
    pub output: Option<String>,
    /// The element around the output in XML answers, where it is not called after the operation.
    pub wrapper: Option<String>,
}

/// Where an operation lies.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Http {
    /// `GET`, `POST`, …
    pub method: String,
    /// A path with `{Labels}`, and fixed query terms.
    pub request_uri: String,
    /// The status of success.
    #[serde(default = "ok")]
    pub response_code: u16,
}

fn ok() -> u16 {
    200
}

/// How an error is written.
#[derive(Debug, Deserialize)]
struct Fault {
    code: Option<String>,
    message: Option<String>,
}

/// A shape of a request or an answer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shape {
    /// `structure`, `list`, `map`, `string`, `integer`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// Members that must be there.
    #[serde(default)]
    pub required: Vec<String>,
    /// The texts allowed, where not every one is.
    #[serde(rename = "enum", default)]
    pub choices: Vec<String>,
    /// What a text must match as a whole.
    pub pattern: Option<String>,
    /// The least number, length or count.
    pub min: Option<f64>,
    /// The greatest number, length or count.
    pub max: Option<f64>,
    /// The member that is the whole body.
    pub payload: Option<String>,
    /// Members of a structure.
    #[serde(default)]
    pub members: BTreeMap<String, Member>,
    /// What a list holds.
    pub member: Option<Member>,
    /// A map's keys.
    pub key: Option<Member>,
    /// A map's values.
    pub value: Option<Member>,
    /// Whether a list's or a map's items lie beside its siblings, without an element of their own around them.
    #[serde(default)]
    pub flattened: bool,
    /// `iso8601`, `rfc822` or `unixTimestamp`, where it is not the protocol's.
    pub timestamp_format: Option<String>,
    #[serde(skip)]
    regex: OnceLock<Option<Regex>>,
}

/// A reference to a shape: a structure's member, or what a list or a map holds.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// The shape's name.
    pub shape: String,
    /// `uri`, `querystring`, `header`, `headers`, `statusCode`, or in the body.
    pub location: Option<String>,
    /// Its name there.
    pub location_name: Option<String>,
    /// As in [`Shape::flattened`].
    #[serde(default)]
    pub flattened: bool,
    /// As in [`Shape::timestamp_format`].
    pub timestamp_format: Option<String>,
    /// Whether it is an attribute in XML.
    #[serde(default)]
    pub xml_attribute: bool,
}

impl Models {
    /// Takes in a service's `model.json`.
    pub fn add(&mut self, name: &str, text: &str) -> Result<(), serde_json::Error> {
        let mut model: Model = serde_json::from_str(text)?;
        name.clone_into(&mut model.name);
        for (name, operation) in &mut model.operations {
            operation.name.clone_from(name);
        }
        self.services.insert(name.to_owned(), model);
        Ok(())
    }

    /// One service by botocore's name for it.
    pub fn service(&self, name: &str) -> Option<&Model> {
        self.services.get(name)
    }

    /// All services.
    pub fn all(&self) -> impl Iterator<Item = &Model> {
        self.services.values()
    }
}

impl Model {
    /// A shape by name.
    pub fn shape(&self, name: &str) -> Option<&Shape> {
        self.shapes.get(name)
    }

    /// The shape of an operation's input.
    pub fn input(&self, operation: &Operation) -> Option<&Shape> {
        self.shape(operation.input.as_deref()?)
    }

    /// The shape of an operation's output.
    pub fn output(&self, operation: &Operation) -> Option<&Shape> {
        self.shape(operation.output.as_deref()?)
    }

    /// Whether a payload is the bytes themselves.
    pub fn raw(&self, payload: &Member) -> bool {
        self.shape(&payload.shape).is_none_or(|shape| matches!(shape.kind.as_str(), "blob" | "string"))
    }

    /// Whether clients may speak this protocol.
    pub fn speaks(&self, protocol: &str) -> bool {
        self.protocols.iter().any(|spoken| spoken == protocol)
    }

    /// The code of an error on the wire, and the name of its member with the message.
    pub fn error<'a>(&'a self, name: &'a str) -> (&'a str, &'a str) {
        let fault = self.errors.get(name);
        let code = fault.and_then(|fault| fault.code.as_deref()).unwrap_or(name);
        (code, fault.and_then(|fault| fault.message.as_deref()).unwrap_or("message"))
    }
}

impl Shape {
    /// Whether a text matches the pattern. AWS matches the whole value; a pattern that is not one of ours allows everything.
    pub fn matches(&self, text: &str) -> bool {
        let Some(pattern) = &self.pattern else {
            return true;
        };
        let regex = self.regex.get_or_init(|| Regex::new(&format!("^(?:{pattern})$")).ok());
        regex.as_ref().is_none_or(|regex| regex.is_match(text).unwrap_or(false))
    }

    /// The payload member, if the body is one member.
    pub fn payload(&self) -> Option<(&str, &Member)> {
        let name = self.payload.as_deref()?;
        Some((name, self.members.get(name)?))
    }
}
