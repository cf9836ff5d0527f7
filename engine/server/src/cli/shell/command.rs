//! The commands of the shell that are not SQL: a backslash, a word and what belongs to it.

use std::path::PathBuf;

use tributary_engine_core::manufacturer::ManufacturerId;
use tributary_engine_core::{Error, Fault, Result};

use crate::cli::shape::Shape;

/// What a command asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// Leave.
    Quit,
    /// Say which commands there are.
    Help,
    /// List tables and views.
    Tables,
    /// Show the columns of one.
    Columns(String),
    /// List functions.
    Functions(Option<String>),
    /// Ask about another manufacturer.
    Connect(ManufacturerId),
    /// Read the names again that Tab completes.
    Refresh,
    /// Run a file.
    Include(PathBuf),
    /// Send answers to a file, or back here.
    Output(Option<PathBuf>),
    /// How answers are written; none asks for the present one.
    Format(Option<Shape>),
    /// Whether the time is shown.
    Timing(Switch),
    /// Whether rows are shown expanded.
    Expanded(Switch),
    /// Whether long answers go through a pager.
    Pager(Switch),
}

/// How a setting changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Switch {
    /// The other way round.
    Over,
    /// On.
    On,
    /// Off.
    Off,
    /// As the rows want it.
    Auto,
}

/// A command as the help shows it.
pub(super) struct Known {
    /// With its backslash.
    pub(super) name: &'static str,
    /// What may follow.
    pub(super) arguments: &'static str,
    /// What it does.
    pub(super) does: &'static str,
}

const fn known(name: &'static str, arguments: &'static str, does: &'static str) -> Known {
    Known {
        name,
        arguments,
        does,
    }
}

/// Every command.
pub(super) const COMMANDS: [Known; 13] = [
    known(
        "\\d",
        "[NAME]",
        "list tables and views, or the columns of one",
    ),
    known(
        "\\df",
        "[PATTERN]",
        "list functions, those of plugins included; * stands for anything",
    ),
    known("\\c", "MANUFACTURER", "ask about another manufacturer"),
    known("\\i", "FILE", "run the statements and commands of a file"),
    known(
        "\\o",
        "[FILE]",
        "send answers to a file; without one, back here",
    ),
    known("\\format", "[FORMAT]", "how answers are written"),
    known(
        "\\x",
        "[on|off|auto]",
        "one line for each value; auto where rows are too wide",
    ),
    known("\\timing", "[on|off]", "show how long a statement took"),
    known("\\pset", "pager [on|off]", "show long answers page by page"),
    known(
        "\\r",
        "",
        "drop the unfinished statement and read the names for Tab again",
    ),
    known("\\?", "", "this help"),
    known("\\help", "", "the same"),
    known("\\q", "", "leave, as Ctrl-D does"),
];

impl Command {
    /// Reads one line that begins with a backslash.
    pub(super) fn parse(line: &str) -> Result<Self> {
        let line = line.trim();
        let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        // Who is used to end statements ends commands, too.
        let name = name.trim_end_matches(';');
        let rest = rest.trim();
        let argument = Some(unquoted(rest)).filter(|argument| !argument.is_empty());
        let word = argument.map(|word| word.trim_end_matches(';').trim_end());
        Ok(match (name, word) {
            ("\\q", None) => Self::Quit,
            ("\\?" | "\\help", _) => Self::Help,
            ("\\d", None) => Self::Tables,
            ("\\d", Some(table)) => Self::Columns(table.to_owned()),
            ("\\df", pattern) => Self::Functions(pattern.map(str::to_owned)),
            ("\\c", Some(manufacturer)) => Self::Connect(ManufacturerId::try_from(manufacturer)?),
            ("\\r", None) => Self::Refresh,
            ("\\i", Some(_)) => Self::Include(PathBuf::from(argument.unwrap_or_default())),
            ("\\o", _) => Self::Output(argument.map(PathBuf::from)),
            ("\\format", shape) => Self::Format(shape.map(Shape::named).transpose()?),
            ("\\timing", to) => Self::Timing(two_way(name, to)?),
            ("\\x", Some("auto")) => Self::Expanded(Switch::Auto),
            ("\\x", to) => Self::Expanded(two_way(name, to)?),
            ("\\pset", Some(setting)) => pset(setting)?,
            _ => return Err(wrong(name)),
        })
    }
}

