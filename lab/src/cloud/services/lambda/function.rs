//! A function as the lab keeps it: `$LATEST`, what runs while an update is in progress, versions, aliases, tags.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::cloud::call::ApiError;
use crate::cloud::clock;
use crate::cloud::lab::Place;
use crate::cloud::state::Row;

/// The code of a function, by content.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// SHA-256 of the zip, base64.
    pub sha256: String,
    /// Size of the zip.
    pub size: u64,
    /// Size unpacked.
    pub unzipped: u64,
    /// An image instead of a zip.
    pub image: Option<String>,
}

/// One configuration: `$LATEST`'s or a published version's.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// `$LATEST` or a number.
    pub version: String,
    /// As in `python3.12`.
    pub runtime: Option<String>,
    /// The execution role.
    pub role: String,
    /// The handler.
    pub handler: Option<String>,
    /// The description.
    pub description: String,
    /// Seconds.
    pub timeout: u64,
    /// MB.
    pub memory: u64,
    /// The variables.
    pub variables: Map<String, Value>,
    /// ARNs of layer versions, in order.
    pub layers: Vec<String>,
    /// The code.
    pub code: Code,
    /// `Zip` or `Image`.
    pub package: String,
    /// One architecture.
    pub architecture: String,
    /// What is kept and shown but not acted on, by the name in the answer.
    pub rest: Map<String, Value>,
    /// Milliseconds since 1970.
    pub modified: i64,
    /// The revision.
    pub revision: String,
}

/// An update that is in progress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    /// When it is done.
    pub ends: i64,
    /// Whether it ends `Failed`.
    pub fails: bool,
}

/// An alias.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alias {
    /// The version it names.
    pub version: String,
    /// Its description.
    pub description: String,
    /// At most one other version and its share.
    pub weights: BTreeMap<String, f64>,
    /// Its own revision.
    pub revision: String,
}

/// A test's switches.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Switches {
    /// Answers show an error in place of the variables.
    pub environment_error: bool,
    /// Updates do not end.
    pub hold_update: bool,
    /// The next update fails.
    pub fail_update: bool,
}

/// A function.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// `$LATEST` as it is shown.
    pub latest: Config,
    /// What invocations of `$LATEST` run; none while it is created.
    pub running: Option<Config>,
    /// The update in progress.
    pub update: Option<Update>,
    /// `Successful` or `Failed`, when none is in progress.
    pub failed: bool,
    /// Published versions.
    pub versions: BTreeMap<u64, Config>,
    /// The next version's number.
    pub next_version: u64,
    /// Aliases by name.
    pub aliases: BTreeMap<String, Alias>,
    /// Tags.
    pub tags: Map<String, Value>,
    /// Reserved concurrency.
    pub reserved: Option<u64>,
    /// Provisioned concurrency by qualifier.
    pub provisioned: BTreeMap<String, u64>,
    /// The ARN of the code-signing configuration.
    pub signing: Option<String>,
    /// A test's switches.
    #[serde(default)]
    pub switches: Switches,
}

/// What of a function an invocation or a read is about.
#[derive(Debug, Clone)]
pub struct Qualified<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The qualifier as asked for.
    pub qualifier: Option<String>,
}

impl Row for Function {
    const TABLE: &'static str = "functions";

    fn key(&self) -> &str {
        &self.name
    }
}

impl Function {
    /// The unqualified ARN.
    pub fn arn(&self, place: &Place) -> String {
        place.arn("lambda", &format!("function:{}", self.name))
    }

    /// Ends an update whose time has come; whether anything changed.
    pub fn settle(&mut self, now: i64) -> bool {
        let Some(update) = self.update.clone().filter(|update| update.ends <= now && !self.switches.hold_update) else {
            return false;
        };
        self.update = None;
        self.failed = update.fails;
        // The end of an update is a change of its own: whoever holds the revision of before is too late.
        self.latest.revision = clock::id();
        if !update.fails {
            self.running = Some(self.latest.clone());
        }
        true
    }

    /// Begins an update of `$LATEST`.
    pub fn begin(&mut self, update_ms: u64) {
        let now = clock::now_ms();
        self.latest.revision = clock::id();
        self.latest.modified = now;
        let fails = std::mem::take(&mut self.switches.fail_update);
        self.update = Some(Update { ends: now.saturating_add_unsigned(update_ms), fails });
    }

