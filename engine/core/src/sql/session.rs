//! The one file that builds a `SessionContext`: a session for one query of one manufacturer, over one snapshot of each
//! table that the query names. Nothing else is registered in it, so there is nothing else to reach.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::catalog::{CatalogProvider, MemoryCatalogProvider};
use datafusion::common::TableReference;
use datafusion::datasource::ViewTable;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::context::SessionState;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::prelude::{SQLOptions, SessionConfig, SessionContext};
use datafusion::sql::parser::Statement;

use super::answer::Plan;
use super::function::QueryPlugins;
use super::functions;
use super::gate::Gated;
use super::views::VIEWS;
use crate::catalog::{OrderedSchema, SnapshotProvider};
use crate::classify::classify;
use crate::fault::{Error, Fault, Result};
use crate::manufacturer::ManufacturerId;
use crate::model::{TABLES, Table};
use crate::store::Snapshot;

/// The name of the one catalog of every session.
const CATALOG: &str = "tributary";

/// What every session starts from.
pub struct Sessions {
    base: SessionState,
}

/// The names that a statement uses.
pub struct Tables {
    /// Tables, those behind views included.
    pub tables: Vec<&'static Table>,
    views: Vec<usize>,
}

impl Sessions {
    /// Sessions that share one runtime: its memory, its disk, its cache of file footers.
    pub fn new(runtime: Arc<RuntimeEnv>, threads: usize) -> Result<Self> {
        let mut config = SessionConfig::new()
            .with_target_partitions(threads)
            .with_create_default_catalog_and_schema(false)
            .with_information_schema(true);
        config.options_mut().execution.parquet.enable_page_index = true;
        config.options_mut().sql_parser.dialect = datafusion::config::Dialect::Generic;
        let mut base = SessionStateBuilder::new()
            .with_config(config)
            .with_runtime_env(runtime)
            .with_default_features()
            .build();
        functions::register(&mut base).map_err(classify)?;
        Ok(Self { base })
    }

    /// Which tables a statement needs, so that only their snapshots are taken.
    pub fn tables(&self, manufacturer: &ManufacturerId, statement: &Gated) -> Result<Tables> {
        let mut named = self.references(&statement.statement)?;
        // `FROM generate_series(…)` names a function, which looks like a table here.
        named.retain(|name| !self.base.table_functions().contains_key(name.table()));
        if let Some(foreign) = named.iter().find(|name| !is_own(name, manufacturer)) {
            return Err(missing(&foreign.to_string()));
        }
        let everything = named.iter().any(is_catalog) || names_no_table(&statement.statement);
        let mut names: BTreeSet<String> = named
            .iter()
            .filter(|name| !is_catalog(name))
            .map(|name| name.table().to_owned())
            .collect();
        if everything {
            names.extend(VIEWS.iter().map(|view| view.name.to_owned()));
            names.extend(TABLES.iter().map(|table| table.name.to_owned()));
        }
        let mut views = Vec::new();
        for (position, view) in VIEWS.iter().enumerate().rev() {
            if names.remove(view.name) {
                let inner = self.parse(view.sql)?;
                names.extend(
                    self.references(&inner)?
                        .iter()
                        .map(|name| name.table().to_owned()),
                );
                views.push(position);
            }
        }
        views.reverse();
        let tables = names
            .iter()
            .map(|name| Table::named(name).ok_or_else(|| missing(name)));
        Ok(Tables {
            tables: tables.collect::<Result<_>>()?,
            views,
        })
    }

