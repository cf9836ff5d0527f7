//! The published numbers of `tests/verify`, through SQL: `tests/verify/MAP.md` says how, line by line, and this runs it.
//!
//! Nothing is known here of any method; what a placeholder stands for and what a key means is said in the map.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::{Map, Value};
use tributary_engine_core::Engine;
use tributary_engine_core::engine::{Activate, Principal, Setup, Upload};

use crate::support::{World, cells, root, shipped, tiny};

/// Fewer numbers than this mean that lines of the map have gone.
const COMPARED_MIN: usize = 2600;
/// Of the plugins' vectors, which print so many digits.
const PLUGINS_TOLERANCE: f64 = 1e-6;
/// The file that holds several tables of vectors.
const PLUGINS: &str = "plugins_vectors";
/// What a loader of the vectors says of the others.
const PLUGINS_SETTINGS: &str = "p5_DS";

/// One file of published numbers.
struct Published {
    name: String,
    tolerance: f64,
    cases: Vec<Case>,
}

struct Case {
    input: Map<String, Value>,
    /// the values of each key
    expected: BTreeMap<String, Vec<Value>>,
}

/// A line of the map: a call, or why there is none.
struct Line {
    file: String,
    cases: Option<BTreeSet<usize>>,
    within: Option<f64>,
    key: String,
    text: String,
}

/// The two tables of the map.
struct Mapped {
    calls: Vec<Line>,
    reasons: Vec<Line>,
}

#[tokio::test(flavor = "multi_thread")]
async fn published_numbers_come_out_of_sql() {
    let files = published();
    let map = mapped();
    let mut faults = misfits(&files, &map);
    let worlds = [statistics().await, crate::compare::world().await];
    let (mut compared, mut per_file) = (0, String::new());
    for file in &files {
        let world = &worlds[usize::from(file.name == "s1_compare")];
        let before = compared;
        for (number, case) in file.cases.iter().enumerate() {
            for line in map.calls.iter().filter(|line| line.fits(file, number + 1)) {
                let Some(expected) = case.expected.get(&line.key) else {
                    continue;
                };
                let left_out = left_out(&map, file, number + 1, &line.key);
                let near = match line.within {
                    Some(distance) => Near::By(distance),
                    None => Near::Both(file.tolerance),
                };
                match answer(world, &filled(&line.text, &case.input)).await {
                    Err(_) if asks_for_an_error(expected) => compared += 1,
                    Err(error) => faults.push(said(file, number, line, &error)),
                    Ok(found) => match differs(&found, expected, near, &left_out) {
                        Some(difference) => faults.push(said(file, number, line, &difference)),
                        None => compared += expected.len() - left_out.len(),
                    },
                }
            }
        }
        let _ = write!(per_file, "{} {}; ", file.name, compared - before);
    }
    println!("{compared} numbers compared: {per_file}");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(compared >= COMPARED_MIN, "only {compared} numbers compared");
}

fn said(file: &Published, number: usize, line: &Line, what: &str) -> String {
    format!("{} case {} {}: {what}", file.name, number + 1, line.key)
}

/// The small data set with every plugin that has vectors.
async fn statistics() -> World {
    let world = World::tiny().await;
    world.install(shipped("fit_engagement")).await;
    let vectors = read_json(PLUGINS);
    let mut setup = Setup::default();
    let distributors = vectors[PLUGINS_SETTINGS].clone();
    setup.settings = Some(Map::from_iter([("distributors".to_owned(), distributors)]));
    let upload = Upload {
        principal: Principal::Operator,
        manufacturer: tiny(),
        wasm: shipped("ev_router").into(),
    };
    let plugin = world.database.upload(upload).await.expect("upload");
    let activate = Activate {
        principal: Principal::Operator,
        manufacturer: tiny(),
        name: plugin.name,
        version: plugin.version,
        setup,
    };
    world.database.activate(activate).await.expect("activate");
    world
}

/// The values of an answer, row by row.
async fn answer(world: &World, sql: &str) -> Result<Vec<String>, String> {
    let answer = world.query(sql).await;
    let batches = answer.map_err(|error| format!("{error:?} of {sql}"))?;
    Ok(batches.iter().flat_map(cells).flatten().collect())
}

// ---- comparing

/// How near a number has to be.
#[derive(Clone, Copy)]
enum Near {
    /// absolutely and relatively
    Both(f64),
    /// absolutely
    By(f64),
}

