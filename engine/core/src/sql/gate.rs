//! Which statements may be planned at all: one, read-only, and small enough for the planner.
//!
//! DataFusion's planner recurses over the statement and cannot be interrupted, so size and shape are bounded before it
//! sees the text. Only what is on the list of statement kinds passes.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast::{
    AccessExpr, Expr, Ident, ObjectName, ObjectNamePart, Statement as SqlStatement, TableFactor,
    Visit, Visitor, visit_expressions_mut,
};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use super::compare;
use super::dialect::Analyst;
use super::parameters::bind;
use super::relations::Relations;
use super::scored;
use super::travel::{self, Past};
use crate::classify::classify;
use crate::fault::{Error, Fault, Result};
use crate::limits;
use crate::metric::Metrics;
use crate::parameter::Parameters;
use crate::store::At;

/// A statement that passed the gate.
pub struct Gated {
    pub(super) statement: Statement,
    pub(super) past: Past,
    calls: BTreeSet<(String, String)>,
}

impl Gated {
    /// Parses one read-only statement and puts the values of its parameters in.
    pub fn parse(sql: &str, parameters: &Parameters) -> Result<Self> {
        let dialect = Analyst;
        if sql.len() > limits::SQL_BYTES {
            return Err(too_complex("sql_bytes", limits::SQL_BYTES, sql.len()));
        }
        let tokens = Tokenizer::new(&dialect, sql)
            .tokenize()
            .map_err(|error| Error::new(Fault::Syntax, error.to_string()))?;
        check_shape(&tokens)?;
        let mut statements = DFParserBuilder::new(sql)
            .with_dialect(&dialect)
            .with_recursion_limit(limits::SQL_DEPTH)
            .build()
            .and_then(|mut parser| parser.parse_statements())
            .map_err(classify)?;
        let statement = match (statements.pop_front(), statements.is_empty()) {
            (Some(statement), true) => statement,
            (None, _) => {
                return Err(
                    Error::new(Fault::Syntax, "statement is empty").with_hint("Send one SELECT.")
                );
            }
            (Some(_), false) => {
                return Err(Error::new(Fault::Invalid, "more than one statement")
                    .with_hint("Send one statement at a time."));
            }
        };
        let mut gated = Self {
            statement: allow(statement)?,
            past: Past::new(),
            calls: BTreeSet::new(),
        };
        if let Some(statement) = inner(&mut gated.statement) {
            bind(statement, parameters)?;
        }
        gated.name_past_states()?;
        gated.join_function_names();
        let relations = Relations::of(&gated.statement);
        check_bounds(&[
            ("sql_relations", limits::SQL_RELATIONS, relations.named),
            (
                "sql_relations_expanded",
                limits::SQL_RELATIONS_EXPANDED,
                relations.expanded,
            ),
        ])?;
        Ok(gated)
    }

    /// The same statement over its tables as they were at an instant, but for those of which it names a state itself.
    pub(super) fn reading_as_of(mut self, at: At) -> Result<Self> {
        if let Some(statement) = inner(&mut self.statement) {
            self.past.extend(travel::rename_as_of(statement, at)?);
        }
        Ok(self)
    }

    /// Whether it compares: calls `compare()` or `scorecard()`.
    pub fn compares(&self) -> bool {
        match &self.statement {
            Statement::Statement(inner) => compare::is_called(inner.as_ref()),
            Statement::Explain(explain) => match explain.statement.as_ref() {
                Statement::Statement(inner) => compare::is_called(inner.as_ref()),
                _ => false,
            },
            _ => false,
        }
    }

    /// With comparisons written out: what `compare()` and `scorecard()` stand for.
    pub fn expanded(mut self, metrics: &Metrics) -> Result<Self> {
        let Some(statement) = inner(&mut self.statement) else {
            return Ok(self);
        };
        if compare::expand(statement, metrics)? {
            // A metric may name past states and plugins, too.
            self.past.extend(travel::rename(statement)?);
            self.join_function_names();
        }
        Ok(self)
    }

