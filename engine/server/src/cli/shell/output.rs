//! Where answers go and in which form: the terminal, its pager, or a file.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, Mutex};

use futures::{StreamExt, TryStreamExt};
use tributary_engine_core::engine::{Answer, Frame, Trailer};
use tributary_engine_core::{Error, Fault};

use super::command::Switch;
use super::{pager, terminal};
use crate::cli::grid::{Grid, counted};
use crate::cli::progress::note;
use crate::cli::shape::Shape;
use crate::cli::stop::{Result, file_error};
use crate::encode::{self, Encoding};
use crate::limits::TABLE_ROWS;

/// The settings of a session, and the file that answers go to.
pub(super) struct Output {
    /// How answers are written.
    pub(super) shape: Shape,
    /// Whether the time is shown.
    pub(super) timing: bool,
    /// Whether rows are expanded.
    pub(super) expanded: Switch,
    /// Whether what is taller than the screen goes through a pager.
    pub(super) pager: bool,
    file: Option<Target>,
}

/// A file that answers are written to.
struct Target {
    path: PathBuf,
    file: File,
    /// The form of the last answer in it.
    holds: Option<Shape>,
}

impl Output {
    pub(super) const fn new(shape: Shape) -> Self {
        Self {
            shape,
            timing: true,
            expanded: Switch::Off,
            pager: true,
            file: None,
        }
    }

    /// Sends answers to a new file from now on.
    pub(super) fn write_to_file(&mut self, path: &Path) -> Result<()> {
        let file = File::create(path).map_err(|error| file_error("create", path, &error))?;
        self.file = Some(Target {
            path: path.to_owned(),
            file,
            holds: None,
        });
        Ok(())
    }

    /// Sends answers to standard output again.
    pub(super) fn write_to_standard(&mut self) {
        self.file = None;
    }

    /// Refuses before the statement runs what could not be written afterwards.
    pub(super) fn check(&self) -> Result<(), Error> {
        match &self.file {
            Some(target) => target.check(self.shape),
            None if io::stdout().is_terminal() => self
                .shape
                .for_terminal("Send answers to a file with \\o FILE, or choose \\format table.")
                .map(drop),
            None => Ok(()),
        }
    }

    /// Takes an answer to its end and writes it.
    pub(super) async fn write(&mut self, answer: Answer) -> Result<()> {
        match self.shape {
            Shape::Table => self.table(answer).await,
            Shape::Encoded(encoding) => self.encoded(answer, encoding).await,
        }
    }

    async fn table(&mut self, answer: Answer) -> Result<()> {
        let grid = Grid::gather(answer, TABLE_ROWS).await?;
        let rows = grid.count("\\format csv");
        let footer = if self.timing {
            format!("{rows} · {}", grid.time())
        } else {
            rows
        };
        let text = format!("{}{footer}\n", self.layout(&grid)?);
        match &mut self.file {
            Some(target) => target.write(self.shape, text.as_bytes()),
            None if self.pager && io::stdout().is_terminal() => Ok(pager::show(&text)?),
            None => {
                let mut out = io::stdout().lock();
                out.write_all(text.as_bytes())?;
                Ok(out.flush()?)
            }
        }
    }

    fn layout(&self, grid: &Grid) -> Result<String, Error> {
        let screen = terminal::size().filter(|_| self.file.is_none() && io::stdout().is_terminal());
        match (self.expanded, screen) {
            (Switch::On, _) => grid.layout_expanded(),
            (Switch::Auto, Some(size)) => {
                let unbroken = grid.layout_unbroken()?;
                let fits = unbroken
                    .lines()
                    .all(|line| line.chars().count() <= size.columns);
                if fits {
                    Ok(unbroken)
                } else {
                    grid.layout_expanded()
                }
            }
            (_, None) => grid.layout_unbroken(),
            (_, Some(_)) => grid.layout(),
        }
    }

    /// Text of other formats goes to the terminal as it comes; there may be no end to it that a pager could wait for.
    async fn encoded(&mut self, answer: Answer, encoding: Encoding) -> Result<()> {
        let encoder = encoding.encoder(&answer.schema, &answer.freshness)?;
        let end: Arc<Mutex<Option<Trailer>>> = Arc::default();
        let seen = Arc::clone(&end);
        let frames = answer.frames.inspect_ok(move |frame| {
            if let Frame::End(trailer) = frame {
                *seen
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner) = Some(trailer.clone());
            }
        });
        let mut bytes = pin!(encode::bytes(frames.boxed(), encoder));
        while let Some(bytes) = bytes.try_next().await? {
            match &mut self.file {
                Some(target) => target.write(self.shape, &bytes)?,
                None => io::stdout().write_all(&bytes)?,
            }
        }
        let end = end
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .take();
        match (&self.file, end) {
            (Some(target), Some(end)) => note(&format!(
                "{} written to \"{}\"",
                counted(end.rows),
                target.path.display()
            )),
            _ => io::stdout().flush()?,
        }
        Ok(())
    }
}

impl Target {
    /// Two answers of a binary format do not make one file.
    fn check(&self, shape: Shape) -> Result<(), Error> {
        match self.holds {
            Some(holds) if holds.is_binary() || shape.is_binary() => Err(Error::new(
                Fault::Conflict,
                format!(
                    "file \"{}\" holds an answer already, in format \"{}\"",
                    self.path.display(),
                    holds.name()
                ),
            )
            .with_hint("Name another file with \\o FILE.")),
            _ => Ok(()),
        }
    }

    fn write(&mut self, shape: Shape, bytes: &[u8]) -> Result<()> {
        self.holds = Some(shape);
        let written = self.file.write_all(bytes);
        Ok(written.map_err(|error| file_error("write", &self.path, &error))?)
    }
}
