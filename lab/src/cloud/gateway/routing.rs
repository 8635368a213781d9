//! Which operation of which service a request is for: by its target, its signature, its form, and the models' paths.

use bytes::Bytes;
use hyper::http::request::Parts;

use super::Protocol;
use super::models::{Model, Models, Operation, Shape};
use crate::cloud::call::ApiError;

/// Labels or query terms, decoded.
pub type Pairs = Vec<(String, String)>;

/// An operation, and what the path says.
#[derive(Debug)]
pub struct Found<'m> {
    /// Its service.
    pub model: &'m Model,
    /// The operation.
    pub operation: &'m Operation,
    /// The path's labels by name.
    pub labels: Pairs,
}

/// `Credential` of a signature, in the header or of a presigned address: `KEY/DATE/REGION/SERVICE/aws4_request`.
fn credential(parts: &Parts) -> Option<String> {
    let header = parts.headers.get("authorization").and_then(|text| text.to_str().ok());
    if let Some((_, rest)) = header.and_then(|text| text.split_once("Credential=")) {
        return rest.split(',').next().map(str::to_owned);
    }
    let query = pairs(parts.uri.query().unwrap_or_default());
    query.into_iter().find(|(name, _)| name == "X-Amz-Credential").map(|(_, value)| value)
}

/// The access key id of the signature, if there is one.
pub fn access_key(parts: &Parts) -> Option<String> {
    credential(parts)?.split('/').next().map(str::to_owned)
}

/// The protocol, and the operation if the lab has it.
pub fn route<'m>(models: &'m Models, parts: &Parts, body: &Bytes) -> (Protocol, Result<Found<'m>, ApiError>) {
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(target) = header("x-amz-target") {
        return (Protocol::Json, named(models, target.split_once('.'), target));
    }
    let path = parts.uri.path();
    if header("smithy-protocol") == Some("rpc-v2-cbor") {
        let said = path.strip_prefix("/service/").and_then(|rest| rest.split_once("/operation/"));
        return (Protocol::Cbor, named(models, said, path));
    }
    let credential = credential(parts);
    let signing = credential.as_deref().and_then(|text| text.split('/').nth(3));
    let meant = |model: &&Model| signing.is_none_or(|name| model.signing == name);
    let mut form = pairs(parts.uri.query().unwrap_or_default());
    if header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded")) {
        form.extend(pairs(&String::from_utf8_lossy(body)));
    }
    let said = |wanted: &str| form.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    if let (Some(action), "/") = (said("Action"), path) {
        let fits = |model: &&Model| model.speaks("query") && said("Version").is_none_or(|version| version == model.version);
        let found = models.all().filter(meant).filter(fits).find_map(|model| {
            let operation = model.operations.get(action)?;
            Some(Found { model, operation, labels: Pairs::new() })
        });
        let unknown = || ApiError::bad("InvalidAction", format!("the lab does not serve `{action}`"));
        return (Protocol::Query, found.ok_or_else(unknown));
    }
    let found = models.all().filter(meant).filter_map(|model| by_path(model, parts)).max_by_key(|(rank, _)| *rank);
    let protocol = match &found {
        Some((_, found)) if found.model.speaks("rest-xml") => Protocol::RestXml,
        None if models.all().filter(meant).any(|model| model.speaks("rest-xml")) && signing.is_some() => Protocol::RestXml,
        _ => Protocol::RestJson,
    };
    let unknown = || {
        let service = signing.map(|name| format!(" of `{name}`")).unwrap_or_default();
        let what = format!(
            "the lab does not serve `{} {}`{service}",
            parts.method,
            parts.uri.path_and_query().map_or(path, |all| all.as_str())
        );
        match protocol {
            Protocol::RestXml => ApiError::new("NotImplemented", 501, what),
            _ => ApiError::new("UnknownOperationException", 404, what),
        }
    };
    (protocol, found.map(|(_, found)| found).ok_or_else(unknown))
}

/// The operation of a target's prefix and name.
fn named<'m>(models: &'m Models, said: Option<(&str, &str)>, whole: &str) -> Result<Found<'m>, ApiError> {
    let found = said.and_then(|(prefix, name)| {
        let model = models.all().find(|model| model.target.as_deref() == Some(prefix))?;
        let operation = model.operations.get(name)?;
        Some(Found { model, operation, labels: Pairs::new() })
    });
    found.ok_or_else(|| ApiError::bad("UnknownOperationException", format!("the lab does not serve `{whole}`")))
}

