//! What a plugin says it is, checked: names, counts, types. After this file nothing asks the
//! guest about itself again. It deliberately knows no values.

use std::collections::HashSet;

use arrow::datatypes::{DataType, Field as ArrowField, Fields, TimeUnit};
use serde::{Deserialize, Serialize};

use crate::error::{Error, printable, within};
use crate::limits::Limits;
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

/// How columns cross the boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wire {
    /// lists of numbers
    Typed,
    /// their bytes
    Packed,
}

/// A function of a plugin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Function {
    /// its name, without the plugin's
    pub name: String,
    /// whether it computes a value or decides
    pub kind: Kind,
    /// its documentation
    pub doc: String,
    /// its arguments; a nullable one shows its NULLs to the function, another makes the result NULL
    pub args: Vec<Field>,
    /// scalar, aggregate: its one result; rule: its details
    pub returns: Vec<Field>,
    /// when it may be computed once instead of often
    pub volatility: Volatility,
    /// whether its result depends on the time that the query is as of
    pub wants_now: bool,
    /// whether text arguments may stay dictionaries
    pub accepts_dictionaries: bool,
    /// scalar: the range its values are promised to be in, which every batch is checked against
    pub output_range: Option<Range>,
    /// rule: what it can decide
    pub verdicts: Vec<String>,
    /// rule: why
    pub reasons: Vec<Reason>,
    /// aggregate: the partial state of one group
    pub state: Vec<Field>,
    /// aggregate: whether rows can leave a group again
    pub retracts: bool,
}

/// What a function does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// computes a value per row
    Scalar,
    /// decides about each row, and says why
    Rule,
    /// computes a value per group of rows
    Aggregate,
}

/// When a function may be computed once instead of often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Volatility {
    /// the same arguments always give the same result
    Immutable,
    /// they do within one query
    Stable,
}

/// A named, typed place in a signature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// its name
    pub name: String,
    /// its type
    #[serde(rename = "type")]
    pub ty: Type,
    /// argument: whether the function sees NULLs; result: whether it may be NULL for its own reasons
    pub nullable: bool,
}

/// A type that crosses the boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are Arrow's")]
pub enum Type {
    Boolean,
    Int8,
    Int16,
    Int32,
    Int64,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    Float32,
    Float64,
    /// 128 bits
    Decimal {
        precision: u8,
        scale: i8,
    },
    /// days
    Date,
    /// microseconds, UTC, without a zone of its own
    Timestamp,
    Text,
    /// text: one JSON document per row
    Json,
    Binary,
}

/// Both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Range {
    /// the lowest value
    pub lo: f64,
    /// the highest value
    pub hi: f64,
}

/// Why a rule decides as it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// as in SQL results
    pub code: String,
    /// for people
    pub text: String,
}

impl Function {
    /// What each argument should be cast to before a call.
    pub fn arg_types(&self) -> Vec<DataType> {
        self.args.iter().map(|arg| arg.ty.arrow()).collect()
    }

    /// What a call returns: a scalar's type; for a rule
    /// `Struct(verdict: Dictionary(UInt8, Utf8), reasons: List(Dictionary(UInt8, Utf8)), details…)`.
    pub fn return_type(&self) -> DataType {
        match (self.kind, self.returns.as_slice()) {
            (Kind::Scalar | Kind::Aggregate, [result]) => result.ty.arrow(),
            _ => DataType::Struct(self.rule_fields()),
        }
    }

    /// The types of one group's partial state.
    pub fn state_types(&self) -> Vec<DataType> {
        self.state.iter().map(|field| field.ty.arrow()).collect()
    }

    /// Whether an argument of this Arrow type can be passed as it is, without a cast to the declared one.
    pub fn accepts(&self, position: usize, given: &DataType) -> bool {
        let Some(arg) = self.args.get(position) else {
            return false;
        };
        let text = |kind: &DataType| {
            matches!(
                kind,
                DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
            )
        };
        match (arg.ty, given) {
            (Type::Text | Type::Json, DataType::Dictionary(_, values)) => text(values),
            (Type::Text, given) => text(given),
            (Type::Json, given) => text(given) || given.is_nested(),
            (Type::Binary, given) => matches!(
                given,
                DataType::Binary | DataType::LargeBinary | DataType::BinaryView
            ),
            (Type::Timestamp, DataType::Timestamp(TimeUnit::Microsecond, _)) => true,
            (ty, given) => ty.arrow() == *given,
        }
    }

    /// Whether NULL in means NULL out, in every argument.
    pub fn is_strict(&self) -> bool {
        self.args.iter().all(|arg| !arg.nullable)
    }

