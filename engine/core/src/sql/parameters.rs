//! Puts the values of parameters into a parsed statement, as typed literals, before it is planned.
//!
//! No value ever becomes SQL text, so none can be read as anything but a value. A list is spliced where `IN (…)` holds
//! its placeholder, and is an array elsewhere. Every error names its parameter.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use chrono::{DateTime, NaiveDate, SecondsFormat};
use datafusion::sql::sqlparser::ast::{
    Array, CastKind, DataType, ExactNumberInfo, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgumentList, FunctionArguments, Ident, ObjectName, ObjectNamePart,
    Statement as SqlStatement, TableFactor, TableVersion, UnaryOperator, Value as SqlValue,
    ValueWithSpan, Visit, VisitMut, Visitor, VisitorMut,
};

use crate::fault::{Error, Fault, Result};
use crate::limits;
use crate::parameter::{Parameter, ParameterKind, Parameters, Value};

/// The largest number of digits that a decimal may have.
const DECIMAL_DIGITS: usize = 76;
/// How instants are stored, and so what they are compared as.
const TIMESTAMP_TYPE: &str = "Timestamp(Microsecond, Some(\"UTC\"))";

/// Replaces every placeholder by its value. Each placeholder needs one, and each value a placeholder.
pub fn bind(statement: &mut SqlStatement, parameters: &Parameters) -> Result<()> {
    let mut binder = Binder {
        values: checked(parameters)?,
        used: BTreeSet::new(),
        missing: BTreeSet::new(),
        entries: 0,
        bytes: 0,
    };
    if let ControlFlow::Break(error) = statement.visit(&mut binder) {
        return Err(error);
    }
    binder.complete()?;
    match Visit::visit(statement, &mut Leftover) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// Whether a text can name a parameter: what may follow the `$` of a placeholder.
pub fn is_parameter_name(name: &str) -> bool {
    (1..=limits::PARAMETER_NAME_BYTES).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn checked(parameters: &Parameters) -> Result<BTreeMap<&str, Bound>> {
    if parameters.len() > limits::PARAMETERS {
        return Err(Error::limit(
            "parameters",
            limits::PARAMETERS,
            parameters.len(),
        ));
    }
    let bound = parameters.iter().map(|(name, parameter)| {
        if !is_parameter_name(name) {
            return Err(not_a_name(name));
        }
        Ok((name.as_str(), Bound::of(name, parameter)?))
    });
    bound.collect()
}

/// A parameter whose values are known to be of their kind.
enum Bound {
    One(Literal),
    Many(Vec<Literal>),
}

impl Bound {
    fn of(name: &str, parameter: &Parameter) -> Result<Self> {
        let literal = |value: &Value| Literal::of(name, parameter.kind, value);
        let Value::List(values) = &parameter.value else {
            return literal(&parameter.value).map(Self::One);
        };
        if values.len() > limits::PARAMETER_ENTRIES {
            return Err(Error::limit(
                "parameter_entries",
                limits::PARAMETER_ENTRIES,
                values.len(),
            ));
        }
        values
            .iter()
            .map(literal)
            .collect::<Result<_>>()
            .map(Self::Many)
    }

    fn literals(&self) -> &[Literal] {
        match self {
            Self::One(literal) => std::slice::from_ref(literal),
            Self::Many(literals) => literals,
        }
    }
}

/// One value, checked, in the form in which SQL is to see it.
enum Literal {
    Null(Option<ParameterKind>),
    Boolean(bool),
    Text(String),
    /// A numeral that SQL reads exactly.
    Numeral(String),
    Number(String),
    Decimal {
        digits: String,
        precision: u64,
        scale: i64,
    },
    Date(String),
    Timestamp(String),
}

impl Literal {
    fn of(name: &str, kind: Option<ParameterKind>, value: &Value) -> Result<Self> {
        let mistyped = |what: &str, hint: &str| {
            Error::new(
                Fault::Invalid,
                format!("parameter \"{name}\" is not {what}: {}", shown(value)),
            )
            .with_hint(hint)
        };
        let text = match value {
            Value::Null => return Ok(Self::Null(kind)),
            Value::List(_) => {
                return Err(mistyped("a value", "A list holds values, not other lists."));
            }
            Value::Boolean(value) if matches!(kind, None | Some(ParameterKind::Boolean)) => {
                return Ok(Self::Boolean(*value));
            }
            Value::Text(text) if matches!(kind, None | Some(ParameterKind::Text)) => {
                return Ok(Self::Text(text.clone()));
            }
            Value::Number(digits) if kind.is_none() => {
                return numeral(digits).ok_or_else(|| {
                    mistyped(
                        "a number that SQL can hold",
                        "A number has at most 76 digits.",
                    )
                });
            }
            Value::Boolean(_) => "",
            Value::Number(text) | Value::Text(text) => text.as_str(),
        };
        // A number may come as text, which is how a URL and the command line send it; text may not come as a number.
        let is_text = matches!(value, Value::Text(_));
        match kind {
            None | Some(ParameterKind::Text) => {
                Err(mistyped("text", "Send text in double quotes."))
            }
            Some(ParameterKind::Boolean) => match text {
                "true" => Ok(Self::Boolean(true)),
                "false" => Ok(Self::Boolean(false)),
                _ => Err(mistyped("a boolean", "A boolean is true or false.")),
            },
            Some(ParameterKind::Integer) => whole(text).ok_or_else(|| {
                mistyped(
                    "an integer",
                    "An integer is a whole number from -9223372036854775808 to 9223372036854775807.",
                )
            }),
            Some(ParameterKind::Number) => float(text)
                .map(Self::Number)
                .ok_or_else(|| mistyped("a number", "A number is written like -12.5 or 1e-3.")),
            Some(ParameterKind::Decimal) => decimal(text).ok_or_else(|| {
                mistyped(
                    "a decimal",
                    "A decimal is written like -12.50, with at most 76 digits and without an exponent.",
                )
            }),
            Some(ParameterKind::Date) => date(text)
                .filter(|_| is_text)
                .map(Self::Date)
                .ok_or_else(|| mistyped("a date", "A date is written like 2024-05-31.")),
            Some(ParameterKind::Timestamp) => instant(text)
                .filter(|_| is_text)
                .map(Self::Timestamp)
                .ok_or_else(|| {
                    mistyped(
                        "a timestamp",
                        "A timestamp is RFC 3339 with an offset, like 2024-05-31T12:00:00Z, to the microsecond.",
                    )
                }),
        }
    }

    /// Bytes that it adds to the statement.
    fn bytes(&self) -> usize {
        match self {
            Self::Null(_) | Self::Boolean(_) => 0,
            Self::Decimal { digits: text, .. }
            | Self::Text(text)
            | Self::Numeral(text)
            | Self::Number(text)
            | Self::Date(text)
            | Self::Timestamp(text) => text.len(),
        }
    }

    /// The literal with its type, for wherever an expression stands.
    fn typed(&self) -> Expr {
        match self {
            Self::Null(None) => value(SqlValue::Null),
            Self::Null(Some(kind)) => null(*kind),
            Self::Boolean(truth) => value(SqlValue::Boolean(*truth)),
            Self::Text(text) => string(text),
            Self::Numeral(digits) => signed(digits),
            Self::Number(digits) => cast(string(digits), DataType::Double(ExactNumberInfo::None)),
            Self::Decimal {
                digits,
                precision,
                scale,
            } => cast(string(digits), decimal_type(*precision, *scale)),
            Self::Date(text) => cast(string(text), DataType::Date),
            Self::Timestamp(text) => instant_of(string(text)),
        }
    }

    /// The bare literal, for places where the grammar wants one: INTERVAL and the version of a table.
    fn plain(&self) -> Expr {
        match self {
            Self::Null(_) => value(SqlValue::Null),
            Self::Boolean(_) => self.typed(),
            Self::Numeral(digits) | Self::Number(digits) | Self::Decimal { digits, .. } => {
                signed(digits)
            }
            Self::Text(text) | Self::Date(text) | Self::Timestamp(text) => string(text),
        }
    }
}

/// A JSON number as SQL reads it without losing a digit.
fn numeral(digits: &str) -> Option<Literal> {
    if digits.contains(['e', 'E']) {
        return float(digits).map(Literal::Number);
    }
    match digits.contains('.') {
        true => decimal(digits),
        false => whole(digits).or_else(|| decimal(digits)),
    }
}

fn whole(text: &str) -> Option<Literal> {
    let number: i64 = text.parse().ok()?;
    Some(Literal::Numeral(number.to_string()))
}

fn float(text: &str) -> Option<String> {
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E'));
    let finite = text.parse::<f64>().is_ok_and(f64::is_finite);
    (plain && finite).then(|| text.to_owned())
}

fn decimal(text: &str) -> Option<Literal> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = match unsigned.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (unsigned, ""),
    };
    let are_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !are_digits(whole) || !are_digits(fraction) {
        return None;
    }
    let precision = (whole.trim_start_matches('0').len() + fraction.len()).max(1);
    (precision <= DECIMAL_DIGITS).then(|| Literal::Decimal {
        digits: text.to_owned(),
        precision: precision as u64,
        scale: fraction.len() as i64,
    })
}

