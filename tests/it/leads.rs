//! One lead over HTTP: as it stands, accepted or rejected, and what comes next; and that every table of the five
//! disciplines takes rows and answers.

use serde_json::{Value, json};

use crate::support::{Served, World, json as send};

async fn get(served: &Served, path: &str) -> (u16, Value) {
    send(
        served
            .client
            .get(format!("{}{path}", served.url))
            .bearer_auth(&served.operator),
    )
    .await
}

async fn say(served: &Served, lead: &str, body: Value) -> (u16, Value) {
    send(
        served
            .post(&format!("/v1/tiny/leads/{lead}/feedback"))
            .body(body.to_string()),
    )
    .await
}

/// L3 was sent to a distributor and nobody has touched it.
async fn with_content() -> World {
    let world = World::tiny().await;
    let content = "content_id,title,kind,product_id,stage,valid_from,valid_to\n\
                   K1,First call,script,,sent,,\n\
                   K2,Pump sheet,pdf,P1,sent,2024-01-01,\n\
                   K3,Old sheet,pdf,P1,sent,2020-01-01,2020-12-31\n\
                   K4,Closing,script,,dql,,\n";
    world.csv("content", content).await.expect("content");
    let lead = "lead_id,distributor_id,product_id,created_at,sent_at,outcome\n\
                L80,D1,P1,2024-03-01T00:00:00Z,2024-03-02T00:00:00Z,open\nL81,,P1,2024-03-01T00:00:00Z,,open\n";
    world.csv("leads", lead).await.expect("leads");
    world
        .csv(
            "stages",
            "stage,position,exit_criteria\nsent,2,distributor has called\n",
        )
        .await
        .expect("stages");
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_lead_moves_on() {
    let served = Served::over(with_content().await).await;
    let (status, body) = get(&served, "/v1/tiny/leads/L80").await;
    assert_eq!(
        (status, &body["lead"]["stage"]),
        (200, &json!("sent")),
        "{body}"
    );
    assert_eq!(body["feedback"], json!([]));
    let (_, next) = get(&served, "/v1/tiny/leads/L80/next").await;
    assert_eq!(next["stage"], "sent");
    assert_eq!(next["exit_criteria"], "distributor has called");
    let titles: Vec<&Value> = next["content"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|c| &c["title"])
        .collect();
    assert_eq!(
        titles,
        ["Pump sheet", "First call"],
        "current ones, made for the product first"
    );

    let said = json!({"decision": "accept", "feedback_id": "F80", "at": "2024-03-03T10:00:00Z",
                      "next_action": "visit", "next_action_on": "2024-03-10", "rating": 4});
    let (status, body) = say(&served, "L80", said.clone()).await;
    assert_eq!(status, 201, "{body}");
    assert_eq!(body["feedback_id"], "F80");
    assert_eq!(body["lead"]["stage"], "dql");
    assert_eq!(body["lead"]["dql_at"], "2024-03-03T10:00:00Z");
    assert_eq!(body["feedback"][0]["next_action"], "visit");
    // A repeat is a no-op, another content under the same id a conflict.
    assert_eq!(say(&served, "L80", said).await.0, 201);
    let other = json!({"decision": "accept", "feedback_id": "F80", "at": "2024-03-04T10:00:00Z"});
    assert_eq!(say(&served, "L80", other).await.0, 409);
    let (_, rows) = served
        .sql("SELECT count(*) AS n FROM feedback WHERE subject_id = 'L80'")
        .await;
    assert_eq!(rows["rows"][0]["n"], 1);
    let (_, next) = get(&served, "/v1/tiny/leads/L80/next").await;
    assert_eq!(next["content"][0]["title"], "Closing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_lead_says_why() {
    let served = Served::over(with_content().await).await;
    let (status, body) = say(&served, "L80", json!({"decision": "reject"})).await;
    assert_eq!(
        (status, body["code"].as_str()),
        (400, Some("invalid")),
        "{body}"
    );
    let said =
        json!({"decision": "reject", "reason_code": "no_need", "comment": "said \"no\",\ntwice"});
    let (status, body) = say(&served, "L80", said).await;
    assert_eq!(status, 201, "{body}");
    assert_eq!(body["lead"]["stage"], "rejected");
    assert_eq!(body["lead"]["reject_reason"], "no_need");
    assert_eq!(body["feedback"][0]["comment"], "said \"no\",\ntwice");
    for (lead, said, status) in [
        ("nowhere", json!({"decision": "accept"}), 404),
        ("L81", json!({"decision": "accept"}), 409),
        ("L80", json!({"decision": "maybe"}), 400),
        ("L80", json!({"decision": "accept", "rating": 9}), 400),
        (
            "L80",
            json!({"decision": "accept", "next_action_on": "soon"}),
            400,
        ),
        ("L80", json!({"decision": "accept", "extra": 1}), 400),
        ("L80", json!([]), 400),
    ] {
        let (got, body) = say(&served, lead, said.clone()).await;
        assert_eq!(got, status, "{lead} {said}: {body}");
    }
    for path in [
        "/v1/tiny/leads/nowhere",
        "/v1/tiny/leads/nowhere/next",
        "/v1/tiny/leads/'%20OR%20'1'='1",
    ] {
        assert_eq!(get(&served, path).await.0, 404, "{path}");
    }
    assert_eq!(
        get(&served, "/v1/tiny/leads/L80").await.0,
        200,
        "and the next answer is right"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_of_the_disciplines_takes_rows_and_answers() {
    let world = World::tiny().await;
    let rows = [
        (
            "targets",
            "subject_kind,subject_id,period_start,grain,measure,value\ndistributor,D1,2024-01-01,quarter,revenue,1000\n",
        ),
        (
            "calendars",
            "calendar_id,day,is_open,opens,closes\nstandard,2024-01-01,false,,\n",
        ),
        ("content", "content_id,title,kind\nK1,Sheet,pdf\n"),
        (
            "content_events",
            "event_id,content_id,lead_id,at,kind\nE1,K1,L1,2024-01-08T00:00:00Z,sent\n",
        ),
    ];
    for (table, csv) in rows {
        let receipt = world.csv(table, csv).await.expect(table);
        assert_eq!(receipt.inserted, 1, "{table}");
    }
    for table in tributary_engine_core::model::TABLES.iter() {
        let count = world
            .value(&format!("SELECT count(*) FROM {}", table.name))
            .await;
        let written_by_others =
            matches!(table.name.as_ref(), "decisions" | "imports" | "quarantine");
        assert_eq!(
            count == "0",
            written_by_others,
            "{} has {count} rows",
            table.name
        );
    }
}
