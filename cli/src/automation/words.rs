//! An execution, its steps and a roll-back's report, in words and as JSON.

use std::time::Duration;

use faultlayer_core::timestamp::Timestamp;
use faultlayer_ssm_documents::{Execution, Step};

/// A step in one line: name, status, and what it has to say; of a hold, how long it still lasts and for which functions.
pub fn line(execution: &Execution, step: &Step, now: Timestamp) -> String {
    let holds = step.status == "InProgress" && step.sleeps.is_some_and(|sleeps| sleeps > PAUSE);
    let said = match (holds, step.outputs.get("Estimate")) {
        (true, _) => format!("until {}: {}", hold_end(execution, now).unwrap_or_default(), targets(execution)),
        (false, Some(estimate)) => estimate.clone(),
        (false, None) => brief(&step.failure),
    };
    format!("  {:<10} {:<12} {said}", step.name, step.status).trim_end().to_owned()
}

/// A sleep of this length or less is no hold.
const PAUSE: Duration = Duration::from_secs(1);

/// When the hold that goes on ends, and how much of it is left.
pub fn hold_end(execution: &Execution, now: Timestamp) -> Option<String> {
    let step = execution.steps.iter().find(|step| step.status == "InProgress" && step.sleeps.is_some())?;
    let lasts = i64::try_from(step.sleeps?.as_micros()).ok()?;
    let end = Timestamp(Timestamp::parse(&step.started)?.0.checked_add(lasts)?).to_rfc3339().replace(".000Z", "Z");
    Some(format!("{end}{}", left(&end, now)))
}

/// ` (8 min 20 s left)`, or that it is over; nothing for what is no time.
pub fn left(until: &str, now: Timestamp) -> String {
    let Some(end) = Timestamp::parse(until) else { return String::new() };
    let seconds = end.micros_since(now) / 1_000_000;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        _ if seconds <= 0 => " (over)".to_owned(),
        (0, 0, seconds) => format!(" ({seconds} s left)"),
        (0, minutes, seconds) => format!(" ({minutes} min {seconds} s left)"),
        (hours, minutes, _) => format!(" ({hours} h {minutes} min left)"),
    }
}

/// The functions an execution was started for.
pub fn targets(execution: &Execution) -> String {
    let given = |name: &str| execution.parameters.get(name).filter(|value| !value.is_empty() && *value != "[]");
    match (given("FunctionNames"), given("TagKey"), given("TagValue")) {
        (Some(names), _, _) => names.split(',').collect::<Vec<_>>().join(", "),
        (None, Some(key), value) => format!("every function with the tag `{key}` = `{}`", value.map_or("", String::as_str)),
        _ => "its functions".to_owned(),
    }
}

/// The last line of a failure: scripts fail with their whole traceback. Where a role is missing, what to do about it.
fn brief(failure: &str) -> String {
    let line = failure.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    let rightless = ["NoCredentials", "Unable to locate credentials"].iter().any(|sign| line.contains(sign));
    let next = if rightless {
        "; the automation has no role: name one with `--role ARN`, or register it with `--register --role ARN`"
    } else {
        ""
    };
    format!("{line}{next}")
}

/// The end of an execution: status, why it failed, and the roll-back's report.
pub fn ending(execution: &Execution) -> String {
    if !execution.is_final() {
        return String::new();
    }
    let mut text = format!("{}: {}", execution.document, execution.status);
    if !execution.failure.is_empty() {
        text.push_str(": ");
        text.push_str(&brief(&execution.failure));
    }
    text.push('\n');
    let read = |name: &str| execution.outputs.get(name).and_then(|text| serde_json::from_str(text).ok());
    for report in ["Restore.Report", "Rollback.Report"].into_iter().filter_map(read) {
        text.push_str(&reported(&report));
    }
    if let Some(report) = read("Replace.Report") {
        text.push_str(&changed(&report));
    }
    text
}

/// A number of a roll-back's report.
pub fn count(report: &serde_json::Value, key: &str) -> u64 {
    report.get(key).and_then(serde_json::Value::as_u64).unwrap_or(0)
}

/// A list of texts, or one text, in one line.
pub fn list(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Array(items) => items.iter().filter_map(serde_json::Value::as_str).collect::<Vec<_>>().join(", "),
        other => other.as_str().unwrap_or_default().to_owned(),
    }
}

