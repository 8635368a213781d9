//! The one update that attaches, and the marker in it, from which the function can be restored.

use std::collections::BTreeMap;

use serde::Serialize;

use super::configuration::{Alias, Configuration, Kind, Options};
use super::{AGENT, HANDLER, PLAN, PRELOADED, RESTORE};

/// The folder that managed Python looks into only while `PYTHONPATH` is unset.
const PYTHON_ROOT: &str = "/opt/python";

/// The options by which Node loads something before the client.
const PRELOADING: [&str; 6] = ["-r", "--require", "--import", "--loader", "--experimental-loader", "--experimental_loader"];

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
    }
    let [first, last] = PRELOADED;
    match kind {
        Kind::Java => marker.flag("options", add_options(&mut values, "JAVA_TOOL_OPTIONS", AGENT, "")),
        Kind::Node if preloads(&values) => marker.flag("options", add_options(&mut values, "NODE_OPTIONS", first, last)),
        _ => {}
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

/// Puts options in front of those that a variable has, and behind them. Whether there was no such variable.
fn add_options(values: &mut BTreeMap<String, String>, name: &str, before: &str, behind: &str) -> bool {
    let own = values.get(name).map(String::as_str);
    let options: Vec<_> = [before, own.unwrap_or_default(), behind].into_iter().filter(|part| !part.is_empty()).collect();
    let (options, is_new) = (options.join(" "), own.is_none());
    values.insert(name.to_owned(), options);
    is_new
}

/// Whether Node loads anything before the client, or may: what starts it can say so too.
fn preloads(values: &BTreeMap<String, String>) -> bool {
    values.get("AWS_LAMBDA_EXEC_WRAPPER").is_some_and(|wrapper| !wrapper.is_empty())
        || values.get("NODE_OPTIONS").is_some_and(|all| all.split(' ').any(|word| PRELOADING.contains(&option(word))))
}

/// The option of a word of `NODE_OPTIONS`, without its value.
fn option(word: &str) -> &str {
    word.trim_start_matches('"').split('=').next().unwrap_or_default()
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
