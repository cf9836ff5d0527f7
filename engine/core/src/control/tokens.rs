//! Bearer tokens: 256 random bits, of which only the SHA-256 is kept, and what they stand for.
//!
//! A token is looked up by its hash, so that the time taken says nothing of any stored token; its id is the beginning of the
//! hash. Every token that does not hold, unknown, expired or revoked, gets the same answer.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{Control, fail, now};
use crate::fault::{Error, Fault, Result};
use crate::limits;
use crate::manufacturer::ManufacturerId;
use crate::principal::{Member, Principal, Role};
use crate::token::{Issued, NewToken, Token};

/// What a token begins with, so that a leaked one is recognised.
const PREFIX: &str = "trb_";
/// Bytes of the hash that are the token's id.
const ID_BYTES: usize = 8;

/// What is read of a token.
const COLUMNS: &str =
    "hash, role, queries, distributor, label, created_at, created_by, expires_at, revoked_at";

impl Control {
    /// Issues the operator's token, unless there is one already: then nobody can learn it again.
    pub async fn first_token(&self) -> Result<Option<String>> {
        let token = new_token()?;
        let made = sqlx::query(
            "INSERT INTO tokens (hash, manufacturer) SELECT ?, NULL
             WHERE NOT EXISTS (SELECT 1 FROM tokens WHERE manufacturer IS NULL)",
        )
        .bind(hash(&token))
        .execute(self.pool())
        .await
        .map_err(fail)?;
        Ok((made.rows_affected() == 1).then_some(token))
    }

    /// Issues a token that belongs to one manufacturer.
    pub async fn issue_token(&self, new: &NewToken) -> Result<Issued> {
        let secret = new_token()?;
        let queries = match &new.role {
            Role::Dashboard(queries) => Some(serde_json::json!(queries).to_string()),
            _ => None,
        };
        let distributor = match &new.role {
            Role::Distributor(id) => Some(id.as_str()),
            _ => None,
        };
        let expires_at = new
            .expires_at
            .map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true));
        let made = sqlx::query(
            "INSERT INTO tokens (hash, manufacturer, role, queries, distributor, label, created_at, created_by, expires_at)
             SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?
             WHERE (SELECT count(*) FROM tokens WHERE manufacturer = ?) < ?",
        )
        .bind(hash(&secret))
        .bind(new.manufacturer.as_str())
        .bind(new.role.name())
        .bind(queries)
        .bind(distributor)
        .bind(&new.label)
        .bind(now())
        .bind(new.principal.to_string())
        .bind(expires_at)
        .bind(new.manufacturer.as_str())
        .bind(limits::TOKENS)
        .execute(self.pool())
        .await
        .map_err(fail)?;
        if made.rows_affected() == 0 {
            let most = usize::try_from(limits::TOKENS).unwrap_or(usize::MAX);
            return Err(Error::limit("tokens", most, most + 1));
        }
        let token = self.token(&new.manufacturer, &id(&hash(&secret))).await?;
        let token = token.ok_or_else(|| Error::internal("issue token", "it is not there"))?;
        Ok(Issued { secret, token })
    }

    /// Who holds a token that was neither revoked nor has expired.
    pub async fn principal(&self, token: &str) -> Result<Option<Principal>> {
        let row = sqlx::query(
            "SELECT hash, role, queries, distributor, manufacturer FROM tokens
             WHERE hash = ? AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)",
        )
        .bind(hash(token))
        .bind(now())
        .fetch_optional(self.pool())
        .await
        .map_err(fail)?;
        row.map(|row| match row.get::<Option<String>, _>("manufacturer") {
            Some(manufacturer) => Ok(Principal::Member(Member {
                manufacturer: ManufacturerId::try_from(manufacturer)?,
                role: role(&row)?,
                token_id: id(row.get("hash")),
            })),
            None => Ok(Principal::Operator),
        })
        .transpose()
    }

    /// The tokens of a manufacturer, oldest first.
    pub async fn tokens(&self, manufacturer: &ManufacturerId) -> Result<Vec<Token>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM tokens WHERE manufacturer = ? ORDER BY created_at, hash"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(manufacturer.as_str())
            .fetch_all(self.pool())
            .await
            .map_err(fail)?;
        rows.iter().map(known).collect()
    }

    /// One of them.
    pub async fn token(
        &self,
        manufacturer: &ManufacturerId,
        token_id: &str,
    ) -> Result<Option<Token>> {
        let tokens = self.tokens(manufacturer).await?;
        Ok(tokens.into_iter().find(|token| token.token_id == token_id))
    }

    /// Ends a token at once; says what is known of it then. A token that was revoked before stays as it was.
    pub async fn revoke_token(
        &self,
        manufacturer: &ManufacturerId,
        token_id: &str,
    ) -> Result<Token> {
        sqlx::query(
            "UPDATE tokens SET revoked_at = ?
             WHERE manufacturer = ? AND lower(substr(hex(hash), 1, ?)) = ? AND revoked_at IS NULL",
        )
        .bind(now())
        .bind(manufacturer.as_str())
        .bind(i64::try_from(2 * ID_BYTES).unwrap_or(i64::MAX))
        .bind(token_id)
        .execute(self.pool())
        .await
        .map_err(fail)?;
        let token = self.token(manufacturer, token_id).await?;
        token.ok_or_else(|| not_there(token_id))
    }
}

/// The answer for a token that is not this manufacturer's, whether it exists or not.
pub fn not_there(token_id: &str) -> Error {
    let shown: String = token_id.chars().take(63).collect();
    Error::new(Fault::Missing, format!("token {shown:?} does not exist"))
        .with_hint("The list of tokens has their ids; the secret itself is none.")
}

fn known(row: &SqliteRow) -> Result<Token> {
    let text = |column: &str| row.get::<Option<String>, _>(column);
    Ok(Token {
        token_id: id(row.get("hash")),
        role: role(row)?,
        label: text("label").unwrap_or_default(),
        created_at: row.get("created_at"),
        created_by: text("created_by").unwrap_or_else(|| "operator".to_owned()),
        expires_at: text("expires_at"),
        revoked_at: text("revoked_at"),
    })
}

/// A token from before there were roles may do everything in its manufacturer.
fn role(row: &SqliteRow) -> Result<Role> {
    let Some(name) = row.get::<Option<String>, _>("role") else {
        return Ok(Role::Admin);
    };
    let queries = row.get::<Option<String>, _>("queries");
    let queries = queries.map(|json| serde_json::from_str(&json)).transpose();
    let queries = queries.map_err(|error| Error::internal("read queries of a token", error))?;
    Role::named(&name, queries.unwrap_or_default(), row.get("distributor"))
}

/// A new token, from the operating system's random source.
fn new_token() -> Result<String> {
    let mut secret = [0_u8; 32];
    getrandom::getrandom(&mut secret)
        .map_err(|error| Error::internal("read random source", error))?;
    Ok(format!("{PREFIX}{}", hex(&secret)))
}

/// What is kept of a token. A fast hash is enough for 256 random bits: there is nothing to guess.
fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

fn id(hash: &[u8]) -> String {
    hex(&hash[..ID_BYTES.min(hash.len())])
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