    /// 409 while an update is in progress.
    pub fn must_be_idle(&self, place: &Place) -> Result<(), ApiError> {
        if self.update.is_none() {
            return Ok(());
        }
        if self.running.is_none() {
            return Err(ApiError::conflict(
                "The operation cannot be performed at this time. The function is currently in the following state: Pending",
            ));
        }
        Err(ApiError::conflict(format!(
            "The operation cannot be performed at this time. An update is in progress for resource: {}",
            self.arn(place)
        )))
    }

    /// 412 if the caller read another revision.
    pub fn must_have_revision(&self, wanted: Option<&str>) -> Result<(), ApiError> {
        match_revision(wanted, &self.latest.revision)
    }

    /// The configuration that a qualifier names (`None` and `$LATEST`: the latest).
    pub fn qualified(&self, place: &Place, qualifier: Option<&str>) -> Result<Qualified<'_>, ApiError> {
        let latest = Qualified { config: &self.latest, qualifier: qualifier.map(str::to_owned) };
        let Some(name) = qualifier.filter(|name| *name != "$LATEST") else {
            return Ok(latest);
        };
        let version = match self.aliases.get(name) {
            Some(alias) if alias.version == "$LATEST" => return Ok(latest),
            Some(alias) => alias.version.as_str(),
            None => name,
        };
        let config = version.parse::<u64>().ok().and_then(|number| self.versions.get(&number));
        let missing = || ApiError::not_found(format!("Function not found: {}:{name}", self.arn(place)));
        Ok(Qualified { config: config.ok_or_else(missing)?, ..latest })
    }

    /// FunctionConfiguration. `qualified`: the ARN carries the qualifier.
    pub fn view(&self, place: &Place, which: &Qualified<'_>, layer_size: impl Fn(&str) -> u64) -> Value {
        let config = which.config;
        let mut arn = self.arn(place);
        if let Some(qualifier) = &which.qualifier {
            arn = format!("{arn}:{qualifier}");
        }
        let mut view = json!({
            "FunctionName": self.name, "FunctionArn": arn, "Role": config.role, "CodeSize": config.code.size,
            "Description": config.description, "Timeout": config.timeout, "MemorySize": config.memory,
            "LastModified": clock::lambda_time(config.modified), "CodeSha256": config.code.sha256, "Version": config.version,
            "RevisionId": config.revision, "PackageType": config.package, "Architectures": [config.architecture],
        });
        let Some(fields) = view.as_object_mut() else {
            return view;
        };
        let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
        if let Some(runtime) = &config.runtime {
            put("Runtime", json!(runtime));
        }
        if let Some(handler) = &config.handler {
            put("Handler", json!(handler));
        }
        if self.switches.environment_error && !config.variables.is_empty() {
            let message = "Lambda was unable to decrypt your environment variables because the KMS access was denied. \
                           Please check your KMS permissions.";
            put("Environment", json!({"Error": {"ErrorCode": "AccessDeniedException", "Message": message}}));
        } else if !config.variables.is_empty() {
            put("Environment", json!({"Variables": config.variables}));
        }
        if !config.layers.is_empty() {
            let layers = config.layers.iter().map(|arn| json!({"Arn": arn, "CodeSize": layer_size(arn)}));
            put("Layers", layers.collect());
        }
        for (name, value) in &config.rest {
            put(name, value.clone());
        }
        if config.version != "$LATEST" {
            put("State", json!("Active"));
            put("LastUpdateStatus", json!("Successful"));
            return view;
        }
        if self.running.is_none() && self.update.is_some() {
            put("State", json!("Pending"));
            put("StateReason", json!("The function is being created."));
            put("StateReasonCode", json!("Creating"));
        } else {
            put("State", json!("Active"));
        }
        if self.update.is_some() {
            put("LastUpdateStatus", json!("InProgress"));
        } else if self.failed {
            put("LastUpdateStatus", json!("Failed"));
            put("LastUpdateStatusReason", json!("The function update failed."));
            put("LastUpdateStatusReasonCode", json!("InternalError"));
        } else {
            put("LastUpdateStatus", json!("Successful"));
        }
        view
    }
}

/// 412 if the caller read another revision.
pub fn match_revision(wanted: Option<&str>, revision: &str) -> Result<(), ApiError> {
    if wanted.is_none_or(|wanted| wanted == revision) {
        return Ok(());
    }
    Err(ApiError::new(
        "PreconditionFailedException",
        412,
        "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest \
         Revision Id",
    ))
}
