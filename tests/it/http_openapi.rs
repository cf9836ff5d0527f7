//! The document about the API: as it is in the snapshot, whole in itself, and true of the routes.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::http_support::Public;
use crate::support::json;

#[test]
fn the_document_is_as_clients_know_it() {
    let document = tributary_engine_server::openapi();
    let text = serde_json::to_string_pretty(&document).expect("JSON");
    insta::assert_snapshot!("openapi", text);
}

#[test]
fn every_reference_leads_somewhere_and_every_schema_is_used() {
    let document = tributary_engine_server::openapi();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for reference in &found {
        let pointer = reference.strip_prefix('#').expect("within the document");
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    let schemas = document["components"]["schemas"]
        .as_object()
        .expect("schemas");
    for name in schemas.keys() {
        assert!(
            found.contains(&format!("#/components/schemas/{name}")),
            "nobody uses {name}"
        );
    }
    let paths = document["paths"].as_object().expect("paths");
    let operations = paths
        .values()
        .flat_map(|path| path.as_object().expect("methods").values());
    let ids: Vec<&str> = operations
        .map(|one| one["operationId"].as_str().expect("an id"))
        .collect();
    let distinct: BTreeSet<&&str> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len(), "{ids:?}");
    assert!(ids.len() > 35);
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value.as_str().filter(|_| name == "$ref") {
                    Some(reference) => {
                        found.insert(reference.to_owned());
                    }
                    None => references(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

/// What the document says of tokens and methods is what the server does.
#[tokio::test(flavor = "multi_thread")]
async fn the_server_does_what_the_document_says() {
    let served = Public::tiny(&[("limits.address_requests_per_second", "100000")]).await;
    let (status, document) = json(served.get("/openapi.json")).await;
    assert_eq!((status, &document["openapi"]), (200, &"3.1.0".into()));
    for (path, methods) in document["paths"].as_object().expect("paths") {
        let url = format!("http://{}{}", served.address, path.replace(['{', '}'], ""));
        for (method, operation) in methods.as_object().expect("methods") {
            let method: reqwest::Method = method.to_uppercase().parse().expect("a method");
            let (status, body) = json(served.client.request(method.clone(), &url)).await;
            let is_open = operation["security"].as_array().is_some_and(Vec::is_empty);
            assert_eq!(
                status,
                if is_open { 200 } else { 401 },
                "{method} {path}: {body}"
            );
        }
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
            if methods.get(method.to_lowercase()).is_some() {
                continue;
            }
            let method: reqwest::Method = method.parse().expect("a method");
            let request = served.client.request(method.clone(), &url).send();
            let answer = request.await.expect("answered");
            assert_eq!(answer.status(), 405, "{method} {path}");
            assert_eq!(answer.headers()["content-type"], "application/json");
            let allowed = answer.headers()["allow"].to_str().expect("text").to_owned();
            for known in methods.as_object().expect("methods").keys() {
                assert!(allowed.contains(&known.to_uppercase()), "{path}: {allowed}");
            }
        }
    }
}

/// An empty key would be one that every such request shares.
#[tokio::test(flavor = "multi_thread")]
async fn feedback_has_no_empty_id() {
    let served = Public::tiny(&[]).await;
    let give = |body: &'static str| {
        let url = format!("http://{}/v1/tiny/leads/L1/feedback", served.address);
        let request = served.client.post(url).bearer_auth(&served.operator);
        json(request.body(body))
    };
    let (status, body) = give(r#"{"decision": "accept", "feedback_id": ""}"#).await;
    assert_eq!((status, &body["code"]), (400, &"invalid".into()), "{body}");
    let (status, body) = give(r#"{"decision": "accept", "feedback_id": null}"#).await;
    assert_eq!(status, 201, "{body}");
    assert!(
        body["feedback_id"]
            .as_str()
            .is_some_and(|id| !id.is_empty())
    );
}

/// Serde reads a struct from an array as well; the document says object, and so does the server.
#[tokio::test(flavor = "multi_thread")]
async fn an_array_is_no_object() {
    let served = Public::tiny(&[]).await;
    for (method, path, body) in [
        ("POST", "query", r#"["SELECT 1", {}]"#),
        ("PUT", "settings", "[4, []]"),
        ("PUT", "queries/a", r#"["SELECT 1"]"#),
        (
            "POST",
            "plugins/champ/versions/1.0.0/activate",
            "[null, null]",
        ),
        ("POST", "leads/L1/feedback", r#"["accept"]"#),
        (
            "POST",
            "tables/leads/attributes",
            r#"[["budget", "money"]]"#,
        ),
    ] {
        let url = format!("http://{}/v1/tiny/{path}", served.address);
        let request = served
            .client
            .request(method.parse().expect("a method"), url);
        let request = request
            .bearer_auth(&served.operator)
            .header("content-type", "application/json");
        let (status, body) = json(request.body(body)).await;
        assert_eq!(
            (status, &body["code"]),
            (400, &"invalid".into()),
            "{path}: {body}"
        );
    }
}
