//! What a commit says of its origin: the request it belongs to, and the import that it waits for.
//!
//! Two rules build on it. A commit of an import counts once the import is published. A file of a side table counts once
//! the commit that it was written beside is in the log of its main table.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

const REQUEST: &str = "tributary.request";
const IMPORT: &str = "tributary.import";
const MAIN: &str = "tributary.main";
const VERSION: &str = "tributary.version";

/// Who makes a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The request, unique over all time.
    pub request: String,
    /// The import whose publication makes the commit count.
    pub import: Option<String>,
}

impl Stamp {
    /// A request of its own.
    pub fn new() -> Self {
        Self {
            request: uuid::Uuid::now_v7().to_string(),
            import: None,
        }
    }

    /// A part of an import.
    pub fn of_import(import: &str) -> Self {
        Self {
            import: Some(import.to_owned()),
            ..Self::new()
        }
    }

    /// As the log's commit information carries it.
    pub fn to_metadata(&self) -> Vec<(String, Value)> {
        let import = self.import.iter().map(|id| (IMPORT, id));
        std::iter::once((REQUEST, &self.request))
            .chain(import)
            .map(|(key, id)| (key.to_owned(), Value::String(id.clone())))
            .collect()
    }
}

/// The commit that a file of a side table was written beside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beside {
    /// The main table.
    pub main: String,
    /// The version that the commit was to become.
    pub version: u64,
    /// The request that was to commit it.
    pub request: String,
}

impl Beside {
    /// As the log's entry of the file carries it.
    pub fn to_tags(&self) -> HashMap<String, Option<String>> {
        let version = self.version.to_string();
        [
            (MAIN, &self.main),
            (VERSION, &version),
            (REQUEST, &self.request),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), Some(value.clone())))
        .collect()
    }

    /// Reads it back; nothing where the file belongs to no other commit.
    pub fn from_tags(tags: Option<&HashMap<String, Option<String>>>) -> Option<Self> {
        let tag = |name: &str| tags?.get(name).cloned().flatten();
        Some(Self {
            main: tag(MAIN)?,
            version: tag(VERSION)?.parse().ok()?,
            request: tag(REQUEST)?,
        })
    }
}

/// What the log says of one commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commit {
    /// When it was made, in milliseconds since 1970; absent where another writer did not say.
    pub at_ms: Option<i64>,
    /// The request that made it.
    pub request: Option<String>,
    /// The import that it waits for.
    pub import: Option<String>,
}

impl Commit {
    /// Reads one entry of a log: one JSON document on each line, one of which tells of the commit.
    pub fn parse(entry: &str) -> Self {
        #[derive(Deserialize)]
        struct Line {
            #[serde(rename = "commitInfo")]
            info: Option<HashMap<String, Value>>,
        }
        let info = entry
            .lines()
            .filter(|line| line.contains("\"commitInfo\""))
            .find_map(|line| serde_json::from_str::<Line>(line).ok()?.info);
        let Some(info) = info else {
            return Self::default();
        };
        let text = |key: &str| info.get(key)?.as_str().map(str::to_owned);
        Self {
            at_ms: info.get("timestamp").and_then(Value::as_i64),
            request: text(REQUEST),
            import: text(IMPORT),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let beside = Beside {
            main: "leads".to_owned(),
            version: 7,
            request: "r".to_owned(),
        };
        assert_eq!(Beside::from_tags(Some(&beside.to_tags())), Some(beside));
        assert_eq!(Beside::from_tags(None), None);

        let stamp = Stamp::of_import("i");
        let mut info: serde_json::Map<String, Value> = stamp.to_metadata().into_iter().collect();
        info.insert("timestamp".to_owned(), 5.into());
        let entry = format!(
            "{{\"add\":{{}}}}\n{{\"commitInfo\":{}}}",
            Value::Object(info)
        );
        let commit = Commit::parse(&entry);
        assert_eq!(commit.at_ms, Some(5));
        assert_eq!(commit.request, Some(stamp.request));
        assert_eq!(commit.import.as_deref(), Some("i"));
        assert_eq!(Commit::parse("{\"add\":{}}"), Commit::default());
    }
}
