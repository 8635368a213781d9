//! What an experiment is doing, as people and scripts are shown it.

use faultlayer_ssm_documents::Execution;
use serde_json::{Value, json};

use crate::Aim;

/// An experiment as it is now.
#[derive(Debug, Clone)]
pub struct View {
    /// Its id.
    pub id: String,
    /// The template it was started from.
    pub template: String,
    /// As FIS names it: `pending`, `initiating`, `running`, `completed`, `stopping`, `stopped`, `failed`, `cancelled`.
    pub state: String,
    /// Why it is in this state, as FIS says it.
    pub reason: String,
    /// When it began, in seconds since the Unix epoch.
    pub started: Option<i64>,
    /// When it ended, in milliseconds since the Unix epoch.
    pub ended: Option<i64>,
    /// Its actions, by name.
    pub actions: Vec<ActionView>,
    /// The functions that the action names, or their tag.
    pub aim: Aim,
    /// Automation's side of its action, once that runs.
    pub automation: Option<Execution>,
    /// When the faults end by themselves, in seconds since the Unix epoch; none before the hold begins.
    pub hold_ends: Option<i64>,
}

/// One action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionView {
    /// Its name in the template.
    pub name: String,
    /// As in `aws:ssm:start-automation-execution`.
    pub id: String,
    /// `pending`, `initiating`, `running`, `completed`, `cancelled`, `stopping`, `stopped`, `failed`, `skipped`.
    pub state: String,
    /// Why.
    pub reason: String,
    /// When it began, in seconds since the Unix epoch.
    pub started: Option<i64>,
}

impl View {
    /// Whether it has ended.
    #[must_use]
    pub fn is_final(&self) -> bool {
        ["completed", "stopped", "failed", "cancelled"].contains(&self.state.as_str())
    }

    /// Whether it did all that it was to do.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.state == "completed"
    }

    /// The running step of the automation.
    #[must_use]
    pub fn step(&self) -> Option<&str> {
        let steps = &self.automation.as_ref()?.steps;
        steps.iter().rfind(|step| step.status == "InProgress").map(|step| step.name.as_str())
    }

    /// On how many functions the faults are; none before they are on all of them.
    #[must_use]
    pub fn functions(&self) -> Option<u64> {
        let steps = &self.automation.as_ref()?.steps;
        steps.iter().find(|step| step.name == "Attach")?.outputs.get("Functions")?.parse().ok()
    }

    /// The roll-back's report, once there is one.
    #[must_use]
    pub fn report(&self) -> Option<Value> {
        let outputs = &self.automation.as_ref()?.outputs;
        serde_json::from_str(outputs.get("Rollback.Report").or_else(|| outputs.get("Restore.Report"))?).ok()
    }

    /// What became of each function that the action names: `restored`, `gone`, or why it is not restored. Empty without a report.
    #[must_use]
    pub fn endings(&self) -> Vec<(String, String)> {
        let Some(report) = self.report() else { return Vec::new() };
        self.names()
            .into_iter()
            .map(|name| (name.clone(), ending(&report, &name).unwrap_or_else(|| "restored".to_owned())))
            .collect()
    }

    /// A function's configuration beside what it was, in words.
    #[must_use]
    pub fn configuration(&self, name: &str) -> String {
        let Some(report) = self.report() else {
            return if self.is_final() { "not known: there is no roll-back's report" } else { "the experiment goes on" }
                .to_owned();
        };
        let kept: Vec<&str> = report
            .get("changed")
            .and_then(|changed| changed.get(name))
            .map(|notes| notes.as_array().map_or_else(|| notes.as_str().into_iter().collect(), |all| texts(all)))
            .unwrap_or_default();
        match ending(&report, name) {
            Some(ending) => ending,
            None if kept.is_empty() => "as before".to_owned(),
            None => format!("as before, but for what its owner changed meanwhile: {}", kept.join(", ")),
        }
    }

    /// The functions that the action names, each by its bare name; empty for a tag.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        bare(&self.aim.functions)
    }

    /// For scripts.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let actions: Vec<Value> = self
            .actions
            .iter()
            .map(|one| json!({"name": one.name, "actionId": one.id, "state": one.state, "reason": one.reason}))
            .collect();
        let automation = self.automation.as_ref().map(
            |execution| json!({"id": execution.id, "document": execution.document, "status": execution.status, "failure": execution.failure, "step": self.step()}),
        );
        json!({
            "id": self.id, "template": self.template, "state": self.state, "reason": self.reason, "actions": actions,
            "automation": automation, "functions": self.functions(), "holdEnds": self.hold_ends, "report": self.report(),
            "endings": self.endings().into_iter().collect::<std::collections::BTreeMap<_, _>>(),
        })
    }
}

