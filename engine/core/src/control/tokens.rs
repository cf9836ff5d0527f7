//! Bearer tokens: 256 random bits, of which only the SHA-256 is kept.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::fault::{Error, Result};

/// What a token begins with, so that a leaked one is recognised.
const PREFIX: &str = "trb_";

/// A new token, from the operating system's random source.
pub fn new_token() -> Result<String> {
    let mut secret = [0_u8; 32];
    getrandom::getrandom(&mut secret)
        .map_err(|error| Error::internal("read random source", error))?;
    let mut token = PREFIX.to_owned();
    for byte in secret {
        // Writing to a String cannot fail.
        let _ = write!(token, "{byte:02x}");
    }
    Ok(token)
}

/// What is kept of a token. A fast hash is enough for 256 random bits: there is nothing to guess.
pub fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}
