//! `faultlayer plan match`: tries patterns on events, one pair a line, with the engine's own matching.

use std::io::{BufRead, Write};
use std::process::ExitCode;
use std::sync::Arc;

use faultlayer_core::matching::{Paths, Pattern, Projection};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::Outcome;

#[derive(Deserialize)]
struct Pair<'a> {
    pattern: Value,
    /// As it was written: the engine reads it as it would read an event.
    #[serde(borrow)]
    event: &'a RawValue,
}

/// Answers each line of standard input.
pub fn run() -> Outcome {
    let mut answers = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        if !line.trim().is_empty() {
            writeln!(answers, "{}", answer(&line))?;
        }
    }
    answers.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// `true`, `false`, or `error: …` with all that is wrong.
fn answer(line: &str) -> String {
    let pair: Pair<'_> = match serde_json::from_str(line) {
        Ok(pair) => pair,
        Err(error) => return format!("error: expected {{\"pattern\": …, \"event\": …}} ({error})"),
    };
    let mut paths = Paths::default();
    match Pattern::compile(&pair.pattern, "pattern", &mut paths) {
        Ok(pattern) => pattern.matches(&Projection::from_json(&Arc::new(paths), pair.event.get().as_bytes())).to_string(),
        Err(problems) => {
            let problems: Vec<String> = problems
                .iter()
                .map(|problem| format!("{}: expected {}, got `{}`", problem.path, problem.expected, problem.value))
                .collect();
            format!("error: {}", problems.join("; "))
        }
    }
}