fn pset(setting: &str) -> Result<Command> {
    let (name, to) = setting
        .split_once(char::is_whitespace)
        .unwrap_or((setting, ""));
    if name != "pager" {
        return Err(
            Error::new(Fault::Invalid, format!("setting {name:?} is not known"))
                .with_hint("The one setting is \"pager\": \\pset pager off"),
        );
    }
    let to = Some(to.trim()).filter(|to| !to.is_empty());
    Ok(Command::Pager(two_way("\\pset pager", to)?))
}

fn two_way(name: &str, to: Option<&str>) -> Result<Switch> {
    match to {
        None => Ok(Switch::Over),
        Some("on") => Ok(Switch::On),
        Some("off") => Ok(Switch::Off),
        Some(other) => Err(Error::new(
            Fault::Invalid,
            format!("command \"{name}\" takes on or off, got {other:?}"),
        )),
    }
}

/// A file name may be quoted, so that it may have blanks at its ends.
fn unquoted(text: &str) -> &str {
    let inner = text
        .strip_prefix('\'')
        .and_then(|text| text.strip_suffix('\''));
    inner.unwrap_or(text)
}

/// The name is not known, or what follows it is too much or too little.
fn wrong(name: &str) -> Error {
    if let Some(known) = COMMANDS.iter().find(|known| known.name == name) {
        let usage = format!("{} {}", known.name, known.arguments);
        return Error::new(
            Fault::Invalid,
            format!("command \"{name}\" has a wrong argument"),
        )
        .with_hint(format!("Write it as {}", usage.trim_end()));
    }
    let shown: String = name.chars().take(40).collect();
    let names = COMMANDS.iter().map(|known| known.name);
    let closest = closest(&shown, names).unwrap_or("\\?");
    Error::new(Fault::Invalid, format!("command \"{shown}\" is not known"))
        .with_hint(format!("The closest is {closest}; \\? lists all of them."))
}

/// The name that differs in the fewest characters.
pub(super) fn closest<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names.min_by_key(|name| distance(wrong, name))
}

/// Characters to insert, delete or replace.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, c) in from.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], line + 1);
        for (column, other) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(c != *other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::Encoding;

    #[test]
    fn reads_each_command() {
        for (line, command) in [
            ("\\q", Command::Quit),
            ("  \\q; ", Command::Quit),
            ("\\?", Command::Help),
            ("\\d", Command::Tables),
            ("\\d leads;", Command::Columns("leads".to_owned())),
            ("\\df", Command::Functions(None)),
            ("\\df rate*", Command::Functions(Some("rate*".to_owned()))),
            ("\\r", Command::Refresh),
            ("\\i a b.sql", Command::Include("a b.sql".into())),
            ("\\i ' a;'", Command::Include(" a;".into())),
            ("\\o", Command::Output(None)),
            ("\\o out.csv", Command::Output(Some("out.csv".into()))),
            ("\\format", Command::Format(None)),
            (
                "\\format csv",
                Command::Format(Some(Shape::Encoded(Encoding::Csv))),
            ),
            ("\\timing", Command::Timing(Switch::Over)),
            ("\\timing off", Command::Timing(Switch::Off)),
            ("\\x auto", Command::Expanded(Switch::Auto)),
            ("\\x on", Command::Expanded(Switch::On)),
            ("\\pset pager off", Command::Pager(Switch::Off)),
            ("\\pset pager", Command::Pager(Switch::Over)),
        ] {
            assert_eq!(Command::parse(line).ok(), Some(command), "{line}");
        }
    }

    #[test]
    fn names_the_closest_command() {
        for (line, hint) in [
            ("\\timming", "closest is \\timing"),
            ("\\formt csv", "closest is \\format"),
            ("\\dg", "closest is \\d"),
            ("\\quit", "\\? lists"),
            ("\\c", "\\c MANUFACTURER"),
            ("\\c Not Valid", "lower-case letter"),
            ("\\q now", "\\q"),
            ("\\pset colour", "\\pset pager off"),
            ("\\format xml", "json"),
        ] {
            let error = Command::parse(line).expect_err(line);
            assert!(
                error.hint().is_some_and(|text| text.contains(hint)),
                "{line}: {error:?} {:?}",
                error.hint()
            );
        }
        assert!(Command::parse("\\timing maybe").is_err());
    }
}
