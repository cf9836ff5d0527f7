//! The kinds of values that a configuration has: how each is read from TOML and from a text, and written back.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::ValueEnum;
use toml::de::DeValue;

/// A value that can be read and written. An error says what was expected, for the end of a sentence.
pub(super) trait Value {
    /// What it is, in words.
    fn kind(&self) -> &'static str;
    /// Reads what stands in a file.
    fn read_toml(&mut self, value: &DeValue<'_>) -> Result<(), String>;
    /// Reads what stands in the environment or on the command line.
    fn read_text(&mut self, text: &str) -> Result<(), String>;
    /// As a file says it.
    fn written(&self) -> String;
    /// Itself, where it is a number.
    fn number(&self) -> Option<u64> {
        None
    }
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// This machine alone.
pub(super) fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

fn not(expected: &str, found: &DeValue<'_>) -> String {
    format!("{} where {expected} is expected", found.type_str())
}

/// A string in the quotes of TOML, whose escapes are those of JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The text that a kind spelled as a string of TOML is read from.
fn string<'a>(value: &'a DeValue<'_>, kind: &str) -> Result<&'a str, String> {
    value.as_str().ok_or_else(|| not(kind, value))
}

impl Value for u64 {
    fn kind(&self) -> &'static str {
        "whole number"
    }

    fn read_toml(&mut self, value: &DeValue<'_>) -> Result<(), String> {
        let integer = value
            .as_integer()
            .ok_or_else(|| not("a whole number", value))?;
        let digits = integer.as_str().trim_start_matches('+');
        *self = Self::from_str_radix(digits, integer.radix())
            .map_err(|_| format!("{digits} is out of range"))?;
        Ok(())
    }

    fn read_text(&mut self, text: &str) -> Result<(), String> {
        *self = text
            .parse()
            .map_err(|_| format!("{text:?} is not a whole number"))?;
        Ok(())
    }

    fn written(&self) -> String {
        self.to_string()
    }

    fn number(&self) -> Option<u64> {
        Some(*self)
    }
}

impl Value for bool {
    fn kind(&self) -> &'static str {
        "true or false"
    }

    fn read_toml(&mut self, value: &DeValue<'_>) -> Result<(), String> {
        *self = value.as_bool().ok_or_else(|| not("true or false", value))?;
        Ok(())
    }

    fn read_text(&mut self, text: &str) -> Result<(), String> {
        *self = text
            .parse()
            .map_err(|_| format!("{text:?} is neither true nor false"))?;
        Ok(())
    }

    fn written(&self) -> String {
        self.to_string()
    }
}

impl Value for String {
    fn kind(&self) -> &'static str {
        "text"
    }

    fn read_toml(&mut self, value: &DeValue<'_>) -> Result<(), String> {
        self.read_text(string(value, "a text")?)
    }

    fn read_text(&mut self, text: &str) -> Result<(), String> {
        text.clone_into(self);
        Ok(())
    }

    fn written(&self) -> String {
        quoted(self)
    }
}

impl Value for SocketAddr {
    fn kind(&self) -> &'static str {
        "address and port"
    }

    fn read_toml(&mut self, value: &DeValue<'_>) -> Result<(), String> {
        self.read_text(string(value, "an address with a port, as a text,")?)
    }

    fn read_text(&mut self, text: &str) -> Result<(), String> {
        *self = text
            .parse()
            .map_err(|_| format!("{text:?} is no address with a port, such as 127.0.0.1:7070"))?;
        Ok(())
    }

    fn written(&self) -> String {
        quoted(&self.to_string())
    }
}

impl Value for PathBuf {
    fn kind(&self) -> &'static str {
        "path"
    }

    fn read_toml(&mut self, value: &DeValue<'_>) -> Result<(), String> {
        self.read_text(string(value, "a path, as a text,")?)
    }

    fn read_text(&mut self, text: &str) -> Result<(), String> {
        if text.is_empty() {
            return Err("the path is empty".to_owned());
        }
        *self = Self::from(text);
        Ok(())
    }

    fn written(&self) -> String {
        quoted(&self.to_string_lossy())
    }
}

/// An empty text is none.
impl<T: Value + Clone + Empty> Value for Option<T> {
    fn kind(&self) -> &'static str {
        T::empty().kind_or_empty()
    }

    fn read_toml(&mut self, value: &DeValue<'_>) -> Result<(), String> {
        self.read_text(string(value, self.kind())?)
    }

    fn read_text(&mut self, text: &str) -> Result<(), String> {
        if text.is_empty() {
            *self = None;
            return Ok(());
        }
        let mut value = T::empty();
        value.read_text(text)?;
        *self = Some(value);
        Ok(())
    }

    fn written(&self) -> String {
        self.as_ref().map_or_else(|| quoted(""), Value::written)
    }
}

/// A kind of which there may be none.
pub(super) trait Empty {
    /// Something to read into.
    fn empty() -> Self;
    /// What it is, in words.
    fn kind_or_empty(&self) -> &'static str;
}

impl Empty for PathBuf {
    fn empty() -> Self {
        Self::new()
    }

    fn kind_or_empty(&self) -> &'static str {
        "path, or empty"
    }
}

impl Empty for SocketAddr {
    fn empty() -> Self {
        loopback(0)
    }

    fn kind_or_empty(&self) -> &'static str {
        "address and port, or empty"
    }
}

/// In the environment and on the command line, separated by commas.
impl Value for Vec<String> {
    fn kind(&self) -> &'static str {
        "list of texts"
    }

    fn read_toml(&mut self, value: &DeValue<'_>) -> Result<(), String> {
        let list = value
            .as_array()
            .ok_or_else(|| not("a list of texts", value))?;
        let texts = list.iter().map(|one| string(one.get_ref(), "a text"));
        *self = texts
            .map(|text| text.map(str::to_owned))
            .collect::<Result<_, _>>()?;
        Ok(())
    }

    fn read_text(&mut self, text: &str) -> Result<(), String> {
        let texts = text.split(',').map(str::trim);
        *self = texts
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
            .collect();
        Ok(())
    }

    fn written(&self) -> String {
        let texts: Self = self.iter().map(|text| quoted(text)).collect();
        format!("[{}]", texts.join(", "))
    }
}

impl Value for LogFormat {
    fn kind(&self) -> &'static str {
        "text or json"
    }

    fn read_toml(&mut self, value: &DeValue<'_>) -> Result<(), String> {
        self.read_text(string(value, "\"text\" or \"json\"")?)
    }

    fn read_text(&mut self, text: &str) -> Result<(), String> {
        *self = match text {
            "text" => Self::Text,
            "json" => Self::Json,
            _ => return Err(format!("{text:?} is neither \"text\" nor \"json\"")),
        };
        Ok(())
    }

    fn written(&self) -> String {
        quoted(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}
