//! The keys of a URL, as in `?format=csv&$region=north`: decoded, each at most once, and none that nobody knows.

use axum::extract::Query;
use axum::http::Uri;
use tributary_engine_core::{Error, Fault, Result};

/// The keys that are not taken yet, in the order of the URL.
pub(super) struct Keys(Vec<(String, String)>);

impl Keys {
    /// Decodes the query string. A key that comes twice is refused: which value counts would be a guess.
    pub(super) fn of(uri: &Uri) -> Result<Self> {
        let Ok(Query(pairs)) = Query::<Vec<(String, String)>>::try_from_uri(uri) else {
            return Err(Error::new(
                Fault::Invalid,
                "the query string of the URL is not readable",
            ));
        };
        refuse_other_encodings(uri, &pairs)?;
        for (position, (key, _)) in pairs.iter().enumerate() {
            if pairs[..position].iter().any(|(earlier, _)| earlier == key) {
                return Err(Error::new(
                    Fault::Invalid,
                    format!("key {:?} of the URL is given twice", shown(key)),
                ));
            }
        }
        Ok(Self(pairs))
    }

    /// Takes the value of one key, where it is there.
    pub(super) fn take(&mut self, key: &str) -> Option<String> {
        let position = self.0.iter().position(|(known, _)| known == key)?;
        Some(self.0.remove(position).1)
    }

    /// Takes every key that begins so, without that beginning.
    pub(super) fn take_all(&mut self, prefix: &str) -> Vec<(String, String)> {
        let (taken, rest) = std::mem::take(&mut self.0)
            .into_iter()
            .partition(|(key, _)| key.starts_with(prefix));
        self.0 = rest;
        let taken: Vec<(String, String)> = taken;
        taken
            .into_iter()
            .map(|(key, value)| (key[prefix.len()..].to_owned(), value))
            .collect()
    }

    /// Refuses what nobody took.
    pub(super) fn finish(self, known: &str) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let unknown: Vec<String> = self
            .0
            .iter()
            .take(5)
            .map(|(key, _)| format!("{:?}", shown(key)))
            .collect();
        let unknown = unknown.join(", ");
        Err(
            Error::new(Fault::Invalid, format!("unknown key in the URL: {unknown}"))
                .with_hint(format!("The keys here are {known}.")),
        )
    }
}

/// The decoder replaces bytes that are not UTF-8 by U+FFFD, which would change a value silently.
fn refuse_other_encodings(uri: &Uri, pairs: &[(String, String)]) -> Result<()> {
    let replaced = |text: &str| text.contains('\u{fffd}');
    let meant = uri
        .query()
        .is_some_and(|query| query.to_ascii_uppercase().contains("%EF%BF%BD"));
    match pairs
        .iter()
        .find(|(key, value)| replaced(key) || replaced(value))
    {
        Some((key, _)) if !meant => Err(Error::new(
            Fault::Invalid,
            format!("key {:?} of the URL is not UTF-8 text", shown(key)),
        )),
        _ => Ok(()),
    }
}

fn shown(key: &str) -> String {
    key.chars().take(63).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(query: &str) -> Result<Keys> {
        Keys::of(&format!("/q?{query}").parse().expect("a URI"))
    }

    #[test]
    fn decodes_and_hands_out_each_key_once() {
        let mut keys =
            keys("sql=SELECT+%24a%2B1&$a=x%20y&%24b:date=2024-01-01&format=csv").expect("keys");
        assert_eq!(keys.take("sql").as_deref(), Some("SELECT $a+1"));
        assert_eq!(
            keys.take_all("$"),
            [
                ("a".to_owned(), "x y".to_owned()),
                ("b:date".to_owned(), "2024-01-01".to_owned())
            ]
        );
        let error = keys.finish("sql").expect_err("nobody took the format");
        assert_eq!(error.message(), "unknown key in the URL: \"format\"");
    }

    #[test]
    fn refuses_doubled_keys_and_other_encodings() {
        assert!(keys("a=1&b=2&a=1").is_err());
        assert!(keys("a=%ff").is_err());
        assert!(keys("a=%EF%BF%BD").is_ok());
        assert!(keys("").expect("nothing").finish("none").is_ok());
    }
}
