//! Who is at fault, and what to tell them. How a protocol spells a fault is the adapter's business.

use std::fmt;

/// What went wrong, from the view of the one who has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The SQL text does not parse.
    Syntax,
    /// The request is understood and cannot be right.
    Invalid,
    /// No token, or one that nobody issued.
    Unauthenticated,
    /// The principal may not do this.
    Denied,
    /// The thing named does not exist, or not for this principal.
    Missing,
    /// Somebody else's change, or an earlier one, stands against this one.
    Conflict,
    /// The request is larger than one request may be.
    Limit,
    /// The SQL is larger or deeper than one statement may be.
    TooComplex,
    /// Come back later.
    Busy,
    /// No room left for the data.
    Full,
    /// The deadline passed.
    Timeout,
    /// A manufacturer's plugin failed.
    Plugin,
    /// A part that this needs does not answer.
    Unavailable,
    /// Our own mistake.
    Internal,
}

impl Fault {
    /// Every fault, in the order of the documentation.
    pub const ALL: [Self; 14] = [
        Self::Syntax,
        Self::Invalid,
        Self::Unauthenticated,
        Self::Denied,
        Self::Missing,
        Self::Conflict,
        Self::Limit,
        Self::TooComplex,
        Self::Busy,
        Self::Full,
        Self::Timeout,
        Self::Plugin,
        Self::Unavailable,
        Self::Internal,
    ];

    /// The stable word that clients match on.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::Invalid => "invalid",
            Self::Unauthenticated => "unauthenticated",
            Self::Denied => "denied",
            Self::Missing => "missing",
            Self::Conflict => "conflict",
            Self::Limit => "limit",
            Self::TooComplex => "too_complex",
            Self::Busy => "busy",
            Self::Full => "full",
            Self::Timeout => "timeout",
            Self::Plugin => "plugin",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }
}

/// A fault with a message for the one at fault, a hint that says what to do, and the source for the log.
pub struct Error {
    fault: Fault,
    message: String,
    hint: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What every fallible call of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A fault and the message for the one at fault: lowercase, no full stop, names quoted.
    pub fn new(fault: Fault, message: impl Into<String>) -> Self {
        Self {
            fault,
            message: message.into(),
            hint: None,
            source: None,
        }
    }

    /// Our own mistake: the message says what was being done, the source why it went wrong.
    pub fn internal(
        doing: impl fmt::Display,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::new(Fault::Internal, format!("{doing}: internal error")).with_source(source)
    }

    /// A limit of one request: its name, the limit and what was asked.
    pub fn limit(name: &str, limit: impl fmt::Display, asked: impl fmt::Display) -> Self {
        Self::new(
            Fault::Limit,
            format!("limit \"{name}\" is {limit}, asked for {asked}"),
        )
    }

    /// Says where it went wrong, in front of the message.
    #[must_use]
    pub fn within(mut self, place: &str) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// Adds a sentence that says what to do.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Keeps the cause for the log.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The same for a second reader; the source stays with the first.
    #[must_use]
    pub fn shared(&self) -> Self {
        Self {
            fault: self.fault,
            message: self.message.clone(),
            hint: self.hint.clone(),
            source: None,
        }
    }

    /// Who is at fault.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        self.fault
    }

    /// The message, without the source.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it, as a sentence.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.fault.code(), self.message)?;
        if let Some(source) = &self.source {
            write!(f, " ({source})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn std::error::Error + 'static))
    }
}
