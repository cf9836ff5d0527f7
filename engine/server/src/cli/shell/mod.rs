//! The shell of `tributary sql`: statements and commands, one after the other, until the user leaves.
//!
//! An error is said and the shell goes on; so it does when the server is gone. What answers the statements is a [`Door`],
//! and the shell does not know which. What is said beside the answers goes to standard error, so that the output of a
//! script holds answers alone.

mod command;
mod complete;
mod describe;
mod editor;
mod history;
mod input;
mod names;
mod output;
mod pager;
mod split;
mod terminal;

use std::future::Future;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use futures::future::BoxFuture;
use tributary_engine_core::Error;
use tributary_engine_core::manufacturer::ManufacturerId;
use tributary_engine_core::parameter::Parameters;

use command::{COMMANDS, Command, Switch};
use editor::Typed;
use history::History;
use input::Input;
use names::Names;
use output::Output;
use split::{Open, split};

use super::door::Door;
use super::progress::note;
use super::shape::Shape;
use super::sql::read;
use super::stop::{Result, Stop, say};
use crate::limits::{INCLUDE_DEPTH, SQL_FILE_BYTES};

/// The terminal has written `^C` where the cursor was.
const INTERRUPTED: &str = "\ninterrupted";

/// Whether the shell goes on after a line.
type Flow = ControlFlow<()>;

/// One session.
pub(super) struct Shell {
    door: Door,
    /// The manufacturer, where it is known.
    whose: Option<ManufacturerId>,
    names: Names,
    output: Output,
    history: History,
    /// Whether a person types, and may interrupt.
    typed: bool,
    /// Files that include one another.
    depth: usize,
}

/// What was typed and does not end with `;` yet.
#[derive(Default)]
struct Pending {
    /// As typed.
    text: String,
    /// Statements of it that have run.
    entry: String,
}

impl Shell {
    pub(super) fn new(door: Door, shape: Shape) -> Self {
        Self {
            whose: door.manufacturer().cloned(),
            door,
            names: Names::default(),
            output: Output::new(shape),
            history: History::in_memory(),
            typed: false,
            depth: 0,
        }
    }

    /// Runs until the input ends or the user leaves.
    pub(super) async fn run(mut self) -> Result<()> {
        let mut input = Input::standard();
        self.typed = input.is_typed();
        if self.typed {
            self.history = History::of_user();
            self.greet()?;
            let refreshed = self.refresh().await;
            self.told(refreshed)?;
        }
        let mut pending = Pending::default();
        loop {
            let prompt = self.prompt(&pending.text);
            let complete = |before: &str, after: &str| {
                complete::complete(&self.names, &format!("{}{before}", pending.text), after)
            };
            // The thread of the command line waits here; those of the runtime and the engine do not.
            let typed = input.read(&prompt, self.history.entries(), &complete)?;
            let flow = match typed {
                Typed::Interrupted => {
                    pending = Pending::default();
                    Flow::Continue(())
                }
                Typed::Line(text) => self.lines(&text, &mut pending).await?,
                Typed::End => {
                    if !self.typed {
                        let _ = self.rest(&mut pending).await?;
                    }
                    Flow::Break(())
                }
            };
            if flow.is_break() {
                return Ok(());
            }
        }
    }

    fn greet(&self) -> Result<()> {
        let whose = self
            .whose
            .as_ref()
            .map_or_else(String::new, |whose| format!("{whose} in "));
        let version = env!("CARGO_PKG_VERSION");
        let place = self.door.place();
        Ok(writeln!(
            io::stdout(),
            "tributary {version} · {whose}{place} · a statement ends with ; · \\? for help, \\q to leave"
        )?)
    }

    /// `acme=>`, or what the unfinished statement is inside of: `acme'>`.
    fn prompt(&self, pending: &str) -> String {
        let whose = self
            .whose
            .as_ref()
            .map_or("tributary", ManufacturerId::as_str);
        let cut = split(pending);
        let sign = match cut.open {
            Open::Quote(quote) => quote,
            Open::Dollar => '$',
            Open::Comment => '*',
            Open::Nothing if cut.rest.trim().is_empty() => '=',
            Open::Nothing => '-',
        };
        format!("{whose}{sign}> ")
    }

