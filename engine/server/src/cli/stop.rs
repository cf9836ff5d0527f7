//! Why a command ended early, and how that is said on standard error and in the exit code.

use std::error::Error as _;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use tributary_engine_core::{Error, Fault};

use crate::error::exit_code;

/// Why a command ended early.
pub(crate) enum Stop {
    /// Something went wrong.
    Failed(Error),
    /// Whoever reads our output has seen enough (`… | head`), which is no error.
    ReaderGone,
}

/// What every command returns.
pub(crate) type Result<T, E = Stop> = std::result::Result<T, E>;

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// From writing output; errors of files are made by [`file_error`], which names the file.
impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::ReaderGone;
        }
        Self::Failed(Error::new(
            Fault::Unavailable,
            format!("write output: {error}"),
        ))
    }
}

impl Stop {
    /// Says it, and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        let Self::Failed(error) = self else {
            return ExitCode::SUCCESS;
        };
        // With nobody to tell, the exit code still tells.
        let _ = say(error);
        ExitCode::from(exit_code(error.fault()))
    }
}

/// Says what went wrong on standard error.
pub(super) fn say(error: &Error) -> io::Result<()> {
    let mut out = io::stderr().lock();
    let (red, cyan, plain) = if colour(&out) {
        ("\x1b[1;31m", "\x1b[1;36m", "\x1b[0m")
    } else {
        ("", "", "")
    };
    writeln!(out, "{red}error:{plain} {}", error.message())?;
    if error.fault() == Fault::Internal
        && let Some(cause) = error.source()
    {
        writeln!(out, "{red}cause:{plain} {cause}")?;
    }
    if let Some(hint) = error.hint() {
        writeln!(out, "{cyan}hint:{plain} {hint}")?;
    }
    Ok(())
}

/// Whether colours belong there: on a terminal, unless the user objects (no-color.org).
pub(crate) fn colour(out: &impl IsTerminal) -> bool {
    out.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// A file or folder that cannot be used as the user asked.
pub(crate) fn file_error(doing: &str, path: &Path, error: &io::Error) -> Error {
    let fault = match error.kind() {
        io::ErrorKind::NotFound => Fault::Missing,
        io::ErrorKind::PermissionDenied => Fault::Denied,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Fault::Full,
        io::ErrorKind::AlreadyExists => Fault::Conflict,
        io::ErrorKind::IsADirectory | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidData => {
            Fault::Invalid
        }
        _ => Fault::Unavailable,
    };
    Error::new(fault, format!("{doing} \"{}\": {error}", path.display()))
}
