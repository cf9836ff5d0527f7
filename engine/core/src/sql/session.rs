//! The one file that builds a `SessionContext`: a session for one query of one manufacturer, over one snapshot of each
//! table that the query names. Nothing else is registered in it, so there is nothing else to reach.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::catalog::{CatalogProvider, MemoryCatalogProvider, TableProvider};
use datafusion::common::TableReference;
use datafusion::datasource::ViewTable;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::context::SessionState;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::physical_plan::execute_stream;
use datafusion::prelude::{SQLOptions, SessionConfig, SessionContext};
use datafusion::sql::parser::Statement;
use futures::{StreamExt, TryStreamExt};

use super::answer::Plan;
use super::files::Files;
use super::frames::check_frames;
use super::function::QueryPlugins;
use super::functions::{self, NativeFunctions};
use super::gate::Gated;
use super::in_order::in_order;
use super::library::Library;
use super::optimizer;
use super::receipt::with_receipt;
use super::scored::{self, Scored};
use super::travel::{self, Past};
use super::views::VIEWS;
use crate::catalog::{OrderedSchema, is_there, needed, provide};
use crate::classify::classify;
use crate::fault::{Error, Fault, Result};
use crate::ingest::Rows;
use crate::manufacturer::ManufacturerId;
use crate::model::{TABLES, Table};
use crate::principal::Scope;
use crate::settings::Settings;
use crate::store::{At, Snapshot};

/// The name of the one catalog of every session.
const CATALOG: &str = "tributary";
/// The name of the one schema of a session over files.
const FILES: &str = "files";

/// What every session starts from.
pub struct Sessions {
    base: SessionState,
}

/// What a statement reads: the states of tables behind its names, and the views over them.
pub struct Tables {
    /// Whose rows of them.
    scope: Scope,
    /// States of tables, those behind views included.
    pub states: Vec<State>,
    /// Views, each after those that it reads.
    views: Vec<Planned>,
    library: Library,
}

/// One state of one table, under the name by which the statement knows it.
pub struct State {
    pub name: String,
    pub table: &'static Arc<Table>,
    /// Which state of it.
    pub when: When,
}

/// Which state of a table a statement reads.
#[derive(Clone, Copy)]
pub enum When {
    /// The newest one.
    Now,
    /// One that the statement asks for.
    At(At),
    /// What a view reads that is asked as of an instant, in microseconds since 1970.
    Then(i64),
}

/// A view that is to be planned under a name.
struct Planned {
    name: String,
    sql: &'static str,
    statement: Statement,
}

/// What names a table: the statement itself, or a view that it reads.
#[derive(Clone, Copy)]
pub(super) enum Behind {
    Statement,
    View,
}

impl Tables {
    const fn none(scope: Scope, library: Library) -> Self {
        Self {
            scope,
            states: Vec::new(),
            views: Vec::new(),
            library,
        }
    }

    fn has(&self, name: &str) -> bool {
        self.states.iter().any(|state| state.name == name)
            || self.views.iter().any(|view| view.name == name)
    }
}

impl Sessions {
    /// Sessions that share one runtime: its memory, its disk, its cache of file footers.
    pub fn new(runtime: Arc<RuntimeEnv>, threads: usize, native: NativeFunctions) -> Result<Self> {
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
            .with_optimizer_rules(optimizer::rules())
            .build();
        functions::register(&mut base).map_err(classify)?;
        native.register(&mut base).map_err(classify)?;
        Ok(Self { base })
    }

