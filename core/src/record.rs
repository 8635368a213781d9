//! The log records: one JSON line per drawn fault, and Faultlayer's own. Writing them is [`crate::rim`]'s business.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value, json};

use crate::decision::Reason;
use crate::plan::PlanError;
use crate::text::printable;
use crate::timestamp::Timestamp;

/// What became of a drawn fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It happened.
    Injected,
    /// It did not, for the record's reason.
    Skipped,
    /// It would have, but the plan is a dry run.
    DryRun,
}

/// One drawn fault of one invocation.
#[derive(Clone, Debug)]
pub struct Record {
    /// When its fate became certain.
    pub timestamp: Timestamp,
    /// The plan's `experiment`.
    pub experiment: Option<String>,
    /// The fault's id.
    pub fault: String,
    /// The fault's kind.
    pub kind: &'static str,
    /// What became of it.
    pub action: Action,
    /// Why it was skipped.
    pub reason: Option<Reason>,
    /// The invocation's request id.
    pub request_id: String,
    /// Draw 0.
    pub sample: f64,
    /// The rate that the sample was held against.
    pub rate: f64,
    /// The fields of its kind.
    pub details: Map<String, Value>,
    /// It was the environment's first invocation.
    pub cold_start: bool,
    /// The plan's `metrics.namespace`: where an injection counts as a metric.
    pub namespace: Option<String>,
    /// It is an injection that shall stand in its invocation's trace.
    pub traced: bool,
}

/// The value of `source` in every record.
pub const SOURCE: &str = "faultlayer";

impl Record {
    /// The line, without a newline.
    #[must_use]
    pub fn to_line(&self) -> String {
        printable(&serde_json::to_string(self).unwrap_or_default()).into_owned()
    }
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("timestamp", &self.timestamp.to_rfc3339())?;
        map.serialize_entry("level", if self.action == Action::Injected { "WARN" } else { "INFO" })?;
        map.serialize_entry("source", SOURCE)?;
        if let Some(experiment) = &self.experiment {
            map.serialize_entry("experiment", experiment)?;
        }
        map.serialize_entry("fault", &self.fault)?;
        map.serialize_entry("kind", self.kind)?;
        map.serialize_entry("action", &self.action)?;
        if let Some(reason) = &self.reason {
            map.serialize_entry("reason", reason)?;
        }
        map.serialize_entry("requestId", &self.request_id)?;
        map.serialize_entry("sample", &self.sample)?;
        map.serialize_entry("rate", &self.rate)?;
        for (name, value) in &self.details {
            map.serialize_entry(name, value)?;
        }
        map.serialize_entry("coldStart", &self.cold_start)?;
        if let Some(namespace) = self.namespace.as_deref().filter(|_| self.action == Action::Injected) {
            // A record can stand for many calls.
            map.serialize_entry(INJECTIONS, self.details.get("calls").unwrap_or(&Value::from(1)))?;
            map.serialize_entry("_aws", &self.metadata(namespace))?;
        }
        map.end()
    }
}

/// The metric that counts injections.
const INJECTIONS: &str = "injections";

impl Record {
    /// What makes the record a document of CloudWatch's embedded metric format: which of its members are metrics, and by what
    /// they are told apart.
    fn metadata(&self, namespace: &str) -> Value {
        let mut metrics = vec![json!({"Name": INJECTIONS, "Unit": "Count"})];
        if self.details.get("delay_ms").is_some_and(Value::is_number) {
            metrics.push(json!({"Name": "delay_ms", "Unit": "Milliseconds"}));
        }
        let by = |own: &str| Value::from_iter(self.experiment.as_ref().map(|_| "experiment").into_iter().chain([own]));
        json!({
            "Timestamp": self.timestamp.0.div_euclid(1000),
            "CloudWatchMetrics": [{"Namespace": namespace, "Dimensions": [by("kind"), by("fault")], "Metrics": metrics}],
        })
    }
}

/// Why Faultlayer does nothing, or what went wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnReason {
    /// `FAULTLAYER_PLAN` is not set.
    PlanMissing,
    /// `FAULTLAYER_DISABLED` is set.
    Disabled,
    /// The plan's time is over.
    PlanExpired,
    /// The plan's source could not be read.
    PlanUnreadable,
    /// The plan has problems.
    PlanInvalid,
    /// The plan does not say when it ends.
    PlanWithoutExpiry,
    /// The plan's source is of no known form.
    PlanSourceUnknown,
    /// A plan's source that could not be read, or had no plan that holds, has one again.
    PlanReadable,
    /// How often a plan's source is to be read is no such number.
    RefreshInvalid,
    /// Something is wrong in Faultlayer itself.
    InternalError,
    /// Holding patterns against an event took more than its budget, so that some fault was not drawn.
    MatchBudgetSpent,
    /// A call belongs to no invocation that is known, so that it was not hit.
    UnattributedCall,
    /// Connections, or some of them, cannot be hit here.
    NetworkUnavailable,
    /// The runtime client is none that can be instrumented (Java).
    ClientUnknown,
}

impl OwnReason {
    /// Why a plan does not hold.
    #[must_use]
    pub fn of(error: &PlanError) -> Self {
        if error.code == "plan_without_expiry" { Self::PlanWithoutExpiry } else { Self::PlanInvalid }
    }

    const fn level(self) -> &'static str {
        match self {
            Self::PlanMissing | Self::Disabled | Self::PlanExpired | Self::PlanReadable => "INFO",
            _ => "ERROR",
        }
    }

    /// The line of Faultlayer's own record, without a newline.
    #[must_use]
    pub fn to_line(self, timestamp: Timestamp, message: &str) -> String {
        let mut line = Map::new();
        line.insert("timestamp".into(), timestamp.to_rfc3339().into());
        line.insert("level".into(), self.level().into());
        line.insert("source".into(), SOURCE.into());
        line.insert("reason".into(), serde_json::to_value(self).unwrap_or(Value::Null));
        line.insert("message".into(), message.into());
        printable(&Value::Object(line).to_string()).into_owned()
    }
}
