//! The first step: bytes that claim to be a plugin. It looks at size and the first bytes only.

use wasmparser::Parser;

use crate::digest::sha256_hex;
use crate::error::{Error, within};
use crate::limits::Limits;

/// Bytes of a plausible size that begin like a component.
pub(crate) struct Upload {
    pub(crate) wasm: Vec<u8>,
    /// sha256, hexadecimal
    pub(crate) digest: String,
}

impl Upload {
    pub(crate) fn new(wasm: Vec<u8>, limits: &Limits) -> Result<Self, Error> {
        within(
            "upload_bytes_max",
            limits.upload_bytes_max,
            wasm.len() as u64,
        )?;
        if Parser::is_core_wasm(&wasm) {
            return Err(Error::refused(
                "this is a core WebAssembly module, and a plugin is a component; link it with wasm-component-ld",
            ));
        }
        if wasm.starts_with(b"\x7fELF") {
            return Err(Error::refused(
                "this is native code; upload the component it was made of",
            ));
        }
        if wasm.trim_ascii_start().starts_with(b"(") {
            return Err(Error::refused(
                "this is WebAssembly text; upload the binary component",
            ));
        }
        if !Parser::is_component(&wasm) {
            return Err(Error::refused("this is not a WebAssembly component"));
        }
        let digest = sha256_hex(&wasm);
        Ok(Self { wasm, digest })
    }
}
