//! `FROM compare('metric', …)` and `FROM scorecard('2024-Q3')`: a call becomes the SELECT that it stands for, before anything
//! else looks at the statement, so that time travel, policies and plans treat it like any other.

mod call;
mod options;
mod reference;
mod scorecard;
mod select;

use std::ops::ControlFlow;

use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast::{
    Ident, Query, Statement as SqlStatement, TableAlias, TableFactor, Visit, VisitMut, Visitor,
    VisitorMut,
};

use super::dialect::Analyst;
use crate::classify::classify;
use crate::fault::{Error, Fault, Result};
use crate::limits;
use crate::metric::Metrics;

use call::Call;
pub use reference::entries;

/// The names of the table functions.
pub const NAMES: [&str; 2] = ["compare", "scorecard"];

/// Puts the SELECTs in, and says whether there was a call.
pub fn expand(statement: &mut SqlStatement, metrics: &Metrics) -> Result<bool> {
    let mut expander = Expander {
        metrics,
        calls: 0,
        failed: None,
    };
    let _ = VisitMut::visit(statement, &mut expander);
    match expander.failed {
        Some(error) => Err(error),
        None => Ok(expander.calls > 0),
    }
}

/// Whether a statement calls one of them.
pub fn is_called(statement: &SqlStatement) -> bool {
    Visit::visit(statement, &mut Finder).is_break()
}

struct Finder;

impl Visitor for Finder {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        match Call::of(factor) {
            Ok(None) => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        }
    }
}

struct Expander<'a> {
    metrics: &'a Metrics,
    calls: usize,
    failed: Option<Error>,
}

impl Expander<'_> {
    fn replaced(&mut self, factor: &TableFactor) -> Result<Option<TableFactor>> {
        let Some(call) = Call::of(factor)? else {
            return Ok(None);
        };
        self.calls += 1;
        if self.calls > limits::COMPARISONS {
            return Err(Error::limit("comparisons", limits::COMPARISONS, self.calls));
        }
        let sql = match call.name {
            "compare" => select::select(&call, self.metrics)?,
            _ => scorecard::select(&call, self.metrics)?,
        };
        let mut query = parse(&sql)?;
        // A scorecard is made of comparisons.
        let _ = VisitMut::visit(&mut query, self);
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let alias = call.alias.unwrap_or_else(|| TableAlias {
            explicit: true,
            name: Ident::new(call.name),
            columns: Vec::new(),
            at: None,
        });
        Ok(Some(TableFactor::Derived {
            lateral: false,
            subquery: Box::new(query),
            alias: Some(alias),
            sample: None,
        }))
    }
}

impl VisitorMut for Expander<'_> {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        match self.replaced(factor) {
            Ok(Some(derived)) => *factor = derived,
            Ok(None) => {}
            Err(error) => {
                self.failed = Some(error);
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }
}

/// A SELECT of our own, or a metric's.
fn parse(sql: &str) -> Result<Query> {
    let mut statements = DFParserBuilder::new(sql)
        .with_dialect(&Analyst)
        .with_recursion_limit(limits::SQL_DEPTH)
        .build()
        .and_then(|mut parser| parser.parse_statements())
        .map_err(classify)?;
    match statements.pop_front() {
        Some(Statement::Statement(inner)) => match *inner {
            SqlStatement::Query(query) => Ok(*query),
            _ => Err(Error::new(Fault::Invalid, "a metric is one SELECT")),
        },
        _ => Err(Error::new(Fault::Invalid, "a metric is one SELECT")),
    }
}
