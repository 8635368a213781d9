//! `faultlayer plan explain`: what the engine will decide, before anything runs.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use faultlayer_core::decision::{Explained, Facts, Invocation, explain};
use faultlayer_core::plan::Plan;
use faultlayer_core::record::Action;
use faultlayer_core::rim::clock;
use faultlayer_core::timestamp::Timestamp;
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
        None => clock::now(),
        Some(at) => Timestamp::parse(at).ok_or_else(|| format!("--at: expected an RFC 3339 time, got `{at}`"))?,
    };
    let fates = |request_id: &str| {
        let deadline = args.deadline_ms.map(Timestamp::from_millis);
        explain(&plan, &Invocation { request_id, deadline, now, cold_start: true, streaming: false, facts: Facts::default() })
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    if let Some(request_id) = &args.request_id {
        let fates = fates(request_id);
        if args.json {
            writeln!(out, "{}", json!(fates))?
        } else {
            show(&mut out, &fates)?
        }
        out.flush()?;
        return Ok(ExitCode::SUCCESS);
    }
    let ids = read_text(args.request_ids.as_deref().unwrap_or("-"))?;
    for request_id in ids.lines().map(str::trim).filter(|id| !id.is_empty()) {
        let fates = fates(request_id);
        if args.json {
            writeln!(out, "{}", with_id(request_id, &fates))?;
        } else {
            writeln!(out, "{request_id}  {}", in_short(&fates))?;
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn show(out: &mut impl Write, fates: &[Explained]) -> io::Result<()> {
    writeln!(out, "{:<16} {:<9} {:>8} {:>8}  WHAT HAPPENS", "FAULT", "KIND", "SAMPLE", "RATE")?;
    for fate in fates {
        let sample = fate.sample.map_or_else(|| "-".into(), |sample| format!("{sample:.6}"));
        writeln!(out, "{:<16} {:<9} {sample:>8} {:>8}  {}", fate.fault, fate.kind, fate.rate, what_happens(fate))?;
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
            format!("{}={}", fate.fault, fate.reason.map_or_else(|| word(json!(fate.action)), |reason| word(json!(reason))))
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