    /// Plans a statement over these snapshots, with these plugins.
    pub async fn plan(
        &self,
        manufacturer: &ManufacturerId,
        statement: Gated,
        tables: Tables,
        snapshots: Vec<Arc<Snapshot>>,
        plugins: QueryPlugins,
    ) -> Result<Plan> {
        let freshness: BTreeMap<String, u64> = snapshots
            .iter()
            .map(|snapshot| {
                (
                    snapshot.table.name.to_owned(),
                    snapshot.version.unwrap_or_default(),
                )
            })
            .collect();
        let context = self
            .session(manufacturer, &tables, snapshots, &plugins)
            .await?;
        let state = context.state();
        let plan = state
            .statement_to_plan(statement.statement)
            .await
            .map_err(classify)?;
        read_only().verify_plan(&plan).map_err(|error| {
            Error::new(Fault::Denied, "statement is not read-only").with_source(error)
        })?;
        let physical = state.create_physical_plan(&plan).await.map_err(classify)?;
        Ok(Plan::new(physical, context.task_ctx(), freshness, plugins))
    }

    async fn session(
        &self,
        manufacturer: &ManufacturerId,
        tables: &Tables,
        snapshots: Vec<Arc<Snapshot>>,
        plugins: &QueryPlugins,
    ) -> Result<SessionContext> {
        let config = self
            .base
            .config()
            .clone()
            .with_default_catalog_and_schema(CATALOG, manufacturer.as_str());
        let state = SessionStateBuilder::new_from_existing(self.base.clone())
            .with_session_id(uuid::Uuid::now_v7().to_string())
            .with_config(config)
            .with_catalog_list(Arc::new(
                datafusion::catalog::MemoryCatalogProviderList::new(),
            ))
            .build();
        let schema = Arc::new(OrderedSchema::default());
        for snapshot in snapshots {
            let name = snapshot.table.name;
            schema.add(name, Arc::new(SnapshotProvider::new(snapshot)));
        }
        let catalog = MemoryCatalogProvider::new();
        catalog
            .register_schema(manufacturer.as_str(), Arc::clone(&schema) as _)
            .map_err(classify)?;
        let context = SessionContext::new_with_state(state);
        context.register_catalog(CATALOG, Arc::new(catalog));
        for function in plugins.functions() {
            context.register_udf(function);
        }
        for position in &tables.views {
            let view = &VIEWS[*position];
            let plan = context
                .state()
                .statement_to_plan(self.parse(view.sql)?)
                .await
                .map_err(|error| Error::internal(format!("plan view \"{}\"", view.name), error))?;
            let table = ViewTable::new(plan, Some(view.sql.to_owned()));
            schema.add(view.name, Arc::new(table));
        }
        Ok(context)
    }

    fn parse(&self, sql: &str) -> Result<Statement> {
        let dialect = self.base.config().options().sql_parser.dialect;
        self.base.sql_to_statement(sql, &dialect).map_err(classify)
    }

    fn references(&self, statement: &Statement) -> Result<Vec<TableReference>> {
        self.base
            .resolve_table_references(statement)
            .map_err(classify)
    }
}

/// Whether a name, as far as it is qualified, stays within the session. What lies outside does not exist.
fn is_own(name: &TableReference, manufacturer: &ManufacturerId) -> bool {
    let catalog = name.catalog().is_none_or(|catalog| catalog == CATALOG);
    let schema = name
        .schema()
        .is_none_or(|schema| schema == manufacturer.as_str());
    catalog && (schema || is_catalog(name))
}

fn is_catalog(name: &TableReference) -> bool {
    name.schema() == Some("information_schema")
}

/// SHOW TABLES and its like list everything.
fn names_no_table(statement: &Statement) -> bool {
    use datafusion::sql::sqlparser::ast::Statement as Sql;
    matches!(statement, Statement::Statement(inner)
        if matches!(inner.as_ref(), Sql::ShowTables { .. } | Sql::ShowColumns { .. } | Sql::ExplainTable { .. }))
}

fn missing(name: &str) -> Error {
    let names: Vec<&str> = TABLES
        .iter()
        .map(|table| table.name)
        .chain(VIEWS.iter().map(|view| view.name))
        .collect();
    Error::new(Fault::Missing, format!("table {name:?} does not exist"))
        .with_hint(format!("The tables and views are {}.", names.join(", ")))
}

fn read_only() -> SQLOptions {
    SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false)
}
