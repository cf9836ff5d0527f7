//! What a server is told: a file, the environment, flags; what it says where it does not understand; and its reference.

use std::process::{Command, Output};

use crate::support::{root, stderr, stdout, tributary};

fn serve(text: &str, environment: &[(&str, &str)], arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().expect("folder");
    std::fs::write(folder.path().join("tributary.toml"), text).expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tributary"));
    command
        .args(["serve", "--config", "tributary.toml", "--print-config"])
        .args(arguments)
        .current_dir(folder.path())
        .env("NO_COLOR", "1")
        .env_remove("TRIBUTARY_DATA");
    for (name, value) in environment {
        command.env(name, value);
    }
    command.output().expect("binary runs")
}

#[test]
fn a_flag_counts_before_the_environment_and_that_before_the_file() {
    let file = "[http]\nlisten = \"127.0.0.1:1\"\n[limits]\nqueries = 3\nqueries_waiting = 4\ntenant_queries = 5\n\
                [cors]\norigins = [\"https://a.example\", \"http://localhost:3000\"]\n";
    let environment = [
        ("TRIBUTARY_LIMITS_QUERIES", "30"),
        ("TRIBUTARY_LIMITS_QUERIES_WAITING", "40"),
        ("TRIBUTARY_UNRELATED", "ignored"),
    ];
    let flags = ["--set", "limits.queries=300", "--listen", "127.0.0.1:2"];
    let run = serve(file, &environment, &flags);
    assert!(run.status.success(), "{}", stderr(&run));
    let printed = stdout(&run);
    for line in [
        "listen = \"127.0.0.1:2\"",
        "queries = 300",
        "queries_waiting = 40",
        "tenant_queries = 5",
        "origins = [\"https://a.example\", \"http://localhost:3000\"]",
        "request_head_seconds = 10",
    ] {
        assert!(printed.lines().any(|one| one == line), "{line}: {printed}");
    }
    // What is printed is a file that says the same.
    let again = serve(&printed, &[], &[]);
    assert_eq!(stdout(&again), printed, "{}", stderr(&again));
}

#[test]
fn what_is_not_understood_names_the_line_and_what_may_be_meant() {
    for (file, expected) in [
        (
            "\n[http]\nlistn = \"127.0.0.1:1\"\n",
            "line 3: unknown key \"listn\" in section \"http\"\nhint: Did you mean \"listen\"?",
        ),
        (
            "[htpp]\nlisten = \"127.0.0.1:1\"\n",
            "line 1: unknown section \"htpp\"\nhint: Did you mean \"http\"?",
        ),
        (
            "[limits]\n\nqueries = \"many\"\n",
            "line 3: key \"queries\" of section \"limits\": string where a whole number is expected",
        ),
        (
            "[limits]\nqueries = 0\n",
            "line 2: key \"queries\" of section \"limits\": 0 is not between 1 and 10000",
        ),
        ("[limits]\nqueries = -1\n", "line 2: key \"queries\""),
        ("[http\n", "line 1: "),
        (
            "[limits]\nqueries = 1\nqueries = 2\n",
            "line 3: duplicate key",
        ),
        (
            "limits = 3\n",
            "line 1: \"limits\" is a section, not a value",
        ),
        (
            "[tls]\nkey_file = \"a\"\n",
            "TLS needs both a certificate and its key",
        ),
        (
            "[cors]\norigins = [\"*\"]\ncredentials = true\n",
            "\"cors.origins\" has \"*\" together with \"cors.credentials\"",
        ),
        (
            "[cors]\norigins = [\"https://a.example/\"]\n",
            "\"https://a.example/\" in \"cors.origins\" is no origin",
        ),
    ] {
        let run = serve(file, &[], &[]);
        assert_eq!(run.status.code(), Some(2), "{file}");
        assert!(stderr(&run).contains(expected), "{file}: {}", stderr(&run));
    }
    let run = serve("", &[("TRIBUTARY_LIMITS_QUERYS", "3")], &[]);
    assert!(
        stderr(&run).contains("Did you mean \"TRIBUTARY_LIMITS_QUERIES\"?"),
        "{}",
        stderr(&run)
    );
    let run = serve("", &[], &["--set", "limits.qeries=3"]);
    assert!(
        stderr(&run).contains("Did you mean \"limits.queries\"?"),
        "{}",
        stderr(&run)
    );
    let folder = tempfile::tempdir().expect("folder");
    let run = tributary(folder.path(), &["serve", "--config", "absent.toml"]);
    assert_eq!(run.status.code(), Some(2));
    assert!(stderr(&run).contains("absent.toml"), "{}", stderr(&run));
}

/// `UPDATE_DOCS=1` writes the file; without it the file has to be as it would be written.
#[test]
fn the_reference_is_what_the_definitions_say() {
    let text = tributary_engine_server::configuration_reference();
    let path = root().join("docs/configuration.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &text).expect("write the reference");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == text,
        "docs/configuration.md is not what the definitions say; UPDATE_DOCS=1 writes it"
    );
}