    /// Which tables a statement needs, so that only their snapshots are taken.
    pub fn tables(
        &self,
        manufacturer: &ManufacturerId,
        scope: Scope,
        statement: &Gated,
        library: Library,
    ) -> Result<Tables> {
        let named = self.named(statement)?;
        let mut behind = library.reads().map(|(reference, _, _)| reference);
        let is_foreign = |name: &&TableReference| !is_own(name, manufacturer);
        if let Some(foreign) = named
            .iter()
            .find(is_foreign)
            .or_else(|| behind.find(is_foreign))
        {
            return Err(self.missing(&foreign.to_string(), &scope));
        }
        drop(behind);
        let everything = named.iter().any(is_catalog) || names_no_table(&statement.statement);
        let own = named.iter().filter(|name| !is_catalog(name));
        let mut names: Vec<&str> = own.map(TableReference::table).collect();
        if everything {
            names.extend(self.listed(&scope));
        }
        let mut tables = Tables::none(scope, Library::default());
        for name in names {
            if !library.provides(name) {
                self.resolve(name, &statement.past, Behind::Statement, &mut tables)?;
            }
        }
        for (reference, past, behind) in library.reads() {
            if !library.provides(reference.table()) && !is_catalog(reference) {
                self.resolve(reference.table(), past, behind, &mut tables)?;
            }
        }
        tables.library = library;
        Ok(tables)
    }

    /// Finds what stands behind one name, and behind that.
    fn resolve(&self, name: &str, past: &Past, behind: Behind, found: &mut Tables) -> Result<()> {
        if found.has(name) {
            return Ok(());
        }
        check_past(past.get(name).map(|(_, at)| *at), &found.scope)?;
        let (named, at) = match past.get(name) {
            Some((table, at)) => (table.as_str(), Some(*at)),
            None => (name, None),
        };
        if !self.is_there(named, &found.scope) {
            return Err(self.missing(named, &found.scope));
        }
        if let Some(table) = Table::named(named) {
            for needed in needed(named, &found.scope) {
                self.resolve(needed, &Past::new(), behind, found)?;
            }
            let name = name.to_owned();
            let when = match (at, behind) {
                (None, _) => When::Now,
                (Some(At::Instant(us)), Behind::View) => When::Then(us),
                (Some(at), _) => When::At(at),
            };
            found.states.push(State { name, table, when });
            return Ok(());
        }
        let view = VIEWS.iter().find(|view| view.name == named);
        let view = view.ok_or_else(|| self.missing(named, &found.scope))?;
        let mut statement = self.parse(view.sql)?;
        let past = match at {
            Some(At::Version(_)) => return Err(no_versions(named)),
            Some(at) => as_of(&mut statement, at)?,
            None => Past::new(),
        };
        for reference in self.references(&statement)? {
            self.resolve(reference.table(), &past, Behind::View, found)?;
        }
        found.views.push(Planned {
            name: name.to_owned(),
            sql: view.sql,
            statement,
        });
        Ok(())
    }

    /// Whether a name is one of a table or a shipped view that is there: a view is where all that it reads is.
    fn is_there(&self, name: &str, scope: &Scope) -> bool {
        if Table::named(name).is_some() {
            return is_there(name, scope);
        }
        let Some(view) = VIEWS.iter().find(|view| view.name == name) else {
            return false;
        };
        let reads = self.parse(view.sql);
        let reads = reads.and_then(|statement| self.references(&statement));
        reads.is_ok_and(|reads| {
            let mut reads = reads.iter().map(TableReference::table);
            reads.all(|name| self.is_there(name, scope))
        })
    }