    /// Takes what was typed or pasted, line by line.
    fn lines<'a>(
        &'a mut self,
        text: &'a str,
        pending: &'a mut Pending,
    ) -> BoxFuture<'a, Result<Flow>> {
        Box::pin(async move {
            // An empty text is a line, too: it may be inside of a string.
            for line in text.split('\n') {
                if is_command(&pending.text, line) {
                    self.history.add(line);
                    let done = self.command(line, pending).await;
                    match self.told(done)? {
                        Some(Flow::Continue(())) | None => continue,
                        Some(leave) => return Ok(leave),
                    }
                }
                if pending.text.len() as u64 + line.len() as u64 > SQL_FILE_BYTES {
                    *pending = Pending::default();
                    self.told::<()>(Err(
                        Error::limit("sql_file_bytes", SQL_FILE_BYTES, "more").into()
                    ))?;
                    continue;
                }
                pending.text.push_str(line);
                pending.text.push('\n');
                if self.finished(pending).await?.is_break() {
                    // Interrupted: the rest of a paste was meant to follow what did not happen.
                    return Ok(Flow::Continue(()));
                }
            }
            Ok(Flow::Continue(()))
        })
    }

    /// Runs the statements that have ended. Breaks where the user interrupted one.
    async fn finished(&mut self, pending: &mut Pending) -> Result<Flow> {
        let cut = split(&pending.text);
        let statements: Vec<String> = cut.statements.iter().map(|&text| text.to_owned()).collect();
        let rest = cut.rest.to_owned();
        let idle = !cut.says && cut.open == Open::Nothing;
        let ended = pending.text.len() - rest.len();
        pending.entry.push_str(&pending.text[..ended]);
        pending.text = if idle && rest.trim().is_empty() {
            String::new()
        } else {
            rest
        };
        if pending.text.is_empty() {
            self.history.add(pending.entry.trim_end());
            pending.entry.clear();
        }
        for statement in statements {
            if self.interruptible(&statement).await?.is_break() {
                *pending = Pending::default();
                return Ok(Flow::Break(()));
            }
        }
        Ok(Flow::Continue(()))
    }

    /// Runs the last statement of a text, which needs no `;`.
    async fn rest(&mut self, pending: &mut Pending) -> Result<Flow> {
        let last = std::mem::take(pending).text;
        if split(&last).says {
            return self.interruptible(last.trim()).await;
        }
        Ok(Flow::Continue(()))
    }

    /// Runs one statement; Ctrl-C ends it and not the shell.
    async fn interruptible(&mut self, sql: &str) -> Result<Flow> {
        let typed = self.typed;
        let done = self.statement(sql);
        let Some(done) = unless_interrupted(typed, done).await else {
            note(INTERRUPTED);
            return Ok(Flow::Break(()));
        };
        self.told(done)?;
        Ok(Flow::Continue(()))
    }

    async fn statement(&mut self, sql: &str) -> Result<()> {
        self.output.check()?;
        let answer = self.door.answer(sql, Parameters::new()).await?;
        self.output.write(answer).await
    }

    /// Says an error and gives nothing; that nobody reads our output any more is for the caller.
    fn told<T>(&self, done: Result<T>) -> Result<Option<T>> {
        match done {
            Ok(value) => Ok(Some(value)),
            Err(Stop::Failed(error)) => {
                let _ = say(&error);
                Ok(None)
            }
            Err(gone) => Err(gone),
        }
    }

    async fn command(&mut self, line: &str, pending: &mut Pending) -> Result<Flow> {
        match Command::parse(line)? {
            Command::Quit => return Ok(Flow::Break(())),
            Command::Help => help()?,
            Command::Tables => self.described(describe::tables(&self.door.clone())).await?,
            Command::Columns(table) => {
                let door = self.door.clone();
                self.described(describe::columns(&door, &table)).await?;
            }
            Command::Functions(pattern) => {
                let door = self.door.clone();
                self.described(describe::functions(&door, pattern.as_deref()))
                    .await?;
            }
            Command::Connect(manufacturer) => self.connect(manufacturer).await?,
            Command::Refresh => {
                *pending = Pending::default();
                self.refresh().await?;
                note("names are read again");
            }
            Command::Include(path) => return self.include(&path).await,
            Command::Output(path) => self.redirect(path)?,
            Command::Format(shape) => {
                self.output.shape = shape.unwrap_or(self.output.shape);
                note(&format!("format is {}", self.output.shape.name()));
            }
            Command::Timing(to) => {
                self.output.timing = switched(self.output.timing, to);
                note(&format!("timing is {}", on_off(self.output.timing)));
            }
            Command::Expanded(to) => {
                self.output.expanded = match to {
                    Switch::Over if self.output.expanded == Switch::Off => Switch::On,
                    Switch::Over => Switch::Off,
                    to => to,
                };
                let now = if to == Switch::Auto {
                    "auto"
                } else {
                    on_off(self.output.expanded == Switch::On)
                };
                note(&format!("expanded display is {now}"));
            }
            Command::Pager(to) => {
                self.output.pager = switched(self.output.pager, to);
                note(&format!("pager is {}", on_off(self.output.pager)));
            }
        }
        Ok(Flow::Continue(()))
    }

    /// Finds the statement behind a command, and runs it.
    async fn described(&mut self, sql: impl Future<Output = Result<String, Error>>) -> Result<()> {
        match unless_interrupted(self.typed, sql).await {
            Some(sql) => self.interruptible(&sql?).await.map(drop),
            None => {
                note(INTERRUPTED);
                Ok(())
            }
        }
    }

    /// Reads the names again; the old ones stay where that fails.
    async fn refresh(&mut self) -> Result<()> {
        let door = self.door.clone();
        let read = async {
            let whose = names::manufacturer(&door).await?;
            Ok::<_, Error>((whose, Names::load(&door).await?))
        };
        let Some(read) = unless_interrupted(self.typed, read).await else {
            note(INTERRUPTED);
            return Ok(());
        };
        let (whose, names) = read?;
        self.whose = Some(whose);
        self.names = names;
        Ok(())
    }

    /// Changes over only where the other manufacturer answers.
    async fn connect(&mut self, manufacturer: ManufacturerId) -> Result<()> {
        let door = self.door.of(manufacturer.clone());
        let Some(names) = unless_interrupted(self.typed, Names::load(&door)).await else {
            note(INTERRUPTED);
            return Ok(());
        };
        self.names = names?;
        self.door = door;
        note(&format!("manufacturer is {manufacturer}"));
        self.whose = Some(manufacturer);
        Ok(())
    }

    fn redirect(&mut self, path: Option<PathBuf>) -> Result<()> {
        match path {
            Some(path) => {
                self.output.write_to_file(&path)?;
                note(&format!(
                    "answers go to \"{}\" as {}",
                    path.display(),
                    self.output.shape.name()
                ));
            }
            None => {
                self.output.write_to_standard();
                note("answers come here");
            }
        }
        Ok(())
    }

    /// Runs a file as if it were typed, and what it leaves unfinished with it.
    async fn include(&mut self, path: &Path) -> Result<Flow> {
        if self.depth == INCLUDE_DEPTH {
            return Err(
                Error::limit("include_depth", INCLUDE_DEPTH, INCLUDE_DEPTH + 1)
                    .with_hint(format!("Does \"{}\" include itself?", path.display()))
                    .into(),
            );
        }
        let text = read(path)?;
        let kept = std::mem::replace(&mut self.history, History::in_memory());
        self.depth += 1;
        let mut pending = Pending::default();
        let mut flow = self.lines(&text, &mut pending).await;
        if matches!(flow, Ok(Flow::Continue(()))) {
            flow = self.rest(&mut pending).await.map(|_| Flow::Continue(()));
        }
        self.depth -= 1;
        self.history = kept;
        flow
    }
}

