//! The shipped guests give the published numbers, however their arguments arrive.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, DictionaryArray, Float64Array, Int32Array, Int64Array,
    LargeStringArray, StringArray, StringViewArray, StructArray, new_null_array,
};
use arrow::compute::{cast, concat};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type, UInt8Type};
use serde_json::Value;
use tributary_plugins_guests_woe_scorecard as native;
use tributary_plugins_host::{Argument, ErrorKind, Host, InProcess, Kind, Limits, Pool};

use crate::world::{CHAMP, COMPONENTS, SCORECARD, call, place, pool};

fn cases(name: &str) -> Vec<Value> {
    let text = include_str!("../../../../tests/verify/plugins_vectors.json");
    let all: Value = serde_json::from_str(text).expect("vectors are JSON");
    all[name].as_array().expect("cases").clone()
}

fn answers(cases: &[Value]) -> Vec<ArrayRef> {
    let column = |name: &str| {
        let values = cases
            .iter()
            .map(|case| case["input"][name].as_i64().map(|answer| answer as i32));
        Arc::new(values.collect::<Int32Array>()) as ArrayRef
    };
    ["challenges", "authority", "money", "priority"]
        .map(column)
        .to_vec()
}

fn leads(cases: &[Value]) -> Vec<ArrayRef> {
    let text = |name: &str| {
        let values = cases.iter().map(|case| case["input"][name].as_str());
        Arc::new(values.collect::<StringArray>()) as ArrayRef
    };
    let employees: Int64Array = cases
        .iter()
        .map(|case| case["input"]["employees"].as_i64())
        .collect();
    vec![text("industry"), Arc::new(employees), text("source")]
}

fn names(rule: &StructArray, column: &str) -> Vec<Option<String>> {
    let text = cast(
        rule.column_by_name(column).expect("a column"),
        &DataType::Utf8,
    )
    .expect("names are text");
    text.as_string::<i32>()
        .iter()
        .map(|name| name.map(str::to_owned))
        .collect()
}

#[test]
fn champ_agrees_with_every_vector() {
    let cases = cases("p1_champ");
    let pool = pool(&CHAMP);
    let rule = call(&pool, "qualify", &answers(&cases)).expect("valid answers");
    let rule = rule.as_struct();
    let verdicts = names(rule, "verdict");
    let reasons = rule
        .column_by_name("reasons")
        .expect("reasons")
        .as_list::<i32>();
    let score = rule
        .column_by_name("score")
        .expect("score")
        .as_primitive::<Int32Type>();
    let coverage = rule
        .column_by_name("coverage")
        .expect("coverage")
        .as_primitive::<Float64Type>();
    let scalar = call(&pool, "score", &answers(&cases)).expect("valid answers");
    assert_eq!(scalar.as_primitive::<Int32Type>(), score);
    for (row, case) in cases.iter().enumerate() {
        let expected = &case["expected"];
        assert_eq!(
            verdicts[row].as_deref(),
            expected["label"].as_str(),
            "{case}"
        );
        let points = score.is_valid(row).then(|| i64::from(score.value(row)));
        assert_eq!(points, expected["score"].as_i64(), "{case}");
        let why = cast(&reasons.value(row), &DataType::Utf8).expect("reasons are text");
        let why = why.as_string::<i32>();
        let why = if why.is_empty() { "OK" } else { why.value(0) };
        assert_eq!(Some(why), expected["reason"].as_str(), "{case}");
        if let Some(share) = expected["coverage"].as_f64() {
            assert_eq!(coverage.value(row), share, "{case}");
        }
    }
}

#[test]
fn champ_ends_at_an_answer_outside_the_scale() {
    let mut rows = vec![Some(1); 100];
    rows[70] = Some(4);
    let column: ArrayRef = Arc::new(Int32Array::from(rows));
    let pool = pool(&CHAMP);
    let args = vec![column.clone(), column.clone(), column.clone(), column];
    for function in ["qualify", "score"] {
        let error = call(&pool, function, &args).expect_err("4 is no answer");
        assert_eq!((error.kind, error.place.row), (ErrorKind::Row, Some(70)));
        let text = format!(
            "plugin \"champ\" 1.0.0, function \"{function}\", row 71 of the batch: answer 4 is not 0 to 3"
        );
        assert_eq!(error.to_string(), text);
    }
    champ_agrees_with_every_vector();
}