    pub(crate) fn rule_fields(&self) -> Fields {
        let reasons = DataType::List(ArrowField::new_list_field(names_type(), true).into());
        let mut fields = vec![
            ArrowField::new("verdict", names_type(), true),
            ArrowField::new("reasons", reasons, true),
        ];
        fields.extend(
            self.returns
                .iter()
                .map(|field| ArrowField::new(&field.name, field.ty.arrow(), true)),
        );
        fields.into()
    }
}

/// Names by number: verdicts, reasons.
pub(crate) fn names_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::UInt8), Box::new(DataType::Utf8))
}

impl Type {
    /// The Arrow type of its columns.
    pub fn arrow(&self) -> DataType {
        match *self {
            Self::Boolean => DataType::Boolean,
            Self::Int8 => DataType::Int8,
            Self::Int16 => DataType::Int16,
            Self::Int32 => DataType::Int32,
            Self::Int64 => DataType::Int64,
            Self::Uint8 => DataType::UInt8,
            Self::Uint16 => DataType::UInt16,
            Self::Uint32 => DataType::UInt32,
            Self::Uint64 => DataType::UInt64,
            Self::Float32 => DataType::Float32,
            Self::Float64 => DataType::Float64,
            Self::Decimal { precision, scale } => DataType::Decimal128(precision, scale),
            Self::Date => DataType::Date32,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Text | Self::Json => DataType::Utf8,
            Self::Binary => DataType::Binary,
        }
    }

    fn check(ty: &wire::DataType) -> Result<Self, Error> {
        use wire::Physical;
        Ok(match (ty.physical, ty.logical.as_str()) {
            (Physical::Bits, "") => Self::Boolean,
            (Physical::Int8, "") => Self::Int8,
            (Physical::Int16, "") => Self::Int16,
            (Physical::Int32, "") => Self::Int32,
            (Physical::Int64, "") => Self::Int64,
            (Physical::Uint8, "") => Self::Uint8,
            (Physical::Uint16, "") => Self::Uint16,
            (Physical::Uint32, "") => Self::Uint32,
            (Physical::Uint64, "") => Self::Uint64,
            (Physical::Float32, "") => Self::Float32,
            (Physical::Float64, "") => Self::Float64,
            (Physical::Text, "") => Self::Text,
            (Physical::Text, "json") => Self::Json,
            (Physical::Binary, "") => Self::Binary,
            (Physical::Int32, "date") => Self::Date,
            (Physical::Int64, "timestamp") => Self::Timestamp,
            (Physical::Int128, logical) => decimal(logical)?,
            (physical, logical) => {
                let logical = printable(logical, 64);
                return Err(Error::refused(format!(
                    "no type \"{logical}\" of {physical:?}"
                )));
            }
        })
    }
}

fn decimal(logical: &str) -> Result<Type, Error> {
    let inner = logical
        .strip_prefix("decimal(")
        .and_then(|rest| rest.strip_suffix(')'));
    let parts = inner.and_then(|inner| inner.split_once(','));
    match parts.map(|(precision, scale)| (precision.trim().parse(), scale.trim().parse())) {
        Some((Ok(precision), Ok(scale)))
            if (1..=38).contains(&precision) && (0..=precision as i8).contains(&scale) =>
        {
            Ok(Type::Decimal { precision, scale })
        }
        _ => Err(Error::refused(format!(
            "no type \"{}\" of Int128",
            printable(logical, 64)
        ))),
    }
}

impl Manifest {
    /// Whether a function depends on the time that a query is as of.
    pub(crate) fn wants_now(&self) -> bool {
        self.functions.iter().any(|function| function.wants_now)
    }

    /// Checks what the guest said. Counts and lengths first: nothing is hashed or copied before.
    pub(crate) fn check(info: wire::Info, limits: &Limits) -> Result<Self, Error> {
        name("plugin", &info.name, limits)?;
        version(&info.version)?;
        within(
            "functions_max",
            limits.functions_max,
            info.functions.len() as u64,
        )?;
        if info.functions.is_empty() {
            return Err(Error::refused("the plugin has no functions"));
        }
        unique(
            "function",
            info.functions.iter().map(|function| function.name.as_str()),
            limits,
        )?;
        let checked = info.functions.iter().map(|function| {
            Function::check(function, limits).map_err(|error| error.in_function(&function.name))
        });
        Ok(Self {
            functions: checked.collect::<Result<_, _>>()?,
            name: info.name,
            version: info.version,
            interface: crate::check::VERSION.to_owned(),
            config: ConfigKey::check_all(&info.config, limits)?,
            wire: match info.wire {
                wire::Wire::Typed => Wire::Typed,
                wire::Wire::Packed => Wire::Packed,
            },
        })
    }
}

