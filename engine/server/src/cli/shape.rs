//! How the answers of `tributary sql` are written: laid out for reading, or in a format that HTTP answers in.

use tributary_engine_core::{Error, Fault};

use super::stop::Result;
use crate::encode::Encoding;

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Laid out for reading.
    Table,
    /// All rows, in a format of HTTP.
    Encoded(Encoding),
}

impl Shape {
    /// Every shape, the default one first.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        std::iter::once(Self::Table).chain(Encoding::ALL.map(Self::Encoded))
    }

    /// The shape of this name.
    pub(super) fn named(name: &str) -> Result<Self, Error> {
        Self::all()
            .find(|shape| shape.name() == name)
            .ok_or_else(|| {
                let names: Vec<&str> = Self::all().map(Self::name).collect();
                Error::new(Fault::Invalid, format!("format {name:?} is not known"))
                    .with_hint(format!("The formats are {}.", names.join(", ")))
            })
    }

    /// Its name on the command line and in the shell.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Encoded(encoding) => encoding.name(),
        }
    }

    /// Whether its bytes are no text, and two of its answers in one file no file.
    pub(super) fn is_binary(self) -> bool {
        match self {
            Self::Table => false,
            Self::Encoded(encoding) => encoding.media_type().starts_with("application/vnd."),
        }
    }

    /// The same where it can be read on a terminal.
    pub(super) fn for_terminal(self, hint: &str) -> Result<Self, Error> {
        if self.is_binary() {
            return Err(Error::new(
                Fault::Invalid,
                format!("format \"{}\" cannot be read on a terminal", self.name()),
            )
            .with_hint(hint));
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_is_found_by_its_name() {
        for shape in Shape::all() {
            assert_eq!(Shape::named(shape.name()).ok(), Some(shape));
        }
        let error = Shape::named("xml").expect_err("unknown");
        assert!(
            error
                .hint()
                .is_some_and(|hint| hint.contains("table, json")),
            "{error:?}"
        );
    }

    #[test]
    fn binary_answers_stay_off_the_terminal() {
        assert!(Shape::Encoded(Encoding::Arrow).for_terminal("").is_err());
        assert!(Shape::Encoded(Encoding::Csv).for_terminal("").is_ok());
        assert!(Shape::Table.for_terminal("").is_ok());
    }
}