impl Near {
    fn allows(self, found: f64, expected: f64) -> bool {
        let distance = (found - expected).abs();
        match self {
            Self::Both(tolerance) if expected != 0.0 => {
                distance <= tolerance && distance <= tolerance * expected.abs()
            }
            Self::Both(distance_max) | Self::By(distance_max) => distance <= distance_max,
        }
    }
}

fn asks_for_an_error(expected: &[Value]) -> bool {
    matches!(expected, [Value::String(text)] if text.starts_with("error"))
}

/// How an answer differs from what is expected.
fn differs(
    found: &[String],
    expected: &[Value],
    near: Near,
    left_out: &BTreeSet<usize>,
) -> Option<String> {
    if found.len() != expected.len() {
        return Some(format!("{} values for {}", found.len(), expected.len()));
    }
    let mut pairs = found.iter().zip(expected).enumerate();
    pairs.find_map(|(at, (found, expected))| {
        let same = left_out.contains(&(at + 1)) || is(found, expected, near);
        (!same).then(|| format!("{found} for {expected} at {}", at + 1))
    })
}

fn is(found: &str, expected: &Value, near: Near) -> bool {
    match expected {
        Value::Null => found == "NULL",
        Value::String(text) if text.starts_with("error or NULL") => found == "NULL",
        Value::String(text) => found == text,
        Value::Bool(truth) => found == truth.to_string(),
        Value::Number(number) => {
            let expected = number.as_f64().expect("a double");
            let Ok(found) = found.parse::<f64>() else {
                return false;
            };
            near.allows(found, expected)
        }
        Value::Array(_) | Value::Object(_) => false,
    }
}

// ---- the files

fn folder() -> std::path::PathBuf {
    root().join("tests/verify")
}

fn read_json(name: &str) -> Value {
    let text = std::fs::read(folder().join(format!("{name}.json"))).expect("a published file");
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Every file of the folder; each table of the plugins' vectors is one.
fn published() -> Vec<Published> {
    let entries = std::fs::read_dir(folder()).expect("tests/verify exists");
    let paths = entries.map(|entry| entry.expect("readable").path());
    let mut names: Vec<String> = paths
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .map(|path| path.file_stem().expect("a name").to_string_lossy().into())
        .collect();
    names.sort();
    let mut files = Vec::new();
    for name in names {
        let file = read_json(&name);
        if name == PLUGINS {
            let tables = file.as_object().expect("tables").iter();
            let tables = tables.filter(|(name, _)| *name != PLUGINS_SETTINGS);
            files.extend(tables.map(|(name, cases)| one(name, cases, PLUGINS_TOLERANCE)));
        } else {
            let tolerance = file["tolerance"].as_f64().expect("a tolerance");
            files.push(one(&name, &file["cases"], tolerance));
        }
    }
    files
}

fn one(name: &str, cases: &Value, tolerance: f64) -> Published {
    let cases = cases.as_array().expect("cases").iter();
    let case = |case: &Value| {
        let input = case["input"].as_object().cloned().unwrap_or_default();
        let expected = expected(&case["expected"], &input);
        Case { input, expected }
    };
    Published {
        name: name.to_owned(),
        tolerance,
        cases: cases.map(case).collect(),
    }
}

fn expected(value: &Value, input: &Map<String, Value>) -> BTreeMap<String, Vec<Value>> {
    let csv_named = |name: &str| columns(name).into_iter().collect();
    match value {
        Value::String(text) if text == "columns of the csv" => {
            csv_named(input["csv"].as_str().expect("a CSV file"))
        }
        Value::String(text) if text.ends_with(".csv") => csv_named(text),
        Value::Object(_) | Value::Array(_) => {
            let mut keys = BTreeMap::new();
            flatten("", value, &mut keys);
            keys
        }
        one => BTreeMap::from([("expected".to_owned(), vec![one.clone()])]),
    }
}

/// The keys below a value: fields of fields, and fields of the entries of lists.
fn flatten(path: &str, value: &Value, keys: &mut BTreeMap<String, Vec<Value>>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let path = match path {
                    "" => name.clone(),
                    _ => format!("{path}.{name}"),
                };
                flatten(&path, field, keys);
            }
        }
        Value::Array(entries) => entries.iter().for_each(|entry| flatten(path, entry, keys)),
        one => keys.entry(path.to_owned()).or_default().push(one.clone()),
    }
}

