//! `faultlayer plan check`: all problems of a plan at once, each with its place in the file.

use std::process::ExitCode;

use faultlayer_core::plan::{Expiry, Plan, PlanError, ProblemCode, locate};
use serde_json::{Value, json};

use super::read_text;
use crate::Outcome;

/// The arguments of `faultlayer plan check`.
#[derive(clap::Args)]
pub struct Args {
    /// The plan; `-` is standard input
    file: String,
    /// Answer with JSON alone: `{"ok", "code", "problems": [{"code", "path", "value", "expected", "line", "column"}]}`
    #[arg(long)]
    json: bool,
}

/// Exit status 0 for a plan that holds, 1 for one with problems.
pub fn run(args: &Args) -> Outcome {
    let text = read_text(&args.file)?;
    let checked = Plan::parse(&text);
    if args.json {
        println!("{}", answer(&text, checked.as_ref().err()));
    } else {
        match &checked {
            Ok(plan) => approve(&args.file, plan),
            Err(error) => refuse(&args.file, &text, error),
        }
    }
    Ok(if checked.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn approve(file: &str, plan: &Plan) {
    let faults = plan.faults.len();
    println!("{file}: ok, {faults} fault{}", if faults == 1 { "" } else { "s" });
    if plan.expires == Expiry::Unsaid {
        println!(
            "{file}: note: no `expires_at`; attaching and `faultlayer run` set it, a layer or a library alone refuses the plan"
        );
    }
}

fn refuse(file: &str, text: &str, error: &PlanError) {
    for problem in &error.problems {
        match place(text, problem.code, &problem.path, &problem.expected) {
            Some((line, column)) => println!("{file}:{line}:{column}: {problem}"),
            None => println!("{file}: {problem}"),
        }
    }
    let count = error.problems.len();
    println!("{file}: {count} problem{}", if count == 1 { "" } else { "s" });
}

fn answer(text: &str, error: Option<&PlanError>) -> Value {
    let problems = error.map_or(&[][..], |error| &error.problems);
    let problems: Vec<Value> = problems
        .iter()
        .map(|problem| {
            let mut row = json!(problem);
            if let (Some((line, column)), Some(row)) =
                (place(text, problem.code, &problem.path, &problem.expected), row.as_object_mut())
            {
                row.insert("line".into(), line.into());
                row.insert("column".into(), column.into());
            }
            row
        })
        .collect();
    json!({"ok": error.is_none(), "code": error.map(|error| error.code), "problems": problems})
}

/// Text that is no JSON has no paths; there the parser itself says where it stopped.
fn place(text: &str, code: ProblemCode, path: &str, expected: &str) -> Option<(usize, usize)> {
    if code != ProblemCode::InvalidJson {
        return locate(text, path);
    }
    let (line, column) = expected.trim_end_matches(')').rsplit_once(" at line ")?.1.split_once(" column ")?;
    Some((line.parse().ok()?, column.parse().ok()?))
}
