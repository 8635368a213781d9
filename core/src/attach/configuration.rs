//! A function's configuration as `GetFunction` answers it, as far as attaching looks at it, and what is asked for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A function's configuration, in Lambda's own words.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Configuration {
    /// As in `arn:aws:lambda:us-east-1:123456789012:function:hello`.
    pub function_arn: String,
    /// `Zip`, the default, or `Image`.
    pub package_type: Option<String>,
    /// As in `python3.12`; an image has none.
    pub runtime: String,
    /// As in `app.handler`.
    pub handler: String,
    /// One: `x86_64`, the default, or `arm64`.
    pub architectures: Vec<String>,
    /// In their order.
    pub layers: Vec<Layer>,
    /// In seconds.
    pub timeout: u32,
    /// In MiB.
    pub memory_size: u32,
    /// The variables, where there are any.
    pub environment: Option<Variables>,
}

/// A layer version of a function.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Layer {
    /// Of the version.
    pub arn: String,
}

/// A function's variables, or why Lambda cannot read them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Variables {
    /// By name.
    pub variables: BTreeMap<String, String>,
    /// Why they cannot be read.
    pub error: Option<Unreadable>,
}

/// Lambda's word for variables that it cannot decrypt.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Unreadable {
    /// As in `AccessDeniedException`.
    pub error_code: String,
    /// For people.
    pub message: String,
}

/// What is to be attached.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Options {
    /// The execution that attaches and can roll back. Without one nothing says how to restore, as in a run on this machine.
    pub execution: Option<String>,
    /// The layer versions' ARNs by `KIND-ARCHITECTURE`, as in `python-x86_64`.
    pub layers: BTreeMap<String, String>,
    /// The plan as it goes into the variable.
    pub plan: String,
    /// The alias that callers use, as it is now.
    pub alias: Option<Alias>,
    /// A timeout in seconds to set while attached; 0 leaves it.
    pub timeout: u32,
    /// A memory size in MiB to set while attached; 0 leaves it.
    pub memory: u32,
}

/// An alias as `GetAlias` answers it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Alias {
    /// Its name.
    pub name: String,
    /// The version it points at.
    pub function_version: String,
    /// Where it sends a share elsewhere.
    pub routing_config: Option<Routing>,
}

/// An alias's weights.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Routing {
    /// Share by version.
    pub additional_version_weights: BTreeMap<String, f64>,
}

/// The languages that have a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Python.
    Python,
    /// Node.js.
    Node,
    /// Java.
    Java,
}

impl Kind {
    /// As layers and markers name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Node => "node",
            Self::Java => "java",
        }
    }

    /// Our handler; Java's stays, its agent wraps it.
    #[must_use]
    pub const fn handler(self) -> Option<&'static str> {
        match self {
            Self::Python => Some("faultlayer_layer.handler"),
            Self::Node => Some("/opt/faultlayer/node/handler.handler"),
            Self::Java => None,
        }
    }

    /// The oldest runtime that there is a layer for.
    pub(super) const fn oldest(self) -> u32 {
        match self {
            Self::Python => 10,
            Self::Node => 18,
            Self::Java => 11,
        }
    }
}

/// The beginnings of runtimes' names.
const RUNTIMES: [(&str, Kind); 3] = [("python", Kind::Python), ("nodejs", Kind::Node), ("java", Kind::Java)];

impl Configuration {
    /// The language, by the runtime's name; none for a runtime without a layer.
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        RUNTIMES.iter().find(|(start, _)| self.runtime.starts_with(start)).map(|(_, kind)| *kind)
    }

    /// `x86_64` or `arm64`.
    #[must_use]
    pub fn architecture(&self) -> &str {
        self.architectures.first().map_or("x86_64", String::as_str)
    }

    /// The account in its ARN.
    pub(super) fn account(&self) -> &str {
        self.function_arn.split(':').nth(4).unwrap_or_default()
    }

    /// A copy of its variables.
    pub(super) fn values(&self) -> BTreeMap<String, String> {
        self.environment.as_ref().map(|environment| environment.variables.clone()).unwrap_or_default()
    }

    /// The layer for it, as `python-x86_64` names it.
    pub(super) fn layer<'a>(&self, options: &'a Options) -> Option<&'a str> {
        let key = format!("{}-{}", self.kind()?.name(), self.architecture());
        options.layers.get(&key).map(String::as_str).filter(|arn| !arn.is_empty())
    }
}

/// The bytes that Lambda measures against its 4 KB: all variables as compact JSON.
#[must_use]
pub fn variables_size(variables: &BTreeMap<String, String>) -> usize {
    serde_json::to_string(variables).map_or(usize::MAX, |text| text.len())
}
