//! Imports: public data sets by the shipped mappings, against their published answers; and that several tables are
//! published together or not at all.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tokio::sync::mpsc;
use tributary_engine_core::engine::OnError;
use tributary_engine_core::engine::{Import, Imported, Principal, Role};
use tributary_engine_core::manufacturer::ManufacturerId;
use tributary_engine_core::{Engine, Error, Fault};

use crate::support::{
    Served, World, json as send, public_data, root, stderr, stdout, tiny, tributary,
};

fn mapping(name: &str) -> String {
    let file = root().join(format!("datasets/mappings/{name}.toml"));
    std::fs::read_to_string(file).expect("a shipped mapping")
}

fn import(name: &str, mapping: String, folder: &Path) -> Import {
    Import {
        principal: Principal::Operator,
        name: name.to_owned(),
        mapping,
        folder: folder.to_owned(),
        manufacturer: None,
        on_error: OnError::Refuse,
        dry_run: false,
    }
}

async fn run(world: &World, import: Import) -> Result<Imported, Error> {
    let (sender, _receiver) = mpsc::unbounded_channel();
    world.database.import(import, sender).await
}

/// Imports a data set and asks every question that its answers have, over HTTP.
async fn check(name: &str, data: &str, manufacturer: &str) {
    let Some(folder) = public_data(data) else {
        return;
    };
    let world = World::empty().await;
    run(&world, import(name, mapping(name), &folder))
        .await
        .expect(name);
    let served = Served::over(world).await;
    let answers = std::fs::read_to_string(folder.join("answers.json")).expect("answers");
    let answers: Value = serde_json::from_str(&answers).expect("JSON");
    let questions = answers["questions"].as_array().expect("questions");
    assert!(questions.len() >= 2);
    for question in questions {
        let id = question["id"].as_str().expect("an id");
        let file = root().join(format!("tests/answers/{data}/{id}.sql"));
        let sql =
            std::fs::read_to_string(&file).unwrap_or_else(|_| panic!("no {}", file.display()));
        let body = serde_json::json!({ "sql": sql }).to_string();
        let request = served
            .post(&format!("/v1/{manufacturer}/query"))
            .header("content-type", "application/json")
            .body(body);
        let (status, answer) = send(request).await;
        assert_eq!(status, 200, "{id}: {answer}");
        let columns: Vec<&Value> = answer["columns"]
            .as_array()
            .expect("columns")
            .iter()
            .map(|c| &c["name"])
            .collect();
        let expected: Vec<&Value> = question["columns"]
            .as_array()
            .expect("columns")
            .iter()
            .collect();
        assert_eq!(columns, expected, "{id}");
        let rows = answer["rows"].as_array().expect("rows");
        let expected = question["answer"].as_array().expect("rows");
        assert_eq!(rows.len(), expected.len(), "{id}");
        for (row, expected) in rows.iter().zip(expected) {
            for (column, expected) in expected.as_object().expect("a row") {
                assert!(
                    same(&row[column], expected),
                    "{id}, {column}: {} is not {expected} in {row}",
                    row[column]
                );
            }
        }
    }
}