/// Exactly `YYYY-MM-DD`, which chrono alone would not insist on.
fn date(text: &str) -> Option<String> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    (text.len() == 10 && text.as_bytes()[0].is_ascii_digit()).then(|| day.to_string())
}

/// The instant in UTC; finer than a microsecond nothing is stored.
fn instant(text: &str) -> Option<String> {
    let instant = DateTime::parse_from_rfc3339(text).ok()?;
    let exact = instant.timestamp_subsec_nanos().is_multiple_of(1_000);
    // Through the count, so that a leap second is the second that follows it.
    let instant = DateTime::from_timestamp_micros(instant.timestamp_micros())?;
    exact.then(|| instant.to_rfc3339_opts(SecondsFormat::Micros, true))
}

fn value(value: SqlValue) -> Expr {
    Expr::Value(value.into())
}

fn string(text: &str) -> Expr {
    value(SqlValue::SingleQuotedString(text.to_owned()))
}

fn signed(digits: &str) -> Expr {
    let number = |digits: &str| value(SqlValue::Number(digits.to_owned(), false));
    match digits.strip_prefix('-') {
        Some(digits) => Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr: Box::new(number(digits)),
        },
        None => number(digits),
    }
}

fn cast(expr: Expr, data_type: DataType) -> Expr {
    Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(expr),
        data_type,
        array: false,
        format: None,
    }
}

