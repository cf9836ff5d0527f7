//! The binary as a person runs it.

use crate::support::{root, stderr, stdout, tributary};

#[test]
fn ingests_and_answers_from_an_empty_folder() {
    let folder = tempfile::tempdir().expect("folder");
    let at = folder.path();
    let tiny = root().join("tests/data/tiny");
    for table in ["distributors", "leads", "revenue"] {
        let file = tiny.join(format!("{table}.csv"));
        let run = tributary(
            at,
            &[
                "ingest",
                "--data",
                "d",
                "-m",
                "tiny",
                table,
                file.to_str().expect("path"),
            ],
        );
        assert!(run.status.success(), "{}", stderr(&run));
    }
    let sql = |arguments: &[&str]| tributary(at, &[&["sql", "--data", "d"], arguments].concat());
    let csv = sql(&[
        "--format",
        "csv",
        "-c",
        "SELECT distributor_id, sum(amount) AS total FROM revenue GROUP BY 1 ORDER BY 1",
    ]);
    assert_eq!(
        stdout(&csv),
        "distributor_id,total\nD1,1025.0500\nD2,30.0003\nD3,2000.0000\n"
    );
    let json = sql(&["--format", "json", "-c", "SELECT 1 AS one"]);
    let parsed: serde_json::Value = serde_json::from_str(&stdout(&json)).expect("JSON");
    assert!(parsed.to_string().contains("\"one\":1"), "{parsed}");
    let table = sql(&[
        "-c",
        "SELECT distributor_id, amount FROM revenue WHERE revenue_id = 'V6'",
    ]);
    assert!(stdout(&table).contains("20.00"), "{}", stdout(&table));
    std::fs::write(
        at.join("q.sql"),
        "-- a file\nSELECT count(*) AS n FROM leads\n",
    )
    .expect("written");
    assert_eq!(stdout(&sql(&["--format", "csv", "q.sql"])), "n\n7\n");
}

#[test]
fn errors_say_what_to_do_and_exit_with_2() {
    let folder = tempfile::tempdir().expect("folder");
    let at = folder.path();
    std::fs::write(
        at.join("bad.csv"),
        "revenue_id,distributor_id,booked_at,amount,quantity,kind\nV1,D1,soon,1,1,new\n",
    )
    .expect("written");
    let bad = tributary(
        at,
        &["ingest", "--data", "d", "-m", "tiny", "revenue", "bad.csv"],
    );
    assert_eq!(bad.status.code(), Some(2));
    assert!(
        stderr(&bad).contains("line 2, column \"booked_at\""),
        "{}",
        stderr(&bad)
    );
    assert!(stderr(&bad).contains("hint:"), "{}", stderr(&bad));
    for arguments in [
        &["sql", "--data", "nowhere", "-c", "SELECT 1"][..],
        &[
            "ingest",
            "--data",
            "d",
            "-m",
            "tiny",
            "revenue",
            "absent.csv",
        ],
        &[
            "ingest",
            "--data",
            "d",
            "-m",
            "Not Valid",
            "revenue",
            "bad.csv",
        ],
        &["frobnicate"],
        &["demo", "--scale", "lots"],
    ] {
        let run = tributary(at, arguments);
        assert_eq!(
            run.status.code(),
            Some(2),
            "{arguments:?}: {}",
            stderr(&run)
        );
        assert!(!stderr(&run).contains("panicked"), "{}", stderr(&run));
    }
}

#[test]
fn every_help_teaches_by_example() {
    let folder = tempfile::tempdir().expect("folder");
    for command in [
        &["demo"][..],
        &["serve"],
        &["sql"],
        &["ingest"],
        &["generate"],
        &["plugin", "build"],
        &["plugin", "upload"],
        &["plugin", "activate"],
        &["plugin", "list"],
        &["token", "create"],
        &["view"],
        &["view", "put"],
        &["view", "get"],
        &["view", "list"],
        &["view", "delete"],
        &["query"],
        &["query", "put"],
        &["query", "get"],
        &["query", "list"],
        &["query", "delete"],
        &["query", "run"],
    ] {
        let run = tributary(folder.path(), &[command, &["--help"]].concat());
        assert!(run.status.success());
        let example = format!("tributary {}", command.join(" "));
        assert!(
            stdout(&run).matches(&example).count() >= 2,
            "{command:?} has no example:\n{}",
            stdout(&run)
        );
    }
}

#[test]
fn generates_the_same_files_for_the_same_seed() {
    let folder = tempfile::tempdir().expect("folder");
    for out in ["a", "b"] {
        let run = tributary(
            folder.path(),
            &["generate", "--seed", "7", "--scale", "0.01", "--out", out],
        );
        assert!(run.status.success(), "{}", stderr(&run));
    }
    let read = |out: &str| {
        std::fs::read(folder.path().join(out).join("acme/leads.csv")).expect("generated")
    };
    assert_eq!(read("a"), read("b"));
    assert!(folder.path().join("a/truths.json").exists());
}

#[test]
fn ingests_files_of_other_programs_where_it_is_told_how_they_are_written() {
    let folder = tempfile::tempdir().expect("folder");
    let at = folder.path();
    let csv = "product_id;name;list_price\nP1;Pumpe;1234,50\nP2;Ventil;12.5\n";
    std::fs::write(at.join("export.CSV.gz"), crate::files::gzip(csv.as_bytes())).expect("written");
    let ingest = |arguments: &[&str]| {
        let begin = ["ingest", "--data", "d", "-m", "tiny", "products"];
        tributary(at, &[&begin, arguments].concat())
    };
    let run = ingest(&["export.CSV.gz"]);
    assert_eq!(run.status.code(), Some(2));
    assert!(
        stderr(&run).contains("Send delimiter=;."),
        "{}",
        stderr(&run)
    );
    let options = ["export.CSV.gz", "--delimiter", ";", "--decimal", ","];
    let run = ingest(&options);
    assert!(
        stderr(&run).contains("line 3, column \"list_price\""),
        "{}",
        stderr(&run)
    );
    let run = ingest(&[&options[..], &["--on-error", "quarantine"]].concat());
    assert!(run.status.success(), "{}", stderr(&run));
    let summary = stdout(&run);
    assert!(summary.contains("2 rows in, 1 inserted"), "{summary}");
    assert!(
        summary.contains("1 rejected; table version 1; read as csv, gzip"),
        "{summary}"
    );
    assert!(
        stderr(&run).contains("SELECT * FROM quarantine"),
        "{}",
        stderr(&run)
    );
    std::fs::write(at.join("rows.txt"), csv).expect("written");
    for (arguments, told) in [
        (
            &["rows.txt"][..],
            "--format csv, --format parquet, --format ndjson",
        ),
        (
            &["rows.txt", "--format", "excel"],
            "\"csv\", \"parquet\", \"ndjson\", \"arrow\"",
        ),
        (
            &["export.CSV.gz", "--dates", "ymd"],
            "\"iso\", \"dmy\", \"mdy\"",
        ),
        (
            &["export.CSV.gz", "--missing", "null"],
            "means nothing for csv",
        ),
    ] {
        let run = ingest(arguments);
        assert_eq!(run.status.code(), Some(2), "{told}");
        assert!(stderr(&run).contains(told), "{told}: {}", stderr(&run));
    }
}