/// The columns of a CSV file of the folder; an empty field is NULL.
fn columns(name: &str) -> Vec<(String, Vec<Value>)> {
    let text = std::fs::read_to_string(folder().join(name)).expect("a CSV file");
    let mut lines = text.lines().filter(|line| !line.is_empty());
    let header = lines.next().expect("a header");
    let mut columns: Vec<(String, Vec<Value>)> = header
        .split(',')
        .map(|name| (name.trim_matches('"').to_owned(), Vec::new()))
        .collect();
    for line in lines {
        for ((_, column), field) in columns.iter_mut().zip(line.split(',')) {
            column.push(typed(field));
        }
    }
    columns
}

fn typed(field: &str) -> Value {
    match serde_json::from_str(field) {
        _ if field.is_empty() => Value::Null,
        Ok(value) => value,
        Err(_) => Value::String(field.to_owned()),
    }
}

// ---- filling in

/// A statement with the inputs of a case in the place of their names.
fn filled(sql: &str, input: &Map<String, Value>) -> String {
    let mut sql = sql.to_owned();
    if sql.contains("$rows") {
        sql = sql.replace("$rows", &rows(input));
    }
    if sql.contains("$cells") {
        sql = sql.replace("$cells", &matrix(input));
    }
    // Longer names first, since one may begin with another.
    let mut names: Vec<&String> = input.keys().collect();
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    for name in names {
        sql = sql.replace(&format!("${name}"), &literal(&input[name]));
    }
    sql
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::String(text) => format!("'{text}'"),
        Value::Array(entries) => {
            let entries: Vec<String> = entries.iter().map(literal).collect();
            format!("[{}]", entries.join(", "))
        }
        other => other.to_string(),
    }
}

/// The CSV file of a case, or its lists side by side, as a table.
fn rows(input: &Map<String, Value>) -> String {
    let columns = match input.get("csv") {
        Some(name) => columns(name.as_str().expect("a CSV file")),
        None => lists(input),
    };
    let names: Vec<String> = columns.iter().map(|it| format!("\"{}\"", it.0)).collect();
    let row = |at: usize| {
        let values: Vec<String> = columns.iter().map(|it| literal(&it.1[at])).collect();
        format!("({}, {})", at + 1, values.join(", "))
    };
    let count = columns.first().map_or(0, |it| it.1.len());
    let all: Vec<String> = (0..count).map(row).collect();
    // A file has a column `i` of its own, which is the same.
    let own = names.first().is_some_and(|name| name == "\"i\"");
    let first = if own { "row_number" } else { "i" };
    let (values, names) = (all.join(", "), names.join(", "));
    format!("(VALUES {values}) AS t ({first}, {names})")
}

fn lists(input: &Map<String, Value>) -> Vec<(String, Vec<Value>)> {
    let lists = input.iter().filter_map(|(name, value)| {
        let list = value.as_array()?;
        Some((name.clone(), list.clone()))
    });
    let mut lists: Vec<_> = lists.collect();
    // A list of another length, such as a prior, is no column.
    let longest = lists.iter().map(|list| list.1.len()).max().unwrap_or(0);
    lists.retain(|list| list.1.len() == longest);
    lists
}

/// The first matrix of a case as a table of its cells.
fn matrix(input: &Map<String, Value>) -> String {
    let is_matrix = |value: &&Value| value[0].is_array();
    let matrix = ["table_prob", "ranks_by_period"]
        .into_iter()
        .filter_map(|name| input.get(name))
        .find(is_matrix)
        .expect("a matrix");
    let mut all = Vec::new();
    for (i, row) in matrix.as_array().expect("rows").iter().enumerate() {
        for (j, value) in row.as_array().expect("cells").iter().enumerate() {
            all.push(format!("({}, {}, {value})", i + 1, j + 1));
        }
    }
    format!("(VALUES {}) AS t (i, j, v)", all.join(", "))
}

// ---- the map

impl Line {
    fn fits(&self, file: &Published, case: usize) -> bool {
        let fits_case = self
            .cases
            .as_ref()
            .is_none_or(|cases| cases.contains(&case));
        self.file == file.name && fits_case
    }

    /// A key without the number of a value.
    fn bare_key(&self) -> &str {
        self.key.split('[').next().unwrap_or_default()
    }

    /// The number of the value that a reason is about.
    fn at(&self) -> Option<usize> {
        let (_, at) = self.key.strip_suffix(']')?.split_once('[')?;
        Some(at.parse().expect("the number of a value"))
    }

