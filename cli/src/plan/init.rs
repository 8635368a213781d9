//! `faultlayer plan init`: plans to start from.

use std::process::ExitCode;

use crate::Outcome;

/// The arguments of `faultlayer plan init`.
#[derive(clap::Args)]
pub struct Args {
    /// Which one; without it, the first of the list
    name: Option<String>,
    /// List them
    #[arg(long)]
    list: bool,
}

struct StartingPoint {
    name: &'static str,
    about: &'static str,
    text: &'static str,
}

macro_rules! starting_point {
    ($name:literal, $about:literal) => {
        StartingPoint { name: $name, about: $about, text: include_str!(concat!("starting-points/", $name, ".json")) }
    };
}

const STARTING_POINTS: &[StartingPoint] = &[
    starting_point!("sample", "what the AWS sample does: a random delay and a random failure"),
    starting_point!("latency", "a heavy tail of slow answers that never causes a timeout"),
    starting_point!("errors", "an error of a class that each language knows"),
    starting_point!("http-503", "an unavailable service: 503 with Retry-After"),
    starting_point!("crash", "the process dies now and then, and now and then an invocation times out"),
    starting_point!("throttle", "DynamoDB throttles some calls once and some always, and is slow at times"),
    starting_point!("network", "a database is slow at times, and a host that others provide refuses connections"),
    starting_point!("ramp", "errors that become more frequent over ten minutes"),
    starting_point!("dry-run", "decides and logs, changes nothing"),
];

/// Prints the plan on standard output.
pub fn run(args: &Args) -> Outcome {
    if args.list {
        for point in STARTING_POINTS {
            println!("{:10} {}", point.name, point.about);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let wanted = args.name.as_deref();
    match STARTING_POINTS.iter().find(|point| wanted.is_none_or(|name| name == point.name)) {
        Some(point) => print!("{}", point.text),
        None => {
            let names: Vec<_> = STARTING_POINTS.iter().map(|point| point.name).collect();
            return Err(format!("NAME: expected one of {}, got `{}`", names.join(", "), wanted.unwrap_or_default()).into());
        }
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::STARTING_POINTS;
    use faultlayer_core::plan::Plan;

    #[test]
    fn every_starting_point_holds() {
        for point in STARTING_POINTS {
            let plan = Plan::parse(point.text).unwrap_or_else(|error| panic!("{}: {error}", point.name));
            assert!(plan.experiment.is_some() && !plan.faults.is_empty(), "{}", point.name);
        }
    }
}
