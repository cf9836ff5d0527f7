//! What a manufacturer sets for itself: its fiscal year and its holidays, over HTTP and on the command line.

use serde_json::{Value, json};

use crate::support::{Served, World, cells, tributary};

async fn one(world: &World, sql: &str) -> String {
    let batches = world
        .query(sql)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    batches
        .iter()
        .flat_map(cells)
        .next()
        .expect("a row")
        .join(" ")
}

async fn json_of(response: reqwest::Response) -> Value {
    let text = response.text().await.expect("text");
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fiscal_year_and_holidays_are_the_manufacturers_own() {
    let served = Served::tiny().await;
    let url = format!("{}/v1/tiny/settings", served.url);
    let get = || served.client.get(&url).bearer_auth(&served.operator).send();
    let put = |body: Value| {
        served
            .client
            .put(&url)
            .bearer_auth(&served.operator)
            .body(body.to_string())
            .send()
    };
    let read = json_of(get().await.expect("get")).await;
    assert_eq!(read, json!({"fiscal_start_month": 1, "holidays": []}));
    let fiscal = "SELECT period_start(DATE '2024-02-10', 'fiscal_year'), period_label(DATE '2024-02-10', 'fiscal_quarter')";
    let minutes =
        "SELECT business_minutes(TIMESTAMP '2024-12-24 09:00:00', TIMESTAMP '2024-12-26 17:00:00')";
    assert_eq!(one(&served.world, fiscal).await, "2024-01-01 FY2024-Q1");
    assert_eq!(one(&served.world, minutes).await, "1440.0");

    let set =
        json!({"fiscal_start_month": 4, "holidays": ["2024-12-26", "2024-12-25", "2024-12-25"]});
    let answer = json_of(put(set).await.expect("put")).await;
    assert_eq!(
        answer,
        json!({"fiscal_start_month": 4, "holidays": ["2024-12-25", "2024-12-26"]})
    );
    assert_eq!(one(&served.world, fiscal).await, "2023-04-01 FY2024-Q4");
    assert_eq!(one(&served.world, minutes).await, "480.0");
    let trail = "SELECT count(*) FROM audit WHERE action = 'set' AND subject = 'settings'";
    assert_eq!(one(&served.world, trail).await, "1");

    for (body, told) in [
        (
            json!({"fiscal_start_month": 13}),
            "needs a month from 1 to 12, got 13",
        ),
        (json!({"fiscal_year": 4}), "unknown field"),
        (
            json!({"holidays": ["Christmas"]}),
            "the body is no settings",
        ),
    ] {
        let answer = put(body).await.expect("put");
        assert_eq!(answer.status(), 400);
        let text = answer.text().await.expect("text");
        assert!(text.contains(told), "{text}");
    }
    assert_eq!(one(&served.world, fiscal).await, "2023-04-01 FY2024-Q4");
    let stranger = served
        .client
        .get(&url)
        .bearer_auth("trb_nobody")
        .send()
        .await
        .expect("get");
    assert_eq!(stranger.status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_shows_and_sets() {
    let world = World::tiny().await;
    let folder = world.data();
    let data = folder.to_str().expect("path").to_owned();
    let set = tributary(
        &folder,
        &[
            "settings",
            "set",
            "-m",
            "tiny",
            "--data",
            &data,
            "--fiscal-start-month",
            "7",
            "--holiday",
            "2024-12-25",
        ],
    );
    assert!(set.status.success(), "{set:?}");
    let show = tributary(
        &folder,
        &["settings", "show", "-m", "tiny", "--data", &data],
    );
    let shown: Value = serde_json::from_slice(&show.stdout).expect("JSON");
    assert_eq!(
        shown,
        json!({"fiscal_start_month": 7, "holidays": ["2024-12-25"]})
    );
    let wrong = tributary(
        &folder,
        &[
            "settings",
            "set",
            "-m",
            "tiny",
            "--data",
            &data,
            "--fiscal-start-month",
            "0",
        ],
    );
    assert_eq!(wrong.status.code(), Some(2));
}