    /// The tables and shipped views that are there.
    fn listed(&self, scope: &Scope) -> Vec<&'static str> {
        let tables = TABLES.iter().map(|table| table.name.as_ref());
        let names = tables.chain(VIEWS.iter().map(|view| view.name));
        names.filter(|name| self.is_there(name, scope)).collect()
    }

    fn missing(&self, name: &str, scope: &Scope) -> Error {
        let names = self.listed(scope);
        Error::new(Fault::Missing, format!("table {name:?} does not exist"))
            .with_hint(format!("The tables and views are {}.", names.join(", ")))
    }

    /// The tables and views that a statement names.
    pub(super) fn named(&self, statement: &Gated) -> Result<Vec<TableReference>> {
        let mut named = self.references(&statement.statement)?;
        // `FROM generate_series(…)` names a function, which looks like a table here.
        named.retain(|name| {
            name.table() != scored::NAME && !self.base.table_functions().contains_key(name.table())
        });
        Ok(named)
    }

    /// Whether a statement lists what there is, so that everything has to be there.
    pub fn lists(&self, statement: &Gated) -> Result<bool> {
        Ok(names_no_table(&statement.statement) || self.named(statement)?.iter().any(is_catalog))
    }

    /// Plans a statement over these snapshots, with these plugins.
    pub async fn plan(
        &self,
        manufacturer: &ManufacturerId,
        statement: Gated,
        tables: Tables,
        snapshots: Vec<Arc<Snapshot>>,
        plugins: QueryPlugins,
        settings: &Settings,
    ) -> Result<Plan> {
        let freshness = freshness(&tables, &snapshots);
        let is_whole = tables.scope == Scope::Whole;
        let context = self
            .session(manufacturer, tables, snapshots, &plugins, settings)
            .await?;
        let state = context.state();
        let plan = state
            .statement_to_plan(statement.statement)
            .await
            .map_err(classify)?;
        read_only().verify_plan(&plan).map_err(|error| {
            Error::new(Fault::Denied, "statement is not read-only").with_source(error)
        })?;
        check_frames(&plan)?;
        let mut physical = state.create_physical_plan(&plan).await.map_err(classify)?;
        if !is_whole {
            physical = in_order(physical).map_err(classify)?;
        }
        let physical = with_receipt(physical, &plugins).map_err(classify)?;
        Ok(Plan::new(physical, context.task_ctx(), freshness, plugins))
    }

    async fn session(
        &self,
        manufacturer: &ManufacturerId,
        tables: Tables,
        snapshots: Vec<Arc<Snapshot>>,
        plugins: &QueryPlugins,
        settings: &Settings,
    ) -> Result<SessionContext> {
        let mut config = self
            .base
            .config()
            .clone()
            .with_default_catalog_and_schema(CATALOG, manufacturer.as_str());
        let is_whole = tables.scope == Scope::Whole;
        if !is_whole {
            // One after the other, so that the order of rows is the same each time.
            config = config.with_target_partitions(1);
        }
        let state = SessionStateBuilder::new_from_existing(self.base.clone())
            .with_session_id(uuid::Uuid::now_v7().to_string())
            .with_config(config)
            .with_catalog_list(Arc::new(
                datafusion::catalog::MemoryCatalogProviderList::new(),
            ))
            .with_relation_planners(vec![Arc::new(Scored::new(plugins.clone()))])
            .build();
        let schema = Arc::new(OrderedSchema::default());
        let names = tables.states.iter().map(|state| state.name.clone());
        let states = names.zip(snapshots).collect();
        for (name, provider) in provide(states, &tables.scope)? {
            schema.add(&name, provider);
        }
        let catalog = MemoryCatalogProvider::new();
        catalog
            .register_schema(manufacturer.as_str(), Arc::clone(&schema) as _)
            .map_err(classify)?;
        let context = SessionContext::new_with_state(state);
        context.register_catalog(CATALOG, Arc::new(catalog));
        for function in functions::of_settings(settings) {
            context.register_udf(function);
        }
        for function in plugins.functions() {
            context.register_udf(function);
        }
        for aggregate in plugins.aggregates() {
            context.register_udaf(aggregate);
        }
        for view in tables.views {
            let plan = context
                .state()
                .statement_to_plan(view.statement)
                .await
                .map_err(|error| Error::internal(format!("plan view \"{}\"", view.name), error))?;
            let table = ViewTable::new(plan, is_whole.then(|| view.sql.to_owned()));
            schema.add(&view.name, Arc::new(table));
        }
        tables.library.register(&context, &schema, is_whole).await?;
        Ok(context)
    }

    /// Those rows of a new state of leads that an old state does not have in the same way, as far as these columns tell:
    /// `lead_id` and others, in that order.
    pub async fn changed(
        &self,
        manufacturer: &ManufacturerId,
        new: Arc<Snapshot>,
        old: Option<Arc<Snapshot>>,
        columns: &[String],
    ) -> Result<Rows> {
        let columns: Vec<String> = columns.iter().map(|name| format!("\"{name}\"")).collect();
        let columns = columns.join(", ");
        let mut sql = format!("SELECT {columns} FROM new");
        let mut states = vec![("new", new)];
        if let Some(old) = old.filter(|old| !old.files.is_empty()) {
            sql.push_str(&format!(" EXCEPT SELECT {columns} FROM old"));
            states.push(("old", old));
        }
        let (tables, snapshots): (Vec<State>, Vec<Arc<Snapshot>>) = states
            .into_iter()
            .map(|(name, snapshot)| {
                let table = Table::named("leads").expect("the data model has leads");
                let state = State {
                    name: name.to_owned(),
                    table,
                    when: When::Now,
                };
                (state, snapshot)
            })
            .unzip();
        let tables = Tables {
            states: tables,
            ..Tables::none(Scope::Whole, Library::default())
        };
        let context = self
            .session(
                manufacturer,
                tables,
                snapshots,
                &QueryPlugins::default(),
                &Settings::default(),
            )
            .await?;
        let state = context.state();
        let plan = state
            .statement_to_plan(self.parse(&sql)?)
            .await
            .map_err(classify)?;
        let physical = state.create_physical_plan(&plan).await.map_err(classify)?;
        let rows = execute_stream(physical, context.task_ctx()).map_err(classify)?;
        Ok(rows.map_err(classify).boxed())
    }

    /// A session over the files of an import. Names are as the files have them, whatever their case, and rows come in
    /// the order of the files, so that a row of a statement has a number.
    pub fn over_files(&self, files: Vec<(String, Arc<dyn TableProvider>)>) -> Result<Files> {
        let mut config = self
            .base
            .config()
            .clone()
            .with_target_partitions(1)
            .with_information_schema(false)
            .with_default_catalog_and_schema(CATALOG, FILES);
        config.options_mut().sql_parser.enable_ident_normalization = false;
        let state = SessionStateBuilder::new_from_existing(self.base.clone())
            .with_session_id(uuid::Uuid::now_v7().to_string())
            .with_config(config)
            .with_catalog_list(Arc::new(
                datafusion::catalog::MemoryCatalogProviderList::new(),
            ))
            .build();
        let schema = Arc::new(OrderedSchema::default());
        for (name, file) in files {
            schema.add(&name, file);
        }
        let catalog = MemoryCatalogProvider::new();
        catalog.register_schema(FILES, schema).map_err(classify)?;
        let context = SessionContext::new_with_state(state);
        context.register_catalog(CATALOG, Arc::new(catalog));
        Ok(Files::new(context))
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

/// The version of each table, for those to whom every commit may be known.
fn freshness(tables: &Tables, snapshots: &[Arc<Snapshot>]) -> BTreeMap<String, u64> {
    if tables.scope != Scope::Whole {
        return BTreeMap::new();
    }
    let versions = snapshots
        .iter()
        .map(|snapshot| snapshot.version.unwrap_or_default());
    let names = tables.states.iter().map(|state| state.name.clone());
    names.zip(versions).collect()
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

/// Makes a view's statement read its tables as of an instant.
fn as_of(statement: &mut Statement, at: At) -> Result<Past> {
    match statement {
        Statement::Statement(inner) => travel::rename_as_of(inner, at),
        _ => Ok(Past::new()),
    }
}

pub(super) fn no_versions(view: &str) -> Error {
    Error::new(
        Fault::Invalid,
        format!("view \"{view}\" has no versions of its own"),
    )
    .with_hint("Ask for an instant: a view TIMESTAMP AS OF reads its tables as they were then.")
}

/// A past state is told by versions and instants that all commits share, other distributors' among them.
fn check_past(at: Option<At>, scope: &Scope) -> Result<()> {
    match (at, scope) {
        (Some(_), Scope::Distributor(_)) => Err(Error::new(
            Fault::Denied,
            "a distributor reads tables as they are now",
        )
        .with_hint("Leave VERSION AS OF and TIMESTAMP AS OF out.")),
        _ => Ok(()),
    }
}

pub(super) fn read_only() -> SQLOptions {
    SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false)
}
