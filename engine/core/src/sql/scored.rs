//! `FROM scored((SELECT …), 'plugin.function')`: the rows, and beside each what a score or a rule says of it.
//!
//! Arguments are bound by name: the function's argument `industry` is the column `industry` of the rows.

use std::fmt;

use datafusion::common::{Column, DFSchema};
use datafusion::error::{DataFusionError, Result};
use datafusion::functions::core::expr_fn::get_field;
use datafusion::logical_expr::planner::{
    PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning,
};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::sql::sqlparser::ast::{
    self, FunctionArg, FunctionArgExpr, Ident, ObjectNamePart, Query, TableAlias, TableFactor,
    Value,
};
use tributary_plugins_host::{Function, Kind};

use super::binding::bind;
use super::function::QueryPlugins;
use crate::fault::{Error, Fault};

/// The name of the table function.
pub const NAME: &str = "scored";
/// Holds a rule's result until its fields are columns.
const JUDGEMENT: &str = "judgement@scored";

/// The plugin function that a relation asks for, if it is `scored(…)`: plugin, then function.
pub fn called(factor: &TableFactor) -> Option<(String, String)> {
    let (_, function) = arguments(factor)?.ok()?;
    let (plugin, function) = function.split_once('.')?;
    Some((plugin.to_owned(), function.to_owned()))
}

/// The two arguments of `scored(…)`; nothing where the relation is something else.
fn arguments(factor: &TableFactor) -> Option<Result<(&Query, String)>> {
    let TableFactor::Table {
        name,
        args: Some(args),
        ..
    } = factor
    else {
        return None;
    };
    let [ObjectNamePart::Identifier(name)] = name.0.as_slice() else {
        return None;
    };
    if !name.value.eq_ignore_ascii_case(NAME) {
        return None;
    }
    let read = |arg: &'_ FunctionArg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
        _ => None,
    };
    let usage = || {
        told(
            Error::new(Fault::Invalid, "scored takes rows and the name of a function")
                .with_hint("Write scored((SELECT * FROM leads), 'plugin.function'), with the SELECT in brackets of its own."),
        )
    };
    let [
        FunctionArg::Unnamed(FunctionArgExpr::Expr(ast::Expr::Subquery(rows))),
        function,
    ] = args.args.as_slice()
    else {
        return Some(Err(usage()));
    };
    match read(function) {
        Some(ast::Expr::Value(value)) => match value.value {
            Value::SingleQuotedString(function) => Some(Ok((rows, function))),
            _ => Some(Err(usage())),
        },
        _ => Some(Err(usage())),
    }
}

/// Plans `scored(…)` with the plugins of one query.
#[derive(Clone)]
pub struct Scored {
    plugins: QueryPlugins,
}

impl Scored {
    pub const fn new(plugins: QueryPlugins) -> Self {
        Self { plugins }
    }

    fn plan(&self, input: LogicalPlan, function: &str) -> Result<LogicalPlan> {
        let Some((called, udf)) = self.plugins.function(function) else {
            return Err(told(
                Error::new(
                    Fault::Invalid,
                    format!("{function:?} is no score and no rule of an active plugin"),
                )
                .with_hint("Write it as 'plugin.function'. An aggregate is called in a SELECT."),
            ));
        };
        let manifest = called.in_force.plugin.manifest();
        let known = manifest.functions.iter();
        let declared = known
            .filter(|known| function.ends_with(&format!(".{}", known.name)))
            .find(|known| function == format!("{}.{}", manifest.name, known.name))
            .ok_or_else(|| DataFusionError::Internal(format!("no function {function}")))?;
        let schema = input.schema();
        let arguments = arguments_of(function, declared, schema)?;
        let outputs = outputs(declared);
        check_free(function, &outputs, schema)?;
        let rows: Vec<Expr> = schema
            .iter()
            .map(|(qualifier, field)| Expr::Column(Column::from((qualifier, field))))
            .collect();
        let call = udf.call(arguments);
        let builder = LogicalPlanBuilder::from(input);
        match declared.kind {
            Kind::Rule => {
                let judged = rows.iter().cloned().chain([call.alias(JUDGEMENT)]);
                let field = |name: &String| {
                    let judgement = Expr::Column(Column::new_unqualified(JUDGEMENT));
                    get_field(judgement, name.as_str()).alias(name)
                };
                let fields: Vec<Expr> = outputs.iter().map(field).collect();
                builder
                    .project(judged)?
                    .project(rows.into_iter().chain(fields))?
                    .build()
            }
            _ => {
                let name = outputs.first().map_or("score", String::as_str).to_owned();
                builder
                    .project(rows.into_iter().chain([call.alias(name)]))?
                    .build()
            }
        }
    }
}

impl RelationPlanner for Scored {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        let Some(arguments) = arguments(&relation) else {
            return Ok(RelationPlanning::Original(Box::new(relation)));
        };
        let (rows, function) = arguments?;
        let input = context.plan(TableFactor::Derived {
            lateral: false,
            subquery: Box::new(rows.clone()),
            alias: None,
            sample: None,
        })?;
        let plan = self.plan(input, &function)?;
        let alias = match relation {
            TableFactor::Table {
                alias: Some(alias), ..
            } => alias,
            _ => TableAlias {
                explicit: true,
                name: Ident::new(NAME),
                columns: Vec::new(),
                at: None,
            },
        };
        Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(
            plan,
            Some(alias),
        ))))
    }
}

impl fmt::Debug for Scored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scored")
    }
}

/// The columns that a function adds to the rows.
fn outputs(function: &Function) -> Vec<String> {
    match function.kind {
        Kind::Rule => ["verdict", "reasons"]
            .into_iter()
            .map(str::to_owned)
            .chain(function.returns.iter().map(|field| field.name.clone()))
            .collect(),
        _ => vec!["score".to_owned()],
    }
}

/// The columns that the function's arguments name. Those that are missing, or of another type, are told all at once.
fn arguments_of(name: &str, function: &Function, schema: &DFSchema) -> Result<Vec<Expr>> {
    let columns = schema.fields().iter();
    let columns = columns.map(|field| (field.name().as_str(), field.data_type()));
    let bound = bind(function, columns).map_err(|wrong| {
        told(
            Error::new(
                Fault::Invalid,
                format!("the rows do not fit the arguments of \"{name}\": {wrong}"),
            )
            .with_hint("Name columns after the arguments in the SELECT: SELECT *, answer AS money FROM leads."),
        )
    })?;
    let column = |at: usize| Expr::Column(Column::from(schema.qualified_field(at)));
    Ok(bound.into_iter().map(column).collect())
}

fn check_free(name: &str, outputs: &[String], schema: &DFSchema) -> Result<()> {
    let taken = outputs
        .iter()
        .find(|output| schema.iter().any(|(_, field)| field.name() == *output));
    match taken {
        None => Ok(()),
        Some(output) => Err(told(
            Error::new(
                Fault::Invalid,
                format!("the rows have a column \"{output}\", which \"{name}\" adds"),
            )
            .with_hint("Rename it, or leave it out of the SELECT."),
        )),
    }
}

fn told(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
