//! What would change: the differences between what a stack is and what it is to be, as a change set lists them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::CloudFormation;
use super::plan::Plan;
use super::resources::{Resource, of};
use super::stacks::Stack;
use super::template::functions::UNKNOWN;
use super::template::{Declared, invalid};
use super::types::{self, Update};
use crate::cloud::call::ApiError;

/// The changes, sorted by logical id; `None` where nothing would be different at all.
pub fn changes(service: &CloudFormation, stack: &Stack, plan: &Plan) -> Result<Option<Vec<Value>>, ApiError> {
    let rows: BTreeMap<String, Resource> = service.tables(|tables| {
        of(tables, &stack.identity.id).filter(|row| row.live.is_some()).map(|row| (row.logical.clone(), row.clone())).collect()
    });
    let mut found = BTreeMap::new();
    // Those whose references and attributes will be other ones.
    let fresh: RefCell<BTreeSet<String>> = RefCell::default();
    let known = |logical: &str, attribute: Option<&str>| {
        let live = rows.get(logical).filter(|_| !fresh.borrow().contains(logical))?.live.as_ref()?;
        match attribute {
            Some(attribute) => live.attributes.get(attribute).cloned(),
            None => Some(json!(live.physical)),
        }
    };
    let mut retyped = Vec::new();
    for (logical, _) in plan.order()? {
        let Some(declared) = plan.resource(&logical) else { continue };
        let Some(row) = rows.get(&logical) else {
            fresh.borrow_mut().insert(logical.clone());
            found.insert(logical.clone(), change("Add", &logical, declared.kind(), "", json!({})));
            continue;
        };
        if row.kind != declared.kind() {
            retyped.push(logical);
            continue;
        }
        let properties = plan.properties(&declared, &known)?;
        let metadata = plan.metadata(&declared, &known)?;
        if let Some(more) = modified(row, &declared, &properties, &metadata) {
            if more.get("Replacement").and_then(Value::as_str) != Some("False") {
                fresh.borrow_mut().insert(logical.clone());
            }
            found.insert(logical.clone(), change("Modify", &logical, &row.kind, row.physical(), more));
        }
    }
    if !retyped.is_empty() {
        let names = retyped.join(", ");
        return Err(invalid(format!(
            "Update of resource type is not permitted. The new template modifies resource type of the following resources: [{names}]"
        )));
    }
    for row in rows.values().filter(|row| plan.resource(&row.logical).is_none()) {
        let action = if row.live.as_ref().is_some_and(|live| live.deletion == "Retain") { "Retain" } else { "Delete" };
        found.insert(
            row.logical.clone(),
            change("Remove", &row.logical, &row.kind, row.physical(), json!({"PolicyAction": action})),
        );
    }
    let same = found.is_empty() && plan.outputs(&known)? == stack.outputs;
    Ok((!same).then(|| found.into_values().collect()))
}

fn change(action: &str, logical: &str, kind: &str, physical: &str, more: Value) -> Value {
    let mut row = json!({"Action": action, "LogicalResourceId": logical, "ResourceType": kind, "Scope": [], "Details": []});
    if let (Some(fields), Some(more)) = (row.as_object_mut(), more.as_object()) {
        if !physical.is_empty() {
            fields.insert("PhysicalResourceId".into(), json!(physical));
        }
        fields.extend(more.clone());
    }
    json!({"Type": "Resource", "ResourceChange": row})
}

fn modified(row: &Resource, declared: &Declared<'_>, properties: &Value, metadata: &Value) -> Option<Value> {
    let live = row.live.as_ref()?;
    let kind = types::find(&row.kind)?;
    let names = types::changed(&live.properties, properties);
    let open = |name: &String| properties.get(name).is_some_and(|value| value.to_string().contains(UNKNOWN));
    let (dynamic, fixed): (Vec<String>, Vec<String>) = names.iter().cloned().partition(open);
    let replacement = if kind.replaces(&live.properties, properties, &fixed) {
        "True"
    } else if kind.replaces(&live.properties, properties, &dynamic) {
        "Conditional"
    } else {
        "False"
    };
    let mut scope: Vec<&str> = Vec::new();
    let mut details = Vec::new();
    for name in &names {
        let known = kind.facts().properties.iter().find(|property| property.name == name);
        let takes = match known.map(|property| property.update) {
            Some(Update::Replace) => "Always",
            Some(Update::Depends) if replacement == "True" => "Always",
            Some(Update::Depends) if replacement == "Conditional" => "Conditionally",
            _ => "Never",
        };
        let attribute = if name == "Tags" { "Tags" } else { "Properties" };
        scope.push(attribute);
        let mut target = json!({"Attribute": attribute, "RequiresRecreation": takes});
        if let Some(fields) = target.as_object_mut().filter(|_| attribute == "Properties") {
            fields.insert("Name".into(), json!(name));
        }
        let (evaluation, source) =
            if dynamic.contains(name) { ("Dynamic", "ResourceAttribute") } else { ("Static", "DirectModification") };
        details.push(json!({"Target": target, "Evaluation": evaluation, "ChangeSource": source}));
    }
    let policies = [
        ("Metadata", live.metadata != *metadata),
        ("DeletionPolicy", live.deletion != declared.word("DeletionPolicy").unwrap_or_default()),
        ("UpdateReplacePolicy", live.replacement != declared.word("UpdateReplacePolicy").unwrap_or_default()),
    ];
    for (attribute, _) in policies.into_iter().filter(|(_, differs)| *differs) {
        scope.push(attribute);
        let target = json!({"Attribute": attribute, "RequiresRecreation": "Never"});
        details.push(json!({"Target": target, "Evaluation": "Static", "ChangeSource": "DirectModification"}));
    }
    scope.sort_unstable();
    scope.dedup();
    if scope.is_empty() {
        return None;
    }
    let mut more = json!({"Replacement": replacement, "Scope": scope, "Details": details});
    if let Some(fields) = more.as_object_mut().filter(|_| replacement != "False") {
        let retained = live.replacement == "Retain";
        fields.insert("PolicyAction".into(), json!(if retained { "ReplaceAndRetain" } else { "ReplaceAndDelete" }));
    }
    Some(more)
}
