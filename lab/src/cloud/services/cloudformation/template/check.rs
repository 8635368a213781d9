//! What CloudFormation refuses of a template before it does anything, and the capabilities that it asks for.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::functions::unresolved;
use super::references::{Names, gather, order};
use super::{Declared, Template, invalid, parameters};
use crate::cloud::call::ApiError;
use crate::cloud::services::cloudformation::types;

/// The sections of a template.
const SECTIONS: [&str; 10] = [
    "AWSTemplateFormatVersion",
    "Description",
    "Metadata",
    "Parameters",
    "Rules",
    "Mappings",
    "Conditions",
    "Transform",
    "Resources",
    "Outputs",
];
/// The attributes of a resource.
const ATTRIBUTES: [&str; 7] =
    ["Type", "Properties", "DependsOn", "Condition", "Metadata", "DeletionPolicy", "UpdateReplacePolicy"];
/// Those that CloudFormation has and the lab does not serve.
const NOT_SERVED: [&str; 2] = ["CreationPolicy", "UpdatePolicy"];
/// What reference to a pseudo parameter there is.
pub const PSEUDO: [&str; 8] = [
    "AWS::AccountId",
    "AWS::NotificationARNs",
    "AWS::NoValue",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
];
const MOST_RESOURCES: usize = 500;
const MOST: usize = 200;

/// Refuses a template that no stack can be made of.
pub fn check(template: &Template) -> Result<(), ApiError> {
    sections(template)?;
    parameters::check(template)?;
    conditions(template)?;
    let mut unknown: Vec<&str> = Vec::new();
    for resource in template.resources() {
        attributes(template, &resource)?;
        if types::find(resource.kind()).is_none() && !unknown.contains(&resource.kind()) {
            unknown.push(resource.kind());
        }
    }
    if !unknown.is_empty() {
        return Err(invalid(format!("Template format error: Unrecognized resource types: [{}]", unknown.join(", "))));
    }
    let mut needs = BTreeMap::new();
    for resource in template.resources() {
        let mut names = Names::default();
        gather(resource.properties(), false, &mut names)?;
        gather(resource.fields.get("Metadata").unwrap_or(&Value::Null), false, &mut names)?;
        names.refs.extend(resource.depends_on().into_iter().map(str::to_owned));
        known(template, &names, "Resources")?;
        needs.insert(resource.logical.to_owned(), names.resources().map(str::to_owned).collect());
    }
    order(&needs)?;
    outputs(template)
}

fn sections(template: &Template) -> Result<(), ApiError> {
    let unknown: Vec<&str> = template.root.keys().map(String::as_str).filter(|name| !SECTIONS.contains(name)).collect();
    if !unknown.is_empty() {
        return Err(invalid(format!("Invalid template property or properties [{}]", unknown.join(", "))));
    }
    if let Some(version) = template.field("AWSTemplateFormatVersion").filter(|version| *version != "2010-09-09") {
        return Err(invalid(format!("Template format error: {version} is not a supported value for AWSTemplateFormatVersion.")));
    }
    if let Some(description) = template.field("Description") {
        let text = description.as_str().ok_or_else(|| invalid("Template format error: Description must be a string."))?;
        if text.len() > 1024 {
            return Err(invalid("Template format error: Description must be at most 1024 bytes long."));
        }
    }
    if template.field("Rules").is_some() {
        return Err(invalid("Template format error: the lab does not serve `Rules`"));
    }
    for (section, most) in
        [("Parameters", MOST), ("Mappings", MOST), ("Conditions", usize::MAX), ("Resources", MOST_RESOURCES), ("Outputs", MOST)]
    {
        let Some(value) = template.field(section) else { continue };
        let Some(members) = value.as_object() else {
            return Err(invalid(format!("Template format error: [/{section}] is no map")));
        };
        if members.len() > most {
            let name = section.to_ascii_lowercase();
            return Err(invalid(format!(
                "Template format error: Number of {name}, {}, is greater than maximum allowed, {most}",
                members.len()
            )));
        }
        if let Some(name) = members.keys().find(|name| !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) || name.is_empty())
        {
            let one = section.trim_end_matches('s');
            return Err(invalid(format!("Template format error: {one} name {name} is non alphanumeric.")));
        }
        nulls(value, &format!("/{section}"))?;
    }
    if template.resources().next().is_none() {
        return Err(invalid("Template format error: At least one Resources member must be defined."));
    }
    Ok(())
}