impl Function {
    fn check(function: &wire::Function, limits: &Limits) -> Result<Self, Error> {
        name("function", &function.name, limits)?;
        doc(&function.doc, limits)?;
        let args = fields("argument", &function.args, limits)?;
        let returns = fields("result", &function.returns, limits)?;
        match function.kind {
            wire::Kind::Scalar => scalar(function, &returns)?,
            wire::Kind::Rule => rule(function, limits)?,
            wire::Kind::Aggregate => scalar(function, &returns)?,
        }
        let state = fields("state", &function.state, limits)?;
        match (function.kind, state.is_empty()) {
            (wire::Kind::Aggregate, true) => {
                return Err(Error::refused("an aggregate has a state"));
            }
            (wire::Kind::Scalar | wire::Kind::Rule, false) => {
                return Err(Error::refused("only an aggregate has a state"));
            }
            _ => {}
        }
        if function.wants_now && function.volatility == wire::Volatility::Immutable {
            return Err(Error::refused(
                "a function that wants the time is stable, not immutable",
            ));
        }
        Ok(Self {
            name: function.name.clone(),
            kind: match function.kind {
                wire::Kind::Scalar => Kind::Scalar,
                wire::Kind::Rule => Kind::Rule,
                wire::Kind::Aggregate => Kind::Aggregate,
            },
            doc: function.doc.clone(),
            args,
            returns,
            volatility: match function.volatility {
                wire::Volatility::Immutable => Volatility::Immutable,
                wire::Volatility::Stable => Volatility::Stable,
            },
            wants_now: function.wants_now,
            state,
            retracts: function.kind == wire::Kind::Aggregate && function.retracts,
            accepts_dictionaries: function.accepts_dictionaries,
            output_range: function.output_range.as_ref().map(|range| Range {
                lo: range.lo,
                hi: range.hi,
            }),
            verdicts: function.verdicts.clone(),
            reasons: function.reasons.iter().map(Reason::from).collect(),
        })
    }
}

impl From<&wire::Reason> for Reason {
    fn from(reason: &wire::Reason) -> Self {
        Self {
            code: reason.code.clone(),
            text: reason.text.clone(),
        }
    }
}

fn scalar(function: &wire::Function, returns: &[Field]) -> Result<(), Error> {
    let [result] = returns else {
        return Err(Error::refused(
            "a score and an aggregate have exactly one result",
        ));
    };
    if !function.verdicts.is_empty() || !function.reasons.is_empty() {
        return Err(Error::refused(
            "a score and an aggregate have no verdicts and no reasons",
        ));
    }
    let Some(range) = &function.output_range else {
        return Ok(());
    };
    let number = !matches!(
        result.ty,
        Type::Boolean
            | Type::Text
            | Type::Json
            | Type::Binary
            | Type::Date
            | Type::Timestamp
            | Type::Decimal { .. }
    );
    if !number || !range.lo.is_finite() || !range.hi.is_finite() || range.lo > range.hi {
        return Err(Error::refused(
            "a promised range is for plain numbers, from low to high",
        ));
    }
    Ok(())
}

fn rule(function: &wire::Function, limits: &Limits) -> Result<(), Error> {
    within(
        "verdicts_max",
        limits.verdicts_max,
        function.verdicts.len() as u64,
    )?;
    within(
        "reasons_max",
        limits.reasons_max.min(64),
        function.reasons.len() as u64,
    )?;
    if function.verdicts.is_empty() || function.output_range.is_some() {
        return Err(Error::refused("a rule has verdicts, and promises no range"));
    }
    unique(
        "verdict",
        function.verdicts.iter().map(String::as_str),
        limits,
    )?;
    unique(
        "detail",
        ["verdict", "reasons"]
            .into_iter()
            .chain(function.returns.iter().map(|field| field.name.as_str())),
        limits,
    )?;
    for reason in &function.reasons {
        code(&reason.code, limits)?;
        doc(&reason.text, limits)?;
    }
    let mut codes = HashSet::new();
    match function
        .reasons
        .iter()
        .find(|reason| !codes.insert(&reason.code))
    {
        Some(twice) => Err(Error::refused(format!(
            "reason \"{}\" is there twice",
            twice.code
        ))),
        None => Ok(()),
    }
}

fn fields(what: &str, fields: &[wire::Field], limits: &Limits) -> Result<Vec<Field>, Error> {
    within("fields_max", limits.fields_max, fields.len() as u64)?;
    unique(what, fields.iter().map(|field| field.name.as_str()), limits)?;
    let checked = fields.iter().map(|field| {
        Ok(Field {
            name: field.name.clone(),
            ty: Type::check(&field.ty)?,
            nullable: field.nullable,
        })
    });
    checked.collect()
}

