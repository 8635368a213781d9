//! `faultlayer plan check`: all problems of a plan at once, each with its place in the file.

use std::process::ExitCode;

use faultlayer_core::plan::{Expiry, Plan, PlanError, Problem, ProblemCode, locate_all};
use serde_json::{Value, json};

use super::read_text;
use crate::Outcome;

/// The arguments of `faultlayer plan check`.
#[derive(clap::Args)]
pub struct Args {
    /// The plan; `-` is standard input
    file: String,
    /// Answer with JSON alone: `{"ok", "code", "problems": [{"code", "path", "value", "expected", "line", "column"}]}`;
    /// of more than 100 problems the first, and how many `more` there are
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
    let (shown, more) = error.shown();
    for (problem, place) in shown.iter().zip(places(text, shown)) {
        match place {
            Some((line, column)) => println!("{file}:{line}:{column}: {problem}"),
            None => println!("{file}: {problem}"),
        }
    }
    let count = error.problems.len();
    let not_shown = if more > 0 { format!(", of which {more} are not shown") } else { String::new() };
    println!("{file}: {count} problem{}{not_shown}", if count == 1 { "" } else { "s" });
}

fn answer(text: &str, error: Option<&PlanError>) -> Value {
    let (shown, more) = error.map_or((&[][..], 0), PlanError::shown);
    let problems = shown.iter().zip(places(text, shown)).map(|(problem, place)| {
        let mut row = json!(problem);
        if let (Some((line, column)), Some(row)) = (place, row.as_object_mut()) {
            row.insert("line".into(), line.into());
            row.insert("column".into(), column.into());
        }
        row
    });
    let problems: Vec<Value> = problems.collect();
    let mut answer = json!({"ok": error.is_none(), "code": error.map(|error| error.code), "problems": problems});
    if let Some(answer) = answer.as_object_mut().filter(|_| more > 0) {
        answer.insert("more".into(), more.into());
    }
    answer
}

/// Where each problem stands. Text that is no JSON has no paths; there the parser itself says where it stopped.
fn places(text: &str, problems: &[Problem]) -> Vec<Option<(usize, usize)>> {
    if let [Problem { code: ProblemCode::InvalidJson, expected, .. }] = problems {
        return vec![stopped(expected)];
    }
    locate_all(text, &problems.iter().map(|problem| problem.path.as_str()).collect::<Vec<_>>())
}

fn stopped(expected: &str) -> Option<(usize, usize)> {
    let (line, column) = expected.trim_end_matches(')').rsplit_once(" at line ")?.1.split_once(" column ")?;
    Some((line.parse().ok()?, column.parse().ok()?))
}