fn nulls(value: &Value, path: &str) -> Result<(), ApiError> {
    match value {
        Value::Null => Err(invalid(format!("[{path}] 'null' values are not allowed in templates"))),
        Value::Array(items) => items.iter().enumerate().try_for_each(|(index, item)| nulls(item, &format!("{path}/{index}"))),
        Value::Object(fields) => fields.iter().try_for_each(|(key, field)| nulls(field, &format!("{path}/{key}"))),
        _ => Ok(()),
    }
}

fn conditions(template: &Template) -> Result<(), ApiError> {
    for (_, value) in template.section("Conditions") {
        let mut names = Names::default();
        gather(value, true, &mut names)?;
        if let Some(name) = names.conditions.iter().find(|name| template.member("Conditions", name).is_none()) {
            return Err(unresolved(name));
        }
        let outside = |name: &&str| template.member("Parameters", name).is_none() && !PSEUDO.contains(name);
        let resources: Vec<&str> = names.resources().filter(outside).collect();
        if !resources.is_empty() {
            let names = resources.join(", ");
            return Err(invalid(format!(
                "Template format error: Unresolved dependencies [{names}]. Cannot reference resources in the Conditions block of the template"
            )));
        }
    }
    Ok(())
}

fn attributes(template: &Template, resource: &Declared<'_>) -> Result<(), ApiError> {
    let logical = resource.logical;
    let Some(fields) = resource.fields.as_object() else {
        return Err(invalid(format!("Template format error: [/Resources/{logical}] resource definition is malformed")));
    };
    if let Some(name) = NOT_SERVED.iter().find(|name| fields.contains_key(**name)) {
        return Err(invalid(format!("Template format error: the lab does not serve `{name}` of the resource {logical}")));
    }
    if let Some(name) = fields.keys().find(|name| !ATTRIBUTES.contains(&name.as_str())) {
        return Err(invalid(format!("Invalid template resource property '{name}'")));
    }
    if resource.word("Type").is_none() {
        return Err(invalid(format!(
            "Template format error: [/Resources/{logical}] Every Resources object must contain a Type member."
        )));
    }
    if fields.get("Properties").is_some_and(|properties| !properties.is_object()) {
        return Err(invalid(format!("Template format error: [/Resources/{logical}/Properties] Properties must be an object")));
    }
    if let Some(condition) = fields.get("Condition") {
        let name =
            condition.as_str().ok_or_else(|| invalid("Template format error: Every Condition member must be a string."))?;
        known_condition(template, name, "Resources")?;
    }
    let on = fields.get("DependsOn");
    let texts = on.is_none_or(|on| on.is_string() || on.as_array().is_some_and(|list| list.iter().all(Value::is_string)));
    if !texts {
        return Err(invalid("Template format error: DependsOn must be a string or list of strings."));
    }
    for (attribute, allowed) in [
        ("DeletionPolicy", &["Delete", "Retain", "RetainExceptOnCreate"][..]),
        ("UpdateReplacePolicy", &["Delete", "Retain"][..]),
    ] {
        let Some(policy) = fields.get(attribute) else { continue };
        if policy == "Snapshot" {
            return Err(invalid(format!(
                "Template error: resource type {} does not support {attribute} Snapshot",
                resource.kind()
            )));
        }
        if !policy.as_str().is_some_and(|policy| allowed.contains(&policy)) {
            return Err(invalid(format!("Template format error: Unrecognized {attribute} {policy} for resource {logical}")));
        }
    }
    Ok(())
}

