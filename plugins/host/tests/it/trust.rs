//! What is trusted and what is not: compiled code only with our signature, a plugin only if a row's result does not depend
//! on its company.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tributary_plugins_host::{Cached, Compiler, Error, ErrorKind, InProcess, Limits};

use serde_json::json;

use crate::world::{CHAMP, COMPONENTS, HOST, SCORECARD, all_is_well, in_mode, install, settings};

/// Counts what is really compiled.
struct Counted {
    inner: InProcess,
    times: AtomicUsize,
}

impl Compiler for Counted {
    fn compile(&self, wasm: &[u8]) -> Result<Vec<u8>, Error> {
        self.times.fetch_add(1, Ordering::Relaxed);
        self.inner.compile(wasm)
    }
}

struct Kept {
    folder: tempfile::TempDir,
    counted: Arc<Counted>,
}

impl Kept {
    fn new() -> Self {
        let inner = InProcess::new(HOST.limits()).expect("this machine is known");
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            counted: Arc::new(Counted {
                inner,
                times: AtomicUsize::new(0),
            }),
        }
    }

    /// Installs a component as a process does that has just started; how often it was compiled by now.
    fn install(&self, wasm: &[u8], key: u8) -> usize {
        let inner = Arc::clone(&self.counted) as Arc<dyn Compiler>;
        let folder = self.folder.path().to_owned();
        let cached = Cached::new(inner, folder, [key; 32], HOST.limits()).expect("a cache");
        HOST.install(wasm, &cached).expect("it installs");
        all_is_well();
        self.counted.times.load(Ordering::Relaxed)
    }

    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder.path()).expect("the folder");
        let mut files: Vec<PathBuf> = entries
            .map(|entry| entry.expect("an entry").path())
            .collect();
        files.sort();
        files
    }
}

fn edit(path: &Path, with: impl Fn(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).expect("code");
    with(&mut bytes);
    fs::write(path, bytes).expect("code");
}

#[test]
fn only_signed_code_is_loaded() {
    let kept = Kept::new();
    assert_eq!(kept.install(&COMPONENTS.champ, 1), 1);
    assert_eq!(kept.install(&COMPONENTS.champ, 1), 1, "it is kept");
    let files = kept.files();
    let [file] = files.as_slice() else {
        panic!("{files:?}")
    };
    edit(file, |bytes| {
        let last = bytes.len() - 100;
        bytes[last] ^= 1;
    });
    assert_eq!(kept.install(&COMPONENTS.champ, 1), 2, "a flipped bit");
    edit(file, |bytes| bytes.truncate(bytes.len() - 1));
    assert_eq!(kept.install(&COMPONENTS.champ, 1), 3, "a cut file");
    edit(file, |bytes| bytes.truncate(5));
    assert_eq!(kept.install(&COMPONENTS.champ, 1), 4, "hardly a file");
    edit(file, |bytes| drop(bytes.drain(..32)));
    assert_eq!(
        kept.install(&COMPONENTS.champ, 1),
        5,
        "genuine code without a signature"
    );
    assert_eq!(kept.install(&COMPONENTS.champ, 2), 6, "another key");
    assert_eq!(kept.install(&COMPONENTS.champ, 2), 6, "it is mended");
}

#[test]
fn no_file_stands_in_for_another() {
    let kept = Kept::new();
    kept.install(&COMPONENTS.champ, 1);
    assert_eq!(kept.install(&COMPONENTS.scorecard, 1), 2);
    let files = kept.files();
    let (one, other) = (
        fs::read(&files[0]).expect("code"),
        fs::read(&files[1]).expect("code"),
    );
    fs::write(&files[0], other).expect("code");
    fs::write(&files[1], one).expect("code");
    kept.install(&COMPONENTS.champ, 1);
    assert_eq!(kept.install(&COMPONENTS.scorecard, 1), 4);
}

#[test]
fn the_oldest_code_goes_first() {
    let kept = Kept::new();
    let limits = Limits {
        code_files_max: 1,
        ..HOST.limits().clone()
    };
    fs::write(kept.folder.path().join("7-0.new"), "what a crash left").expect("a file");
    fs::write(kept.folder.path().join("notes.txt"), "somebody's").expect("a file");
    for wasm in [&COMPONENTS.champ, &COMPONENTS.scorecard] {
        let inner = Arc::clone(&kept.counted) as Arc<dyn Compiler>;
        let folder = kept.folder.path().to_owned();
        let cached = Cached::new(inner, folder, [1; 32], &limits).expect("a cache");
        cached.compile(wasm).expect("it compiles");
    }
    let files = kept.files();
    assert_eq!(files.len(), 2, "{files:?}");
    assert!(files[1].ends_with("notes.txt"), "what is not ours stays");
}

#[test]
fn what_a_compiler_keeps_is_no_upload() {
    let code = InProcess::new(HOST.limits())
        .expect("a compiler")
        .compile(&COMPONENTS.champ);
    let error = install(&code.expect("code")).expect_err("native code");
    assert_eq!(error.kind, ErrorKind::Refused);
    all_is_well();
}

#[test]
fn a_folder_that_can_not_be_written_costs_time_only() {
    let kept = Kept::new();
    fs::remove_dir(kept.folder.path()).expect("it is empty");
    assert_eq!(kept.install(&COMPONENTS.champ, 1), 1);
    assert_eq!(kept.install(&COMPONENTS.champ, 1), 2, "compiled again");
}

/// Installs the hostile guest in a mode and rehearses it with its defaults.
fn rehearse(mode: &str) -> Result<(), Error> {
    let plugin = install(&in_mode(mode)).expect("it installs");
    plugin.rehearse(&settings(&plugin, json!({})).expect("defaults"))
}

#[test]
fn results_that_depend_on_their_company_are_refused() {
    for (mode, function, words) in [
        ("R1", "counts_calls", "gives other results for (x = "),
        ("R2", "depends_on_batch", "alone and among other rows"),
        ("R3", "depends_on_place", "gives other results for (x = "),
        ("R4", "evaluating_changes_it", "when it is asked for twice"),
        ("R5", "counts_starts", "when it is asked for twice"),
    ] {
        let error = rehearse(mode).expect_err(function);
        assert_eq!(error.kind, ErrorKind::Refused, "{error}");
        assert_eq!(error.place.function.as_deref(), Some(function), "{error}");
        assert!(error.message.contains(words), "{error} has no {words}");
    }
}

#[test]
fn what_is_honest_or_only_broken_is_not_refused() {
    for mode in ["HR", "RA", "40"] {
        rehearse(mode).unwrap_or_else(|error| panic!("{mode}: {error}"));
    }
    for plugin in [&CHAMP, &SCORECARD] {
        let settings = settings(plugin, json!({})).expect("defaults");
        plugin.rehearse(&settings).expect("they do not");
    }
}
