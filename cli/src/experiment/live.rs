//! The part of the screen that is written anew while an experiment runs.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// What has a line of its own, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    State,
    Functions,
    Injected,
    Errors,
    Load,
}

const ROWS: [(Row, &str); 5] = [
    (Row::State, "{spinner:.cyan} {msg}"),
    (Row::Functions, "  functions  {bar:20.cyan/dim} {pos} of {len} attached"),
    (Row::Injected, "  injected   {msg}"),
    (Row::Errors, "  errors     {msg}"),
    (Row::Load, "  load       {msg}"),
];
/// Of the row of errors, where there are any.
const FAILING: &str = "  errors     {msg:.red}";

/// Lines below all others. They are taken off when this is dropped.
pub struct Live {
    all: MultiProgress,
    /// Those that have something to say.
    rows: [Option<ProgressBar>; ROWS.len()],
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━━─")
}

impl Live {
    pub fn new() -> Self {
        Self { all: MultiProgress::new(), rows: Default::default() }
    }

    /// A line above it, which stays.
    pub fn line(&self, line: &str) {
        // Nobody is told that a terminal is gone.
        let _ = self.all.println(line);
    }

    /// Says something in a row; nothing takes it off.
    pub fn say(&mut self, row: Row, said: &str) {
        match self.row(row, !said.is_empty()) {
            Some(bar) => bar.set_message(said.to_owned()),
            None => self.take_off(row),
        }
    }

    /// On how many of the functions the faults are.
    pub fn functions(&mut self, attached: u64, all: u64) {
        if let Some(bar) = self.row(Row::Functions, all > 0) {
            bar.set_length(all);
            bar.set_position(attached.min(all));
        }
    }

    pub fn errors(&mut self, said: &str, failing: bool) {
        if let Some(bar) = self.row(Row::Errors, !said.is_empty()) {
            let [.., (_, calm), _] = ROWS;
            bar.set_style(style(if failing { FAILING } else { calm }));
        }
        self.say(Row::Errors, said);
    }

    /// A row's bar; a row that is wanted for the first time comes behind those before it.
    fn row(&mut self, row: Row, wanted: bool) -> Option<&ProgressBar> {
        let index = row as usize;
        if self.rows.get(index)?.is_none() && wanted {
            let bar = match self.rows.get(..index)?.iter().flatten().next_back() {
                Some(before) => self.all.insert_after(before, ProgressBar::new(0)),
                None => self.all.insert(0, ProgressBar::new(0)),
            };
            bar.set_style(style(ROWS.get(index)?.1));
            if row == Row::State {
                bar.enable_steady_tick(Duration::from_millis(120));
            }
            *self.rows.get_mut(index)? = Some(bar);
        }
        self.rows.get(index)?.as_ref().filter(|_| wanted)
    }

    fn take_off(&mut self, row: Row) {
        if let Some(bar) = self.rows.get_mut(row as usize).and_then(Option::take) {
            bar.finish_and_clear();
            self.all.remove(&bar);
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        for (row, _) in ROWS {
            self.take_off(row);
        }
        let _ = self.all.clear();
    }
}
