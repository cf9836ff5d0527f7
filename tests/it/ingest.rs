//! What goes into a table and what does not: semantics of each table, and one test for each kind of bad input.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Decimal128Array, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray,
};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use tributary_engine_core::Fault;
use tributary_engine_core::engine::Format;

use crate::support::World;

const HEADER: &str = "revenue_id,distributor_id,booked_at,amount,quantity,kind\n";

#[tokio::test(flavor = "multi_thread")]
async fn append_skips_what_is_stored_and_refuses_what_differs() {
    let world = World::tiny().await;
    let before = world
        .value("SELECT count(*) || '/' || sum(amount) FROM revenue")
        .await;

    // The same rows again, columns in another order and NULL columns left out.
    let again = "kind,revenue_id,quantity,amount,booked_at,distributor_id,product_id\n\
                 repeat,V8,8,600.0,2024-07-14T12:00:00+00:00,D3,P2\n";
    let conflict = world
        .csv("revenue", again)
        .await
        .expect_err("cost is 300 in the table, NULL here");
    assert_eq!(conflict.fault(), Fault::Conflict);
    assert!(
        conflict.message().contains("revenue_id \"V8\""),
        "{conflict}"
    );

    let file = std::fs::read_to_string(crate::support::root().join("tests/data/tiny/revenue.csv"))
        .expect("file");
    let receipt = world
        .csv("revenue", &file)
        .await
        .expect("a repeat is a no-op");
    assert_eq!(
        (receipt.rows_in, receipt.inserted, receipt.unchanged),
        (8, 0, 8)
    );

    // Some old, some new, one of them twice.
    let more = format!(
        "{file}V9,D2,,,P2,2024-07-01T00:00:00Z,5,,1,new\nV9,D2,,,P2,2024-07-01T00:00:00Z,5,,1,new\n"
    );
    let receipt = world.csv("revenue", &more).await.expect("appends");
    assert_eq!(
        (receipt.rows_in, receipt.inserted, receipt.unchanged),
        (10, 1, 9)
    );
    assert_eq!(world.value("SELECT count(*) FROM revenue").await, "9");

    let twice =
        format!("{HEADER}W1,D1,2024-01-01T00:00:00Z,1,1,new\nW1,D1,2024-01-01T00:00:00Z,2,1,new\n");
    let conflict = world
        .csv("revenue", &twice)
        .await
        .expect_err("one key, two contents");
    assert_eq!(conflict.fault(), Fault::Conflict);
    assert!(conflict.message().contains("row 2"), "{conflict}");
    assert_ne!(before, "", "there was something to compare with");
    assert_eq!(
        world
            .value("SELECT count(*) FROM revenue WHERE revenue_id = 'W1'")
            .await,
        "0"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn upsert_changes_only_the_named_columns_and_the_later_row_wins() {
    let world = World::tiny().await;
    let receipt = world
        .csv(
            "leads",
            "lead_id,outcome,employees\nL4,won,\nL1,lost,7\nL4,lost,99\n",
        )
        .await
        .expect("partial rows of stored keys");
    assert_eq!(
        (
            receipt.rows_in,
            receipt.inserted,
            receipt.updated,
            receipt.unchanged
        ),
        (3, 0, 2, 1)
    );
    assert_eq!(
        world
            .rows(
                "SELECT lead_id, outcome, employees, industry, amount FROM leads ORDER BY 1 LIMIT 4"
            )
            .await,
        [
            "L1|lost|7|metal|900.0000",
            "L2|rejected|NULL|food|NULL",
            "L3|lost|120|metal|NULL",
            "L4|lost|99|NULL|NULL"
        ]
    );

    let again = world
        .csv("leads", "lead_id,outcome\nL1,lost\nL4,lost\n")
        .await
        .expect("the same again");
    assert_eq!(
        (again.updated, again.unchanged, again.table_version),
        (0, 2, receipt.table_version),
        "no new version"
    );

    // An empty field of a named column is NULL, and is written.
    world
        .csv("leads", "lead_id,industry\nL1,\n")
        .await
        .expect("NULL is a value");
    assert_eq!(
        world
            .value("SELECT industry FROM leads WHERE lead_id = 'L1'")
            .await,
        "NULL"
    );

    let error = world
        .csv("leads", "lead_id,industry\nL1,metal\nL99,food\n")
        .await
        .expect_err("L99 is new");
    assert_eq!(error.fault(), Fault::Invalid);
    assert!(error.message().contains("\"created_at\""), "{error}");
    assert_eq!(
        world
            .value("SELECT industry FROM leads WHERE lead_id = 'L1'")
            .await,
        "NULL",
        "nothing was stored"
    );

    let receipt = world
        .csv("leads", "lead_id,created_at,outcome\nL1,2024-01-05T10:00:00Z,open\nL99,2024-07-01T00:00:00Z,open\n")
        .await
        .expect("old and new");
    assert_eq!((receipt.inserted, receipt.updated), (1, 1));
    assert_eq!(
        world
            .value("SELECT count(*) || ' ' || count(DISTINCT lead_id) FROM leads")
            .await,
        "8 8"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn composite_keys_and_versions_count_up() {
    let world = World::empty().await;
    let targets = "subject_kind,subject_id,period_start,grain,measure,value\n\
                   distributor,D1,2024-01-01,year,revenue,100\ndistributor,D1,2024-01-01,quarter,revenue,25\n";
    let first = world.csv("targets", targets).await.expect("two keys");
    assert!(first.created_manufacturer);
    let second = world
        .csv("targets", "subject_kind,subject_id,period_start,grain,measure,value\ndistributor,D1,2024-01-01,year,revenue,120\n")
        .await
        .expect("one changes");
    assert!(!second.created_manufacturer);
    assert_eq!(second.table_version, first.table_version + 1);
    assert_eq!(
        world
            .rows("SELECT grain, value FROM targets ORDER BY grain")
            .await,
        ["quarter|25.0000", "year|120.0000"]
    );
    let none = world
        .csv(
            "targets",
            "subject_kind,subject_id,period_start,grain,measure,value\n",
        )
        .await
        .expect("no rows");
    assert_eq!(
        (none.rows_in, none.table_version),
        (0, second.table_version)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_csv_names_its_place_and_stores_nothing() {
    let world = World::tiny().await;
    let version = world
        .csv("revenue", HEADER)
        .await
        .expect("no rows")
        .table_version;
    let row = "X1,D1,2024-01-01T00:00:00Z,1.00,1,new\n";
    let long = format!("X1,{},2024-01-01T00:00:00Z,1,1,new\n", "d".repeat(2 << 20));
    let cases: Vec<(&str, String)> = vec![
        (
            "wrong type",
            format!(
                "{HEADER}{row}X2,D1,yesterday,1.00,1,new\nX3,D1,2024-01-01T00:00:00Z,1.00,one,new\n"
            ),
        ),
        (
            "decimal comma",
            format!("{HEADER}X1,D1,2024-01-01T00:00:00Z,\"1,50\",1,new\n"),
        ),
        (
            "five decimals",
            format!("{HEADER}X1,D1,2024-01-01T00:00:00Z,1.00001,1,new\n"),
        ),
        (
            "too big",
            format!("{HEADER}X1,D1,2024-01-01T00:00:00Z,1234567890123456,1,new\n"),
        ),
        (
            "not in the list",
            format!("{HEADER}X1,D1,2024-01-01T00:00:00Z,1,1,gift\n"),
        ),
        (
            "empty but needed",
            format!("{HEADER}{row}X2,,2024-01-01T00:00:00Z,1,1,new\n"),
        ),
        ("too few fields", format!("{HEADER}{row}X2,D1\n{row}")),
        ("unknown column", format!("revenue_id,colour\n{row}")),
        (
            "twin in another case",
            format!("Revenue_ID,{}", &HEADER[11..]),
        ),
        ("doubled column", format!("revenue_id,{HEADER}")),
        ("missing column", "revenue_id,amount\nX1,1\n".to_owned()),
        ("empty file", String::new()),
        ("only a line break", "\n".to_owned()),
        ("huge field", format!("{HEADER}{long}")),
        (
            "open quote",
            format!(
                "{HEADER}\"X1,D1,2024-01-01T00:00:00Z,1,1,new\n{}",
                row.repeat(500_000)
            ),
        ),
        (
            "open quote in text",
            format!(
                "{},product_id\nX1,D1,2024-01-01T00:00:00Z,1,1,new,\"P1\n",
                HEADER.trim()
            ),
        ),
        (
            "open quote at the end",
            format!("{HEADER}{row}X2,D1,2024-01-01T00:00:00Z,1,1,\"new\n"),
        ),
        ("binary", "\u{0}\u{1}\u{2}PK\u{3}\u{4}".to_owned()),
    ];
    let mut told = String::new();
    for (name, csv) in cases {
        let error = world.csv("revenue", &csv).await.expect_err(name);
        told += &format!("{name}: {}: {}\n", error.fault().code(), error.message());
    }
    let latin = world.ingest(
        "revenue",
        Format::Csv,
        [
            HEADER.as_bytes(),
            b"X\xE4,D1,2024-01-01T00:00:00Z,1,1,new\n",
        ]
        .concat(),
    );
    told += &format!(
        "latin-1: {}\n",
        latin.await.expect_err("not UTF-8").message()
    );
    insta::assert_snapshot!("bad_csv", told);

    let after = world
        .csv("revenue", HEADER)
        .await
        .expect("no rows")
        .table_version;
    assert_eq!(after, version, "no commit happened");
    assert_eq!(
        world.value("SELECT count(*) FROM revenue").await,
        "8",
        "and the next query is right"
    );
    world
        .csv("revenue", &format!("{HEADER}{row}"))
        .await
        .expect("and the next request is fine");
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_rows_leave_no_folder_behind() {
    let world = World::empty().await;
    for (table, csv) in [
        ("revenue", "revenue_id\nX\n"),
        ("reps", "rep_id,territory\nR1,N\n"),
        ("leads", ""),
    ] {
        world.csv(table, csv).await.expect_err(table);
        assert!(!world.data().join("tiny").exists(), "{table}");
    }
    world
        .csv("products", "product_id,name\nP,Pump\n")
        .await
        .expect("the first rows");
    assert_eq!(world.value("SELECT name FROM products").await, "Pump");
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_and_protected_tables_are_refused() {
    let world = World::tiny().await;
    let missing = world
        .csv("../../etc/passwd", "a\n1\n")
        .await
        .expect_err("no such table");
    assert_eq!(missing.fault(), Fault::Missing);
    let protected = world
        .csv("decisions", "decision_id\nX\n")
        .await
        .expect_err("the engine writes it");
    assert_eq!(protected.fault(), Fault::Denied);
}

fn parquet(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).expect("columns");
    let mut file = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut file, batch.schema(), None).expect("writer");
    writer.write(&batch).expect("written");
    writer.close().expect("closed");
    file
}

fn revenue(amount: ArrayRef, kind: &str) -> Vec<(&str, ArrayRef)> {
    let rows = amount.len();
    let text = |value: &str| Arc::new(StringArray::from(vec![value; rows])) as ArrayRef;
    let ids: Vec<String> = (0..rows).map(|row| format!("Q{row}")).collect();
    vec![
        ("revenue_id", Arc::new(StringArray::from(ids))),
        ("distributor_id", text("D1")),
        (
            "booked_at",
            Arc::new(TimestampMicrosecondArray::from(vec![0; rows])),
        ),
        ("amount", amount),
        ("quantity", Arc::new(Int64Array::from(vec![1; rows]))),
        ("kind", text(kind)),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn parquet_is_cast_without_loss_or_refused() {
    let world = World::tiny().await;
    let cents = Decimal128Array::from(vec![150, -225])
        .with_precision_and_scale(10, 2)
        .expect("decimal");
    let good = parquet(revenue(Arc::new(cents), "new"));
    let receipt = world
        .ingest("revenue", Format::Parquet, good.clone())
        .await
        .expect("DECIMAL(10,2) fits");
    assert_eq!((receipt.rows_in, receipt.inserted), (2, 2));
    assert_eq!(
        world
            .rows("SELECT amount FROM revenue WHERE revenue_id LIKE 'Q%' ORDER BY 1")
            .await,
        ["-2.2500", "1.5000"]
    );

    let floats: ArrayRef = Arc::new(Float64Array::from(vec![0.1]));
    let fine = Decimal128Array::from(vec![123_456])
        .with_precision_and_scale(10, 6)
        .expect("decimal");
    let plain: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    let mut flipped = good.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x55;
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("floats as money", parquet(revenue(floats, "new"))),
        (
            "finer than four decimals",
            parquet(revenue(Arc::new(fine), "new")),
        ),
        (
            "not in the list",
            parquet(revenue(Arc::clone(&plain), "gift")),
        ),
        ("a CSV", HEADER.as_bytes().to_vec()),
        ("empty", Vec::new()),
        ("cut short", good[..good.len() - 9].to_vec()),
        ("only a footer", good[good.len() - 200..].to_vec()),
    ];
    let mut told = String::new();
    for (name, file) in cases {
        let error = world
            .ingest("revenue", Format::Parquet, file)
            .await
            .expect_err(name);
        assert_eq!(error.fault(), Fault::Invalid, "{name}: {error:?}");
        told += &format!(
            "{name}: {}\n",
            error.message().lines().next().unwrap_or_default()
        );
    }
    insta::assert_snapshot!("bad_parquet", told);
    // A flipped bit may hit padding; whatever it does, it must not end the process or half-commit.
    let _ = world.ingest("revenue", Format::Parquet, flipped).await;
    assert_eq!(
        world
            .value("SELECT count(*) FROM revenue WHERE revenue_id LIKE 'V%'")
            .await,
        "8",
        "and the next query is right"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_breaks_off_stores_nothing() {
    use futures::StreamExt;
    use tributary_engine_core::Engine;
    use tributary_engine_core::engine::{Ingest, OnError, Principal, Reading};
    let world = World::tiny().await;
    let ingest = Ingest {
        principal: Principal::Operator,
        manufacturer: crate::support::tiny(),
        table: "revenue".to_owned(),
        reading: Reading::of(Format::Csv),
        on_error: OnError::Refuse,
    };
    let start = format!("{HEADER}X1,D1,2024-01-01T00:00:00Z,1.00,1,new\n");
    let broken = std::io::Error::new(std::io::ErrorKind::ConnectionReset, "gone");
    let body = futures::stream::iter([Ok(start.into()), Err(broken)]).boxed();
    let error = world
        .database
        .ingest(ingest, body)
        .await
        .expect_err("broken off");
    assert_eq!(error.fault(), Fault::Invalid);
    assert_eq!(world.value("SELECT count(*) FROM revenue").await, "8");
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_writers_lose_nothing() {
    let world = Arc::new(World::tiny().await);
    let writers = (0..8).map(|writer| {
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            for round in 0..5 {
                let row = format!("{HEADER}C{writer}-{round},D1,2024-01-01T00:00:00Z,1.00,1,new\n");
                world.csv("revenue", &row).await.expect("appended");
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("writer");
    }
    assert_eq!(
        world
            .value("SELECT count(*) || ' ' || sum(amount) FROM revenue WHERE revenue_id LIKE 'C%'")
            .await,
        "40 40.0000"
    );
}

/// More than a hundred commits, the older log files as old as they would be after months: the checkpoint is read, nothing
/// was cleaned up, and the table goes on.
#[tokio::test(flavor = "multi_thread")]
async fn many_small_commits_survive_a_restart() {
    let world = World::empty().await;
    let log = world.data().join("tiny/revenue/_delta_log");
    for row in 0..120 {
        if row == 95 {
            let long_ago = std::time::SystemTime::now() - std::time::Duration::from_hours(24 * 90);
            for entry in std::fs::read_dir(&log).expect("log") {
                let file = std::fs::File::options()
                    .append(true)
                    .open(entry.expect("entry").path());
                file.and_then(|file| file.set_modified(long_ago))
                    .expect("aged");
            }
        }
        let row = format!(
            "{HEADER}M{row},D{},2024-01-01T00:00:00Z,1.00,1,new\n",
            row % 7
        );
        world.csv("revenue", &row).await.expect("appended");
    }
    let names = || {
        std::fs::read_dir(&log).expect("log").map(|entry| {
            entry
                .expect("entry")
                .file_name()
                .into_string()
                .expect("UTF-8")
        })
    };
    assert!(names().any(|name| name.contains("checkpoint")));
    assert!(
        names().any(|name| name == "00000000000000000000.json"),
        "no version was removed"
    );
    let again = World {
        database: world.reopened(2).await,
        ..world
    };
    let sums = "SELECT count(*) || ' ' || sum(amount) || ' ' || max(revenue_id) FROM revenue";
    assert_eq!(again.value(sums).await, "120 120.0000 M99");
    let known = format!("{HEADER}M5,D5,2024-01-01T00:00:00Z,1.00,1,new\n");
    assert_eq!(
        again.csv("revenue", &known).await.expect("known").unchanged,
        1
    );
    let new = format!("{HEADER}M500,D5,2024-01-01T00:00:00Z,1.00,1,new\n");
    assert_eq!(
        again.csv("revenue", &new).await.expect("goes on").inserted,
        1
    );
}

/// What goes wrong after a commit must not take back what it named.
#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_that_fails_loses_no_row() {
    let world = World::empty().await;
    for row in 0..105 {
        if row == 90 {
            let blocked = world
                .data()
                .join("tiny/revenue/_delta_log/00000000000000000100.checkpoint.parquet/x");
            std::fs::create_dir_all(blocked).expect("in the way");
        }
        let row = format!("{HEADER}M{row},D1,2024-01-01T00:00:00Z,1.00,1,new\n");
        world.csv("revenue", &row).await.expect("appended");
    }
    assert_eq!(
        world.value("SELECT sum(amount) FROM revenue").await,
        "105.0000"
    );
}

/// Files of disjoint distributors, each ending in rows without one: no plan may take them for one sorted run.
#[tokio::test(flavor = "multi_thread")]
async fn several_files_with_nulls_are_grouped_and_sorted_right() {
    let world = World::empty().await;
    for file in 1..=4 {
        let rows: String = (1..=3)
            .map(|d| format!("L{file}{d},D{file}{d},2024-0{d}-01T00:00:00Z,open\n"))
            .collect();
        let csv = format!(
            "lead_id,distributor_id,created_at,outcome\n{rows}N{file},,2024-01-0{file}T00:00:00Z,open\n"
        );
        world.csv("leads", &csv).await.expect("ingested");
    }
    for threads in [1, 2] {
        let world = World {
            database: world.reopened(threads).await,
            folder: tempfile::tempdir().expect("unused"),
        };
        assert_eq!(
            world
                .value("SELECT count(*) FROM (SELECT DISTINCT distributor_id FROM leads)")
                .await,
            "13"
        );
        let groups = world.rows("SELECT distributor_id, count(*) AS n FROM leads GROUP BY 1 ORDER BY n DESC LIMIT 2").await;
        assert_eq!(groups[0], "NULL|4", "{threads} threads: {groups:?}");
        let sorted = world
            .rows("SELECT distributor_id FROM leads ORDER BY 1")
            .await;
        assert_eq!(
            sorted[11..],
            ["D43", "NULL", "NULL", "NULL", "NULL"],
            "{threads} threads: {sorted:?}"
        );
        assert!(sorted[..12].is_sorted(), "{threads} threads: {sorted:?}");
        let numbered = "SELECT max(r) FROM (SELECT row_number() OVER (PARTITION BY distributor_id ORDER BY created_at) AS r FROM leads)";
        assert_eq!(world.value(numbered).await, "4", "{threads} threads");
        assert_eq!(
            world
                .value("SELECT count(*) FROM (SELECT * FROM leads LIMIT 3)")
                .await,
            "3"
        );
        assert_eq!(world.value("SELECT count(*) || ' ' || max(created_at) FROM leads WHERE distributor_id = 'D21'").await, "1 2024-01-01T00:00:00Z");
    }
}

/// Two databases on one folder race for each commit; rows that both send are stored once.
#[tokio::test(flavor = "multi_thread")]
async fn processes_on_one_folder_lose_and_double_nothing() {
    let world = World::tiny().await;
    let mut writers = Vec::new();
    for writer in 0..3 {
        let other = World {
            database: world.reopened(2).await,
            folder: tempfile::tempdir().expect("unused"),
        };
        writers.push(tokio::spawn(async move {
            for round in 0..8 {
                let own = format!("P{writer}-{round},D1,2024-01-01T00:00:00Z,1.00,1,new\n");
                let shared = format!("S{round},D2,2024-01-01T00:00:00Z,1.00,1,new\n");
                other
                    .csv("revenue", &format!("{HEADER}{own}{shared}"))
                    .await
                    .expect("appended");
                let lead = format!("lead_id,employees\nL{},{round}\n", writer + 1);
                other.csv("leads", &lead).await.expect("upserted");
            }
        }));
    }
    for writer in writers {
        writer.await.expect("writer");
    }
    assert_eq!(
        world
            .value(
                "SELECT count(*) || ' ' || count(DISTINCT revenue_id) FROM revenue WHERE amount = 1"
            )
            .await,
        "32 32"
    );
    let leads =
        "SELECT count(*) || ' ' || sum(employees) FROM leads WHERE lead_id IN ('L1', 'L2', 'L3')";
    assert_eq!(world.value(leads).await, "3 21");
}

/// The first rows of a table, sent by two processes at once: a table that appears in between is looked through too.
#[tokio::test(flavor = "multi_thread")]
async fn a_race_for_the_first_rows_stores_each_key_once() {
    for round in 0..12 {
        let world = World::empty().await;
        let other = World {
            database: world.reopened(2).await,
            folder: tempfile::tempdir().expect("unused"),
        };
        let row = format!("{HEADER}F1,D1,2024-01-01T00:00:00Z,1.00,1,new\n");
        let product = "product_id,name\nP1,Pump\n";
        let (first, second) = tokio::join!(world.csv("revenue", &row), other.csv("revenue", &row));
        let inserted = first.expect("stored").inserted + second.expect("stored").inserted;
        let (first, second) = tokio::join!(
            world.csv("products", product),
            other.csv("products", product)
        );
        let products = first.expect("stored").inserted + second.expect("stored").inserted;
        assert_eq!((inserted, products), (1, 1), "round {round}");
        let counts =
            "SELECT (SELECT count(*) FROM revenue) || ' ' || (SELECT count(*) FROM products)";
        assert_eq!(world.value(counts).await, "1 1", "round {round}");
    }
}
