//! What calls the functions while an experiment runs: a command of the user's own, or this process at a rate.

mod command;
mod rate;

use std::path::PathBuf;

use faultlayer_fis::{Aim, Experiments};

use crate::Trouble;
use rate::Rate;

#[derive(clap::Args)]
pub struct Args {
    /// A command that calls the functions: started --around before the experiment, ended --around after it. It finds their names in
    /// `FAULTLAYER_FUNCTIONS`
    #[arg(long, value_name = "COMMAND", conflicts_with = "preview")]
    load: Option<String>,
    /// Call the functions in turn, so often in all, as in 20/s or 90/m, from --around before the experiment to --around after it
    #[arg(long, value_name = "N/s", conflicts_with_all = ["load", "preview"], value_parser = Rate::read)]
    rate: Option<Rate>,
    /// With --rate: the event of every call, a file with JSON [default: {}]
    #[arg(long, value_name = "FILE", requires = "rate")]
    event: Option<PathBuf>,
}

/// A running load. It ends when this is dropped.
pub enum Load {
    Command(command::Running),
    Rate(rate::Running),
}

impl Args {
    /// Starts what was asked for, if anything was.
    pub fn start(&self, experiments: &Experiments, aim: &Aim) -> Result<Option<Load>, Trouble> {
        if let Some(command) = &self.load {
            return Ok(Some(Load::Command(command::Running::start(command, &aim.functions)?)));
        }
        let Some(rate) = self.rate else { return Ok(None) };
        if aim.functions.is_empty() {
            return Err("functions: none has the template's tag; expected `--function NAME`, which is called".into());
        }
        let event = match &self.event {
            Some(path) => event(path)?,
            None => "{}".to_owned(),
        };
        Ok(Some(Load::Rate(rate::Running::start(rate, experiments.caller.clone(), aim, event))))
    }

    /// Whether anything is asked for.
    pub fn wanted(&self) -> bool {
        self.load.is_some() || self.rate.is_some()
    }
}

fn event(path: &PathBuf) -> Result<String, Trouble> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("event: `{}`: {error}", path.display()))?;
    let event: &serde_json::value::RawValue =
        serde_json::from_str(&text).map_err(|error| format!("event: `{}`: expected JSON: {error}", path.display()))?;
    Ok(event.get().to_owned())
}

impl Load {
    /// Why nobody calls the functions any more, or nobody could, if that is so.
    pub fn over(&mut self) -> Option<String> {
        match self {
            Load::Command(command) => command.over(),
            Load::Rate(rate) => rate.over(),
        }
    }

    /// What this process has called so far.
    pub fn said(&self) -> Option<String> {
        match self {
            Load::Command(_) => None,
            Load::Rate(rate) => Some(rate.said()),
        }
    }
}