/// Everything that values name is there.
fn known(template: &Template, names: &Names, block: &str) -> Result<(), ApiError> {
    let declared = |name: &str| template.resource(name).is_some();
    let free = names.refs.iter().filter(|name| {
        let name = name.as_str();
        !declared(name) && template.member("Parameters", name).is_none() && !PSEUDO.contains(&name)
    });
    let unresolved: Vec<&str> = free.map(String::as_str).collect();
    if !unresolved.is_empty() {
        let names = unresolved.join(", ");
        return Err(invalid(format!(
            "Template format error: Unresolved resource dependencies [{names}] in the {block} block of the template"
        )));
    }
    for (resource, attribute) in &names.attributes {
        let Some(found) = template.resource(resource) else {
            return Err(invalid(format!("Template error: instance of Fn::GetAtt references undefined resource {resource}")));
        };
        // One that a function names is known later.
        let served = types::find(found.kind())
            .is_none_or(|kind| attribute.is_empty() || kind.facts().attributes.contains(&attribute.as_str()));
        if !served {
            return Err(invalid(format!(
                "Template error: resource {resource} does not support attribute type {attribute} in Fn::GetAtt"
            )));
        }
    }
    for condition in &names.conditions {
        known_condition(template, condition, block)?;
    }
    match names.maps.iter().find(|map| template.member("Mappings", map).is_none()) {
        Some(map) => {
            Err(invalid(format!("Template error: Mapping named '{map}' is not present in the 'Mappings' section of template.")))
        }
        None => Ok(()),
    }
}

fn known_condition(template: &Template, name: &str, block: &str) -> Result<(), ApiError> {
    match template.member("Conditions", name) {
        Some(_) => Ok(()),
        None => Err(invalid(format!(
            "Template format error: Unresolved condition dependency {name} in the {block} block of the template"
        ))),
    }
}

fn outputs(template: &Template) -> Result<(), ApiError> {
    for (name, output) in template.section("Outputs") {
        let Some(fields) = output.as_object() else {
            return Err(invalid(format!("Template format error: Output {name} is malformed")));
        };
        if let Some(field) =
            fields.keys().find(|field| !["Value", "Description", "Export", "Condition"].contains(&field.as_str()))
        {
            return Err(invalid(format!("Invalid template output property '{field}'")));
        }
        let Some(value) = fields.get("Value") else {
            return Err(invalid("Template format error: Every Outputs member must contain a Value object"));
        };
        let mut names = Names::default();
        gather(value, false, &mut names)?;
        if let Some(export) = fields.get("Export") {
            let name = export.get("Name").ok_or_else(|| invalid(format!("Template format error: Output {name} is malformed")))?;
            gather(name, false, &mut names)?;
        }
        names.conditions.extend(fields.get("Condition").and_then(Value::as_str).map(str::to_owned));
        known(template, &names, "Outputs")?;
    }
    Ok(())
}

/// The macros that a template wants.
pub fn transforms(template: &Template) -> Vec<String> {
    let declared = match template.field("Transform") {
        Some(Value::Array(many)) => many.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    let name = |one: &Value| one.as_str().or_else(|| one.get("Name")?.as_str()).unwrap_or_default().to_owned();
    declared.iter().map(name).collect()
}

/// The capability that a template needs, and the types that need it.
pub fn capability(template: &Template) -> Option<(&'static str, Vec<&str>)> {
    let mut wanting: Vec<&str> = Vec::new();
    let mut named = false;
    for resource in template.resources().filter(|resource| resource.kind().starts_with("AWS::IAM::")) {
        named |= resource.properties().get("RoleName").is_some();
        if !wanting.contains(&resource.kind()) {
            wanting.push(resource.kind());
        }
    }
    (!wanting.is_empty()).then_some((if named { "CAPABILITY_NAMED_IAM" } else { "CAPABILITY_IAM" }, wanting))
}

/// Refuses what the request does not acknowledge, and macros, of which the lab has none.
pub fn allowed(template: &Template, given: &[String]) -> Result<(), ApiError> {
    let lacks =
        |wanted: &str| !given.iter().any(|one| one == wanted || (wanted == "CAPABILITY_IAM" && one == "CAPABILITY_NAMED_IAM"));
    let mut lacking: Vec<&str> =
        capability(template).map(|(wanted, _)| wanted).filter(|wanted| lacks(wanted)).into_iter().collect();
    let macros = transforms(template);
    if !macros.is_empty() && lacks("CAPABILITY_AUTO_EXPAND") {
        lacking.push("CAPABILITY_AUTO_EXPAND");
    }
    if !lacking.is_empty() {
        let message = format!("Requires capabilities : [{}]", lacking.join(", "));
        return Err(ApiError::bad("InsufficientCapabilitiesException", message));
    }
    match macros.first() {
        Some(name) => Err(invalid(format!("No transform named {name} found."))),
        None => Ok(()),
    }
}

/// A template's metadata as a text.
pub fn metadata(template: &Template) -> Option<String> {
    template.field("Metadata").filter(|value| **value != Value::Object(Map::new())).map(Value::to_string)
}