    /// Whether it is a SELECT, and not an explanation or a list of what there is.
    pub fn is_select(&self) -> bool {
        matches!(&self.statement, Statement::Statement(inner) if matches!(inner.as_ref(), SqlStatement::Query(_)))
    }

    /// Whether it asks how a statement is answered, and not for an answer.
    pub const fn explains(&self) -> bool {
        matches!(&self.statement, Statement::Explain(_))
    }

    /// Plugin functions that are called: plugin, then function.
    pub const fn calls(&self) -> &BTreeSet<(String, String)> {
        &self.calls
    }

    /// Gives every past state of a table a name of its own.
    fn name_past_states(&mut self) -> Result<()> {
        if let Some(statement) = inner(&mut self.statement) {
            self.past = travel::rename(statement)?;
        }
        Ok(())
    }

    /// Makes `plugin.function(…)` one lower-case name, quoted or not, as functions are registered.
    fn join_function_names(&mut self) {
        let calls = &mut self.calls;
        let Some(statement) = inner(&mut self.statement) else {
            return;
        };
        let _ = visit_expressions_mut(statement, |expr| {
            calls.extend(join_name(expr));
            ControlFlow::<()>::Continue(())
        });
        let _ = statement.visit(&mut ScoredCalls(calls));
    }
}

/// Collects the functions that `scored(…)` names.
struct ScoredCalls<'a>(&'a mut BTreeSet<(String, String)>);

impl Visitor for ScoredCalls<'_> {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        self.0.extend(scored::called(factor));
        ControlFlow::Continue(())
    }
}

/// The placeholders of a text, without their `$`; nothing where it is no SQL at all.
pub fn placeholders(sql: &str) -> BTreeSet<String> {
    let tokens = Tokenizer::new(&Analyst, sql).tokenize().unwrap_or_default();
    let names = tokens.into_iter().filter_map(|token| match token {
        Token::Placeholder(name) => name.strip_prefix('$').map(str::to_owned),
        _ => None,
    });
    names.collect()
}

/// The statement itself, or the one that EXPLAIN explains.
fn inner(statement: &mut Statement) -> Option<&mut SqlStatement> {
    match statement {
        Statement::Statement(statement) => Some(statement),
        Statement::Explain(explain) => inner(&mut explain.statement),
        _ => None,
    }
}

/// Joins the name of one call; the answer is the plugin and its function.
fn join_name(expr: &mut Expr) -> Option<(String, String)> {
    match expr {
        Expr::Function(function) => {
            let [
                ObjectNamePart::Identifier(plugin),
                ObjectNamePart::Identifier(name),
            ] = function.name.0.as_slice()
            else {
                return None;
            };
            let called = (folded(plugin), folded(name));
            function.name = joined(plugin, name);
            Some(called)
        }
        // The parser reads `plugin.function(…)['field']` as access to a column named like the plugin.
        Expr::CompoundFieldAccess { root, access_chain } => {
            let Expr::Identifier(plugin) = root.as_ref() else {
                return None;
            };
            let Some(AccessExpr::Dot(Expr::Function(function))) = access_chain.first() else {
                return None;
            };
            let [ObjectNamePart::Identifier(name)] = function.name.0.as_slice() else {
                return None;
            };
            let called = (folded(plugin), folded(name));
            let mut function = function.clone();
            function.name = joined(plugin, name);
            access_chain.remove(0);
            **root = Expr::Function(function);
            Some(called)
        }
        _ => None,
    }
}

fn joined(plugin: &Ident, name: &Ident) -> ObjectName {
    let joined = format!("{}.{}", folded(plugin), folded(name));
    ObjectName(vec![ObjectNamePart::Identifier(Ident::with_quote(
        '"', joined,
    ))])
}

fn folded(ident: &Ident) -> String {
    match ident.quote_style {
        Some(_) => ident.value.clone(),
        None => ident.value.to_ascii_lowercase(),
    }
}