#[test]
fn scorecard_agrees_with_every_vector() {
    let cases = cases("p4_scorecard");
    let pool = pool(&SCORECARD);
    let args = leads(&cases);
    let logit = call(&pool, "logit", &args).expect("logit");
    let probability = call(&pool, "probability", &args).expect("probability");
    let points = call(&pool, "points", &args).expect("points");
    let rule = call(&pool, "qualify", &args).expect("qualify");
    let verdicts = names(rule.as_struct(), "verdict");
    assert_eq!(
        rule.as_struct().column_by_name("p").expect("p"),
        &probability
    );
    assert_eq!(
        rule.as_struct().column_by_name("points").expect("points"),
        &points
    );
    for (row, case) in cases.iter().enumerate() {
        let expected = &case["expected"];
        let close = |value: f64, name: &str| {
            let wanted = expected[name].as_f64().expect("a number");
            assert!((value - wanted).abs() < 1e-12, "{name} {value}: {case}");
        };
        close(logit.as_primitive::<Float64Type>().value(row), "logit");
        close(probability.as_primitive::<Float64Type>().value(row), "p");
        close(
            f64::from(points.as_primitive::<Int32Type>().value(row)),
            "score",
        );
        assert_eq!(
            verdicts[row].as_deref(),
            expected["label"].as_str(),
            "{case}"
        );
    }
}

/// Leads with every mix of known, unknown and missing values.
fn many(rows: usize) -> (StringArray, Int64Array, StringArray) {
    let industries = [
        Some("metal"),
        None,
        Some("food"),
        Some("aerospace"),
        Some(""),
    ];
    let sources = [
        Some("web"),
        Some("referral"),
        None,
        Some("список"),
        Some("list"),
        Some("partner"),
        Some("x"),
    ];
    let industry = (0..rows).map(|row| industries[row % 5]).collect();
    let employees = (0..rows)
        .map(|row| (row % 4 != 1).then_some(row as i64 * 37 % 400 - 9))
        .collect();
    let source = (0..rows).map(|row| sources[row % 7]).collect();
    (industry, employees, source)
}

fn expected(industry: &StringArray, employees: &Int64Array, source: &StringArray) -> Float64Array {
    let rows = industry.iter().zip(employees.iter()).zip(source.iter());
    rows.map(|((industry, employees), source)| Some(native::logit(industry, employees, source)))
        .collect()
}

fn check(pool: &Pool, args: &[ArrayRef], expected: &Float64Array) {
    let result = call(pool, "logit", args).expect("logit");
    assert_eq!(result.as_primitive::<Float64Type>(), expected);
}

#[test]
fn results_do_not_depend_on_how_arguments_arrive() {
    let pool = pool(&SCORECARD);
    for rows in [1, 7, 63, 64, 65, 128, 1000] {
        let (industry, employees, source) = many(rows);
        let wanted = expected(&industry, &employees, &source);
        let plain: ArrayRef = Arc::new(industry.clone());
        let employees: ArrayRef = Arc::new(employees);
        let dictionary: DictionaryArray<UInt8Type> = industry.iter().collect();
        let large: LargeStringArray = industry.iter().collect();
        let view: StringViewArray = industry.iter().collect();
        let others: [ArrayRef; 4] = [plain, Arc::new(dictionary), Arc::new(large), Arc::new(view)];
        for text in others {
            let args = [text, Arc::clone(&employees), Arc::new(source.clone())];
            check(&pool, &args, &wanted);
            for (start, len) in [
                (0, rows / 2),
                (1, rows - 1),
                (rows / 3, rows / 3),
                (rows, 0),
            ] {
                let args: Vec<ArrayRef> =
                    args.iter().map(|array| array.slice(start, len)).collect();
                check(&pool, &args, &wanted.slice(start, len));
            }
        }
    }
}

#[test]
fn constants_stand_for_every_row() {
    let pool = pool(&SCORECARD);
    let (_, employees, _) = many(200);
    let employees: ArrayRef = Arc::new(employees);
    let one = |text: Option<&str>| Arc::new(StringArray::from(vec![text])) as ArrayRef;
    let at = place(&SCORECARD, "logit");
    for (industry, source) in [
        (Some("metal"), Some("web")),
        (None, Some("list")),
        (Some("food"), None),
    ] {
        let (industries, sources) = (one(industry), one(source));
        let args = [
            Argument::Scalar(&industries),
            Argument::Array(&employees),
            Argument::Scalar(&sources),
        ];
        let result = pool.call(at, &args, 200).expect("logit");
        let rows = employees.as_primitive::<Int64Type>().iter();
        let wanted: Float64Array = rows
            .map(|employees| Some(native::logit(industry, employees, source)))
            .collect();
        assert_eq!(result.as_primitive::<Float64Type>(), &wanted);
        let fixed: ArrayRef = Arc::new(Int64Array::from(vec![120]));
        let args = [
            Argument::Scalar(&industries),
            Argument::Scalar(&fixed),
            Argument::Scalar(&sources),
        ];
        let result = pool.call(at, &args, 3).expect("logit");
        let wanted = native::logit(industry, Some(120), source);
        assert_eq!(result.as_primitive::<Float64Type>().values(), &[wanted; 3]);
    }
}

