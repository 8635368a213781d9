//! Watching an execution: its steps as they go, on standard error, its end on standard output; and what an interruption
//! leaves running.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use faultlayer_ssm_documents::{Documents, Execution};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::signal::unix::{SignalKind, signal};

use super::{Common, Start, now, words};

/// How an execution is followed.
pub struct Following {
    /// To its end.
    pub wait: bool,
    /// An interruption cancels it.
    pub cancel: bool,
}

impl Start {
    pub(super) fn following(&self) -> Following {
        Following { wait: !self.no_wait, cancel: self.cancel_on_interrupt }
    }
}

/// What became of following.
pub enum Ended {
    /// The execution has ended.
    Done(Execution),
    /// It was only started.
    NotAwaited,
    /// Somebody interrupted the command; the execution goes on.
    Interrupted,
}

impl Ended {
    /// 0 for an end that is a success, 1 for another one, 130 as a shell says it of an interruption.
    pub fn status(&self) -> ExitCode {
        match self {
            Self::Done(execution) if !execution.is_success() => ExitCode::FAILURE,
            Self::Interrupted => ExitCode::from(130),
            _ => ExitCode::SUCCESS,
        }
    }
}

type Followed = Result<Ended, Box<dyn std::error::Error + Send + Sync>>;

/// Follows an execution as it is asked for.
pub async fn follow(documents: &Documents, id: &str, how: &Following, common: &Common) -> Followed {
    let mut out = std::io::stdout();
    eprintln!("execution {id}");
    if !how.wait {
        writeln!(out, "{id}")?;
        return Ok(Ended::NotAwaited);
    }
    let (mut interrupted, mut ended) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut screen = Screen::new();
    let mut cancel = how.cancel;
    let done = {
        let watching = documents.watch(id, |execution| screen.show(execution));
        tokio::pin!(watching);
        loop {
            tokio::select! {
                done = &mut watching => break Some(done),
                _ = interrupted.recv() => {}
                _ = ended.recv() => {}
            }
            if !std::mem::take(&mut cancel) {
                break None;
            }
            documents.cancel(id).await?;
            eprintln!("cancelled: what is attached is being taken off; interrupt again to leave it to itself");
        }
    };
    let last = screen.end();
    let Some(done) = done else {
        eprint!("{}", goes_on(id, last.as_ref(), common));
        return Ok(Ended::Interrupted);
    };
    let execution = done?;
    if common.json {
        writeln!(out, "{}", words::json(&execution))?;
    } else {
        write!(out, "{}", words::ending(&execution))?;
    }
    Ok(Ended::Done(execution))
}

/// What still runs after the command has been interrupted, until when, and how to end it.
fn goes_on(id: &str, execution: Option<&Execution>, common: &Common) -> String {
    let document = execution.map_or("", |execution| execution.document.as_str());
    let targets = execution.map(words::targets).unwrap_or_default();
    let what = match document.rsplit_once('-').map_or("", |(_, kind)| kind) {
        "Rollback" => "goes on and restores by itself".to_owned(),
        "Change" => "goes on; each function has the old plan or the new one".to_owned(),
        "Experiment" => {
            let hold = execution.and_then(|execution| words::hold_end(execution, now()));
            let until = hold.or_else(|| {
                let minutes = execution?.parameters.get("DurationMinutes")?;
                Some(format!("{minutes} minutes after all is attached"))
            });
            format!("goes on: faults stay on {targets} until {}, then it rolls back", until.unwrap_or_else(|| "its end".into()))
        }
        _ => format!("goes on attaching to {targets}"),
    };
    let mut text = format!("execution {id} {what}\n");
    if !document.ends_with("-Rollback") {
        text.push_str(&format!("end it with: {}\n", common.command(&format!("status {id} --cancel"))));
    }
    text + &format!("watch it with: {}\n", common.command(&format!("status {id} --watch")))
}

/// Finished steps as lines, the running one beside a spinner where a terminal shows it.
struct Screen {
    spinner: Option<ProgressBar>,
    shown: Vec<(String, String)>,
    last: Option<Execution>,
}

impl Screen {
    fn new() -> Self {
        let spinner = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}  {elapsed}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self { spinner, shown: Vec::new(), last: None }
    }

    fn show(&mut self, execution: &Execution) {
        for step in &execution.steps {
            let running = step.status == "InProgress";
            let key = (step.name.clone(), step.status.clone());
            let line = words::line(execution, step, now());
            if let (true, Some(spinner)) = (running, &self.spinner) {
                spinner.set_message(line.trim().to_owned());
            } else if step.status != "Pending" && !self.shown.contains(&key) {
                match &self.spinner {
                    Some(spinner) => spinner.println(line),
                    None => eprintln!("{line}"),
                }
                self.shown.push(key);
            }
        }
        self.last = Some(execution.clone());
    }

    fn end(self) -> Option<Execution> {
        if let Some(spinner) = self.spinner {
            spinner.finish_and_clear();
        }
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn experiment(document: &str) -> Execution {
        let parameters = [("FunctionNames", "a,b"), ("DurationMinutes", "10")];
        Execution {
            id: "i".into(),
            document: document.into(),
            status: "InProgress".into(),
            started: String::new(),
            failure: String::new(),
            steps: Vec::new(),
            outputs: std::collections::BTreeMap::new(),
            parameters: parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        }
    }

    #[test]
    fn an_interruption_says_what_goes_on_and_how_to_end_it() {
        let common = Common { stack: "Stack".into(), json: false };
        let said = goes_on("i", Some(&experiment("Stack-Experiment")), &common);
        assert_eq!(
            said,
            "execution i goes on: faults stay on a, b until 10 minutes after all is attached, then it rolls back\n\
             end it with: faultlayer status i --cancel --stack Stack\n\
             watch it with: faultlayer status i --watch --stack Stack\n"
        );
        let back = goes_on("i", Some(&experiment("Stack-Rollback")), &common);
        assert!(back.starts_with("execution i goes on and restores by itself\nwatch"), "{back}");
        let change = goes_on("i", Some(&experiment("Stack-Change")), &common);
        assert!(change.starts_with("execution i goes on; each function has the old plan or the new one\nend it"), "{change}");
    }
}
