//! The terminal of this process: its size, and the mode in which every key is ours.

/// Characters that fit.
#[derive(Clone, Copy)]
pub(super) struct Size {
    /// From top to bottom.
    pub(super) rows: usize,
    /// From left to right.
    pub(super) columns: usize,
}

#[cfg(unix)]
pub(super) use unix::{Raw, can_edit, size};

#[cfg(unix)]
mod unix {
    use std::io::{self, IsTerminal, Write};

    use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

    use super::Size;

    /// Whether lines can be edited: both ends are a terminal, and one that can move its cursor.
    pub(in super::super) fn can_edit() -> bool {
        io::stdin().is_terminal()
            && io::stdout().is_terminal()
            && std::env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb")
    }

    /// The size of the terminal that standard output is.
    pub(in super::super) fn size() -> Option<Size> {
        let size = tcgetwinsize(io::stdout()).ok()?;
        (size.ws_row > 0 && size.ws_col > 1).then(|| Size {
            rows: size.ws_row.into(),
            columns: size.ws_col.into(),
        })
    }

    /// The terminal hands over every key as it is pressed, until this is dropped.
    pub(in super::super) struct Raw {
        before: Termios,
    }

    impl Raw {
        pub(in super::super) fn enter() -> io::Result<Self> {
            let before = tcgetattr(io::stdin())?;
            let mut raw = before.clone();
            raw.make_raw();
            // What was typed ahead stays.
            tcsetattr(io::stdin(), OptionalActions::Drain, &raw)?;
            // A paste arrives in brackets, so that its line breaks are no Enter.
            let _ = write!(io::stdout(), "\x1b[?2004h");
            Ok(Self { before })
        }
    }

    impl Drop for Raw {
        fn drop(&mut self) {
            let _ = write!(io::stdout(), "\x1b[?2004l");
            let _ = io::stdout().flush();
            let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &self.before);
        }
    }
}

#[cfg(not(unix))]
pub(super) use elsewhere::{Raw, can_edit, size};

#[cfg(not(unix))]
mod elsewhere {
    use std::io;

    use super::Size;

    /// Lines are edited by the terminal itself.
    pub(in super::super) const fn can_edit() -> bool {
        false
    }

    /// Not known.
    pub(in super::super) const fn size() -> Option<Size> {
        None
    }

    /// Never entered, since lines are not edited here.
    pub(in super::super) struct Raw;

    impl Raw {
        pub(in super::super) fn enter() -> io::Result<Self> {
            Err(io::ErrorKind::Unsupported.into())
        }
    }
}
