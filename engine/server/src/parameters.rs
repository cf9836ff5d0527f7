//! Parameters as clients write them: `name=value` and `name:kind=value` in a URL and on the command line, an object or
//! an array in JSON.

use std::fmt;

use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use tributary_engine_core::parameter::{Parameter, ParameterKind, Parameters, Value};
use tributary_engine_core::{Error, Fault, Result};

/// Adds one parameter whose value is text; `name` may end in a kind, as in `from:date`. A second value is refused.
pub(crate) fn add(parameters: &mut Parameters, name: &str, value: String) -> Result<()> {
    let (name, kind) = match name.split_once(':') {
        Some((name, kind)) => (name, kind_of(name, kind)?),
        None => (name, ParameterKind::Text),
    };
    let parameter = Parameter {
        kind: Some(kind),
        value: Value::Text(value),
    };
    add_new(parameters, name, parameter).map_err(|message| Error::new(Fault::Invalid, message))
}

fn kind_of(name: &str, kind: &str) -> Result<ParameterKind> {
    kind.parse().map_err(|error: Error| {
        let hint = error.hint().unwrap_or_default().to_owned();
        Error::new(
            Fault::Invalid,
            format!("parameter {:?}: {}", shown(name), error.message()),
        )
        .with_hint(hint)
    })
}

fn add_new(parameters: &mut Parameters, name: &str, parameter: Parameter) -> Result<(), String> {
    match parameters.insert(name.to_owned(), parameter) {
        None => Ok(()),
        Some(_) => Err(format!("parameter {:?} is given twice", shown(name))),
    }
}

fn shown(name: &str) -> String {
    name.chars().take(63).collect()
}

/// Parameters as JSON has them: an object by name, or an array for `$1`, `$2` and so on.
#[derive(Debug, Default)]
pub(crate) struct Given(pub(crate) Parameters);

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Given;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("parameters as an object by name, or as an array")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Given, A::Error> {
        let mut given = Given::default();
        while let Some(name) = map.next_key::<String>()? {
            let parameter = map
                .next_value()
                .map_err(|error| of_parameter::<A::Error>(&name, &error))?;
            add_new(&mut given.0, &name, parameter).map_err(A::Error::custom)?;
        }
        Ok(given)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Given, A::Error> {
        let mut given = Given::default();
        loop {
            let name = (given.0.len() + 1).to_string();
            let next = values
                .next_element()
                .map_err(|error| of_parameter::<A::Error>(&name, &error))?;
            match next {
                Some(parameter) => given.0.insert(name, parameter),
                None => return Ok(given),
            };
        }
    }
}

fn of_parameter<E: serde::de::Error>(name: &str, error: &E) -> E {
    E::custom(format!("parameter {:?}: {error}", shown(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_text_with_and_without_a_kind() {
        let mut parameters = Parameters::new();
        add(&mut parameters, "region", "north".to_owned()).expect("text");
        add(&mut parameters, "from:date", "2024-01-01".to_owned()).expect("a date");
        let kinds: Vec<_> = parameters.values().map(|given| given.kind).collect();
        assert_eq!(
            kinds,
            [Some(ParameterKind::Date), Some(ParameterKind::Text)]
        );
        for (name, expected) in [
            ("from", "parameter \"from\" is given twice"),
            ("from:date", "parameter \"from\" is given twice"),
            (
                "to:day",
                "parameter \"to\": \"day\" is not a kind of parameter",
            ),
        ] {
            let error = add(&mut parameters, name, String::new()).expect_err(name);
            assert_eq!((error.fault(), error.message()), (Fault::Invalid, expected));
        }
    }

    #[test]
    fn reads_json_by_name_and_by_position() {
        let given = |json: &str| serde_json::from_str::<Given>(json).map(|given| given.0);
        let named = given(r#"{"a": 1.50, "b": {"type": "date", "value": "2024-01-01"}}"#);
        let named = named.expect("an object");
        assert_eq!(named["a"].value, Value::Number("1.50".to_owned()));
        assert_eq!(named["b"].kind, Some(ParameterKind::Date));
        let positional = given(r#"["north", 5]"#).expect("an array");
        assert_eq!(positional["2"].value, Value::Number("5".to_owned()));
        for (json, named) in [
            (r#"{"a": 1, "a": 2}"#, "\"a\" is given twice"),
            (r#"{"a": {"b": 1}}"#, "\"a\": unknown field `b`"),
            (
                r#"{"a": {"type": "day", "value": 1}}"#,
                "\"a\": unknown variant `day`",
            ),
            (r#"[1, {"value": 1}]"#, "\"2\": missing field `type`"),
            (r#"{"a": [{}]}"#, "\"a\": an object is no value"),
            ("5", "parameters as an object"),
        ] {
            let error = given(json).expect_err(json).to_string();
            assert!(error.contains(named), "{json}: {error}");
        }
    }
}
