//! What went wrong: whose fault it is, a message for that person, and where it happened. This
//! file deliberately knows no protocol and no SQLSTATE.

use std::fmt;

/// Whose fault an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The upload is not a plugin this host accepts.
    Refused,
    /// A bound was exceeded; `Error::limit` says which.
    Limit,
    /// The guest stopped: a panic, a division by zero, an access out of bounds.
    Trap,
    /// The guest returned something the interface does not allow.
    Output,
    /// The plugin refused the values of one row.
    Row,
    /// The settings are not what the plugin declares, or the plugin refused them.
    Settings,
    /// The plugin refused the call as a whole.
    Plugin,
    /// The caller or this host is wrong.
    Internal,
}

/// A bound that was exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitHit {
    /// the field of `Limits`
    pub name: &'static str,
    /// the bound
    pub limit: u64,
    /// what was asked for, where it is known
    pub asked: Option<u64>,
}

/// Where an error happened, as far as that is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// name of the plugin
    pub plugin: Option<String>,
    /// version of the plugin
    pub version: Option<String>,
    /// name of the function
    pub function: Option<String>,
    /// row of the batch that was passed to `Pool::call`
    pub row: Option<u64>,
}

/// An error of the sandbox.
#[derive(Debug)]
pub struct Error {
    /// whose fault it is
    pub kind: ErrorKind,
    /// lowercase, no full stop, without the place
    pub message: String,
    /// set for `ErrorKind::Limit`
    pub limit: Option<Box<LimitHit>>,
    /// where it happened
    pub place: Box<Place>,
}

impl Error {
    /// An error without a place.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            limit: None,
            place: Box::default(),
        }
    }

    /// An exceeded bound.
    pub fn limit(name: &'static str, limit: u64, asked: Option<u64>) -> Self {
        let message = match asked {
            Some(asked) => format!("limit {name} is {limit}, asked for {asked}"),
            None => format!("limit {name} is {limit}, and that was not enough"),
        };
        let hit = LimitHit { name, limit, asked };
        Self {
            limit: Some(Box::new(hit)),
            ..Self::new(ErrorKind::Limit, message)
        }
    }

    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Refused, message)
    }

    pub(crate) fn output(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Output, message)
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, message)
    }

    pub(crate) fn in_row(mut self, row: Option<u64>) -> Self {
        self.place.row = row;
        self
    }

    /// Moves the row, if there is one, from its part of a batch into the batch.
    pub(crate) fn after_rows(mut self, rows: u64) -> Self {
        self.place.row = self.place.row.map(|row| row + rows);
        self
    }

    pub(crate) fn in_function(mut self, name: &str) -> Self {
        self.place.function = Some(name.to_owned());
        self
    }

    pub(crate) fn in_plugin(mut self, name: &str, version: &str) -> Self {
        self.place.plugin = Some(name.to_owned());
        self.place.version = Some(version.to_owned());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place {
            plugin,
            version,
            function,
            row,
        } = &*self.place;
        let mut separator = "";
        if let Some(plugin) = plugin {
            write!(out, "plugin \"{plugin}\"")?;
            separator = ", ";
        }
        if let Some(version) = version {
            write!(out, " {version}")?;
        }
        if let Some(function) = function {
            write!(out, "{separator}function \"{function}\"")?;
            separator = ", ";
        }
        if let Some(row) = row {
            write!(out, "{separator}row {} of the batch", row + 1)?;
            separator = ", ";
        }
        if !separator.is_empty() {
            out.write_str(": ")?;
        }
        out.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// Fails if more is asked for than the bound allows.
pub(crate) fn within(name: &'static str, limit: u64, asked: u64) -> Result<(), Error> {
    if asked <= limit {
        Ok(())
    } else {
        Err(Error::limit(name, limit, Some(asked)))
    }
}

/// Text of a guest, fit to be shown: one line, cut to a length.
pub(crate) fn printable(text: &str, bytes_max: u64) -> String {
    let end = text.floor_char_boundary(usize::try_from(bytes_max).unwrap_or(usize::MAX));
    let mut shown: String = text[..end]
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    if end < text.len() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::{Error, ErrorKind, printable};

    #[test]
    fn says_where_and_what() {
        let error = Error::new(ErrorKind::Row, "answer 4 is not 0 to 3").in_row(Some(7));
        let error = error.in_function("qualify").in_plugin("champ", "1.0.0");
        let text = "plugin \"champ\" 1.0.0, function \"qualify\", row 8 of the batch: answer 4 is not 0 to 3";
        assert_eq!(error.to_string(), text);
        let limit = Error::limit("upload_bytes_max", 10, Some(11));
        assert_eq!(
            limit.to_string(),
            "limit upload_bytes_max is 10, asked for 11"
        );
    }

    #[test]
    fn guest_text_is_one_short_line() {
        assert_eq!(printable("a\n\u{1b}b", 10), "a  b");
        assert_eq!(printable("aää", 2), "a…");
    }
}
