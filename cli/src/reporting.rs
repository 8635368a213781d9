//! What a run or an experiment is held against, and the files that its report goes to.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use faultlayer_report::expect::{FIGURES, State};
use faultlayer_report::{Document, Expectation, Format, Judged, html, markdown};

use crate::Trouble;

/// The arguments of whatever ends in a report.
#[derive(Clone, clap::Args)]
pub struct Args {
    /// Write the report to a file: a page (.html), Markdown (.md) or data (.json); as often as needed
    #[arg(long, value_name = "FILE", value_parser = report)]
    report: Vec<(PathBuf, Chosen)>,
    /// What must be so, as in 'errors < 1%', 'p99 < 800ms', or file:PATH with one a line; as often as needed. Exit status 3 where
    /// one is broken, 4 where none is but one cannot be measured
    #[arg(long, value_name = "EXPECTATION", value_parser = expectations, long_help = help())]
    expect: Vec<Expectations>,
}

/// One value of `--expect`: a file has many.
#[derive(Clone)]
struct Expectations(Vec<Expectation>);

/// The form that a file's name chose.
#[derive(Clone, Copy)]
struct Chosen(Format);

impl Args {
    /// All that is expected.
    pub fn expected(&self) -> Vec<Expectation> {
        self.expect.iter().flat_map(|one| one.0.iter().cloned()).collect()
    }

    /// Whether there is a file to write.
    pub fn writes(&self) -> bool {
        !self.report.is_empty()
    }

    /// Whether there is anything to hold it against or to write.
    pub fn wanted(&self) -> bool {
        self.writes() || !self.expect.is_empty()
    }

    /// Writes the files; `json` is the report as data. Answers their paths.
    pub fn write(&self, document: &Document, json: &str) -> Result<Vec<&Path>, Trouble> {
        for (file, Chosen(format)) in &self.report {
            let text = match format {
                Format::Html => html::render(document)?,
                Format::Markdown => markdown::render(document),
                Format::Json => format!("{json}\n"),
            };
            std::fs::write(file, text).map_err(|error| format!("cannot write `{}`: {error}", file.display()))?;
        }
        Ok(self.report.iter().map(|(file, _)| file.as_path()).collect())
    }
}

/// The exit status where an expectation is broken.
pub const BROKEN: u8 = 3;

/// [`BROKEN`] where an expectation is, 4 where none is but one cannot be measured.
pub fn status(judged: &[Judged]) -> Option<ExitCode> {
    match judged.iter().map(|one| one.state).max() {
        Some(State::Broken) => Some(ExitCode::from(BROKEN)),
        Some(State::NotMeasurable) => Some(ExitCode::from(4)),
        Some(State::Held) | None => None,
    }
}

fn help() -> String {
    format!(
        "What must be so, as in 'errors < 1%' or 'p99 < 800ms', or file:PATH with one a line; as often as needed.\n\nA figure, one of \
        < <= > >= =, and a whole number, a share of the calls, or a time. Figures: {FIGURES}. `errors` counts every call that was not \
        answered. An alarm stays: 'alarm NAME stays OK'.\n\nExit status 3 where one is broken, 4 where none is but one cannot be measured"
    )
}

/// Asked before anything runs: whether the form is known, and the folder there.
fn report(text: &str) -> Result<(PathBuf, Chosen), String> {
    let file = PathBuf::from(text);
    let format = Format::of(&file)?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(format!("there is no folder `{}`", folder.display()));
    }
    if file.is_dir() {
        return Err(format!("`{text}` is a folder"));
    }
    Ok((file, Chosen(format)))
}

fn expectations(text: &str) -> Result<Expectations, String> {
    let Some(path) = text.strip_prefix("file:") else { return Expectation::parse(text).map(|one| Expectations(vec![one])) };
    let said = std::fs::read_to_string(path).map_err(|error| format!("cannot read `{path}`: {error}"))?;
    let read = Expectation::parse_lines(&said).map_err(|problems| format!("`{path}`:\n  {}", problems.replace('\n', "\n  ")))?;
    if read.is_empty() { Err(format!("`{path}` holds no expectation")) } else { Ok(Expectations(read)) }
}
