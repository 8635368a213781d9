//! `faultlayer plan explain`: what the engine will decide, before anything runs.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use faultlayer_core::decision::{Action, Context, Event, Explained, Facts, Invocation, explain};
use faultlayer_core::plan::Plan;
use faultlayer_core::text::printable;
use faultlayer_core::timestamp::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::read_text;
use crate::Outcome;

/// The arguments of `faultlayer plan explain`.
#[derive(clap::Args)]
pub struct Args {
    /// The plan; `-` is standard input
    file: String,
    /// The invocation's request id
    #[arg(long, required_unless_present = "request_ids", conflicts_with = "request_ids")]
    request_id: Option<String>,
    /// A file with one request id on each line (`-` is standard input); answers one line for each
    #[arg(long, value_name = "FILE")]
    request_ids: Option<String>,
    /// The time of the invocation, RFC 3339; now if not given
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// The invocation's deadline in milliseconds since the Unix epoch, for faults that sample by attempt
    #[arg(long, value_name = "MS")]
    deadline_ms: Option<i64>,
    /// A file with the event as JSON (`-` is standard input), for patterns on it
    #[arg(long, value_name = "FILE", conflicts_with = "events")]
    event: Option<String>,
    /// A file with one event on each line, the one on line N for the request id on line N
    #[arg(long, value_name = "FILE", requires = "request_ids")]
    events: Option<String>,
    /// A file with the context as JSON, for patterns on it: `function_name`, `function_version`, `alias`, `memory_mb`,
    /// `runtime`, `cold_start`, `invocation`, `client_context`; without it, the first invocation of an unknown function
    #[arg(long, value_name = "FILE")]
    context: Option<String>,
    /// Answer with JSON alone: an array with one object per fault
    #[arg(long)]
    json: bool,
}

/// Exit status 1 if the plan does not hold.
pub fn run(args: &Args) -> Outcome {
    let text = read_text(&args.file)?;
    let plan = match Plan::parse(&text) {
        Ok(plan) => Arc::new(plan),
        Err(error) => {
            eprintln!("{error}");
            return Ok(ExitCode::FAILURE);
        }
    };
    let now = match &args.at {
        None => SystemTime::now().into(),
        Some(at) => Timestamp::parse(at).ok_or_else(|| format!("--at: expected an RFC 3339 time, got `{at}`"))?,
    };
    let context = args.context.as_deref().map(Told::read).transpose()?.unwrap_or_default();
    let client_context = context.client_context.as_ref().map(Value::to_string);
    let fates = |request_id: &str, event: Option<&str>| {
        let facts = Facts {
            event: event.map_or(Event::Absent, |event| Event::Json(event.as_bytes())),
            context: context.as_engine(client_context.as_deref()),
        };
        let deadline = args.deadline_ms.map(Timestamp::from_millis);
        let cold_start = context.cold_start.unwrap_or(true);
        explain(&plan, &Invocation { request_id, deadline, now, cold_start, streaming: false, facts })
    };
    let event = args.event.as_deref().map(read_text).transpose()?;
    if args.event.is_none() && args.events.is_none() && !plan.event_patterns.is_empty() {
        eprintln!("note: the plan looks at events, but none was given (--event), so those patterns do not match");
    }
    let mut out = io::BufWriter::new(io::stdout().lock());
    if let Some(request_id) = &args.request_id {
        let fates = fates(request_id, event.as_deref());
        if args.json { writeln!(out, "{}", json!(fates))? } else { show(&mut out, &fates)? }
    } else {
        let (ids, events) = invocations(args)?;
        let mut events = events.lines().filter(|line| !line.trim().is_empty());
        for request_id in ids.lines().map(str::trim).filter(|id| !id.is_empty()) {
            let fates = fates(request_id, events.next().or(event.as_deref()));
            if args.json {
                writeln!(out, "{}", with_id(request_id, &fates))?;
            } else {
                writeln!(out, "{}  {}", printable(request_id), in_short(&fates))?;
            }
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// The lines of request ids, and as many of events if there are any.
fn invocations(args: &Args) -> Result<(String, String), String> {
    let ids = read_text(args.request_ids.as_deref().unwrap_or("-"))?;
    let events = args.events.as_deref().map(read_text).transpose()?;
    let count = |text: &str| text.lines().filter(|line| !line.trim().is_empty()).count();
    match events {
        Some(events) if count(&events) != count(&ids) => {
            Err(format!("--events: expected one event for each of {} request ids, got {}", count(&ids), count(&events)))
        }
        events => Ok((ids, events.unwrap_or_default())),
    }
}

/// A context as people write it.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    function_name: Option<String>,
    function_version: Option<String>,
    alias: Option<String>,
    memory_mb: Option<u32>,
    runtime: Option<String>,
    cold_start: Option<bool>,
    invocation: Option<u64>,
    client_context: Option<Value>,
}

impl Told {
    fn read(path: &str) -> Result<Self, String> {
        serde_json::from_str(&read_text(path)?).map_err(|error| format!("--context: expected the context as JSON ({error})"))
    }

    fn as_engine<'a>(&'a self, client_context: Option<&'a str>) -> Context<'a> {
        Context {
            function_name: self.function_name.as_deref(),
            function_version: self.function_version.as_deref(),
            alias: self.alias.as_deref(),
            memory_mb: self.memory_mb,
            runtime: self.runtime.as_deref(),
            invocation: self.invocation.unwrap_or(1),
            client_context,
        }
    }
}

fn show(out: &mut impl Write, fates: &[Explained]) -> io::Result<()> {
    writeln!(out, "{:<16} {:<9} {:>8} {:>8}  WHAT HAPPENS", "FAULT", "KIND", "SAMPLE", "RATE")?;
    for fate in fates {
        let sample = fate.sample.map_or_else(|| "-".into(), |sample| format!("{sample:.6}"));
        writeln!(out, "{:<16} {:<9} {sample:>8} {:>8}  {}", printable(&fate.fault), fate.kind, fate.rate, what_happens(fate))?;
    }
    Ok(())
}

fn what_happens(fate: &Explained) -> String {
    let reason = fate.reason.and_then(|reason| json!(reason).as_str().map(|reason| reason.replace('_', " ")));
    match (fate.action, reason) {
        (Some(Action::Injected), _) => "injected".into(),
        (Some(Action::DryRun), _) => "would be injected, but the plan is a dry run".into(),
        (Some(Action::Skipped), reason) => format!("drawn, but skipped: {}", reason.unwrap_or_default()),
        (None, reason) => format!("not drawn: {}", reason.unwrap_or_default()),
    }
}

/// The drawn faults alone, with what becomes of them.
fn in_short(fates: &[Explained]) -> String {
    let drawn: Vec<_> = fates
        .iter()
        .filter(|fate| fate.drawn)
        .map(|fate| {
            let word = |value: Value| value.as_str().unwrap_or_default().to_owned();
            format!(
                "{}={}",
                printable(&fate.fault),
                fate.reason.map_or_else(|| word(json!(fate.action)), |reason| word(json!(reason)))
            )
        })
        .collect();
    if drawn.is_empty() { "-".into() } else { drawn.join(" ") }
}

fn with_id(request_id: &str, fates: &[Explained]) -> Value {
    let mut rows = json!(fates);
    for row in rows.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        row.insert("requestId".into(), request_id.into());
    }
    rows
}
