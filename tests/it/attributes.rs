//! Columns of a manufacturer's own: declared, filled, queried, called with, and seen by nobody else.

use serde_json::json;
use tributary_engine_core::Fault;
use tributary_engine_core::engine::{Attribute, Declare, Principal};

use crate::support::{Served, World, json as send, stderr, stdout, tiny, tributary};

async fn declare(world: &World, table: &str, attributes: &[(&str, &str)]) -> Result<usize, Fault> {
    use tributary_engine_core::Engine;
    let attributes = attributes.iter().map(|(name, kind)| Attribute {
        name: (*name).to_owned(),
        kind: (*kind).to_owned(),
    });
    let declare = Declare {
        principal: Principal::Operator,
        manufacturer: tiny(),
        table: table.to_owned(),
        attributes: attributes.collect(),
    };
    let declared = world.database.declare(declare).await;
    declared
        .map(|declared| declared.attributes.len())
        .map_err(|error| error.fault())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declared_column_is_ingested_queried_and_bound_by_plugins() {
    let world = World::tiny().await;
    let kinds = [
        ("money_score", "integer"),
        ("budget", "money"),
        ("seen_on", "date"),
        ("weight", "decimal(9,2)"),
        ("is_key", "boolean"),
    ];
    assert_eq!(declare(&world, "leads", &kinds).await, Ok(5));
    assert_eq!(world.value("SELECT count(budget) FROM leads").await, "0");
    world
        .csv(
            "leads",
            "lead_id,money_score,budget,seen_on,weight,is_key\nL1,3,12.5000,2024-05-01,7.25,true\n",
        )
        .await
        .expect("fills the columns");
    let row = "SELECT budget, seen_on, weight, is_key, outcome FROM leads WHERE lead_id = 'L1'";
    assert_eq!(world.rows(row).await, ["12.5000|2024-05-01|7.25|true|won"]);
    let plugin =
        "SELECT champ.score(money_score, 2, 2, 1) IS NOT NULL FROM leads WHERE lead_id = 'L1'";
    assert_eq!(world.value(plugin).await, "true");
    // They are in the views over leads, in the history and in the catalog.
    assert_eq!(
        world
            .value("SELECT budget FROM v_lead WHERE lead_id = 'L1'")
            .await,
        "12.5000"
    );
    let events = "SELECT value FROM lead_events WHERE lead_id = 'L1' AND field = 'budget'";
    assert_eq!(world.rows(events).await, ["12.5000"]);
    let listed = "SELECT count(*) FROM information_schema.columns WHERE table_name = 'leads' AND column_name = 'seen_on'";
    assert_eq!(world.value(listed).await, "1");
    // The version before the declaration does not have them.
    let before = world
        .query("SELECT budget FROM leads VERSION AS OF 1")
        .await;
    assert_eq!(
        before.map(|_| ()).expect_err("no such column then").fault(),
        Fault::Invalid
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn any_table_that_takes_rows_may_have_some() {
    let world = World::tiny().await;
    assert_eq!(
        declare(&world, "revenue", &[("order_number", "text")]).await,
        Ok(1)
    );
    assert_eq!(
        declare(&world, "content", &[("author", "text")]).await,
        Ok(1),
        "never written to"
    );
    // A repeat of what was there before the column is still a repeat.
    let file = std::fs::read_to_string(crate::support::root().join("tests/data/tiny/revenue.csv"))
        .expect("file");
    let receipt = world.csv("revenue", &file).await.expect("a no-op");
    assert_eq!((receipt.inserted, receipt.unchanged), (0, 8));
    let more = "revenue_id,distributor_id,booked_at,amount,quantity,kind,order_number\n\
                V90,D1,2024-01-01T00:00:00Z,1,1,new,SO-1\n";
    world.csv("revenue", more).await.expect("appends");
    assert_eq!(
        world
            .rows("SELECT order_number FROM revenue WHERE order_number IS NOT NULL")
            .await,
        ["SO-1"]
    );
    // Another process sees the wider table.
    let other = World {
        database: world.reopened(1).await,
        folder: tempfile::tempdir().expect("folder"),
    };
    assert_eq!(
        other.value("SELECT count(order_number) FROM revenue").await,
        "1"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_what_cannot_be_a_column() {
    let world = World::tiny().await;
    assert_eq!(
        declare(&world, "leads", &[("budget", "money")]).await,
        Ok(1)
    );
    for (table, name, kind, fault) in [
        ("leads", "budget", "text", Fault::Conflict),
        ("leads", "outcome", "integer", Fault::Conflict),
        ("leads", "Budget", "money", Fault::Invalid),
        ("leads", "x", "float", Fault::Invalid),
        ("leads", "a b", "text", Fault::Invalid),
        ("lead_events", "x", "text", Fault::Denied),
        ("nowhere", "x", "text", Fault::Missing),
    ] {
        assert_eq!(
            declare(&world, table, &[(name, kind)]).await,
            Err(fault),
            "{table}.{name} {kind}"
        );
    }
    assert_eq!(
        declare(&world, "leads", &[("budget", "money")]).await,
        Ok(1),
        "again is a no-op"
    );
    let many: Vec<(String, &str)> = (0..300).map(|i| (format!("c{i}"), "text")).collect();
    let many: Vec<(&str, &str)> = many
        .iter()
        .map(|(name, kind)| (name.as_str(), *kind))
        .collect();
    assert_eq!(declare(&world, "leads", &many).await, Err(Fault::Limit));
    assert_eq!(
        world.value("SELECT count(*) FROM leads").await,
        "7",
        "and the next query is right"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_column_can_break_a_shipped_view() {
    let world = World::tiny().await;
    let names = world
        .rows("SELECT column_name FROM information_schema.columns WHERE table_name = 'v_lead'")
        .await;
    assert!(names.len() > 20, "{names:?}");
    for name in names {
        // Of leads already, or taken: whichever it is, the view still plans.
        let _ = declare(&world, "leads", &[(&name, "text")]).await;
    }
    assert_eq!(world.value("SELECT count(*) FROM v_lead").await, "7");
}

#[tokio::test(flavor = "multi_thread")]
async fn http_and_the_command_line_say_the_same() {
    let served = Served::tiny().await;
    let path = "/v1/tiny/tables/leads/attributes";
    let body = json!([{"name": "budget", "kind": "money"}]);
    let (status, answer) = send(served.post(path).body(body.to_string())).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["attributes"], body);
    let list = served
        .client
        .get(format!("{}{path}", served.url))
        .bearer_auth(&served.operator);
    assert_eq!(send(list).await.1["attributes"], body);
    let (status, answer) = send(served.post(path).body("{}")).await;
    assert_eq!((status, answer["code"].as_str()), (400, Some("invalid")));

    let folder = tempfile::tempdir().expect("folder");
    std::fs::write(
        folder.path().join("l.csv"),
        "lead_id,created_at,outcome\nL1,2024-01-01T00:00:00Z,open\n",
    )
    .expect("written");
    let run = |arguments: &[&str]| tributary(folder.path(), arguments);
    assert!(
        run(&["ingest", "-m", "acme", "leads", "l.csv"])
            .status
            .success()
    );
    let added = run(&["attribute", "add", "leads", "budget", "money"]);
    assert!(added.status.success(), "{}", stderr(&added));
    let listed = run(&["attribute", "list", "leads"]);
    assert!(stdout(&listed).contains("budget"), "{}", stdout(&listed));
    assert_eq!(
        run(&["attribute", "add", "leads", "budget", "text"])
            .status
            .code(),
        Some(2)
    );
}
