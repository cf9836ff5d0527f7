//! The one error of this crate: an argument outside a function's domain.
//!
//! It is always the caller's fault and never depends on how much data there is; "not enough data" is a
//! [`crate::estimate::Status`], not an error.

use std::error::Error;
use std::fmt;

/// An argument a function cannot accept.
#[derive(Debug, Clone, PartialEq)]
pub struct Invalid {
    /// The argument's name as the function documents it.
    pub argument: &'static str,
    /// What the function needs, as the end of the sentence "needs …".
    pub needs: &'static str,
    /// The offending value, written out.
    pub got: String,
}

impl Invalid {
    pub(crate) fn new(argument: &'static str, needs: &'static str, got: impl fmt::Display) -> Self {
        let got = got.to_string();
        Self {
            argument,
            needs,
            got,
        }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "argument \"{}\" needs {}, got {}",
            self.argument, self.needs, self.got
        )
    }
}

impl Error for Invalid {}
