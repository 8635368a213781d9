//! Hooks: a test says what shall happen to the Nth matching API call. Counts and chooses; the door carries out.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::principal::Principal;

/// One thing to do to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// No effect, a service error.
    Fail,
    /// The effect, then a service error.
    FailAfter,
    /// No effect, throttled.
    Throttle,
    /// No effect, no answer.
    Drop,
    /// The effect, no answer.
    DropAfter,
    /// Waits for the release, then goes on.
    Hang,
    /// The effect, then waits for the release.
    HangAfter,
    /// Cancels the calling execution, then goes on.
    Cancel,
    /// The effect, then cancels the calling execution.
    CancelAfter,
    /// Kills the calling script; no effect.
    Kill,
    /// The effect, then kills the calling script.
    KillAfter,
}

/// Which calls a hook counts. Every field that stands must hold.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Matcher {
    #[serde(skip_serializing_if = "Option::is_none")]
    execution: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<String>,
}

/// What `fail` answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorSpec {
    /// The error's shape name.
    pub code: String,
    /// The HTTP status.
    pub status: u16,
    /// The message.
    #[serde(default)]
    pub message: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(Action),
    More(Vec<Action>),
}

/// A hook as a test sets it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HookSpec {
    #[serde(rename = "match", default)]
    matcher: Matcher,
    #[serde(default = "one")]
    nth: u64,
    #[serde(default = "one")]
    times: u64,
    #[serde(rename = "do")]
    actions: OneOrMore,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorSpec>,
}

fn one() -> u64 {
    1
}

#[derive(Debug)]
struct Hook {
    id: u64,
    spec: HookSpec,
    seen: u64,
    fired: u64,
    hanging: usize,
    /// Becomes true when what hangs may go.
    release: watch::Sender<bool>,
}

/// A hook that acts on this call.
#[derive(Debug, Clone)]
pub struct Fired {
    /// The hook's id.
    pub id: u64,
    /// What to do.
    pub actions: Vec<Action>,
    /// What `fail` answers.
    pub error: Option<ErrorSpec>,
    release: watch::Receiver<bool>,
}

/// All hooks.
#[derive(Debug, Default)]
pub struct Board {
    hooks: Mutex<(u64, Vec<Hook>)>,
}

impl Matcher {
    fn holds(&self, who: &Principal, service: &str, operation: &str, resource: &str) -> bool {
        let is = |wanted: &Option<String>, given: Option<&str>| wanted.as_deref().is_none_or(|wanted| Some(wanted) == given);
        let by_automation = who.execution.is_some() || self.caller.as_deref() == Some("any");
        // A resource is named by its ARN or by the last part of it.
        let named = self
            .resource
            .as_deref()
            .is_none_or(|wanted| resource == wanted || resource.rsplit([':', '/']).next() == Some(wanted));
        by_automation
            && named
            && is(&self.execution, who.execution.as_deref())
            && is(&self.document, who.document.as_deref())
            && is(&self.service, Some(service))
            && is(&self.operation, Some(operation))
    }
}

impl Board {
    fn locked<T>(&self, work: impl FnOnce(&mut (u64, Vec<Hook>)) -> T) -> T {
        work(&mut self.hooks.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sets a hook; its id.
    pub fn set(&self, spec: HookSpec) -> u64 {
        self.locked(|(last, hooks)| {
            *last += 1;
            let (release, _) = watch::channel(false);
            hooks.push(Hook { id: *last, spec, seen: 0, fired: 0, hanging: 0, release });
            *last
        })
    }

    /// Every hook with its counts, as JSON.
    pub fn list(&self) -> serde_json::Value {
        self.locked(|(_, hooks)| {
            let rows = hooks.iter().map(|hook| {
                let mut row = serde_json::to_value(&hook.spec).unwrap_or_default();
                if let Some(row) = row.as_object_mut() {
                    row.insert("id".into(), hook.id.into());
                    row.insert("seen".into(), hook.seen.into());
                    row.insert("fired".into(), hook.fired.into());
                    row.insert("hanging".into(), hook.hanging.into());
                }
                row
            });
            rows.collect()
        })
    }

    /// Lets go what hangs at one hook or at all; how many calls.
    pub fn release(&self, id: Option<u64>) -> usize {
        self.locked(|(_, hooks)| {
            let chosen = hooks.iter_mut().filter(|hook| id.is_none_or(|id| hook.id == id));
            chosen.fold(0, |count, hook| {
                hook.release.send_replace(true);
                let (next, _) = watch::channel(false);
                hook.release = next;
                count + std::mem::take(&mut hook.hanging)
            })
        })
    }

    /// Removes every hook and lets go what hangs.
    pub fn clear(&self) {
        self.release(None);
        self.locked(|(_, hooks)| hooks.clear());
    }

    /// Counts a call; the first hook that acts on it.
    pub fn claim(&self, who: &Principal, service: &str, operation: &str, resource: &str) -> Option<Fired> {
        self.locked(|(_, hooks)| {
            let mut chosen = None;
            for hook in hooks.iter_mut() {
                if !hook.spec.matcher.holds(who, service, operation, resource) {
                    continue;
                }
                hook.seen += 1;
                let last = if hook.spec.times == 0 { u64::MAX } else { hook.spec.nth.saturating_add(hook.spec.times - 1) };
                if chosen.is_none() && (hook.spec.nth..=last).contains(&hook.seen) {
                    hook.fired += 1;
                    let actions = match &hook.spec.actions {
                        OneOrMore::One(action) => vec![*action],
                        OneOrMore::More(actions) => actions.clone(),
                    };
                    if actions.iter().any(|action| matches!(action, Action::Hang | Action::HangAfter)) {
                        hook.hanging += 1;
                    }
                    let error = hook.spec.error.clone();
                    chosen = Some(Fired { id: hook.id, actions, error, release: hook.release.subscribe() });
                }
            }
            chosen
        })
    }
}

impl Fired {
    /// Waits until the hook is released (or gone).
    pub async fn released(&mut self) {
        // An error means that the hook was removed, which lets go as well.
        let _gone = self.release.wait_for(|released| *released).await.is_err();
    }
}
