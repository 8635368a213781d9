//! `faultlayer plan match`: tries patterns on events, one pair a line, with the engine's own matching.

use std::io::{BufRead, Write};
use std::process::ExitCode;

use faultlayer_core::matching::{Budget, MAX_BYTES, MAX_STEPS, Patterns};
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
    let mut patterns = Patterns::default();
    match patterns.add(&pair.pattern, "pattern") {
        Ok(pattern) => {
            let event = pair.event.get().as_bytes();
            match patterns.hold([pattern].into_iter(), &event, &mut Budget::default()).of(pattern) {
                Some(answer) => answer.to_string(),
                None => format!("error: event: expected one that matches within {MAX_STEPS} steps and {MAX_BYTES} bytes"),
            }
        }
        Err(problems) => {
            let problems: Vec<String> = problems
                .iter()
                .map(|problem| format!("{}: expected {}, got `{}`", problem.path, problem.expected, problem.value))
                .collect();
            format!("error: {}", problems.join("; "))
        }
    }
}
