//! The one update that attaches, and the marker in it, from which the function can be restored.

use std::collections::BTreeMap;

use serde::Serialize;

use super::configuration::{Alias, Configuration, Kind, Options};
use super::{AGENT, HANDLER, PLAN, RESTORE};

/// The folder that managed Python looks into only while `PYTHONPATH` is unset.
const PYTHON_ROOT: &str = "/opt/python";

/// The arguments of one `UpdateFunctionConfiguration`; what is `None` stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Change {
    /// ARNs of all layer versions, ours last.
    pub layers: Vec<String>,
    /// Our handler.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handler: Option<String>,
    /// In seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u32>,
    /// In MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_size: Option<u32>,
    /// All variables, the function's own among them.
    pub environment: Environment,
}

/// Variables as an update takes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Environment {
    /// By name.
    pub variables: BTreeMap<String, String>,
}

/// The change on a configuration that nothing is against.
#[must_use]
pub fn change(configuration: &Configuration, kind: Kind, options: &Options) -> Change {
    let layer = configuration.layer(options).unwrap_or_default();
    let mut values = configuration.values();
    let mut marker = Marker::new(configuration, kind, layer);
    if kind.handler().is_some() {
        values.insert(HANDLER.to_owned(), configuration.handler.clone());
    } else {
        marker.flag("options", !values.contains_key("JAVA_TOOL_OPTIONS"));
        let own = values.get("JAVA_TOOL_OPTIONS").filter(|own| !own.is_empty());
        let with_agent = own.map_or_else(|| AGENT.to_owned(), |own| format!("{AGENT} {own}"));
        values.insert("JAVA_TOOL_OPTIONS".to_owned(), with_agent);
    }
    if let Some(path) = values.get_mut("PYTHONPATH").filter(|_| kind == Kind::Python)
        && !path.split(':').any(|folder| folder.trim_end_matches('/') == PYTHON_ROOT)
    {
        path.push_str(if path.is_empty() { "" } else { ":" });
        path.push_str(PYTHON_ROOT);
        marker.flag("path", true);
    }
    let timeout = marker.replaced('t', configuration.timeout, options.timeout);
    let memory_size = marker.replaced('m', configuration.memory_size, options.memory);
    if let Some(alias) = &options.alias {
        marker.alias(alias);
    }
    values.insert(PLAN.to_owned(), options.plan.clone());
    if let Some(execution) = &options.execution {
        values.insert(RESTORE.to_owned(), marker.text(execution));
    }
    let mut layers: Vec<_> = configuration.layers.iter().map(|layer| layer.arn.clone()).collect();
    layers.push(layer.to_owned());
    let handler = kind.handler().map(str::to_owned);
    Change { layers, handler, timeout, memory_size, environment: Environment { variables: values } }
}

/// `FAULTLAYER_RESTORE`: what cannot be told from the function itself.
struct Marker(Vec<String>);

impl Marker {
    fn new(configuration: &Configuration, kind: Kind, layer: &str) -> Self {
        let parts: Vec<_> = layer.split(':').collect();
        let (account, name) = (parts.get(4).copied().unwrap_or_default(), parts.get(6).copied().unwrap_or_default());
        let ours = if account == configuration.account() { name.to_owned() } else { format!("{account}:{name}") };
        Self(vec![ours, kind.name().to_owned()])
    }

    fn flag(&mut self, name: &str, set: bool) {
        if set {
            self.0.push(name.to_owned());
        }
    }

    /// Remembers what a number was; the number to set, where another one is wanted.
    fn replaced(&mut self, key: char, now: u32, wanted: u32) -> Option<u32> {
        let wanted = Some(wanted).filter(|wanted| *wanted != 0 && *wanted != now)?;
        self.0.push(format!("{key}{now}-{wanted}"));
        Some(wanted)
    }

    fn alias(&mut self, alias: &Alias) {
        let weights = alias.routing_config.iter().flat_map(|routing| &routing.additional_version_weights);
        let weights: String = weights.map(|(version, weight)| format!(":{version}={weight}")).collect();
        self.0.push(format!("a={}:{}{weights}", alias.name, alias.function_version));
    }

    fn text(&self, execution: &str) -> String {
        format!("1,{execution},{}", self.0.join(","))
    }
}
