//! Progress of long steps on standard error: a bar on a terminal, one line per finished step elsewhere.

use std::io::{self, IsTerminal};
use std::time::Instant;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// What the numbers of a step count.
#[derive(Clone, Copy)]
pub(crate) enum Unit {
    /// Bytes of a file.
    Bytes,
    /// Steps of a plan.
    Steps,
    /// Rows, of which nobody knows yet how many there are.
    Rows,
}

/// The bars of one command.
pub(crate) struct Progress {
    /// None where nobody watches.
    bars: Option<MultiProgress>,
}

impl Progress {
    /// Bars where standard error is a terminal.
    pub(crate) fn new() -> Self {
        Self {
            bars: io::stderr().is_terminal().then(MultiProgress::new),
        }
    }

    /// Starts a step of known or estimated length.
    pub(crate) fn step(&self, label: impl Into<String>, unit: Unit, length: u64) -> Step {
        let label = label.into();
        let bar = self.bars.as_ref().map(|bars| {
            let bar = bars.add(ProgressBar::new(length));
            bar.set_style(style(unit));
            bar.set_message(label.clone());
            bar
        });
        Step {
            bar,
            label,
            started: Instant::now(),
        }
    }
}

/// One step; clones report to the same bar.
#[derive(Clone)]
pub(crate) struct Step {
    bar: Option<ProgressBar>,
    label: String,
    started: Instant,
}

impl Step {
    /// So much more is done.
    pub(crate) fn advance(&self, by: u64) {
        if let Some(bar) = &self.bar {
            bar.inc(by);
        }
    }

    /// Says what is being done now.
    pub(crate) fn doing(&self, what: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{} {what}", self.label));
        }
    }

    /// The step is over; `result` is what came of it.
    pub(crate) fn done(&self, result: &str) {
        let line = format!(
            "{}: {result} ({:.1} s)",
            self.label,
            self.started.elapsed().as_secs_f32()
        );
        match &self.bar {
            Some(bar) => {
                bar.println(line);
                bar.finish_and_clear();
            }
            None => note(&line),
        }
    }
}

/// One line for whoever watches; that nobody does is no error.
pub(crate) fn note(line: &str) {
    let _ = io::Write::write_fmt(&mut io::stderr().lock(), format_args!("{line}\n"));
}

fn style(unit: Unit) -> ProgressStyle {
    let template = match unit {
        Unit::Bytes => "{msg} {wide_bar} {bytes}/{total_bytes} {eta}",
        Unit::Steps => "{msg} {wide_bar} {pos}/{len}",
        Unit::Rows => "{spinner} {msg} {human_pos} rows {elapsed}",
    };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
