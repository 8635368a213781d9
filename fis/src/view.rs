//! What an experiment is doing, as people and scripts are shown it.

use faultlayer_ssm_documents::Execution;
use serde_json::{Value, json};

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
    /// Its actions, by name.
    pub actions: Vec<ActionView>,
    /// The functions that the action names; empty for a tag.
    pub targets: Vec<String>,
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
        let left = |name: &str| report.get("left")?.get(name)?.as_str();
        let gone: Vec<&str> =
            report.get("gone").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let ending = |name: &str| match left(name) {
            Some(reason) => format!("not restored: {reason}"),
            None if gone.contains(&name) => "gone".to_owned(),
            None => "restored".to_owned(),
        };
        // A name or an ARN; the report has names.
        let names = self.targets.iter().map(|target| target.split(":function:").last().unwrap_or(target));
        names.map(|name| (name.to_owned(), ending(name))).collect()
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
            actions: Vec::new(),
            targets: Vec::new(),
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
        let view =
            View { targets: vec!["a".into(), "arn:aws:lambda:us-east-1:123456789012:function:b".into(), "c".into()], ..view };
        let mut ended = view.clone();
        if let Some(execution) = &mut ended.automation {
            execution.outputs.insert("Rollback.Report".into(), r#"{"restored":1,"gone":["c"],"left":{"b":"why"}}"#.into());
        }
        let endings = ended.endings();
        let texts: Vec<_> = endings.iter().map(|(name, ending)| format!("{name}: {ending}")).collect();
        assert_eq!(texts, ["a: restored", "b: not restored: why", "c: gone"]);
    }
}