const fn decimal_type(precision: u64, scale: i64) -> DataType {
    DataType::Decimal(ExactNumberInfo::PrecisionAndScale(precision, scale))
}

/// NULL that has a type, so that what it is compared with or handed to is checked.
fn null(kind: ParameterKind) -> Expr {
    let null = value(SqlValue::Null);
    match kind {
        ParameterKind::Text => cast(null, DataType::Varchar(None)),
        ParameterKind::Integer => cast(null, DataType::BigInt(None)),
        ParameterKind::Number => cast(null, DataType::Double(ExactNumberInfo::None)),
        ParameterKind::Decimal => cast(null, decimal_type(38, 10)),
        ParameterKind::Boolean => cast(null, DataType::Boolean),
        ParameterKind::Date => cast(null, DataType::Date),
        ParameterKind::Timestamp => instant_of(null),
    }
}

/// SQL's own type names cannot say "microseconds, UTC".
fn instant_of(expr: Expr) -> Expr {
    let arguments = [expr, string(TIMESTAMP_TYPE)];
    let arguments = arguments.map(|expr| FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)));
    Expr::Function(Function {
        name: ObjectName(vec![ObjectNamePart::Identifier(Ident::new("arrow_cast"))]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: arguments.into(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

/// The name of the placeholder, where the expression is one.
fn placeholder(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Value(ValueWithSpan {
            value: SqlValue::Placeholder(name),
            ..
        }) => Some(name),
        _ => None,
    }
}

/// Walks the statement and replaces placeholders.
struct Binder<'a> {
    values: BTreeMap<&'a str, Bound>,
    used: BTreeSet<String>,
    missing: BTreeSet<String>,
    /// Literals put in so far: a placeholder may stand in many places.
    entries: usize,
    bytes: usize,
}

impl VisitorMut for Binder<'_> {
    type Break = Error;

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        let TableFactor::Table {
            version: Some(version),
            ..
        } = factor
        else {
            return ControlFlow::Continue(());
        };
        match version {
            TableVersion::ForSystemTimeAsOf(expr)
            | TableVersion::TimestampAsOf(expr)
            | TableVersion::VersionAsOf(expr) => self.replace_plainly(expr),
            TableVersion::Function(_) | TableVersion::Changes { .. } => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        match expr {
            Expr::InList { list, .. } => self.splice(list),
            Expr::Interval(interval) => {
                if let Some(name) = placeholder(&interval.value)
                    && let Some(Bound::One(Literal::Null(_))) = self.bound(name)
                {
                    self.used.insert(name.trim_start_matches('$').to_owned());
                    *expr = cast(
                        value(SqlValue::Null),
                        DataType::Interval {
                            fields: None,
                            precision: None,
                        },
                    );
                    return ControlFlow::Continue(());
                }
                self.replace_plainly(&mut interval.value)
            }
            _ => ControlFlow::Continue(()),
        }
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        let Some(literals) = self.literals(expr)? else {
            return ControlFlow::Continue(());
        };
        *expr = match literals {
            Bound::One(literal) => literal.typed(),
            Bound::Many(literals) => Expr::Array(Array {
                elem: literals.iter().map(Literal::typed).collect(),
                named: true,
            }),
        };
        ControlFlow::Continue(())
    }
}

impl Binder<'_> {
    fn bound(&self, placeholder: &str) -> Option<&Bound> {
        self.values.get(placeholder.strip_prefix('$')?)
    }

    /// What an expression stands for, where it is a placeholder that has a value.
    fn literals(&mut self, expr: &Expr) -> ControlFlow<Error, Option<&Bound>> {
        let Some(placeholder) = placeholder(expr) else {
            return ControlFlow::Continue(None);
        };
        let name = match placeholder.strip_prefix('$') {
            Some(name) if is_parameter_name(name) => name,
            _ => return ControlFlow::Break(unsupported(placeholder)),
        };
        let Some(bound) = self.values.get(name) else {
            self.missing.insert(name.to_owned());
            return ControlFlow::Continue(None);
        };
        self.used.insert(name.to_owned());
        let literals = bound.literals();
        self.entries += literals.len().max(1);
        self.bytes += literals.iter().map(Literal::bytes).sum::<usize>();
        for (limit, most, asked) in [
            ("parameter_entries", limits::PARAMETER_ENTRIES, self.entries),
            ("parameter_bytes", limits::PARAMETER_BYTES, self.bytes),
        ] {
            if asked > most {
                return ControlFlow::Break(Error::limit(limit, most, asked).with_hint(
                    "Each entry of a list counts, in each place where its placeholder stands.",
                ));
            }
        }
        ControlFlow::Continue(Some(bound))
    }

    fn splice(&mut self, list: &mut Vec<Expr>) -> ControlFlow<Error> {
        if !list.iter().any(|expr| placeholder(expr).is_some()) {
            return ControlFlow::Continue(());
        }
        let mut spliced = Vec::with_capacity(list.len());
        for expr in list.drain(..) {
            match self.literals(&expr)? {
                Some(bound) => spliced.extend(bound.literals().iter().map(Literal::typed)),
                None => spliced.push(expr),
            }
        }
        *list = spliced;
        ControlFlow::Continue(())
    }

    fn replace_plainly(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        match self.literals(expr)? {
            Some(Bound::One(literal)) => *expr = literal.plain(),
            // Left as it is, it becomes an array, which the planner refuses there.
            Some(Bound::Many(_)) | None => {}
        }
        ControlFlow::Continue(())
    }

    /// Whether placeholders and values match one another.
    fn complete(&self) -> Result<()> {
        if let Some(name) = self.missing.first() {
            return Err(
                Error::new(Fault::Invalid, format!("parameter \"{name}\" has no value")).with_hint(
                    format!(
                        "The statement has the placeholder ${name}: send a value for it, or NULL."
                    ),
                ),
            );
        }
        let unused = self.values.keys().find(|name| !self.used.contains(**name));
        let Some(name) = unused else {
            return Ok(());
        };
        let error = Error::new(
            Fault::Invalid,
            format!("parameter \"{name}\" is not in the statement"),
        );
        let known: Vec<String> = self.used.iter().map(|name| format!("${name}")).collect();
        Err(error.with_hint(match known.is_empty() {
            true => "The statement has no placeholders.".to_owned(),
            false => format!(
                "The placeholders of the statement are {}.",
                known.join(", ")
            ),
        }))
    }
}

