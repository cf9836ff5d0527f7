//! The shell of `tributary sql`, and its statements against a server, with the binary as a person runs it.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::{Served, World, stderr, stdout};

/// Runs `tributary sql` with this input.
async fn sql(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tributary"));
    command
        .arg("sql")
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .env("XDG_STATE_HOME", folder)
        .env_remove("TRIBUTARY_TOKEN")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let input = input.to_owned();
    // The server of the test runs on this runtime, so its threads must stay free.
    let run = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().expect("starts");
        let mut stdin = child.stdin.take().expect("piped");
        stdin.write_all(input.as_bytes()).expect("takes input");
        drop(stdin);
        child.wait_with_output().expect("ends")
    });
    run.await.expect("ends")
}

/// Runs a session against the small data set.
async fn session(input: &str) -> Output {
    let world = World::tiny().await;
    let folder = world.folder.path();
    let run = sql(folder, &["--data", "data", "--interactive"], input).await;
    assert!(run.status.success(), "{}", stderr(&run));
    run
}

const SESSION: &str = "\\timing off
SELECT revenue_id, amount FROM revenue
 WHERE amount > 20 -- a comment; with a semicolon
 ORDER BY 1;
SELECT 'a;b' AS text, /* ; */ count(*) AS n FROM leads; SELECT 2 AS two;
SELECT no_such FROM leads;
\\d
\\d leads
\\df rate_ci
\\df champ*
\\x
SELECT lead_id, distributor_id FROM leads ORDER BY 1 LIMIT 2;
\\x
\\format csv
SELECT champ.score(3, 2, 2, 1) AS score;
\\format json
\\format table
SELECT * FROM leads WHERE false;
SELECT 'unfinished' AS last";

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_and_a_server_answer_alike() {
    let served = Served::tiny().await;
    let folder = served.world.folder.path();
    let token = served.operator.as_str();
    let remote = [
        "--server",
        &served.url,
        "--token",
        token,
        "-m",
        "tiny",
        "--interactive",
    ];
    let local = sql(
        folder,
        &["--data", "data", "-m", "tiny", "--interactive"],
        SESSION,
    )
    .await;
    let remote = sql(folder, &remote, SESSION).await;
    assert!(local.status.success() && remote.status.success());
    // The second session finds a call of the first one recorded.
    let remote_says = stdout(&remote).replace(
        "│ plugin_calls        ┆ table ┆    1 │",
        "│ plugin_calls        ┆ table ┆    0 │",
    );
    assert_eq!(stdout(&local), remote_says);
    assert_eq!(stderr(&local), stderr(&remote));
    insta::assert_snapshot!("shell_session", stdout(&local));
    insta::assert_snapshot!("shell_session_stderr", stderr(&local));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_statement_goes_to_a_server_in_every_format() {
    let served = Served::tiny().await;
    let folder = served.world.folder.path();
    std::fs::write(folder.join("token"), format!("{}\n", served.operator)).expect("written");
    let at = [
        "--server",
        &served.url,
        "--token-file",
        "token",
        "-m",
        "tiny",
    ];
    let ask = |more: &[&str]| {
        [&at[..], more]
            .concat()
            .iter()
            .map(|&a| a.to_owned())
            .collect::<Vec<String>>()
    };
    let run = async |more: &[&str], input: &str| {
        let arguments = ask(more);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        sql(folder, &arguments, input).await
    };
    let csv = run(
        &["--format", "csv", "-c", "SELECT count(*) AS n FROM leads"],
        "",
    )
    .await;
    assert_eq!(stdout(&csv), "n\n7\n", "{}", stderr(&csv));
    let json = run(&["--format", "json"], "SELECT count(*) AS n FROM leads").await;
    let json: serde_json::Value = serde_json::from_str(&stdout(&json)).expect("JSON");
    assert_eq!(json["rows"][0]["n"], 7);
    assert!(json["tables"]["leads"].is_u64(), "{json}");
    let rows = run(
        &[
            "-c",
            "SELECT x AS n FROM generate_series(1, 100000) AS t (x)",
        ],
        "",
    )
    .await;
    assert!(
        stdout(&rows).contains("100,000 rows, of which the first 1,000 are shown"),
        "{}",
        stderr(&rows)
    );
    for (statement, code) in [
        ("SELEC 1", 2),
        ("SELECT * FROM nowhere", 2),
        ("DROP TABLE leads", 2),
    ] {
        let refused = run(&["-c", statement], "").await;
        let here = sql(folder, &["--data", "data", "-c", statement], "").await;
        assert_eq!(refused.status.code(), Some(code));
        assert_eq!(stderr(&refused), stderr(&here));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_names_its_manufacturer() {
    let served = Served::tiny().await;
    let folder = served.world.folder.path();
    let (_, issued) = crate::support::json(served.post("/v1/tiny/tokens")).await;
    let token = issued["token"].as_str().expect("a token").to_owned();
    let own = sql(
        folder,
        &["--server", &served.url, "--token", &token, "--interactive"],
        "\\format csv\nSELECT count(*) AS n FROM leads;\n\\df champ.score\n\\c other\nSELECT 1 AS still;\n",
    )
    .await;
    assert!(stdout(&own).starts_with("n\n7\n"), "{}", stdout(&own));
    assert!(stdout(&own).contains("champ.score"), "{}", stdout(&own));
    assert!(stdout(&own).ends_with("still\n1\n"), "{}", stdout(&own));
    assert!(
        stderr(&own).contains("manufacturer \"other\" does not exist"),
        "{}",
        stderr(&own)
    );
    let operator = [
        "--server",
        &served.url,
        "--token",
        &served.operator,
        "--interactive",
    ];
    let operator = sql(folder, &operator, "SELECT 1;\n\\c tiny\nSELECT 2 AS two;\n").await;
    assert!(
        stderr(&operator).contains("Choose one with -m, or with \\c in the shell: tiny."),
        "{}",
        stderr(&operator)
    );
    assert!(stdout(&operator).contains(" two "), "{}", stdout(&operator));
    for (arguments, message) in [
        (&["--token", "nobody", "-c", "SELECT 1"][..], "error: "),
        (&["-c", "SELECT 1"], "no token is given"),
        (
            &["--token", "two words", "-c", "SELECT 1"],
            "not a bearer token",
        ),
        (&["--token-file", "absent", "-c", "SELECT 1"], "absent"),
    ] {
        let run = sql(
            folder,
            &[&["--server", &served.url], arguments].concat(),
            "",
        )
        .await;
        assert_eq!(
            run.status.code(),
            Some(2),
            "{arguments:?}: {}",
            stderr(&run)
        );
        assert!(stderr(&run).contains(message), "{}", stderr(&run));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_gone_or_breaks_off_is_said_and_the_shell_stays() {
    let folder = tempfile::tempdir().expect("folder");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("free port");
    let address = format!("http://{}", listener.local_addr().expect("bound"));
    // Answers the first request with a stream that stops after its schema, and nobody after that.
    let broken = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a client");
        drop(listener);
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await.expect("a request");
        let schema = arrow::datatypes::Schema::new(vec![arrow::datatypes::Field::new(
            "n",
            arrow::datatypes::DataType::Int64,
            false,
        )]);
        let writer =
            arrow::ipc::writer::StreamWriter::try_new(Vec::new(), &schema).expect("writes");
        let body = writer.get_ref().clone();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/vnd.apache.arrow.stream\r\ncontent-length: {}\r\n\
             connection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.expect("writes");
        stream.write_all(&body).await.expect("writes");
    });
    let run = sql(
        folder.path(),
        &[
            "--server",
            &address,
            "--token",
            "t",
            "-m",
            "tiny",
            "--interactive",
        ],
        "SELECT 1;\nSELECT 2;\n\\timing\n",
    )
    .await;
    broken.await.expect("answered once");
    let said = stderr(&run);
    assert!(run.status.success(), "{said}");
    assert!(
        said.contains("broke off after 0 rows: the end is missing"),
        "{said}"
    );
    assert!(said.contains("does not answer: "), "{said}");
    assert!(said.ends_with("timing is off\n"), "{said}");
    let one = sql(
        folder.path(),
        &["--server", &address, "--token", "t", "-c", "SELECT 1"],
        "",
    )
    .await;
    assert_eq!(one.status.code(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_go_to_files_and_files_are_run() {
    let world = World::tiny().await;
    let folder = world.folder.path();
    std::fs::write(
        folder.join("many.sql"),
        "\\timing off\nSELECT 1 AS one;\n\\i loop.sql\nSELECT 2 AS two",
    )
    .expect("written");
    std::fs::write(folder.join("loop.sql"), "\\i loop.sql\n").expect("written");
    let input = "\\o out.csv\n\\format csv\nSELECT 1 AS n;\nSELECT 2 AS n;\n\\o out.arrows\n\\format arrow\nSELECT 3 AS n;\n\
                 SELECT 4 AS n;\n\\o\n\\format table\n\\i many.sql\n\\i absent.sql\n";
    let run = sql(folder, &["--data", "data", "--interactive"], input).await;
    assert!(run.status.success());
    let said = stderr(&run);
    assert_eq!(
        std::fs::read_to_string(folder.join("out.csv")).expect("written"),
        "n\n1\nn\n2\n"
    );
    assert!(said.contains("1 row written to \"out.csv\""), "{said}");
    let stream = std::fs::File::open(folder.join("out.arrows")).expect("written");
    let batches = arrow::ipc::reader::StreamReader::try_new(stream, None).expect("an Arrow stream");
    assert_eq!(
        batches
            .map(|batch| batch.expect("whole").num_rows())
            .sum::<usize>(),
        1
    );
    assert!(
        said.contains("\"out.arrows\" holds an answer already"),
        "{said}"
    );
    assert!(said.contains("limit \"include_depth\" is 8"), "{said}");
    assert!(said.contains("open \"absent.sql\""), "{said}");
    let shown = stdout(&run);
    assert!(
        shown.contains(" one ") && shown.contains(" two "),
        "{shown}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_command_names_the_closest_and_the_shell_goes_on() {
    let run =
        session("\\timming\n\\d lead\n\\c\nSELECT 'it''s\n\\q';\n\\q\nSELECT 1 AS never;\n").await;
    let said = stderr(&run);
    assert!(
        said.contains("command \"\\timming\" is not known"),
        "{said}"
    );
    assert!(said.contains("The closest is \\timing;"), "{said}");
    assert!(
        said.contains("The closest is \"leads\"; \\d lists"),
        "{said}"
    );
    assert!(said.contains("Write it as \\c MANUFACTURER"), "{said}");
    assert!(stdout(&run).contains("it's"), "{}", stdout(&run));
    assert!(!stdout(&run).contains("never"), "{}", stdout(&run));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_is_one_statement_unless_the_shell_is_asked_for() {
    let world = World::tiny().await;
    let folder = world.folder.path();
    let piped = sql(
        folder,
        &["--data", "data", "--format", "csv"],
        "SELECT 1 AS n; SELECT 2 AS n;",
    )
    .await;
    assert_eq!(piped.status.code(), Some(2));
    assert!(
        stderr(&piped).contains("more than one statement"),
        "{}",
        stderr(&piped)
    );
    let shell = ["--data", "data", "--format", "csv", "--interactive"];
    let shell = sql(folder, &shell, "SELECT 1 AS n; SELECT 2 AS n;").await;
    assert_eq!(stdout(&shell), "n\n1\nn\n2\n");
    assert!(
        !folder.join("tributary").exists(),
        "what is piped is no history"
    );
}