#[test]
fn empty_and_null_batches_are_right() {
    let pool = pool(&CHAMP);
    let empty = vec![new_null_array(&DataType::Int32, 0); 4];
    let function = &CHAMP.manifest().functions[place(&CHAMP, "qualify")];
    let result = call(&pool, "qualify", &empty).expect("nothing is fine");
    assert_eq!(
        (result.len(), result.data_type()),
        (0, &function.return_type())
    );
    let nulls = vec![new_null_array(&DataType::Int32, 70); 4];
    let result = call(&pool, "qualify", &nulls).expect("nothing answered is fine");
    assert_eq!(result.data_type(), &function.return_type());
    assert!(
        names(result.as_struct(), "verdict")
            .iter()
            .all(|verdict| verdict.as_deref() == Some("need_info"))
    );
    let literal: ArrayRef = new_null_array(&DataType::Null, 1);
    let args = [Argument::Scalar(&literal); 4];
    let result = pool.call(place(&CHAMP, "score"), &args, 5).expect("score");
    assert_eq!(result.null_count(), 5);
}

#[test]
fn results_do_not_depend_on_instances_or_splits() {
    let (industry, employees, source) = many(50_000);
    let wanted = expected(&industry, &employees, &source);
    let args: Vec<ArrayRef> = vec![Arc::new(industry), Arc::new(employees), Arc::new(source)];
    let pool = pool(&SCORECARD);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (pool, args, wanted) = (&pool, &args, &wanted);
            scope.spawn(move || {
                for start in (thread * 1000..50_000).step_by(8000) {
                    let args: Vec<ArrayRef> =
                        args.iter().map(|array| array.slice(start, 1000)).collect();
                    check(pool, &args, &wanted.slice(start, 1000));
                }
            });
        }
    });
    let at = place(&SCORECARD, "logit");
    let receipts = pool.receipts(at);
    assert_eq!((receipts.calls, receipts.rows), (50, 50_000));
    assert!(receipts.nanoseconds > 0 && receipts.linear_memory_bytes_peak > 0);

    let limits = Limits {
        input_bytes_max: 10_000,
        batch_rows_max: 900,
        ..Limits::default()
    };
    let host = Host::new(limits.clone()).expect("these limits fit");
    let compiler = InProcess::new(&limits).expect("this machine is known");
    let plugin = host
        .install(COMPONENTS.scorecard.as_slice(), &compiler)
        .expect("scorecard is a plugin");
    let pool = crate::world::pool(&plugin);
    check(&pool, &args, &wanted);
    assert!(pool.receipts(at).calls > 55, "{:?}", pool.receipts(at));
}

#[test]
fn manifest_says_what_sql_needs() {
    let manifest = CHAMP.manifest();
    assert_eq!(
        (manifest.name.as_str(), manifest.version.as_str()),
        ("champ", "1.0.0")
    );
    let qualify = &manifest.functions[place(&CHAMP, "qualify")];
    assert_eq!(qualify.kind, Kind::Rule);
    assert_eq!(qualify.verdicts, ["mql", "nurture", "need_info", "reject"]);
    assert_eq!(qualify.reasons[0].code, "NO_AUTHORITY");
    assert_eq!(
        qualify.doc,
        "Qualifies a lead by its CHAMP answers, each 0 to 3 or NULL if unanswered."
    );
    assert_eq!(qualify.arg_types(), vec![DataType::Int32; 4]);
    assert!(!qualify.is_strict());
    let args: Vec<&str> = qualify.args.iter().map(|arg| arg.name.as_str()).collect();
    assert_eq!(args, ["challenges", "authority", "money", "priority"]);
    let DataType::Struct(fields) = qualify.return_type() else {
        panic!("a rule returns a struct")
    };
    let fields: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
    assert_eq!(fields, ["verdict", "reasons", "score", "coverage"]);
    assert_eq!(CHAMP.digest().len(), 64);
    let json = serde_json::to_value(manifest).expect("a manifest is JSON");
    assert_eq!(json["functions"][0]["args"][0]["type"], "int32");
}

#[test]
fn parts_of_a_rule_fit_together() {
    let pool = pool(&CHAMP);
    let batch = answers(&cases("p1_champ"));
    let one = call(&pool, "qualify", &batch).expect("valid answers");
    let both = concat(&[&one, &one]).expect("dictionaries are the same");
    assert_eq!(both.len(), 2 * one.len());
}
