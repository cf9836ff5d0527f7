//! The id of a manufacturer: the tenant, and the name of its folder.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::fault::{Error, Fault};

/// A checked id, `[a-z][a-z0-9_]{0,62}`: safe as a folder, a schema and a path segment.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ManufacturerId(String);

impl ManufacturerId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ManufacturerId {
    type Error = Error;

    fn try_from(id: String) -> Result<Self, Error> {
        if is_name(&id) && !RESERVED.contains(&id.as_str()) {
            return Ok(Self(id));
        }
        let shown: String = id.chars().take(63).collect();
        Err(Error::new(
            Fault::Invalid,
            format!("manufacturer {shown:?} is not a valid id"),
        )
        .with_hint(
            "An id is a lower-case letter followed by at most 62 lower-case letters, digits or underscores, \
             and not \"query\", \"information_schema\", \"format\" or \"spill\".",
        ))
    }
}

impl TryFrom<&str> for ManufacturerId {
    type Error = Error;

    fn try_from(id: &str) -> Result<Self, Error> {
        Self::try_from(id.to_owned())
    }
}

impl From<ManufacturerId> for String {
    fn from(id: ManufacturerId) -> Self {
        id.0
    }
}

impl fmt::Display for ManufacturerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names that mean something else in a URL, in SQL or in the data folder.
const RESERVED: [&str; 4] = ["format", "information_schema", "query", "spill"];

/// Whether a text follows the one naming rule of the product: `[a-z][a-z0-9_]{0,62}`.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_lowercase())
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && text.len() <= 63
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_could_leave_the_folder() {
        for id in [
            "",
            "..",
            "a/b",
            "A",
            "1a",
            "query",
            "a\0",
            "ä",
            "a-b",
            &"a".repeat(64),
        ] {
            assert!(ManufacturerId::try_from(id).is_err(), "{id:?}");
        }
        assert!(ManufacturerId::try_from("acme_2").is_ok());
    }
}
