//! How a file is written: format, compression and dialect, in the words that HTTP, the command line and mappings share.
//!
//! A word that is not known is an error that lists those that are. Nothing here is guessed from a file's content.

use std::path::Path;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::fault::{Error, Fault, Result};

/// An enumeration whose values have a word each, the same in every door.
macro_rules! words {
    ($(#[$about:meta])* $name:ident, $option:literal { $($(#[$each:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$each])* $variant),+ }

        impl $name {
            /// Every word, in the order of the documentation.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word for it.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The value that a word names.
            pub fn named(word: &str) -> Result<Self> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    other => Err(unknown_word($option, other, Self::WORDS)),
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.word())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = String::deserialize(deserializer)?;
                Self::named(&word).map_err(|error| told(&error))
            }
        }
    };
}

words! {
    /// How rows are written.
    Format, "format" {
        /// RFC 4180 with a header row; an empty field is NULL.
        Csv = "csv",
        /// Apache Parquet.
        Parquet = "parquet",
        /// One JSON object on each line.
        Ndjson = "ndjson",
        /// Apache Arrow IPC, a stream or a file: they begin differently.
        Arrow = "arrow",
    }
}

words! {
    /// What a file is packed with.
    Compression, "compression" {
        /// One or more gzip members.
        Gzip = "gzip",
        /// One or more Zstandard frames.
        Zstd = "zstd",
    }
}

words! {
    /// What stands between the fields of a CSV file.
    Delimiter, "delimiter" {
        /// A comma.
        Comma = ",",
        /// A semicolon.
        Semicolon = ";",
        /// A tab.
        Tab = "tab",
        /// A vertical bar.
        Bar = "|",
    }
}

words! {
    /// What stands before the decimals of a number.
    DecimalMark, "decimal" {
        /// `1234.50`
        Point = ".",
        /// `1234,50`
        Comma = ",",
    }
}

words! {
    /// The order of day, month and year.
    Dates, "dates" {
        /// `2024-05-31`
        Iso = "iso",
        /// `31.05.2024`, `31/5/2024` or `31-05-2024`
        Dmy = "dmy",
        /// `05/31/2024`, `5.31.2024` or `05-31-2024`
        Mdy = "mdy",
    }
}

words! {
    /// What a key means that other objects of the file have and this one has not.
    Missing, "missing" {
        /// An error where a row may change a part of its columns.
        Refuse = "refuse",
        /// NULL.
        Null = "null",
    }
}

words! {
    /// What becomes of a file with bad rows.
    OnError, "on_error" {
        /// One bad row refuses the file.
        Refuse = "refuse",
        /// Bad rows are set aside with their reason, the others are stored.
        Quarantine = "quarantine",
    }
}

impl Delimiter {
    /// The byte in the file.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
            Self::Bar => b'|',
        }
    }
}

/// An encoding of text, by one of the names that the web uses for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding(&'static encoding_rs::Encoding);

impl Encoding {
    /// What a file is in that says nothing else.
    pub const UTF_8: Self = Self(encoding_rs::UTF_8);
    /// Two bytes for most characters, the lower first.
    pub const UTF_16LE: Self = Self(encoding_rs::UTF_16LE);
    /// Two bytes for most characters, the higher first.
    pub const UTF_16BE: Self = Self(encoding_rs::UTF_16BE);

    /// The encoding that a label names.
    pub fn named(label: &str) -> Result<Self> {
        match encoding_rs::Encoding::for_label_no_replacement(label.as_bytes()) {
            Some(encoding) => Ok(Self(encoding)),
            None => Err(unknown_word(
                "encoding",
                label,
                &["utf-8", "utf-16le", "utf-16be", "windows-1252", "iso-8859-2", "shift_jis", "gbk"],
            )
            .with_hint("Any label of the WHATWG encoding standard is known, for example utf-8, utf-16le, windows-1252, iso-8859-2, shift_jis or gbk.")),
        }
    }

    /// Its name, in lowercase.
    #[must_use]
    pub fn word(self) -> String {
        self.0.name().to_ascii_lowercase()
    }