/// Whether a line is a command: a backslash begins no SQL, but it may stand in a string.
fn is_command(pending: &str, line: &str) -> bool {
    line.trim_start().starts_with('\\') && split(pending).open == Open::Nothing
}

/// The outcome, or nothing where the user pressed Ctrl-C before. A script is ended by it as any other process.
async fn unless_interrupted<T>(typed: bool, done: impl Future<Output = T>) -> Option<T> {
    if !typed {
        return Some(done.await);
    }
    tokio::select! {
        done = done => Some(done),
        Ok(()) = tokio::signal::ctrl_c() => None,
    }
}

const fn switched(now: bool, to: Switch) -> bool {
    match to {
        Switch::Over => !now,
        Switch::On | Switch::Auto => true,
        Switch::Off => false,
    }
}

const fn on_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

fn help() -> Result<()> {
    let width = COMMANDS
        .iter()
        .map(|known| known.name.len() + known.arguments.len() + 1)
        .max()
        .unwrap_or_default();
    let mut text = String::from("A statement ends with ; and may have many lines.\n\n");
    for known in COMMANDS {
        let usage = format!("{} {}", known.name, known.arguments);
        text.push_str(&format!("  {usage:width$}  {}\n", known.does));
    }
    text.push_str(
        "\n  Tab completes, Ctrl-R searches what was typed before, Ctrl-C drops the line or the running statement.\n\
         \x20 A line that begins with a blank is not kept.\n",
    );
    Ok(io::stdout().write_all(text.as_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backslash_in_a_string_is_no_command() {
        assert!(is_command("", "\\d"));
        assert!(is_command("SELECT 1\n", "  \\q"));
        assert!(!is_command("SELECT '\n", "\\q"));
        assert!(!is_command("", "SELECT '\\q'"));
    }
}