/// To the cent, and to a millionth where that is finer.
fn same(found: &Value, expected: &Value) -> bool {
    match (found.as_f64(), expected.as_f64()) {
        (Some(found), Some(expected)) => {
            let tolerance = (1e-6 * expected.abs()).min(0.005);
            (found - expected).abs() <= tolerance
        }
        _ => found == expected,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn adventureworks_answers_as_published() {
    check(
        "adventureworks",
        "adventureworks_reseller",
        "adventureworks",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn regional_sales_crm_answers_as_published() {
    check("regional_sales_crm", "regional_sales_crm", "regional_sales").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn northwind_answers_as_published() {
    check("northwind", "northwind", "northwind").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn meridian_answers_as_published() {
    check("meridian", "meridian_geo_media", "meridian").await;
}

/// Two small files and a mapping of them.
struct Export {
    folder: tempfile::TempDir,
}

const SMALL: &str = r#"
manufacturer = "tiny"
[sources.shops]
file = "shops.csv"
delimiter = ";"
[sources.sales]
file = "sales.ndjson"
[sources.sales.types]
Net = "decimal(9,2)"
Units = "integer"
[attributes.revenue]
order_number = "text"
[tables.distributors]
sql = "SELECT Id AS distributor_id, Name AS name FROM shops"
[tables.revenue]
sql = """SELECT Id AS revenue_id, Shop AS distributor_id, CAST(Day AS TIMESTAMP) AS booked_at, Net * Units AS amount,
                Units AS quantity, 'new' AS kind, OrderNo AS order_number FROM sales"""
"#;

impl Export {
    fn small() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let export = Self { folder };
        export.write("shops.csv", "Id;Name;Fax\nS1;Nord;1\nS2;Süd;2\n");
        export.write(
            "sales.ndjson",
            "{\"Id\":\"X1\",\"Shop\":\"S1\",\"Day\":\"2024-01-01\",\"Net\":10.05,\"Units\":3,\"OrderNo\":\"A\"}\n\
             {\"Id\":\"X2\",\"Shop\":\"S2\",\"Day\":\"2024-01-02\",\"Net\":1,\"Units\":1,\"OrderNo\":\"B\"}\n",
        );
        export
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).expect("written");
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn import(&self) -> Import {
        import("small", SMALL.to_owned(), self.path())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_tables_are_published_together() {
    let world = World::tiny().await;
    let export = Export::small();
    let imported = run(&world, export.import()).await.expect("imports");
    let id = imported.import_id.expect("published");
    assert_eq!(imported.unread[0].columns, ["Fax"]);
    assert_eq!(
        world
            .rows("SELECT amount, order_number FROM revenue WHERE revenue_id LIKE 'X%' ORDER BY 1")
            .await,
        ["1.0000|B", "30.1500|A"]
    );
    let record = format!(
        "SELECT table_name, rows_in, inserted FROM imports WHERE import_id = '{id}' ORDER BY 1"
    );
    assert_eq!(
        world.rows(&record).await,
        ["distributors|2|2", "revenue|2|2"]
    );
    // The same export again changes nothing but the record.
    let again = run(&world, export.import()).await.expect("imports again");
    assert!(
        again
            .tables
            .iter()
            .all(|table| table.inserted == 0 && table.unchanged == 2),
        "{again:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_row_anywhere_publishes_nothing() {
    let world = World::tiny().await;
    let export = Export::small();
    export.write(
        "sales.ndjson",
        "{\"Id\":\"X1\",\"Shop\":null,\"Day\":\"2024-01-01\",\"Net\":10.05,\"Units\":3,\"OrderNo\":\"A\"}\n",
    );
    let before = world.rows("SELECT count(*) FROM distributors").await;
    let error = run(&world, export.import())
        .await
        .map(|_| ())
        .expect_err("no distributor");
    assert_eq!(error.fault(), Fault::Invalid);
    assert!(
        error.message().contains("[tables.revenue]") && error.message().contains("distributor_id"),
        "{error}"
    );
    // The distributors were written before the revenue failed.
    assert_eq!(
        world.rows("SELECT count(*) FROM distributors").await,
        before
    );
    assert_eq!(world.value("SELECT count(*) FROM imports").await, "0");
    world
        .csv("distributors", "distributor_id,name\nD90,Next\n")
        .await
        .expect("and the next write is right");
    assert_eq!(
        world
            .value("SELECT count(*) FROM distributors WHERE distributor_id IN ('S1', 'D90')")
            .await,
        "1"
    );

    // Set aside, it is the only row that is missing.
    let mut lenient = export.import();
    lenient.on_error = OnError::Quarantine;
    let imported = run(&world, lenient).await.expect("imports the rest");
    assert_eq!(
        imported.rejects[0].column.as_deref(),
        Some("distributor_id")
    );
    assert_eq!(
        world
            .value("SELECT count(*) FROM distributors WHERE distributor_id = 'S1'")
            .await,
        "1"
    );
    assert_eq!(
        world
            .rows("SELECT table_name, position, column_name, reason FROM quarantine")
            .await,
        ["revenue|1|distributor_id|must not be empty"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_was_killed_before_it_was_published_is_not_seen() {
    let world = World::tiny().await;
    let before = world
        .rows("SELECT * FROM revenue ORDER BY revenue_id")
        .await;
    let imported = run(&world, Export::small().import())
        .await
        .expect("imports");
    let id = imported.import_id.expect("published");
    // As after a kill between the last commit and the publication.
    std::fs::remove_file(world.data().join(".imports").join(&id)).expect("the mark");
    let survivor = World {
        database: world.reopened(2).await,
        folder: tempfile::tempdir().expect("folder"),
    };
    assert_eq!(
        survivor
            .rows("SELECT * FROM revenue ORDER BY revenue_id")
            .await,
        before
    );
    assert_eq!(
        survivor.value("SELECT count(*) FROM distributors").await,
        "3"
    );
    assert_eq!(survivor.value("SELECT count(*) FROM imports").await, "0");
    let gone = survivor
        .query("SELECT * FROM revenue VERSION AS OF 2")
        .await;
    assert_eq!(
        gone.map(|_| ()).expect_err("never published").fault(),
        Fault::Missing
    );
    // The next writer takes it back, and its own rows are what is added; the column that came with the import is gone.
    let row = "revenue_id,distributor_id,booked_at,amount,quantity,kind\nV90,D1,2024-01-01T00:00:00Z,1,1,new\n";
    survivor.csv("revenue", row).await.expect("stored");
    assert_eq!(
        survivor
            .rows("SELECT revenue_id FROM revenue WHERE revenue_id > 'V8'")
            .await,
        ["V90"]
    );
    assert_eq!(
        survivor
            .rows("SELECT * FROM revenue ORDER BY 1")
            .await
            .len(),
        before.len() + 1
    );
    assert!(
        survivor
            .query("SELECT order_number FROM revenue")
            .await
            .is_err()
    );
    // And the import can be done again.
    run(&survivor, Export::small().import())
        .await
        .expect("imports");
    assert_eq!(
        survivor
            .value("SELECT count(order_number) FROM revenue")
            .await,
        "2"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_tells_everything_and_stores_nothing() {
    let world = World::tiny().await;
    let export = Export::small();
    export.write("shops.csv", "Id;Name\nS1;\nS2;\nS3;Ost\n");
    let mut dry = export.import();
    dry.dry_run = true;
    dry.on_error = OnError::Quarantine;
    let imported = run(&world, dry).await.expect("runs");
    assert_eq!(imported.import_id, None);
    let distributors = &imported.tables[0];
    assert_eq!(
        (
            distributors.rows_in,
            distributors.inserted,
            distributors.rejected
        ),
        (3, 1, 2)
    );
    assert_eq!(imported.rejects.len(), 2);
    assert_eq!(
        world
            .value("SELECT count(*) FROM distributors WHERE distributor_id LIKE 'S%'")
            .await,
        "0"
    );
    assert_eq!(world.value("SELECT count(*) FROM quarantine").await, "0");
    assert_eq!(world.value("SELECT count(*) FROM imports").await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_in_a_mapping_are_named() {
    let world = World::tiny().await;
    let export = Export::small();
    let try_it = async |from: &str, to: &str| {
        let mut import = export.import();
        import.mapping = import.mapping.replace(from, to);
        run(&world, import).await.map(|_| ()).expect_err(to)
    };
    for (from, to, part) in [
        ("shops.csv", "shop.csv", "file \"shop.csv\""),
        ("delimiter = \";\"", "", "Id;Name;Fax"),
        ("Net = ", "Nett = ", "Nett"),
        ("Name AS name", "Nam AS name", "Nam"),
        ("Name AS name", "Name AS nam", "no column \"nam\""),
        ("FROM shops", "FROM distributors", "distributors"),
        ("FROM shops", "FROM 'shops.csv'", "[tables.distributors]"),
        (
            "SELECT Id AS distributor_id",
            "COPY shops TO 'x' --",
            "[tables.distributors]",
        ),
        ("decimal(9,2)", "integer", "sales.ndjson"),
        ("Units AS quantity", "Net AS quantity", "quantity"),
        ("'new' AS kind", "'sold' AS kind", "sold"),
        ("manufacturer = \"tiny\"", "", "whose rows"),
        ("order_number = \"text\"", "amount = \"text\"", "amount"),
    ] {
        let error = try_it(from, to).await;
        assert!(error.message().contains(part), "{to}: {error}");
        assert_ne!(error.fault(), Fault::Internal, "{to}: {error:?}");
    }
    assert_eq!(
        world.value("SELECT count(*) FROM distributors").await,
        "3",
        "and the next query is right"
    );
    let mut foreign = export.import();
    foreign.principal = Principal::member(tiny(), Role::Admin);
    let denied = run(&world, foreign)
        .await
        .map(|_| ())
        .expect_err("not the operator");
    assert_eq!(denied.fault(), Fault::Denied);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_export_may_be_several_manufacturers() {
    let world = World::empty().await;
    let export = Export::small();
    let mut import = export.import();
    import.mapping = SMALL
        .replace("manufacturer = \"tiny\"", "")
        .replace(
            "SELECT Id AS distributor_id",
            "SELECT 'm_' || lower(Id) AS manufacturer, Id AS distributor_id",
        )
        .replace(
            "SELECT Id AS revenue_id",
            "SELECT 'm_' || lower(Shop) AS manufacturer, Id AS revenue_id",
        );
    let imported = run(&world, import).await.expect("imports");
    assert_eq!(imported.tables.len(), 4);
    let all = world
        .database
        .manufacturers(&Principal::Operator)
        .await
        .expect("listed");
    let ids: Vec<&str> = all.iter().map(ManufacturerId::as_str).collect();
    assert_eq!(ids, ["m_s1", "m_s2"]);
}

#[test]
fn the_command_line_imports_a_shipped_mapping() {
    let Some(data) = public_data("northwind") else {
        return;
    };
    let folder = tempfile::tempdir().expect("folder");
    let mapping: PathBuf = root().join("datasets/mappings/northwind.toml");
    let arguments = |first: &[&'static str]| -> Vec<String> {
        let paths = [&mapping, &data].map(|path| path.to_str().expect("path").to_owned());
        first.iter().map(|s| (*s).to_owned()).chain(paths).collect()
    };
    let go = |first: &[&'static str]| {
        let arguments = arguments(first);
        tributary(
            folder.path(),
            &arguments.iter().map(String::as_str).collect::<Vec<_>>(),
        )
    };
    let dry = go(&["import", "--dry-run"]);
    assert!(dry.status.success(), "{}", stderr(&dry));
    assert!(
        stdout(&dry).contains("nothing was stored"),
        "{}",
        stdout(&dry)
    );
    assert!(
        !folder.path().join("tributary-data").exists(),
        "a dry run makes no data folder"
    );
    let done = go(&["import"]);
    assert!(done.status.success(), "{}", stderr(&done));
    assert!(stdout(&done).contains("not read: "), "{}", stdout(&done));
    let sql = tributary(
        folder.path(),
        &[
            "sql",
            "-m",
            "supplier_01",
            "--format",
            "csv",
            "-c",
            "SELECT count(*) AS n FROM products",
        ],
    );
    assert_eq!(stdout(&sql), "n\n3\n", "{}", stderr(&sql));
}