pub(crate) fn unique<'n>(
    what: &str,
    names: impl Iterator<Item = &'n str>,
    limits: &Limits,
) -> Result<(), Error> {
    let mut seen = HashSet::new();
    for one in names {
        name(what, one, limits)?;
        if !seen.insert(one) {
            return Err(Error::refused(format!("{what} \"{one}\" is there twice")));
        }
    }
    Ok(())
}

/// A name that SQL needs no quotes for: `[a-z][a-z0-9_]*`.
pub(crate) fn name(what: &str, name: &str, limits: &Limits) -> Result<(), Error> {
    within("name_bytes_max", limits.name_bytes_max, name.len() as u64)?;
    let rest =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    if name.starts_with(|first: char| first.is_ascii_lowercase()) && name.chars().all(rest) {
        return Ok(());
    }
    Err(Error::refused(format!(
        "{what} name \"{}\" is not of the form [a-z][a-z0-9_]*",
        printable(name, 64)
    )))
}

/// A code of a reason: `[A-Z][A-Z0-9_]*`.
fn code(code: &str, limits: &Limits) -> Result<(), Error> {
    within("name_bytes_max", limits.name_bytes_max, code.len() as u64)?;
    let rest =
        |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_';
    if code.starts_with(|first: char| first.is_ascii_uppercase()) && code.chars().all(rest) {
        return Ok(());
    }
    Err(Error::refused(format!(
        "reason code \"{}\" is not of the form [A-Z][A-Z0-9_]*",
        printable(code, 64)
    )))
}

pub(crate) fn doc(text: &str, limits: &Limits) -> Result<(), Error> {
    within("doc_bytes_max", limits.doc_bytes_max, text.len() as u64)?;
    if text
        .chars()
        .any(|letter| letter.is_control() && letter != '\n')
    {
        return Err(Error::refused("documentation holds control characters"));
    }
    Ok(())
}

/// A semantic version: three numbers, and what may follow them.
fn version(version: &str) -> Result<(), Error> {
    let (numbers, rest) = version.split_at(version.find(['-', '+']).unwrap_or(version.len()));
    let number = |part: &str| {
        !part.is_empty() && part.len() < 10 && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    let tail = |byte: u8| byte.is_ascii_alphanumeric() || b"-+.".contains(&byte);
    let three = numbers.split('.').count() == 3 && numbers.split('.').all(number);
    if version.len() <= 64 && three && rest.bytes().all(tail) {
        return Ok(());
    }
    Err(Error::refused(format!(
        "version \"{}\" is not of the form 1.2.3",
        printable(version, 64)
    )))
}

#[cfg(test)]
mod tests {
    use super::{Manifest, Type, decimal};
    use crate::limits::Limits;
    use crate::wire;

    fn info() -> wire::Info {
        let ty = wire::DataType {
            physical: wire::Physical::Float64,
            logical: String::new(),
        };
        let field = wire::Field {
            name: "x".to_owned(),
            ty,
            nullable: false,
        };
        let function = wire::Function {
            name: "f".to_owned(),
            kind: wire::Kind::Scalar,
            doc: String::new(),
            args: vec![field.clone()],
            returns: vec![field],
            volatility: wire::Volatility::Immutable,
            wants_now: false,
            state: Vec::new(),
            retracts: false,
            accepts_dictionaries: false,
            output_range: None,
            verdicts: Vec::new(),
            reasons: Vec::new(),
        };
        wire::Info {
            name: "p".to_owned(),
            version: "1.2.3-rc.1".to_owned(),
            wire: wire::Wire::Typed,
            functions: vec![function],
            config: Vec::new(),
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
        let manifest = Manifest::check(info(), &Limits::default()).expect("this is right");
        let json = serde_json::to_string(&manifest).expect("a manifest is JSON");
        assert_eq!(manifest, serde_json::from_str(&json).expect("and back"));
    }

    #[test]
    fn refuses_what_is_not() {
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
        assert!(refused(|info| info.functions[0].returns.clear()).contains("exactly one"));
        assert!(refused(|info| info.functions[0].kind = wire::Kind::Rule).contains("verdicts"));
        assert!(refused(|info| info.functions[0].doc = "a\u{7}".to_owned()).contains("control"));
        let range = wire::Range {
            lo: 1.0,
            hi: f64::NAN,
        };
        assert!(refused(|info| info.functions[0].output_range = Some(range)).contains("range"));
    }

    #[test]
    fn decimals_have_a_precision() {
        assert_eq!(
            decimal("decimal(18,2)").ok(),
            Some(Type::Decimal {
                precision: 18,
                scale: 2
            })
        );
        for wrong in [
            "",
            "decimal",
            "decimal(39,0)",
            "decimal(2,3)",
            "decimal(2,-1)",
            "decimal(0,0)",
        ] {
            assert!(decimal(wrong).is_err(), "{wrong}");
        }
    }
}