fn allow(statement: Statement) -> Result<Statement> {
    let allowed = match &statement {
        Statement::Statement(inner) => matches!(
            inner.as_ref(),
            SqlStatement::Query(_)
                | SqlStatement::ShowTables { .. }
                | SqlStatement::ShowColumns { .. }
                | SqlStatement::ExplainTable { .. }
        ),
        Statement::Explain(explain) => matches!(
            explain.statement.as_ref(),
            Statement::Statement(inner) if matches!(inner.as_ref(), SqlStatement::Query(_))
        ),
        _ => false,
    };
    if allowed {
        return Ok(statement);
    }
    let text = statement.to_string();
    let kind: String = text
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .chars()
        .take(20)
        .collect();
    Err(Error::new(
        Fault::Denied,
        format!("statement {} is not allowed", kind.to_uppercase()),
    )
    .with_hint(
        "SQL is read-only: SELECT, EXPLAIN, SHOW TABLES, SHOW COLUMNS and DESCRIBE <table> are answered.",
    ))
}

/// Counts what makes the planner slow or deep.
fn check_shape(tokens: &[Token]) -> Result<()> {
    let tokens = tokens
        .iter()
        .filter(|token| !matches!(token, Token::Whitespace(_)));
    let (mut count, mut operators, mut joins, mut sets) = (0, 0, 0, 0);
    let (mut depth, mut deepest) = (0_usize, 0);
    for token in tokens {
        count += 1;
        match token {
            Token::LParen | Token::LBracket | Token::LBrace => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            Token::RParen | Token::RBracket | Token::RBrace => depth = depth.saturating_sub(1),
            Token::Word(word) => match word.keyword {
                Keyword::JOIN => joins += 1,
                Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT | Keyword::MINUS => sets += 1,
                keyword if OPERATOR_WORDS.contains(&keyword) => operators += 1,
                _ => {}
            },
            token if is_operand(token) => {}
            // Whatever else the tokenizer knows, today or tomorrow, stands between two operands.
            _ => operators += 1,
        }
    }
    let bounds = [
        ("sql_tokens", limits::SQL_TOKENS, count),
        ("sql_operators", limits::SQL_OPERATORS, operators),
        ("sql_joins", limits::SQL_JOINS, joins),
        ("sql_set_operations", limits::SQL_JOINS, sets),
        ("sql_depth", limits::SQL_DEPTH, deepest),
    ];
    check_bounds(&bounds)
}

fn check_bounds(bounds: &[(&str, usize, usize)]) -> Result<()> {
    let broken = bounds.iter().find(|(_, limit, asked)| asked > limit);
    broken.map_or(Ok(()), |(name, limit, asked)| {
        Err(too_complex(name, *limit, *asked))
    })
}

/// Words that combine or wrap expressions.
const OPERATOR_WORDS: [Keyword; 18] = [
    Keyword::AND,
    Keyword::AT,
    Keyword::BETWEEN,
    Keyword::CASE,
    Keyword::CAST,
    Keyword::DIV,
    Keyword::ILIKE,
    Keyword::IS,
    Keyword::LIKE,
    Keyword::NOT,
    Keyword::OR,
    Keyword::OVERLAPS,
    Keyword::REGEXP,
    Keyword::RLIKE,
    Keyword::SIMILAR,
    Keyword::TRY_CAST,
    Keyword::WHEN,
    Keyword::XOR,
];

/// Whether a token is a value, or only separates them.
const fn is_operand(token: &Token) -> bool {
    matches!(
        token,
        Token::Number(..)
            | Token::SingleQuotedString(_)
            | Token::DoubleQuotedString(_)
            | Token::DollarQuotedString(_)
            | Token::EscapedStringLiteral(_)
            | Token::NationalStringLiteral(_)
            | Token::HexStringLiteral(_)
            | Token::Placeholder(_)
            | Token::Comma
            | Token::Period
            | Token::SemiColon
            | Token::EOF
    )
}

fn too_complex(name: &str, limit: usize, asked: usize) -> Error {
    Error::new(
        Fault::TooComplex,
        format!("limit \"{name}\" is {limit}, asked for {asked}"),
    )
    .with_hint("Split the statement, or write long lists as IN (…) or VALUES.")
}