/// Finds placeholders in places that hold no expression.
struct Leftover;

impl Visitor for Leftover {
    type Break = Error;

    fn pre_visit_value(&mut self, value: &ValueWithSpan) -> ControlFlow<Error> {
        match &value.value {
            SqlValue::Placeholder(name) => ControlFlow::Break(
                Error::new(
                    Fault::Invalid,
                    format!("placeholder {name:?} cannot stand here"),
                )
                .with_hint("A parameter stands where a value or an expression may stand."),
            ),
            _ => ControlFlow::Continue(()),
        }
    }
}

fn unsupported(placeholder: &str) -> Error {
    let shown: String = placeholder.chars().take(63).collect();
    Error::new(
        Fault::Invalid,
        format!("placeholder {shown:?} is not supported"),
    )
    .with_hint("Write $1, $2, … or $name, with letters, digits and underscores.")
}

fn not_a_name(name: &str) -> Error {
    let shown: String = name.chars().take(63).collect();
    Error::new(
        Fault::Invalid,
        format!("parameter {shown:?} is not a valid name"),
    )
    .with_hint("A name is made of at most 63 letters, digits and underscores, without the $.")
}

/// A value as an error quotes it.
fn shown(value: &Value) -> String {
    const SHOWN_CHARS: usize = 40;
    let text = serde_json::to_string(value).unwrap_or_default();
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::dialect::DatabricksDialect;
    use datafusion::sql::sqlparser::parser::Parser;

    use super::*;

    fn given(json: &str) -> Parameters {
        let values: BTreeMap<String, Value> = serde_json::from_str(json).expect("values");
        values
            .into_iter()
            .map(|(name, value)| {
                let (name, kind) = match name.split_once(':') {
                    Some((name, kind)) => (name.to_owned(), Some(kind.parse().expect("a kind"))),
                    None => (name, None),
                };
                (name, Parameter { kind, value })
            })
            .collect()
    }

    fn bound(sql: &str, json: &str) -> Result<String> {
        // A dialect that has versions of tables.
        let mut statement = Parser::parse_sql(&DatabricksDialect {}, sql)
            .expect("parses")
            .remove(0);
        bind(&mut statement, &given(json))?;
        Ok(statement.to_string())
    }

    #[test]
    fn values_become_literals_wherever_an_expression_stands() {
        for (sql, json, expected) in [
            ("SELECT $a", r#"{"a": "it's"}"#, "SELECT 'it''s'"),
            (
                "SELECT $1, $2",
                r#"{"1": -5, "2": true}"#,
                "SELECT -5, true",
            ),
            ("SELECT $a", r#"{"a": null}"#, "SELECT NULL"),
            (
                "SELECT $a",
                r#"{"a": 99999999999999999999.5}"#,
                "SELECT CAST('99999999999999999999.5' AS DECIMAL(21,1))",
            ),
            (
                "SELECT $a",
                r#"{"a:decimal": "-0.05"}"#,
                "SELECT CAST('-0.05' AS DECIMAL(2,2))",
            ),
            (
                "SELECT $a",
                r#"{"a:date": "2024-02-29"}"#,
                "SELECT CAST('2024-02-29' AS DATE)",
            ),
            (
                "SELECT $a",
                r#"{"a:timestamp": "2024-01-01T01:00:00.5+01:00"}"#,
                "SELECT arrow_cast('2024-01-01T00:00:00.500000Z', 'Timestamp(Microsecond, Some(\"UTC\"))')",
            ),
            (
                "SELECT 1 FROM t WHERE a IN ($l, 'z') LIMIT $n",
                r#"{"l": ["x", "y"], "n": 3}"#,
                "SELECT 1 FROM t WHERE a IN ('x', 'y', 'z') LIMIT 3",
            ),
            ("SELECT $l", r#"{"l": [1, null]}"#, "SELECT ARRAY[1, NULL]"),
            (
                "SELECT INTERVAL $n DAY",
                r#"{"n:integer": "30"}"#,
                "SELECT INTERVAL 30 DAY",
            ),
            (
                "SELECT INTERVAL $n DAY",
                r#"{"n:integer": null}"#,
                "SELECT CAST(NULL AS INTERVAL)",
            ),
            (
                "SELECT 1 FROM t VERSION AS OF $v",
                r#"{"v": 3}"#,
                "SELECT 1 FROM t VERSION AS OF 3",
            ),
            (
                "SELECT 1 FROM t TIMESTAMP AS OF $at",
                r#"{"at:timestamp": "2024-01-01T00:00:00Z"}"#,
                "SELECT 1 FROM t TIMESTAMP AS OF '2024-01-01T00:00:00.000000Z'",
            ),
        ] {
            assert_eq!(bound(sql, json).expect(sql), expected);
        }
    }

    #[test]
    fn errors_name_their_parameter() {
        for (sql, json, expected) in [
            ("SELECT $a", "{}", "parameter \"a\" has no value"),
            (
                "SELECT $a",
                r#"{"a": 1, "b": 1}"#,
                "parameter \"b\" is not in the statement",
            ),
            (
                "SELECT $a",
                r#"{"a:date": "2024-02-30"}"#,
                "parameter \"a\" is not a date: \"2024-02-30\"",
            ),
            (
                "SELECT $a",
                r#"{"a:integer": 9223372036854775808}"#,
                "parameter \"a\" is not an integer: 9223372036854775808",
            ),
            (
                "SELECT $a",
                r#"{"a:text": 5}"#,
                "parameter \"a\" is not text: 5",
            ),
            (
                "SELECT $a",
                r#"{"a": [[1]]}"#,
                "parameter \"a\" is not a value: [1]",
            ),
            (
                "SELECT $a",
                r#"{"a:timestamp": "2024-01-01T00:00:00"}"#,
                "parameter \"a\" is not a timestamp: \"2024-01-01T00:00:00\"",
            ),
            (
                "SELECT $a",
                r#"{"a;b": 1}"#,
                "parameter \"a;b\" is not a valid name",
            ),
            ("SELECT ?", "{}", "placeholder \"?\" is not supported"),
            ("SELECT :a", "{}", "placeholder \":a\" is not supported"),
        ] {
            let error = bound(sql, json).expect_err(sql);
            assert_eq!(
                (error.fault(), error.message()),
                (Fault::Invalid, expected),
                "{sql}"
            );
        }
    }

    #[test]
    fn kinds_are_strict() {
        for (kind, good, bad) in [
            (
                "date",
                &["2024-05-31", "0001-01-01"][..],
                &["2024-5-31", "+2024-05-1", "24-05-31", "2024-05-31T00", ""][..],
            ),
            (
                "timestamp",
                &["2024-05-31T00:00:00Z", "2016-12-31T23:59:60Z"],
                &[
                    "2024-05-31",
                    "2024-05-31T00:00:00",
                    "2024-05-31T00:00:00.0000001Z",
                ],
            ),
            (
                "integer",
                &["0", "-9223372036854775808"],
                &["1.0", "1e3", " 1", "", "9223372036854775808"],
            ),
            (
                "number",
                &["1", "-1.5", "1e-3"],
                &["NaN", "inf", "1e999", "", "0x1"],
            ),
            (
                "decimal",
                &["1", "-1.50", "0.000"],
                &["1.", ".5", "1e3", "--1", "", "NaN"],
            ),
            ("boolean", &["true", "false"], &["yes", "1", "TRUE", ""]),
        ] {
            let kind: ParameterKind = kind.parse().expect("a kind");
            let is =
                |text: &&str| Literal::of("a", Some(kind), &Value::Text((*text).into())).is_ok();
            assert!(good.iter().all(is), "{kind}");
            assert!(!bad.iter().any(is), "{kind}");
        }
    }

    #[test]
    fn what_parameters_put_in_is_bounded() {
        let list: Vec<String> = (0..6_000).map(|n| n.to_string()).collect();
        let json = format!("{{\"l\": [{}]}}", list.join(","));
        assert!(bound("SELECT 1 WHERE 1 IN ($l)", &json).is_ok());
        let error = bound("SELECT 1 WHERE 1 IN ($l) OR 2 IN ($l)", &json).expect_err("12,000");
        assert_eq!(
            error.message(),
            "limit \"parameter_entries\" is 10000, asked for 12000"
        );
        let long = "x".repeat(limits::PARAMETER_BYTES / 2 + 1);
        let error = bound("SELECT $a, $a", &format!("{{\"a\": \"{long}\"}}")).expect_err("bytes");
        assert!(error.message().starts_with("limit \"parameter_bytes\""));
    }
}
