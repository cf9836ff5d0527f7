//! Plugins are compiled in a process of their own: what it makes runs here, and what becomes of it hurts nobody.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use tributary_engine_core::compile::Compiler;
use tributary_engine_core::engine::{Activate, Principal, Query, Setup, Upload};
use tributary_engine_core::{Database, Engine, Options};
use tributary_engine_server::InChild;

use crate::support::{World, shipped, text, tiny};

fn binary() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_tributary"))
}

/// A program that stands for a compiler which comes to a bad end. Another process writes it: while a file is open for
/// writing in this one, a child of another test inherits it, and then it can't be started ("text file busy").
fn script(folder: &Path, body: &str) -> InChild {
    let path = folder.join("compiler.sh");
    let written = Command::new("sh")
        .args([
            "-c",
            r#"printf '#!/bin/sh\n%s\n' "$2" > "$1" && chmod 755 "$1""#,
            "sh",
        ])
        .arg(&path)
        .arg(body)
        .status();
    assert!(written.expect("a shell").success());
    InChild::new(path)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_child_compiled_runs_here_and_is_kept() {
    let world = World::empty().await;
    world
        .csv(
            "leads",
            "lead_id,created_at,outcome\nL1,2024-01-01T00:00:00Z,open\n",
        )
        .await
        .expect("a lead");
    let open = async |compiler: InChild| {
        let options = Options {
            data: world.data(),
            threads: Some(2),
            compiler: Some(Arc::new(compiler)),
            ..Options::default()
        };
        Database::open(options).await.expect("opens")
    };
    let database = open(InChild::new(binary())).await;
    let upload = Upload {
        principal: Principal::Operator,
        manufacturer: tiny(),
        wasm: shipped("champ").to_vec().into(),
    };
    database.upload(upload).await.expect("compiled in a child");
    let activate = Activate {
        principal: Principal::Operator,
        manufacturer: tiny(),
        name: "champ".to_owned(),
        version: "1.0.0".to_owned(),
        setup: Setup::default(),
    };
    database.activate(activate).await.expect("activates");
    // The next start needs no compiler: what was compiled is kept, signed.
    let database = open(InChild::new(PathBuf::from("/nowhere"))).await;
    let query = Query {
        principal: Principal::Operator,
        manufacturer: tiny(),
        sql: "SELECT champ.score(2, 2, 2, 1)".to_owned(),
        parameters: Default::default(),
        deadline: None,
    };
    let answer = database.query(query).await.expect("plans");
    assert_eq!(text(answer).await.expect("answers"), "60");
}

#[test]
fn a_compiler_that_comes_to_a_bad_end_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    for (body, words) in [
        ("kill -XCPU $$", "compile_cpu_seconds"),
        ("kill -KILL $$", "compile_cpu_seconds"),
        ("kill -ABRT $$", "compile_memory_bytes"),
        (
            "echo 'no such instruction' >&2; exit 2",
            "no such instruction",
        ),
        ("exit 3", "the compiler ended with"),
    ] {
        let error = script(folder.path(), body)
            .compile(shipped("champ"))
            .expect_err(body);
        assert!(error.to_string().contains(words), "{body}: {error}");
    }
    let code = InChild::new(binary())
        .compile(shipped("champ"))
        .expect("and the next one is right");
    assert!(!code.is_empty());
}

/// The bound on memory is the child's own: with less than it needs, it ends and this process does not.
#[test]
fn a_component_that_does_not_compile_is_refused() {
    let error = InChild::new(binary())
        .compile(b"\0asm\x0d\0\x01\0\xff")
        .expect_err("no component");
    assert!(error.to_string().contains("compile plugin"), "{error}");
}