/// A roll-back's report in words.
pub fn reported(report: &serde_json::Value) -> String {
    let mut text = format!("restored {}, unchanged {}", count(report, "restored"), count(report, "unchanged"));
    let empty = serde_json::Map::new();
    let map = |key: &str| report.get(key).and_then(serde_json::Value::as_object).unwrap_or(&empty);
    if let Some(gone) = report.get("gone").map(list).filter(|gone| !gone.is_empty()) {
        text.push_str(&format!("\n  gone: {gone}"));
    }
    for (name, notes) in map("changed") {
        text.push_str(&format!("\n  {name}: kept what its owner changed: {}", list(notes)));
    }
    for (name, reason) in map("left") {
        text.push_str(&format!("\n  {name}: not restored: {}", list(reason)));
    }
    text.push('\n');
    text
}

/// The report of a change in words.
fn changed(report: &serde_json::Value) -> String {
    let many = |key: &str| report.get(key).and_then(serde_json::Value::as_array).map_or(0, Vec::len);
    let mut text = format!("changed {}, unchanged {}", many("changed"), many("unchanged"));
    for key in ["changed", "unchanged"].into_iter().filter(|key| many(key) > 0) {
        text.push_str(&format!("\n  {key}: {}", report.get(key).map(list).unwrap_or_default()));
    }
    if let Some(source) = report.get("source").map(list) {
        text.push_str(&format!("\n  at `{source}`, which functions read again by themselves"));
    }
    for (name, reason) in report.get("left").and_then(serde_json::Value::as_object).into_iter().flatten() {
        text.push_str(&format!("\n  {name}: not changed: {}", list(reason)));
    }
    text.push('\n');
    text
}

pub fn json(execution: &Execution) -> serde_json::Value {
    let steps = execution.steps.iter().map(
        |step| serde_json::json!({"name": step.name, "status": step.status, "failure": step.failure, "outputs": step.outputs}),
    );
    serde_json::json!({
        "id": execution.id, "document": execution.document, "status": execution.status, "started": execution.started,
        "failure": execution.failure, "steps": steps.collect::<Vec<_>>(), "outputs": execution.outputs,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_names_what_was_kept_and_what_is_left() {
        let report = serde_json::json!({
            "restored": 2, "unchanged": 1, "gone": ["g"], "left": {"l": "why"}, "changed": {"c": ["variable A added", "field Timeout"]},
        });
        assert_eq!(
            reported(&report),
            "restored 2, unchanged 1\n  gone: g\n  c: kept what its owner changed: variable A added, field Timeout\n  l: not restored: why\n"
        );
    }

    #[test]
    fn a_change_names_every_function_and_what_became_of_it() {
        let report = serde_json::json!({
            "changed": ["a", "b"], "unchanged": ["c"], "left": {"l": "why"}, "source": "parameter:/plan",
        });
        assert_eq!(
            changed(&report),
            "changed 2, unchanged 1\n  changed: a, b\n  unchanged: c\n  at `parameter:/plan`, which functions read again by themselves\n  \
             l: not changed: why\n"
        );
    }

    #[test]
    fn of_a_traceback_the_last_line_is_shown() {
        assert_eq!(brief("Traceback:\n  File x\nRefused: nothing was changed\n"), "Refused: nothing was changed");
        assert_eq!(brief(""), "");
    }

    #[test]
    fn what_is_left_of_a_time_is_said_in_two_units() {
        let now = Timestamp::parse("2026-11-23T12:00:00Z").unwrap();
        let said = |until: &str| left(until, now);
        assert_eq!(said("2026-11-23T12:08:20Z"), " (8 min 20 s left)");
        assert_eq!(said("2026-11-23T14:01:20Z"), " (2 h 1 min left)");
        assert_eq!(said("2026-11-23T12:00:09Z"), " (9 s left)");
        assert_eq!(said("2026-11-23T11:00:00Z"), " (over)");
        assert_eq!(said("never"), "");
    }

    #[test]
    fn where_the_automation_has_no_role_the_next_step_is_said() {
        assert!(brief("NoCredentialsError: Unable to locate credentials").ends_with("with `--register --role ARN`"));
    }
}