    /// The decoder's table.
    #[must_use]
    pub(crate) const fn table(self) -> &'static encoding_rs::Encoding {
        self.0
    }
}

impl Serialize for Encoding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.word())
    }
}

impl<'de> Deserialize<'de> for Encoding {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let label = String::deserialize(deserializer)?;
        Self::named(&label).map_err(|error| told(&error))
    }
}

/// How a file is written. What is not said has its default; what does not fit the format is an error.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reading {
    /// Format; by its first bytes where absent, which a text file does not have.
    pub format: Option<Format>,
    /// Packed with what; by its first bytes where absent.
    pub compression: Option<Compression>,
    /// Encoding of a text file; UTF-8, or what its byte order mark says, where absent.
    pub encoding: Option<Encoding>,
    /// Delimiter of a CSV file; a comma where absent.
    pub delimiter: Option<Delimiter>,
    /// Decimal mark of numbers written as text; a point where absent.
    pub decimal: Option<DecimalMark>,
    /// Order of the parts of dates written as text; ISO 8601 where absent.
    pub dates: Option<Dates>,
    /// Texts that mean NULL, beside the empty field of a CSV file.
    pub null: Vec<String>,
    /// What an absent key of NDJSON means; an error where it is ambiguous, where absent.
    pub missing: Option<Missing>,
}

impl Reading {
    /// The options of [`Self::set`], for help and errors.
    pub const OPTIONS: &'static [&'static str] = &[
        "encoding",
        "delimiter",
        "decimal",
        "dates",
        "null",
        "missing",
    ];

    /// A plain file of this format.
    #[must_use]
    pub fn of(format: Format) -> Self {
        Self {
            format: Some(format),
            ..Self::default()
        }
    }

    /// What a file's name says: its format, and what it is packed with.
    #[must_use]
    pub fn by_name(path: &Path) -> (Option<Format>, Option<Compression>) {
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.unwrap_or_default().to_ascii_lowercase();
        let (stem, compression) = match name.rsplit_once('.') {
            Some((stem, "gz" | "gzip")) => (stem, Some(Compression::Gzip)),
            Some((stem, "zst" | "zstd")) => (stem, Some(Compression::Zstd)),
            _ => (name.as_str(), None),
        };
        let format = match stem.rsplit_once('.') {
            Some((_, "csv")) => Some(Format::Csv),
            Some((_, "parquet")) => Some(Format::Parquet),
            Some((_, "ndjson" | "jsonl")) => Some(Format::Ndjson),
            Some((_, "arrow" | "arrows" | "feather" | "ipc")) => Some(Format::Arrow),
            _ => None,
        };
        (format, compression)
    }

    /// Sets one option of [`Self::OPTIONS`] from its word; `null` may be said several times.
    pub fn set(&mut self, option: &str, value: &str) -> Result<()> {
        match option {
            "encoding" => once(&mut self.encoding, option, Encoding::named(value)?),
            "delimiter" => {
                let word = if value == "\t" { "tab" } else { value };
                once(&mut self.delimiter, option, Delimiter::named(word)?)
            }
            "decimal" => once(&mut self.decimal, option, DecimalMark::named(value)?),
            "dates" => once(&mut self.dates, option, Dates::named(value)?),
            "missing" => once(&mut self.missing, option, Missing::named(value)?),
            "null" => {
                self.null.push(value.to_owned());
                Ok(())
            }
            other => Err(unknown_option(other, Self::OPTIONS)),
        }
    }

    /// Refuses options that mean nothing for the format.
    pub fn check(&self, format: Format) -> Result<()> {
        let text = matches!(format, Format::Csv | Format::Ndjson);
        let fits = [
            ("encoding", self.encoding.is_none() || text),
            (
                "delimiter",
                self.delimiter.is_none() || format == Format::Csv,
            ),
            ("decimal", self.decimal.is_none() || text),
            ("dates", self.dates.is_none() || text),
            ("null", self.null.is_empty() || text),
            (
                "missing",
                self.missing.is_none() || format == Format::Ndjson,
            ),
        ];
        if let Some((option, _)) = fits.iter().find(|(_, fits)| !fits) {
            return Err(Error::new(
                Fault::Invalid,
                format!("option \"{option}\" means nothing for {}", format.word()),
            )
            .with_hint(format!("Leave \"{option}\" out.")));
        }
        Ok(())
    }
}

