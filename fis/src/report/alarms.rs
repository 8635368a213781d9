//! The states that alarms had.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::service::{ms, seconds};
use crate::{Error, Experiments};

/// Both kinds of alarms; only the first is described unless asked for.
const KINDS: [&str; 2] = ["MetricAlarm", "CompositeAlarm"];

impl Experiments {
    /// The states of each alarm between two moments, in ms since the Unix epoch, in their order; alarms that are not there are not
    /// in the answer.
    pub(super) async fn alarms(&self, names: &[&str], (from, until): (i64, i64)) -> Result<BTreeMap<String, Vec<String>>, Error> {
        let mut found = BTreeMap::new();
        for name in names {
            let input = json!({"AlarmNames": [name], "AlarmTypes": KINDS});
            let answer = self.cloudwatch.call("cloudwatch:DescribeAlarms", &input).await?;
            let state = |kind: &str| Some(answer.get(kind)?.get(0)?.get("StateValue")?.as_str()?.to_owned());
            let Some(now) = state("MetricAlarms").or_else(|| state("CompositeAlarms")) else { continue };
            let changes = self.changes(name, from).await?;
            found.insert((*name).to_owned(), states(&changes, until, now));
        }
        Ok(found)
    }

    /// When an alarm changed since a moment, from what to what.
    async fn changes(&self, name: &str, from: i64) -> Result<Vec<(i64, String, String)>, Error> {
        let input = json!({
            "AlarmName": name, "AlarmTypes": KINDS, "HistoryItemType": "StateUpdate", "StartDate": seconds(from),
            "ScanBy": "TimestampAscending",
        });
        let mut changes = Vec::new();
        let take = |page: &Value| {
            let items = page.get("AlarmHistoryItems").and_then(Value::as_array);
            changes.extend(items.into_iter().flatten().filter_map(change));
            true
        };
        self.cloudwatch.pages("cloudwatch:DescribeAlarmHistory", input, "NextToken", take).await?;
        Ok(changes)
    }
}

/// When it was, from what to what.
fn change(item: &Value) -> Option<(i64, String, String)> {
    let told: Value = serde_json::from_str(item.get("HistoryData")?.as_str()?).ok()?;
    let state = |side: &str| Some(told.get(side)?.get("stateValue")?.as_str()?.to_owned());
    Some((ms(item.get("Timestamp")?)?, state("oldState")?, state("newState")?))
}

/// The state at the beginning and every one after it, up to a moment: the first change says what was before it.
fn states(changes: &[(i64, String, String)], until: i64, now: String) -> Vec<String> {
    let first = changes.first().map_or(now, |(_, old, _)| old.clone());
    let later = changes.iter().filter(|(at, ..)| *at <= until).map(|(_, _, new)| new.clone());
    std::iter::once(first).chain(later).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_after_the_end_tells_only_what_was_before_it() {
        let change = |at: i64, old: &str, new: &str| (at, old.to_owned(), new.to_owned());
        let changes = [change(5, "OK", "ALARM"), change(9, "ALARM", "OK")];
        let of = |changes: &[_], until| states(changes, until, "INSUFFICIENT_DATA".to_owned()).join(" ");
        assert_eq!(of(&changes, 20), "OK ALARM OK");
        assert_eq!(of(&changes, 6), "OK ALARM");
        assert_eq!(of(&changes, 4), "OK");
        assert_eq!(of(&[], 4), "INSUFFICIENT_DATA");
    }
}
