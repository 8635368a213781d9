//! What an experiment's states look like: one line a change, and where a terminal shows it a live part below them.

use std::io::IsTerminal;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use faultlayer_fis::{Pulse, View};

use super::live::{Live, Row};

/// Changes as lines on standard error.
pub struct Screen {
    /// Whether standard error is a terminal whose lines may be written anew.
    terminal: bool,
    live: Option<Live>,
    shown: Vec<String>,
    /// When figures were last a line of their own, where there is no terminal.
    said: Option<Instant>,
}

/// Without a terminal figures are said so often.
const LINE: Duration = Duration::from_secs(60);

impl Screen {
    pub fn new() -> Self {
        let plain = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var("TERM").is_ok_and(|kind| kind == "dumb");
        let terminal = std::io::stderr().is_terminal() && !plain("NO_COLOR") && !dumb;
        Self { terminal, live: None, shown: Vec::new(), said: None }
    }

    fn live(&mut self) -> Option<&mut Live> {
        self.terminal.then(|| self.live.get_or_insert_with(Live::new))
    }

    fn line(&mut self, line: &str) {
        match self.live() {
            Some(live) => live.line(line),
            None => eprintln!("{line}"),
        }
    }

    pub fn show(&mut self, view: &View) {
        for line in lines(view) {
            if !self.shown.contains(&line) {
                self.line(&line);
                self.shown.push(line);
            }
        }
        if let Some(live) = self.live() {
            live.say(Row::State, &now(view));
            live.functions(view.functions().unwrap_or_default(), view.names().len() as u64);
        }
    }

    /// What is seen of calls and faults.
    pub fn figures(&mut self, pulse: &Pulse) {
        if let Some(live) = self.live() {
            live.say(Row::Injected, &pulse.injections());
            live.errors(&pulse.errors(), pulse.latest.is_some_and(|(_, failed)| failed > 0));
            return;
        }
        let said = pulse.said();
        if self.said.is_none_or(|said| said.elapsed() >= LINE) && !said.is_empty() {
            eprintln!("  {said}");
            self.said = Some(Instant::now());
        }
    }

    /// What the load has called so far; of no line of its own.
    pub fn load(&mut self, said: &str) {
        if let Some(live) = self.live() {
            live.say(Row::Load, said);
        }
    }

    /// Why nothing more is seen of them; said once.
    pub fn without_figures(&mut self, why: &str) {
        if let Some(live) = self.live() {
            live.say(Row::Injected, "");
            live.errors("", false);
        }
        self.line(&format!("  no figures meanwhile: {why}"));
    }

    /// Takes the live part off, until there is something to show again.
    pub fn pause(&mut self) {
        self.live = None;
    }

    pub fn end(mut self) {
        self.pause();
    }
}

/// What has happened so far: each line is said once.
fn lines(view: &View) -> Vec<String> {
    let mut lines = vec![with(format!("experiment  {}", view.state), &view.reason)];
    for action in view.actions.iter().filter(|action| action.state != "pending") {
        lines.push(with(format!("  {:<10}{}", action.name, action.state), &action.reason));
    }
    for step in view.automation.iter().flat_map(|execution| &execution.steps).filter(|step| step.status != "Pending") {
        let said = step.outputs.get("Estimate").cloned().unwrap_or_default();
        lines.push(with(format!("    {:<10}{}", step.name, step.status), &said));
    }
    lines
}

fn with(line: String, said: &str) -> String {
    if said.is_empty() { line } else { format!("{line}: {said}") }
}

/// What is going on at this moment.
fn now(view: &View) -> String {
    let mut parts = vec![view.state.clone()];
    if let Some(step) = view.step() {
        parts.push(step.to_owned());
    }
    parts.extend(view.functions().map(|count| match view.aim.functions.len() {
        0 => format!("attached to {}", functions(count)),
        all => format!("attached to {count} of {}", functions(all as u64)),
    }));
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
    if let Some(left) = view.hold_ends.map(|end| end.saturating_sub_unsigned(seconds)).filter(|left| *left > 0) {
        parts.push(format!("{}:{:02} left", left / 60, left % 60));
    }
    parts.join(" · ")
}

fn functions(count: u64) -> String {
    if count == 1 { "1 function".to_owned() } else { format!("{count} functions") }
}

/// The end of an experiment: its state, and each function's.
pub fn ending(view: &View) -> String {
    let mut text = with(format!("experiment {}: {}", view.id, view.state), &view.reason);
    text.push('\n');
    if let Some(execution) = view.automation.as_ref().filter(|execution| !execution.failure.is_empty()) {
        let failure = execution.failure.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default().trim();
        text.push_str(&format!("{}: {failure}\n", execution.document));
    }
    for (name, ending) in view.endings() {
        text.push_str(&format!("  {name}: {ending}\n"));
    }
    if let Some(report) = view.report() {
        text.push_str(&crate::automation::reported(&report));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use faultlayer_fis::{ActionView, Aim};
    use faultlayer_ssm_documents::{Execution, Step};

    use super::*;

    fn view() -> View {
        View {
            id: "EXP1".into(),
            template: "EXT1".into(),
            state: "stopped".into(),
            reason: "Experiment halted by stop condition.".into(),
            started: None,
            ended: None,
            actions: vec![ActionView {
                name: "faults".into(),
                id: "aws:ssm:start-automation-execution".into(),
                state: "stopped".into(),
                reason: String::new(),
                started: Some(1),
            }],
            aim: Aim::default(),
            automation: None,
            hold_ends: None,
        }
    }

    #[test]
    fn states_and_reasons_are_lines() {
        assert_eq!(lines(&view()), ["experiment  stopped: Experiment halted by stop condition.", "  faults    stopped"]);
        assert_eq!(ending(&view()), "experiment EXP1: stopped: Experiment halted by stop condition.\n");
    }

    #[test]
    fn how_many_of_the_functions_that_the_action_names_are_attached_is_said() {
        let outputs = BTreeMap::from([("Functions".to_owned(), "1".to_owned())]);
        let step = Step { name: "Attach".into(), status: "Success".into(), outputs, ..Step::default() };
        let automation = Some(Execution { steps: vec![step], ..Execution::default() });
        let running = View { automation, state: "running".into(), ..view() };
        assert_eq!(now(&running), "running · attached to 1 function");
        let aim = Aim { functions: vec!["a".into(), "b".into()], ..Aim::default() };
        let named = View { aim, ..running };
        assert_eq!(now(&named), "running · attached to 1 of 2 functions");
    }

    #[test]
    fn time_left_counts_down_to_the_end_of_the_hold() {
        let later = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 61;
        let text = now(&View { hold_ends: i64::try_from(later).ok(), state: "running".into(), ..view() });
        assert!(text.starts_with("running · 1:0") && text.ends_with(" left"), "{text}");
    }
}
