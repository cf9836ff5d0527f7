//! How two manifests differ: every value by its place, lists of named things by their names.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::plugin::Change;

/// What is other in `to`, by place.
pub fn changes(from: &Value, to: &Value) -> Vec<Change> {
    let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
    flatten("", from, &mut before);
    flatten("", to, &mut after);
    let mut places: Vec<&String> = before.keys().chain(after.keys()).collect();
    places.sort();
    places.dedup();
    let each = places.into_iter().map(|place| Change {
        what: place.clone(),
        before: before.get(place).cloned(),
        after: after.get(place).cloned(),
    });
    each.filter(|change| change.before != change.after)
        .collect()
}

/// Every leaf with its place. An entry of a list is known by its name or code; one without, by its position.
fn flatten(place: &str, value: &Value, found: &mut BTreeMap<String, String>) {
    let below = |name: &str| match place {
        "" => name.to_owned(),
        place => format!("{place}.{name}"),
    };
    match value {
        Value::Object(fields) => fields
            .iter()
            .for_each(|(name, value)| flatten(&below(name), value, found)),
        Value::Array(entries) => entries.iter().enumerate().for_each(|(position, entry)| {
            let name = entry.get("name").or_else(|| entry.get("code"));
            let name = name.and_then(Value::as_str).map(str::to_owned);
            let name = name.unwrap_or_else(|| position.to_string());
            flatten(&below(&name), entry, found);
        }),
        Value::Null => {}
        Value::String(text) => {
            found.insert(place.to_owned(), text.clone());
        }
        other => {
            found.insert(place.to_owned(), other.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::changes;
    use serde_json::json;

    #[test]
    fn entries_are_known_by_name() {
        let from = json!({"functions": [{"name": "a", "doc": "x"}, {"name": "b", "doc": "y"}]});
        let to = json!({"functions": [{"name": "b", "doc": "z"}]});
        let found: Vec<_> = changes(&from, &to)
            .into_iter()
            .map(|change| (change.what, change.before, change.after))
            .collect();
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            found,
            [
                ("functions.a.doc".to_owned(), text("x"), None),
                ("functions.a.name".to_owned(), text("a"), None),
                ("functions.b.doc".to_owned(), text("y"), text("z")),
            ]
        );
    }
}