/// How a file was read, so that nobody has to guess which dialect was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadAs {
    /// Format; an Arrow stream and an Arrow file are told apart.
    pub format: String,
    /// What it was packed with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compression: Option<Compression>,
    /// Encoding of a text file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
    /// Delimiter of a CSV file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<Delimiter>,
    /// `cr` where a lone carriage return ends each line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_ends: Option<String>,
    /// Decimal mark, where it was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimal: Option<DecimalMark>,
    /// Order of dates, where it was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dates: Option<Dates>,
}

/// The error for an option that nobody knows.
pub fn unknown_option(option: &str, known: &[&str]) -> Error {
    Error::new(
        Fault::Invalid,
        format!("option {} is not known", shortened(option)),
    )
    .with_hint(format!("The options are {}.", known.join(", ")))
}

fn once<T>(slot: &mut Option<T>, option: &str, value: T) -> Result<()> {
    if slot.replace(value).is_some() {
        return Err(Error::new(
            Fault::Invalid,
            format!("option \"{option}\" is said twice"),
        ));
    }
    Ok(())
}

fn unknown_word(option: &str, word: &str, known: &[&str]) -> Error {
    let listed: Vec<String> = known.iter().map(|word| format!("\"{word}\"")).collect();
    Error::new(
        Fault::Invalid,
        format!("{} is no value of option \"{option}\"", shortened(word)),
    )
    .with_hint(format!("The values are {}.", listed.join(", ")))
}

fn shortened(word: &str) -> String {
    let shown: String = word.chars().take(40).collect();
    format!("{shown:?}")
}

fn told<E: serde::de::Error>(error: &Error) -> E {
    let hint = error.hint().unwrap_or_default();
    E::custom(format!("{}. {hint}", error.message()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_same_in_every_door() {
        let mut said = Reading::of(Format::Csv);
        for (option, value) in [
            ("encoding", "latin1"),
            ("delimiter", "\t"),
            ("decimal", ","),
            ("dates", "dmy"),
            ("null", "NA"),
            ("null", "-"),
        ] {
            said.set(option, value).expect(option);
        }
        let json = serde_json::to_string(&said).expect("JSON");
        assert!(json.contains("\"encoding\":\"windows-1252\""), "{json}");
        assert_eq!(serde_json::from_str::<Reading>(&json).expect("read"), said);
        assert!(serde_json::from_str::<Reading>("{\"colour\":1}").is_err());
        let error = serde_json::from_str::<Reading>("{\"dates\":\"ydm\"}").expect_err("no value");
        assert!(error.to_string().contains("\"mdy\""), "{error}");
        assert!(said.set("dates", "mdy").is_err(), "said twice");
        assert!(said.check(Format::Csv).is_ok());
        for format in [Format::Parquet, Format::Arrow, Format::Ndjson] {
            assert!(said.check(format).is_err(), "{format:?}");
        }
    }

    #[test]
    fn names_of_files_say_how_they_are_written() {
        use Compression::{Gzip, Zstd};
        for (name, expected) in [
            ("a.csv", (Some(Format::Csv), None)),
            ("b/a.tar.PARQUET", (Some(Format::Parquet), None)),
            ("a.csv.gz", (Some(Format::Csv), Some(Gzip))),
            ("a.jsonl.zst", (Some(Format::Ndjson), Some(Zstd))),
            ("a.feather", (Some(Format::Arrow), None)),
            ("a.gz", (None, Some(Gzip))),
            ("csv", (None, None)),
            ("-", (None, None)),
        ] {
            assert_eq!(Reading::by_name(Path::new(name)), expected, "{name}");
        }
    }
}
