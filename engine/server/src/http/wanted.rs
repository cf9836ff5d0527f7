//! How an answer is wanted: its format, at most how many rows, and by when. The same keys of the URL on every route that
//! answers with rows.

use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use tributary_engine_core::limits::QUERY_SECONDS;
use tributary_engine_core::{Error, Fault, Result};

use super::keys::Keys;
use super::negotiate;
use crate::encode::Encoding;
use crate::error::Failure;
use crate::limits::ANSWER_ROWS_MAX;

/// The keys, for the text of an error.
pub(super) const OPTIONS: &str = "format, limit, deadline_ms, csv_formulas";

/// How an answer is wanted.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) encoding: Encoding,
    /// Whether texts that a spreadsheet would compute get an apostrophe in front.
    pub(super) neutral_formulas: bool,
    pub(super) limit: Option<u64>,
    pub(super) deadline: Option<Duration>,
    pub(super) since: Instant,
}

impl Wanted {
    /// Takes its keys out of those of the URL; the format may be in the headers instead.
    pub(super) fn take(headers: &HeaderMap, keys: &mut Keys) -> Result<Self, Failure> {
        let encoding = negotiate::encoding(headers, keys.take("format").as_deref())?;
        let limit = keys.take("limit");
        let deadline = keys.take("deadline_ms");
        let deadline_ms = deadline.map(|text| number("deadline_ms", &text, QUERY_SECONDS * 1_000));
        Ok(Self {
            encoding,
            neutral_formulas: formulas(keys.take("csv_formulas").as_deref(), encoding)?,
            limit: limit
                .map(|text| number("limit", &text, ANSWER_ROWS_MAX))
                .transpose()?,
            deadline: deadline_ms.transpose()?.map(Duration::from_millis),
            since: Instant::now(),
        })
    }
}

/// A whole number from 1 to a bound.
fn number(key: &str, text: &str, most: u64) -> Result<u64> {
    let number = text
        .parse()
        .ok()
        .filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| {
        let shown: String = text.chars().take(63).collect();
        let message = format!("{shown:?} is no value of key \"{key}\"");
        Error::new(Fault::Invalid, message).with_hint(format!("Write a number from 1 to {most}."))
    })
}

fn formulas(said: Option<&str>, encoding: Encoding) -> Result<bool> {
    let (message, hint) = match said {
        None => return Ok(false),
        Some(_) if encoding != Encoding::Csv => (
            "key \"csv_formulas\" means nothing for this format".to_owned(),
            "Ask for text/csv, or leave it out.",
        ),
        Some("keep") => return Ok(false),
        Some("neutralise") => return Ok(true),
        Some(other) => {
            let shown: String = other.chars().take(63).collect();
            (
                format!("{shown:?} is no value of key \"csv_formulas\""),
                "Write keep or neutralise.",
            )
        }
    };
    Err(Error::new(Fault::Invalid, message).with_hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(query: &str) -> Result<Wanted, Failure> {
        let mut keys = Keys::of(&format!("/q?{query}").parse().expect("a URI"))?;
        Wanted::take(&HeaderMap::new(), &mut keys)
    }

    #[test]
    fn reads_numbers_within_their_bounds() {
        let all = wanted("limit=10&deadline_ms=250&format=csv&csv_formulas=neutralise");
        let all = all.expect("all of it");
        assert_eq!(all.limit, Some(10));
        assert_eq!(all.deadline, Some(Duration::from_millis(250)));
        assert!(all.neutral_formulas);
        for wrong in [
            "limit=0",
            "limit=-1",
            "limit=ten",
            "limit=",
            "limit=1.5",
            "deadline_ms=0",
            "deadline_ms=300001",
            "csv_formulas=neutralise",
            "format=csv&csv_formulas=yes",
        ] {
            assert!(wanted(wrong).is_err(), "{wrong}");
        }
    }
}
