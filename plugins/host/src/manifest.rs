//! What a plugin says it is, checked: names, counts, types. After this file nothing asks the
//! guest about itself again. It deliberately knows no values.

use serde::{Deserialize, Serialize};

use crate::check::VERSION;
use crate::error::{Error, within};
use crate::function::{Function, Kind};
use crate::limits::Limits;
use crate::names::{name, unique, version};
use crate::settings::ConfigKey;
use crate::wire;

/// What a plugin says it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// the schema its functions are called through in SQL
    pub name: String,
    /// its own version, semantic
    pub version: String,
    /// version of the interface it was built for
    pub interface: String,
    /// its functions; a function's number is its place
    pub functions: Vec<Function>,
    /// the settings that a manufacturer may give
    pub config: Vec<ConfigKey>,
    /// how its columns are laid out
    pub wire: Wire,
}

/// How the columns of a plugin are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wire {
    /// lists of numbers
    Typed,
    /// lists of bytes, for languages in which a list of numbers costs more than its bytes
    Packed,
}

impl Manifest {
    /// Checks what the guest said. Counts and lengths first: nothing is hashed or copied before.
    pub(crate) fn check(info: wire::Info, limits: &Limits) -> Result<Self, Error> {
        name("plugin", &info.name, limits)?;
        version(&info.version)?;
        let functions = info.functions.len() as u64;
        within("functions_max", limits.functions_max, functions)?;
        if info.functions.is_empty() {
            return Err(Error::refused("the plugin has no functions"));
        }
        let names = info.functions.iter().map(|function| function.name.as_str());
        unique("function", names, limits)?;
        let functions = info.functions.iter().map(|function| {
            Function::check(function, limits).map_err(|error| error.in_function(&function.name))
        });
        Ok(Self {
            functions: functions.collect::<Result<_, _>>()?,
            config: ConfigKey::check_all(&info.config, limits)?,
            name: info.name,
            version: info.version,
            interface: VERSION.to_owned(),
            wire: match info.wire {
                wire::Wire::Typed => Wire::Typed,
                wire::Wire::Packed => Wire::Packed,
            },
        })
    }

    /// Whether one of its functions is of that kind.
    pub(crate) fn has(&self, kind: Kind) -> bool {
        self.functions.iter().any(|function| function.kind == kind)
    }

    /// Whether one of its functions depends on the time of the query.
    pub(crate) fn wants_now(&self) -> bool {
        self.functions.iter().any(|function| function.wants_now)
    }
}

#[cfg(test)]
mod tests {
    use super::Manifest;
    use crate::limits::Limits;
    use crate::wire;

    fn field() -> wire::Field {
        let ty = wire::DataType {
            physical: wire::Physical::Float64,
            logical: String::new(),
        };
        wire::Field {
            name: "x".to_owned(),
            ty,
            nullable: false,
        }
    }

    fn key() -> wire::ConfigKey {
        wire::ConfigKey {
            name: "k".to_owned(),
            ty: wire::ConfigType::Number,
            required: false,
            doc: String::new(),
            default_json: Some("1".to_owned()),
            min: Some(0.0),
            max: Some(2.0),
        }
    }

    fn info() -> wire::Info {
        let function = wire::Function {
            name: "f".to_owned(),
            kind: wire::Kind::Scalar,
            doc: String::new(),
            args: vec![field()],
            returns: vec![field()],
            volatility: wire::Volatility::Immutable,
            wants_now: false,
            accepts_dictionaries: false,
            output_range: None,
            verdicts: Vec::new(),
            reasons: Vec::new(),
            state: Vec::new(),
            retracts: false,
        };
        wire::Info {
            name: "p".to_owned(),
            version: "1.2.3-rc.1".to_owned(),
            wire: wire::Wire::Typed,
            functions: vec![function],
            config: vec![key()],
        }
    }

    fn refused(change: impl FnOnce(&mut wire::Info)) -> String {
        let mut info = info();
        change(&mut info);
        Manifest::check(info, &Limits::default())
            .expect_err("this is refused")
            .to_string()
    }

    #[test]
    fn accepts_what_is_right() {
        let mut info = info();
        let mut sum = info.functions[0].clone();
        sum.name = "sum".to_owned();
        sum.kind = wire::Kind::Aggregate;
        sum.state = vec![field()];
        sum.retracts = true;
        info.functions.push(sum);
        let manifest = Manifest::check(info, &Limits::default()).expect("this is right");
        let json = serde_json::to_string(&manifest).expect("a manifest is JSON");
        assert_eq!(manifest, serde_json::from_str(&json).expect("and back"));
    }

    #[test]
    fn refuses_names_and_counts() {
        assert!(refused(|info| info.name = "A".to_owned()).contains("[a-z]"));
        assert!(refused(|info| info.name = "a".repeat(64)).contains("name_bytes_max"));
        assert!(refused(|info| info.version = "1.2".to_owned()).contains("1.2.3"));
        assert!(refused(|info| info.functions.clear()).contains("no functions"));
        assert!(
            refused(|info| info.functions = vec![info.functions[0].clone(); 2]).contains("twice")
        );
        assert!(
            refused(|info| info.functions = vec![info.functions[0].clone(); 65])
                .contains("functions_max")
        );
        assert!(refused(|info| info.config = vec![key(); 2]).contains("twice"));
        assert!(refused(|info| info.config = vec![key(); 129]).contains("config_keys_max"));
        assert!(refused(|info| info.functions[0].doc = "a\u{7}".to_owned()).contains("control"));
    }

    #[test]
    fn refuses_signatures_that_do_not_fit_their_kind() {
        assert!(refused(|info| info.functions[0].returns.clear()).contains("exactly one"));
        assert!(refused(|info| info.functions[0].kind = wire::Kind::Rule).contains("verdicts"));
        let range = wire::Range {
            lo: 1.0,
            hi: f64::NAN,
        };
        assert!(refused(|info| info.functions[0].output_range = Some(range)).contains("range"));
        assert!(refused(|info| info.functions[0].wants_now = true).contains("stable"));
        assert!(refused(|info| info.functions[0].state = vec![field()]).contains("no state"));
        assert!(refused(|info| info.functions[0].retracts = true).contains("retract"));
        let aggregate = |info: &mut wire::Info| {
            info.functions[0].kind = wire::Kind::Aggregate;
            info.functions[0].state = vec![field()];
        };
        let no_state = refused(|info| info.functions[0].kind = wire::Kind::Aggregate);
        assert!(no_state.contains("column of state"));
        let no_args = refused(|info| {
            aggregate(info);
            info.functions[0].args.clear();
        });
        assert!(no_args.contains("argument"));
        let no_result = refused(|info| {
            aggregate(info);
            info.functions[0].returns.clear();
        });
        assert!(no_result.contains("exactly one"));
    }
}
