//! Names and texts of a plugin, as they may be: short, and fit for SQL and for a page without any
//! quoting. It deliberately knows nothing of what they name.

use std::collections::HashSet;

use crate::error::{Error, printable, within};
use crate::limits::Limits;

/// A name that SQL needs no quotes for: `[a-z][a-z0-9_]*`.
pub(crate) fn name(what: &str, name: &str, limits: &Limits) -> Result<(), Error> {
    within("name_bytes_max", limits.name_bytes_max, name.len() as u64)?;
    let rest =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    if name.starts_with(|first: char| first.is_ascii_lowercase()) && name.chars().all(rest) {
        return Ok(());
    }
    Err(Error::refused(format!(
        "{what} name \"{}\" is not of the form [a-z][a-z0-9_]*",
        printable(name, 64)
    )))
}

/// Names, no two alike.
pub(crate) fn unique<'n>(
    what: &str,
    names: impl Iterator<Item = &'n str>,
    limits: &Limits,
) -> Result<(), Error> {
    let mut seen = HashSet::new();
    for one in names {
        name(what, one, limits)?;
        if !seen.insert(one) {
            return Err(Error::refused(format!("{what} \"{one}\" is there twice")));
        }
    }
    Ok(())
}

/// A code of a reason: `[A-Z][A-Z0-9_]*`.
pub(crate) fn code(code: &str, limits: &Limits) -> Result<(), Error> {
    within("name_bytes_max", limits.name_bytes_max, code.len() as u64)?;
    let rest =
        |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_';
    if code.starts_with(|first: char| first.is_ascii_uppercase()) && code.chars().all(rest) {
        return Ok(());
    }
    Err(Error::refused(format!(
        "reason code \"{}\" is not of the form [A-Z][A-Z0-9_]*",
        printable(code, 64)
    )))
}

/// Documentation.
pub(crate) fn doc(text: &str, limits: &Limits) -> Result<(), Error> {
    within("doc_bytes_max", limits.doc_bytes_max, text.len() as u64)?;
    if text
        .chars()
        .any(|letter| letter.is_control() && letter != '\n')
    {
        return Err(Error::refused("documentation holds control characters"));
    }
    Ok(())
}

/// A semantic version: three numbers, and what may follow them.
pub(crate) fn version(version: &str) -> Result<(), Error> {
    let (numbers, rest) = version.split_at(version.find(['-', '+']).unwrap_or(version.len()));
    let number = |part: &str| {
        !part.is_empty() && part.len() < 10 && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    let tail = |byte: u8| byte.is_ascii_alphanumeric() || b"-+.".contains(&byte);
    let three = numbers.split('.').count() == 3 && numbers.split('.').all(number);
    if version.len() <= 64 && three && rest.bytes().all(tail) {
        return Ok(());
    }
    Err(Error::refused(format!(
        "version \"{}\" is not of the form 1.2.3",
        printable(version, 64)
    )))
}
