//! What an experiment did, measured in the account: its report, and whether its steady state is one to begin with.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use faultlayer_fis::{Aim, Asked, Experiments};
use faultlayer_report::expect::State;
use faultlayer_report::{Judged, markdown};

use crate::{Outcome, Trouble, reporting};

/// What is to be measured.
#[derive(Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    reporting: reporting::Args,
    /// A function to look at, as often as needed [default: those that the experiment names]
    #[arg(long = "function", value_name = "NAME")]
    functions: Vec<String>,
    /// How long before the faults and after them is looked at, as in 5m
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = around)]
    around: Duration,
    /// CloudWatch's period in seconds: Lambda's own metrics come by the minute; in the lab 1 is possible
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = period)]
    period: u32,
}

impl Args {
    fn asked(&self, functions: Vec<String>) -> Asked {
        Asked {
            functions,
            expected: self.reporting.expected(),
            around_ms: i64::try_from(self.around.as_millis()).unwrap_or(i64::MAX),
            period_ms: i64::from(self.period) * 1000,
        }
    }

    /// The functions that were named, or else what a template is about.
    pub async fn aim(&self, experiments: &Experiments, template: &str) -> Result<Aim, Trouble> {
        let aim = experiments.aim(template).await?;
        Ok(if self.functions.is_empty() { aim } else { Aim { functions: self.functions.clone(), ..aim } })
    }

    /// How long before the faults and after them is looked at.
    pub fn around(&self) -> Duration {
        self.around
    }

    /// Whether anything is expected.
    pub fn expects(&self) -> bool {
        !self.reporting.expected().is_empty()
    }

    /// Whether a report is wanted at all.
    pub fn wanted(&self) -> bool {
        self.reporting.wanted()
    }
}

/// Writes the report of an experiment; on standard output stands what no file was named for. The exit status is the expectations'.
pub async fn report(experiments: &Experiments, id: &str, args: &Args, as_json: bool) -> Result<Option<ExitCode>, Trouble> {
    let document = experiments.report(id, &args.asked(args.functions.clone())).await?;
    let json = serde_json::to_string_pretty(&document)?;
    let written = args.reporting.write(&document, &json)?;
    let mut out = std::io::stdout();
    if as_json {
        writeln!(out, "{json}")?;
    } else if written.is_empty() {
        write!(out, "{}", markdown::render(&document))?;
    } else {
        writeln!(out, "{}. {}", document.verdict.headline, document.verdict.detail)?;
        for judged in &document.expectations {
            writeln!(out, "{}", said(judged))?;
        }
        for file in written {
            writeln!(out, "the report: {}", std::path::absolute(file)?.display())?;
        }
    }
    Ok(reporting::status(&document.expectations))
}

/// `faultlayer experiment report`.
pub async fn run(experiments: &Experiments, id: &str, args: &Args, as_json: bool) -> Outcome {
    Ok(report(experiments, id, args, as_json).await?.unwrap_or(ExitCode::SUCCESS))
}

/// Holds what is expected against what there is before anything is attached. Says each; whether one is broken already.
pub async fn broken_before(experiments: &Experiments, template: &str, args: &Args) -> Result<bool, Trouble> {
    if !args.expects() {
        return Ok(false);
    }
    let asked = args.asked(args.aim(experiments, template).await?.functions);
    if asked.functions.is_empty() {
        return Err("functions: none has the template's tag; expected `--function NAME`, whose steady state is measured".into());
    }
    let judged = experiments.steady(&asked).await?;
    eprintln!("before anything is attached:");
    for one in &judged {
        eprintln!("{}", said(one));
    }
    Ok(judged.iter().any(|one| one.state == State::Broken))
}

fn said(judged: &Judged) -> String {
    let beside = judged.measured.iter().chain(&judged.why).cloned().collect::<Vec<_>>().join(", ");
    let text = format!("  {}: {}", judged.text, judged.state.word());
    if beside.is_empty() { text } else { format!("{text} ({beside})") }
}

/// A time from a second to a day.
fn around(text: &str) -> Result<Duration, String> {
    let seconds = seconds(text).filter(|seconds| (1..=86_400).contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(|| "expected a time from 1s to 24h, as in `5m`".to_owned())
}

/// A time from nothing to an hour.
pub fn settling(text: &str) -> Result<Duration, String> {
    let seconds = seconds(text).filter(|seconds| *seconds <= 3600);
    seconds.map(Duration::from_secs).ok_or_else(|| "expected a time from 0s to 1h, as in `3m`".to_owned())
}

fn seconds(text: &str) -> Option<u64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

fn period(text: &str) -> Result<u32, String> {
    let seconds = text.parse::<u32>().ok();
    let fits =
        |seconds: &u32| matches!(seconds, 1 | 5 | 10 | 30) || (1..=1440).contains(&(seconds / 60)) && seconds.is_multiple_of(60);
    seconds.filter(fits).ok_or_else(|| "expected 1, 5, 10, 30 or a multiple of 60, at most 86400".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_periods_are_read_within_their_bounds() {
        assert_eq!(around("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(settling("0s"), Ok(Duration::ZERO));
        for wrong in ["", "5", "0s", "25h", "m", "1.5m", "99999999999999999999s"] {
            assert!(around(wrong).is_err(), "{wrong}");
        }
        assert_eq!((period("1"), period("60"), period("86400")), (Ok(1), Ok(60), Ok(86_400)));
        for wrong in ["0", "7", "59", "90", "172800", "-60", "x"] {
            assert!(period(wrong).is_err(), "{wrong}");
        }
    }
}
