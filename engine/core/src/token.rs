//! Tokens as their issuers see them: never the secret, which is shown once.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::manufacturer::ManufacturerId;
use crate::principal::{Principal, Role};

/// A token to issue.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewToken {
    /// Who issues it.
    pub principal: Principal,
    /// Whose tables it opens.
    pub manufacturer: ManufacturerId,
    /// What its holder may do there.
    pub role: Role,
    /// What it is for, in the issuer's words.
    pub label: String,
    /// When it stops; never where absent.
    pub expires_at: Option<DateTime<Utc>>,
}

/// One token to change.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OfToken {
    /// Who changes it.
    pub principal: Principal,
    /// Whose tables it opens.
    pub manufacturer: ManufacturerId,
    /// Its id.
    pub token_id: String,
}

/// What is known of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// What it is called by; says nothing of the secret.
    pub token_id: String,
    /// What its holder may do.
    pub role: Role,
    /// What it is for.
    pub label: String,
    /// When it was issued.
    pub created_at: String,
    /// Who issued it.
    pub created_by: String,
    /// When it stops.
    pub expires_at: Option<String>,
    /// When it was revoked.
    pub revoked_at: Option<String>,
}

/// A token with its secret, which is shown once.
#[derive(Clone, Serialize, Deserialize)]
pub struct Issued {
    /// The secret: what a bearer sends.
    pub secret: String,
    /// What is known of it.
    pub token: Token,
}
