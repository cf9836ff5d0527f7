//! Who is let in, and who lets in: permits of the doors, and tokens.

use super::Database;
use crate::engine::{Act, Issued, NewToken, OfToken, Principal, Role, Token};
use crate::fault::{Error, Fault, Result};
use crate::limits;
use crate::manufacturer::ManufacturerId;

impl Database {
    /// Lets a principal in to do something. A manufacturer that is not its own does not exist for it.
    pub(super) async fn permit(
        &self,
        principal: &Principal,
        manufacturer: &ManufacturerId,
        act: Act,
    ) -> Result<()> {
        if !principal.sees(manufacturer) || !self.control.has_manufacturer(manufacturer).await? {
            return Err(Error::new(
                Fault::Missing,
                format!("manufacturer \"{manufacturer}\" does not exist"),
            )
            .with_hint("The operator creates a manufacturer by sending it a table."));
        }
        principal.check(act)?;
        // Another process may have added it since the start.
        self.store.open_once(manufacturer)
    }

    /// Lets rows in; the operator's may be the first of a manufacturer.
    pub(super) async fn may_ingest(
        &self,
        principal: &Principal,
        manufacturer: &ManufacturerId,
    ) -> Result<()> {
        match principal {
            Principal::Operator => self.store.open_once(manufacturer),
            Principal::Member(_) => self.permit(principal, manufacturer, Act::Ingest).await,
        }
    }

    /// Issues a token.
    pub(super) async fn issued(&self, new: NewToken) -> Result<Issued> {
        self.permit(&new.principal, &new.manufacturer, Act::Tokens)
            .await?;
        check(&new)?;
        let issued = self.control.issue_token(&new).await?;
        self.note_token(&new.principal, &new.manufacturer, "issue", &issued.token)
            .await?;
        Ok(issued)
    }

    /// Ends a token.
    pub(super) async fn revoked(&self, of: OfToken) -> Result<Token> {
        self.permit(&of.principal, &of.manufacturer, Act::Tokens)
            .await?;
        let token = self
            .control
            .revoke_token(&of.manufacturer, &of.token_id)
            .await?;
        self.note_token(&of.principal, &of.manufacturer, "revoke", &token)
            .await?;
        Ok(token)
    }

    /// Issues a token for the same and ends the old one. The new one is there first: whoever is cut off in between has two.
    pub(super) async fn rotated(&self, of: OfToken) -> Result<Issued> {
        self.permit(&of.principal, &of.manufacturer, Act::Tokens)
            .await?;
        let old = self.control.token(&of.manufacturer, &of.token_id).await?;
        let old = old.ok_or_else(|| crate::control::not_there(&of.token_id))?;
        if old.revoked_at.is_some() {
            return Err(Error::new(
                Fault::Conflict,
                format!("token \"{}\" is revoked", old.token_id),
            )
            .with_hint("Issue a new one."));
        }
        let new = NewToken {
            principal: of.principal.clone(),
            manufacturer: of.manufacturer.clone(),
            role: old.role,
            label: old.label,
            expires_at: old.expires_at.and_then(|at| at.parse().ok()),
        };
        let issued = self.issued(new).await?;
        self.revoked(of).await?;
        Ok(issued)
    }

    async fn note_token(
        &self,
        principal: &Principal,
        manufacturer: &ManufacturerId,
        action: &str,
        token: &Token,
    ) -> Result<()> {
        let subject = format!("token {}", token.token_id);
        let detail = format!("{} {}", token.role, token.label);
        self.control
            .audit(manufacturer, principal, action, &subject, detail.trim())
            .await
    }
}

/// Refuses a token that could never hold, or that says too much.
fn check(new: &NewToken) -> Result<()> {
    if new.label.len() > limits::TOKEN_LABEL_BYTES {
        let most = limits::TOKEN_LABEL_BYTES;
        return Err(Error::limit("token_label_bytes", most, new.label.len()));
    }
    if let Role::Dashboard(queries) = &new.role
        && queries.len() > limits::TOKEN_QUERIES
    {
        let most = limits::TOKEN_QUERIES;
        return Err(Error::limit("token_queries", most, queries.len()));
    }
    if let Role::Distributor(id) = &new.role
        && id.len() > limits::TOKEN_LABEL_BYTES
    {
        let most = limits::TOKEN_LABEL_BYTES;
        return Err(Error::limit("token_label_bytes", most, id.len()));
    }
    if new.expires_at.is_some_and(|at| at <= chrono::Utc::now()) {
        return Err(
            Error::new(Fault::Invalid, "expires_at is in the past").with_hint(
                "Give an instant in the future, or none for a token that does not expire.",
            ),
        );
    }
    Ok(())
}
