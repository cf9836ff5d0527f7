//! Compiled code that is kept between starts. What lies in the folder is native code that the host would run, so nothing
//! is taken from it that does not carry our own signature, under a key that is not in the same folder.

use std::collections::hash_map::DefaultHasher;
use std::ffi::OsStr;
use std::fs;
use std::hash::{Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::compile::Compiler;
use crate::digest::sha256_hex;
use crate::engine;
use crate::error::Error;
use crate::limits::Limits;

const TAG_BYTES: usize = 32;
const EXTENSION: &str = "code";
/// Of files that are being written; what a crash leaves of them goes with the oldest.
const UNFINISHED: &str = "new";

/// A compiler that keeps what another one made.
pub struct Cached {
    inner: Arc<dyn Compiler>,
    folder: PathBuf,
    key: [u8; 32],
    /// what else than the component the code depends on: wasmtime's version, its settings, this machine
    build: u64,
    code_files_max: u64,
}

impl Cached {
    /// Keeps in `folder`, which must exist, what `inner` compiles, signed with `key`.
    ///
    /// # Errors
    /// `Internal` if wasmtime does not know this machine.
    pub fn new(
        inner: Arc<dyn Compiler>,
        folder: PathBuf,
        key: [u8; 32],
        limits: &Limits,
    ) -> Result<Self, Error> {
        let mut hasher = DefaultHasher::new();
        engine::compiling(limits)?
            .precompile_compatibility_hash()
            .hash(&mut hasher);
        Ok(Self {
            inner,
            folder,
            key,
            build: hasher.finish(),
            code_files_max: limits.code_files_max,
        })
    }

    fn name(&self, wasm: &[u8]) -> String {
        format!("{}-{:016x}.{EXTENSION}", sha256_hex(wasm), self.build)
    }

    /// The signature covers the name too, so that no file can stand in for another.
    fn mac(&self, name: &str, code: &[u8]) -> Result<Hmac<Sha256>, Error> {
        let mac = Hmac::<Sha256>::new_from_slice(&self.key);
        let mut mac = mac.map_err(|error| Error::internal(format!("sign code: {error}")))?;
        mac.update(name.as_bytes());
        mac.update(&[0]);
        mac.update(code);
        Ok(mac)
    }

    /// The code of a file that is ours.
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let path = self.folder.join(name);
        let Ok(mut bytes) = fs::read(&path) else {
            return Ok(None);
        };
        let Some((tag, code)) = bytes.split_first_chunk::<TAG_BYTES>() else {
            remove(&path);
            return Ok(None);
        };
        // In constant time.
        if self.mac(name, code)?.verify_slice(tag).is_err() {
            remove(&path);
            return Ok(None);
        }
        bytes.drain(..TAG_BYTES);
        Ok(Some(bytes))
    }

    /// Keeps code for the next start. Where that fails it is compiled again then.
    fn store(&self, name: &str, code: &[u8]) -> Result<(), Error> {
        static TURN: AtomicU64 = AtomicU64::new(0);
        let tag = self.mac(name, code)?.finalize().into_bytes();
        let turn = TURN.fetch_add(1, Ordering::Relaxed);
        let unfinished = format!("{}-{turn}.{UNFINISHED}", process::id());
        let unfinished = self.folder.join(unfinished);
        let written = fs::write(&unfinished, [tag.as_slice(), code].concat())
            .and_then(|()| fs::rename(&unfinished, self.folder.join(name)));
        match written {
            Ok(()) => self.forget_oldest(),
            Err(_) => remove(&unfinished),
        }
        Ok(())
    }

    fn forget_oldest(&self) {
        let Ok(mut files) = code_files(&self.folder) else {
            return;
        };
        let most = usize::try_from(self.code_files_max).unwrap_or(usize::MAX);
        files.sort();
        let over = files.len().saturating_sub(most);
        files.iter().take(over).for_each(|(_, path)| remove(path));
    }
}

impl Compiler for Cached {
    fn compile(&self, wasm: &[u8]) -> Result<Vec<u8>, Error> {
        let name = self.name(wasm);
        if let Some(code) = self.load(&name)? {
            return Ok(code);
        }
        let code = self.inner.compile(wasm)?;
        self.store(&name, &code)?;
        Ok(code)
    }
}

/// Every file of code, finished or not, with its age.
fn code_files(folder: &Path) -> io::Result<Vec<(SystemTime, PathBuf)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let ours = |found: &OsStr| found == EXTENSION || found == UNFINISHED;
        // One that another process removed meanwhile has no age.
        if path.extension().is_some_and(ours)
            && let Ok(modified) = fs::metadata(&path).and_then(|file| file.modified())
        {
            files.push((modified, path));
        }
    }
    Ok(files)
}

/// A file that another process removed first is gone as well.
fn remove(path: &Path) {
    let _ = fs::remove_file(path);
}
