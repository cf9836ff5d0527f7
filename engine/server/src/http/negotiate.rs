//! Which of the offered formats the client wants: the key `format` of the URL, or else `Accept` (RFC 9110, section
//! 12.5.1).

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use tributary_engine_core::{Error, Fault};

use crate::encode::Encoding;
use crate::error::Failure;

/// The format to answer in; JSON where the client does not say. A browser's `Accept` is not its user's choice, so the
/// URL has the last word.
pub(super) fn encoding(headers: &HeaderMap, format: Option<&str>) -> Result<Encoding, Failure> {
    match format {
        Some(format) => named(format),
        None => accepted(headers),
    }
}

fn named(format: &str) -> Result<Encoding, Failure> {
    let known = Encoding::ALL.into_iter().find(|one| one.name() == format);
    known.ok_or_else(|| {
        let shown: String = format.chars().take(63).collect();
        Error::new(Fault::Invalid, format!("format {shown:?} is not offered"))
            .with_hint(format!(
                "The formats are {}.",
                Encoding::ALL.map(Encoding::name).join(", ")
            ))
            .into()
    })
}

fn accepted(headers: &HeaderMap) -> Result<Encoding, Failure> {
    let ranges: Vec<Range> = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter(|text| !text.trim().is_empty())
        .map(Range::parse)
        .collect();
    if ranges.is_empty() && !headers.contains_key(ACCEPT) {
        return Ok(Encoding::Json);
    }
    best(&ranges).ok_or_else(|| Failure::not_acceptable(&Encoding::ALL.map(Encoding::media_type)))
}

/// The format with the highest weight; of equals the one named more exactly, then the one we prefer.
fn best(ranges: &[Range]) -> Option<Encoding> {
    let mut best: Option<(Encoding, (u16, u8))> = None;
    for encoding in Encoding::ALL {
        let range = ranges
            .iter()
            .filter(|range| range.exactness(encoding.media_type()) > 0)
            .max_by_key(|range| range.exactness(encoding.media_type()));
        let Some(range) = range.filter(|range| range.weight > 0) else {
            continue;
        };
        let rank = (range.weight, range.exactness(encoding.media_type()));
        if best.is_none_or(|(_, best)| rank > best) {
            best = Some((encoding, rank));
        }
    }
    best.map(|(encoding, _)| encoding)
}

/// One element of the header: `text/*;q=0.5`.
struct Range {
    media_range: String,
    /// Thousandths.
    weight: u16,
}

impl Range {
    fn parse(text: &str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let media_range = parts.next().unwrap_or_default().to_ascii_lowercase();
        let weight = parts
            .find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")))
            .map_or(Some(1.0), |q| q.trim().parse::<f32>().ok())
            .filter(|q| (0.0..=1.0).contains(q))
            .unwrap_or(0.0);
        Self {
            media_range,
            weight: (weight * 1_000.0) as u16,
        }
    }

    /// 3 for the type itself, 2 for its family, 1 for anything, 0 for no match.
    fn exactness(&self, media_type: &str) -> u8 {
        let family = media_type.split('/').next().unwrap_or_default();
        match self.media_range.split_once('/') {
            Some(("*", "*")) => 1,
            Some((range, "*")) if range == family => 2,
            _ if self.media_range == media_type => 3,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn check(accept: Option<&'static str>, expected: Option<Encoding>) {
        let mut headers = HeaderMap::new();
        if let Some(accept) = accept {
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
        }
        assert_eq!(encoding(&headers, None).ok(), expected, "{accept:?}");
    }

    #[test]
    fn answers_in_the_format_wanted_most() {
        use Encoding::{Arrow, Csv, Json, Ndjson, Parquet};
        check(None, Some(Json));
        check(Some("*/*"), Some(Json));
        check(Some("application/json"), Some(Json));
        check(Some("application/*"), Some(Json));
        check(Some("text/*"), Some(Csv));
        check(Some("Text/CSV; charset=utf-8"), Some(Csv));
        check(Some("text/csv, */*"), Some(Csv));
        check(Some("text/csv;q=0.5, application/json;q=0.4"), Some(Csv));
        check(Some("text/csv;q=0.5, */*;q=0.8"), Some(Json));
        check(Some("application/json;q=0, */*"), Some(Ndjson));
        check(Some("application/x-ndjson"), Some(Ndjson));
        check(Some("application/vnd.apache.parquet"), Some(Parquet));
        check(Some("application/vnd.apache.arrow.stream"), Some(Arrow));
        check(
            Some("application/vnd.apache.arrow.stream, text/csv;q=0.9"),
            Some(Arrow),
        );
    }

    #[test]
    fn the_url_has_the_last_word() {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("text/html"));
        for one in Encoding::ALL {
            assert_eq!(encoding(&headers, Some(one.name())).ok(), Some(one));
        }
        for format in ["", "JSON", "text/csv"] {
            let refused = encoding(&headers, Some(format)).expect_err(format);
            assert_eq!(refused.error().fault(), Fault::Invalid);
        }
    }

    #[test]
    fn refuses_what_it_does_not_offer() {
        for accept in [
            "text/html",
            "application/xml;q=1",
            "*/*;q=0",
            "application/json;q=nan",
            "",
            "json",
        ] {
            check(Some(accept), None);
        }
    }
}
