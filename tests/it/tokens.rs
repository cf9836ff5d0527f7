//! Roles: what each may do on every route; and the life of a token.

use reqwest::Method;
use serde_json::{Value, json};
use tributary_engine_core::engine::{Act, Role};

use crate::support::{Served, json as send, stderr, stdout, tributary};

/// Every kind of request, with a body that a handler accepts as far as it looks before it asks the engine, and the act that it is.
const REQUESTS: [(&str, &str, &str, Act); 31] = [
    ("GET", "query?sql=SELECT%201", "", Act::Query),
    ("POST", "query", "SELECT 1", Act::Query),
    ("GET", "views", "", Act::ReadSaved),
    ("GET", "views/none", "", Act::ReadSaved),
    (
        "PUT",
        "views/mine",
        r#"{"sql": "SELECT 1 AS one"}"#,
        Act::Save,
    ),
    ("DELETE", "views/mine", "", Act::Save),
    ("GET", "queries", "", Act::ReadSaved),
    ("GET", "queries/wins", "", Act::ReadSaved),
    (
        "PUT",
        "queries/more",
        r#"{"sql": "SELECT 1 AS one"}"#,
        Act::Save,
    ),
    ("DELETE", "queries/more", "", Act::Save),
    ("GET", "queries/wins/rows", "", Act::RunQuery),
    ("POST", "queries/wins/rows", "{}", Act::RunQuery),
    ("GET", "metrics", "", Act::ReadSaved),
    ("GET", "metrics/revenue", "", Act::ReadSaved),
    (
        "PUT",
        "metrics/mine",
        r#"{"sql": "SELECT 1", "kind": "count", "direction": "up"}"#,
        Act::Save,
    ),
    ("DELETE", "metrics/mine", "", Act::Save),
    ("GET", "settings", "", Act::ReadSettings),
    (
        "PUT",
        "settings",
        r#"{"fiscal_start_month": 4}"#,
        Act::ChangeSettings,
    ),
    (
        "POST",
        "tables/products",
        "product_id,name\nP9,Nine\n",
        Act::Ingest,
    ),
    ("GET", "tables/leads/attributes", "", Act::Declare),
    ("GET", "plugins", "", Act::ReadPlugins),
    ("POST", "plugins", "no component", Act::Upload),
    ("GET", "plugins/champ", "", Act::ReadPlugins),
    ("GET", "plugins/champ/versions/1.0.0", "", Act::ReadPlugins),
    (
        "POST",
        "plugins/champ/versions/1.0.0/activate",
        "{}",
        Act::Activate,
    ),
    ("POST", "plugins/champ/rollback", "", Act::Activate),
    (
        "GET",
        "plugins/champ/diff?from=1.0.0&to=1.0.0",
        "",
        Act::ReadPlugins,
    ),
    ("GET", "plugins/champ/logs", "", Act::ReadPlugins),
    ("POST", "plugins/champ/run", "", Act::Decide),
    ("GET", "leads/L1/explain", "", Act::Explain),
    ("GET", "tokens", "", Act::Tokens),
];

async fn ask(
    served: &Served,
    token: &str,
    (method, path, body): (&str, &str, &str),
) -> (u16, Value) {
    let method: Method = method.parse().expect("a method");
    let kind = match (path, body.starts_with('{')) {
        (_, true) => "application/json",
        (path, _) if path.starts_with("tables") => "text/csv",
        (path, _) if path.starts_with("plugins") => "application/wasm",
        _ => "text/plain",
    };
    let url = format!("{}/v1/tiny/{path}", served.url);
    let request = served.client.request(method, url).bearer_auth(token);
    send(request.header("content-type", kind).body(body.to_owned())).await
}

/// The role of a name, and what asks for a token of it.
fn role(name: &str) -> (Role, Value) {
    match name {
        "distributor" => (
            Role::Distributor("D1".to_owned()),
            json!({"role": name, "distributor": "D1"}),
        ),
        _ => (
            Role::named(name, Vec::new(), None).expect("a role"),
            json!({"role": name}),
        ),
    }
}