/// The bare names of functions that are given by name or ARN, with a qualifier or without.
pub(crate) fn bare(given: &[String]) -> Vec<String> {
    let bare = |target: &String| {
        let name = target.split(":function:").last().unwrap_or(target);
        name.split(':').next().unwrap_or(name).to_owned()
    };
    given.iter().map(bare).collect()
}

/// What a roll-back's report says of a function that is not simply restored.
fn ending(report: &Value, name: &str) -> Option<String> {
    if let Some(reason) = report.get("left").and_then(|left| left.get(name)?.as_str()) {
        return Some(format!("not restored: {reason}"));
    }
    let gone = report.get("gone").and_then(Value::as_array).is_some_and(|gone| texts(gone).contains(&name));
    gone.then(|| "gone".to_owned())
}

fn texts(all: &[Value]) -> Vec<&str> {
    all.iter().filter_map(Value::as_str).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use faultlayer_ssm_documents::Step;

    use super::*;

    #[test]
    fn step_functions_and_report_come_from_the_automation() {
        let step = |name: &str, status: &str, output: (&str, &str)| Step {
            name: name.into(),
            status: status.into(),
            outputs: BTreeMap::from([(output.0.to_owned(), output.1.to_owned())]),
            ..Step::default()
        };
        let view = View {
            id: "EXP1".into(),
            template: "EXT1".into(),
            state: "running".into(),
            reason: String::new(),
            started: None,
            ended: None,
            actions: Vec::new(),
            aim: Aim::default(),
            automation: Some(Execution {
                steps: vec![step("Attach", "Success", ("Functions", "3")), step("Hold", "InProgress", ("x", "y"))],
                outputs: BTreeMap::from([("Rollback.Report".into(), r#"{"restored":3}"#.into())]),
                ..Execution::default()
            }),
            hold_ends: None,
        };
        assert_eq!(view.step(), Some("Hold"));
        assert_eq!(view.functions(), Some(3));
        assert_eq!(view.report().unwrap()["restored"], 3);
        assert!(!view.is_final());
        let functions = vec!["a".into(), "arn:aws:lambda:us-east-1:123456789012:function:b".into(), "c".into()];
        let view = View { aim: Aim { functions, ..Aim::default() }, ..view };
        let mut ended = view.clone();
        if let Some(execution) = &mut ended.automation {
            execution.outputs.insert("Rollback.Report".into(), r#"{"restored":1,"gone":["c"],"left":{"b":"why"}}"#.into());
        }
        let endings = ended.endings();
        let texts: Vec<_> = endings.iter().map(|(name, ending)| format!("{name}: {ending}")).collect();
        assert_eq!(texts, ["a: restored", "b: not restored: why", "c: gone"]);
        if let Some(execution) = &mut ended.automation {
            let report = r#"{"gone":["c"],"left":{"b":"why"},"changed":{"d":["variable A added","field Timeout"]}}"#;
            execution.outputs.insert("Rollback.Report".into(), report.into());
        }
        let said = ["a", "b", "c", "d"].map(|name| ended.configuration(name));
        let kept = "as before, but for what its owner changed meanwhile: variable A added, field Timeout";
        assert_eq!(said, ["as before", "not restored: why", "gone", kept]);
    }
}