/// How closely an operation fits: parts of its path that are no labels, fixed query terms, required members that are not there
/// (fewer are better), required members that are.
type Rank = (usize, usize, std::cmp::Reverse<usize>, usize);

fn by_path<'m>(model: &'m Model, parts: &Parts) -> Option<(Rank, Found<'m>)> {
    if !model.speaks("rest-json") && !model.speaks("rest-xml") {
        return None;
    }
    let query = pairs(parts.uri.query().unwrap_or_default());
    let mut best: Option<(Rank, Found<'m>)> = None;
    for operation in model.operations.values().filter(|operation| operation.http.method == parts.method.as_str()) {
        let (template, fixed) = operation.http.request_uri.split_once('?').unwrap_or((&operation.http.request_uri, ""));
        let mut fixed = pairs(fixed);
        // Some clients say the operation's name, others do not.
        fixed.retain(|(name, _)| name != "x-id");
        let Some((literal, labels)) = match_path(template, parts.uri.path()) else { continue };
        if !fixed.iter().all(|pair| query.contains(pair)) {
            continue;
        }
        let shape = model.input(operation);
        if model.speaks("rest-xml")
            && query.iter().any(|pair| names_a_part(pair) && !fixed.contains(pair) && !knows(shape, &pair.0))
        {
            continue;
        }
        let (mut there, mut missing) = (0, 0);
        for member in shape.into_iter().flat_map(|shape| shape.required.iter().filter_map(|name| shape.members.get(name))) {
            let name = member.location_name.as_deref().unwrap_or_default();
            let found = match member.location.as_deref() {
                Some("querystring") => query.iter().any(|(given, _)| given == name),
                Some("header") => parts.headers.contains_key(name),
                _ => continue,
            };
            if found { there += 1 } else { missing += 1 }
        }
        let rank = (literal, fixed.len(), std::cmp::Reverse(missing), there);
        if best.as_ref().is_none_or(|(had, _)| *had < rank) {
            best = Some((rank, Found { model, operation, labels }));
        }
    }
    best
}

/// Whether a query term is the name of something about the resource, as in `?acl`: who does not know it must not take the request for
/// one about the whole.
fn names_a_part((name, value): &(String, String)) -> bool {
    value.is_empty() && !name.starts_with("X-Amz-")
}

fn knows(shape: Option<&Shape>, term: &str) -> bool {
    let mut members = shape.into_iter().flat_map(|shape| shape.members.values());
    members.any(|member| member.location.as_deref() == Some("querystring") && member.location_name.as_deref() == Some(term))
}

/// How many parts of a path a template names, and what stands where it has labels. `{Name+}` takes the rest.
fn match_path(template: &str, path: &str) -> Option<(usize, Pairs)> {
    let (mut literal, mut labels) = (0, Pairs::new());
    let mut wanted = template.trim_end_matches('/').split('/');
    let mut rest = Some(path);
    loop {
        let Some(want) = wanted.next() else {
            let ended = rest.is_none_or(|rest| rest.trim_end_matches('/').is_empty());
            return ended.then_some((literal, labels));
        };
        let given = rest?;
        let label = want.strip_prefix('{').and_then(|label| label.strip_suffix('}'));
        if let Some(greedy) = label.and_then(|label| label.strip_suffix('+')) {
            labels.push((greedy.to_owned(), decode(given)));
            return (!given.is_empty()).then_some((literal, labels));
        }
        let (part, after) = given.split_once('/').map_or((given, None), |(part, after)| (part, Some(after)));
        match label {
            Some(label) if !part.is_empty() => labels.push((label.to_owned(), decode(part))),
            None if want == part => literal += 1,
            _ => return None,
        }
        rest = after;
    }
}

/// The pairs of a query string or a form.
pub fn pairs(query: &str) -> Pairs {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(&name.replace('+', " ")), decode(&value.replace('+', " ")))
        })
        .collect()
}

/// Undoes percent encoding.
pub fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let code = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok()).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match code {
            Some(byte) if first == b'%' => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