    /// Whether a reason is about the whole key.
    fn covers(&self, key: &str) -> bool {
        self.key == "*" || self.key == key
    }
}

fn mapped() -> Mapped {
    let text = std::fs::read_to_string(folder().join("MAP.md")).expect("the map");
    let mut map = Mapped {
        calls: Vec::new(),
        reasons: Vec::new(),
    };
    let mut file = "";
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            file = heading;
        }
        let Some(row) = line.strip_prefix("| ") else {
            continue;
        };
        let row = row.strip_suffix(" |").expect("a whole row");
        let fields: Vec<&str> = row.split(" | ").collect();
        match fields[..] {
            ["case" | "file", ..] => {}
            [cases, key, sql] => map.calls.push(line_of(file, cases, key, sql)),
            [file, cases, key, why] => map.reasons.push(line_of(file, cases, key, why)),
            _ => panic!("a row of the map: {line}"),
        }
    }
    map
}

fn line_of(file: &str, cases: &str, key: &str, text: &str) -> Line {
    let (cases, within) = match cases.split_once(" within ") {
        Some((cases, within)) => (cases, Some(within.parse().expect("a tolerance"))),
        None => (cases, None),
    };
    let number = |case: &str| case.trim().parse().expect("the number of a case");
    Line {
        file: file.to_owned(),
        cases: (cases != "all").then(|| cases.split(',').map(number).collect()),
        within,
        key: key.to_owned(),
        text: text.to_owned(),
    }
}

/// The values of a key that have a reason of their own.
fn left_out(map: &Mapped, file: &Published, case: usize, key: &str) -> BTreeSet<usize> {
    let reasons = map.reasons.iter();
    reasons
        .filter(|line| line.fits(file, case) && line.bare_key() == key)
        .filter_map(Line::at)
        .collect()
}

/// Keys without a line, keys with two, and lines without a key.
fn misfits(files: &[Published], map: &Mapped) -> Vec<String> {
    let mut faults = Vec::new();
    for file in files {
        for (number, case) in file.cases.iter().enumerate() {
            for key in case.expected.keys() {
                let said = |line: &&Line| line.fits(file, number + 1);
                let calls = map.calls.iter().filter(said);
                let reasons = map.reasons.iter().filter(said);
                let lines = calls.filter(|line| line.key == *key).count()
                    + reasons.filter(|line| line.covers(key)).count();
                if lines != 1 {
                    let case = number + 1;
                    faults.push(format!("{} case {case} {key}: {lines} lines", file.name));
                }
            }
        }
    }
    for line in map.calls.iter().chain(&map.reasons) {
        let has = |file: &Published| {
            let mut cases = file.cases.iter().enumerate();
            cases.any(|(number, case)| {
                let key = line.bare_key();
                line.fits(file, number + 1) && (key == "*" || case.expected.contains_key(key))
            })
        };
        if !files.iter().any(has) {
            faults.push(format!("{} {}: a line without a key", line.file, line.key));
        }
    }
    faults
}

#[test]
fn a_number_off_is_told() {
    let expected = [Value::from(0.5), Value::Null, Value::from("D1")];
    let found = ["0.5000000001", "NULL", "D1"].map(str::to_owned);
    let none = BTreeSet::new();
    assert_eq!(differs(&found, &expected, Near::Both(1e-9), &none), None);
    assert!(differs(&found, &expected, Near::Both(1e-11), &none).is_some());
    assert!(differs(&found[..2], &expected, Near::Both(1e-9), &none).is_some());
    let absent = [found[0].clone(), "0.0".to_owned(), found[2].clone()];
    assert!(differs(&absent, &expected, Near::Both(1e-9), &none).is_some());
    assert_eq!(
        differs(&absent, &expected, Near::Both(1e-9), &BTreeSet::from([2])),
        None
    );
}

#[test]
fn a_key_without_a_line_and_a_line_without_a_key_are_told() {
    let files = published();
    let mut map = mapped();
    assert_eq!(misfits(&files, &map), Vec::<String>::new());
    let taken = map.calls.remove(0);
    assert!(!misfits(&files, &map).is_empty());
    map.calls
        .push(line_of("a1_proportion_ci", "all", "no_such_key", ""));
    map.calls.push(taken);
    assert_eq!(misfits(&files, &map).len(), 1);
    // Said twice is not said.
    let last = map.calls.len() - 2;
    map.calls[last].key = map.calls[0].key.clone();
    assert!(!misfits(&files, &map).is_empty());
}