async fn issued(served: &Served, wanted: Value) -> (String, String) {
    let body = wanted.to_string();
    let (status, issued) = ask(served, &served.operator, ("POST", "tokens", &body)).await;
    assert_eq!(status, 201, "{issued}");
    let text = |name: &str| issued[name].as_str().expect(name).to_owned();
    (text("id"), text("token"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_role_does_on_every_route_what_it_may_and_nothing_else() {
    let served = Served::tiny().await;
    let wins = r#"{"sql": "SELECT count(*) AS n FROM leads"}"#;
    ask(&served, &served.operator, ("PUT", "queries/wins", wins)).await;
    for name in Role::NAMES {
        let (role, wanted) = role(name);
        let (_, token) = issued(&served, wanted).await;
        for (method, path, body, act) in REQUESTS {
            let (status, answer) = ask(&served, &token, (method, path, body)).await;
            assert_ne!(status, 401, "{name} {method} {path}");
            assert_eq!(
                status != 403,
                role.may(act),
                "{name} {method} {path}: {status} {answer}"
            );
            if status == 403 {
                let hint = answer["hint"].as_str().unwrap_or_default();
                assert!(hint.contains("admin"), "{answer}");
            }
        }
    }
    let all = "SELECT count(*) FROM products";
    let (_, answer) = ask(&served, &served.operator, ("POST", "query", all)).await;
    assert_eq!(
        answer["rows"][0]["count(*)"], 3,
        "the ingester's row is there: {answer}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dashboard_sees_its_queries_only() {
    let served = Served::tiny().await;
    for name in ["wins", "losses"] {
        let put = format!("queries/{name}");
        let query = r#"{"sql": "SELECT 1 AS one"}"#;
        assert_eq!(
            ask(&served, &served.operator, ("PUT", &put, query)).await.0,
            200
        );
    }
    let (_, token) = issued(&served, json!({"role": "dashboard", "queries": ["wins"]})).await;
    let (status, rows) = ask(&served, &token, ("GET", "queries/wins/rows", "")).await;
    assert_eq!(
        (status, &rows["rows"][0]["one"]),
        (200, &json!(1)),
        "{rows}"
    );
    let not_its_own = ask(&served, &token, ("GET", "queries/losses/rows", "")).await;
    let not_there = ask(&served, &token, ("GET", "queries/nobody/rows", "")).await;
    let told = |(status, body): &(u16, Value)| {
        let message = body["message"].as_str().unwrap_or_default();
        (
            *status,
            message.replace("losses", "nobody"),
            body["hint"].clone(),
        )
    };
    assert_eq!(told(&not_its_own), told(&not_there));
    assert_eq!(not_there.0, 404);
    assert!(
        !not_there.1.to_string().contains("losses"),
        "{}",
        not_there.1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_listed_rotated_revoked_and_expires() {
    let served = Served::tiny().await;
    let (id, token) = issued(&served, json!({"role": "analyst", "label": "the board"})).await;
    let works = async |token: &str| ask(&served, token, ("POST", "query", "SELECT 1")).await.0;
    assert_eq!(works(&token).await, 200);

    let (_, listed) = ask(&served, &served.operator, ("GET", "tokens", "")).await;
    let first = &listed["tokens"][0];
    assert_eq!(
        (&first["id"], &first["label"]),
        (&json!(id), &json!("the board")),
        "{listed}"
    );
    assert!(
        !listed.to_string().contains(&token[8..]),
        "the secret is nowhere"
    );

    let rotate = format!("tokens/{id}/rotate");
    let (status, rotated) = ask(&served, &served.operator, ("POST", &rotate, "")).await;
    assert_eq!(
        (status, &rotated["role"], &rotated["label"]),
        (201, &json!("analyst"), &json!("the board"))
    );
    let next = rotated["token"].as_str().expect("a secret").to_owned();
    assert_eq!((works(&token).await, works(&next).await), (401, 200));
    assert_eq!(
        ask(&served, &served.operator, ("POST", &rotate, ""))
            .await
            .0,
        409
    );

    let revoke = format!("tokens/{}", rotated["id"].as_str().expect("an id"));
    let (status, revoked) = ask(&served, &served.operator, ("DELETE", &revoke, "")).await;
    assert!(
        status == 200 && revoked["revoked_at"].is_string(),
        "{revoked}"
    );
    assert_eq!(works(&next).await, 401);
    assert_eq!(
        ask(
            &served,
            &served.operator,
            ("DELETE", "tokens/0123456789abcdef", "")
        )
        .await
        .0,
        404
    );

    let soon = chrono::Utc::now() + chrono::Duration::seconds(3);
    let (_, token) = issued(&served, json!({"role": "analyst", "expires_at": soon})).await;
    assert_eq!(works(&token).await, 200);
    while chrono::Utc::now() <= soon {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let (status, expired) = ask(&served, &token, ("POST", "query", "SELECT 1")).await;
    let (_, unknown) = ask(&served, "trb_0", ("POST", "query", "SELECT 1")).await;
    assert_eq!((status, &expired["message"]), (401, &unknown["message"]));

    let trail = "SELECT action, count(*) AS n FROM audit WHERE subject LIKE 'token %' GROUP BY 1 ORDER BY 1";
    let (_, trail) = ask(&served, &served.operator, ("POST", "query", trail)).await;
    assert_eq!(
        trail["rows"],
        json!([{"action": "issue", "n": 3}, {"action": "revoke", "n": 2}])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_makes_no_sense_is_refused() {
    let served = Served::tiny().await;
    for (wanted, message) in [
        (json!({"role": "root"}), "role \"root\" does not exist"),
        (
            json!({"role": "analyst", "queries": ["wins"]}),
            "only a dashboard's token",
        ),
        (
            json!({"role": "distributor"}),
            "needs the id of the distributor",
        ),
        (
            json!({"role": "analyst", "distributor": "D1"}),
            "only a distributor's token",
        ),
        (json!({"expires_at": "2020-01-01T00:00:00Z"}), "in the past"),
        (json!({"expires_at": "tomorrow"}), "not that of a token"),
        (json!({"rolle": "admin"}), "unknown field `rolle`"),
        (json!({"label": "x".repeat(201)}), "token_label_bytes"),
    ] {
        let body = wanted.to_string();
        let (status, answer) = ask(&served, &served.operator, ("POST", "tokens", &body)).await;
        let told = answer["message"].as_str().unwrap_or_default();
        assert!(
            status >= 400 && told.contains(message),
            "{wanted}: {answer}"
        );
    }
}

#[test]
fn the_command_line_has_the_same_words() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(
        folder.path().join("products.csv"),
        "product_id,name\nP1,One\n",
    )
    .expect("written");
    let run = |arguments: &[&str]| tributary(folder.path(), arguments);
    assert!(
        run(&["ingest", "-m", "acme", "products", "products.csv"])
            .status
            .success()
    );
    let made = run(&[
        "token",
        "create",
        "--role",
        "dashboard",
        "--query",
        "wins",
        "--label",
        "wall",
        "--expires-in-days",
        "9",
    ]);
    assert!(stdout(&made).starts_with("trb_"), "{}", stderr(&made));
    let listed = stdout(&run(&["token", "list"]));
    let line = listed
        .lines()
        .find(|line| line.contains("dashboard: wins"))
        .expect("listed");
    assert!(line.contains("wall") && line.contains("until "), "{listed}");
    let id = line.split_whitespace().nth(1).expect("an id").to_owned();
    let rotated = run(&["token", "rotate", &id]);
    assert!(stdout(&rotated).starts_with("trb_") && stdout(&rotated) != stdout(&made));
    let again = run(&["token", "rotate", &id]);
    assert!(
        !again.status.success() && stderr(&again).contains("is revoked"),
        "{}",
        stderr(&again)
    );
    assert!(
        run(&["token", "revoke", &id]).status.success(),
        "revoked stays revoked"
    );
    let made = run(&[
        "token",
        "create",
        "--role",
        "distributor",
        "--distributor",
        "D1",
    ]);
    assert!(stdout(&made).starts_with("trb_"), "{}", stderr(&made));
    assert!(stdout(&run(&["token", "list"])).contains("distributor: D1"));
    assert!(!run(&["token", "revoke", "nobody"]).status.success());
    assert!(stdout(&run(&["token", "list"])).contains("revoked 2"));
}
