//! The engine in this process: each method of the [`Engine`] trait reads as its pipeline.

mod admitting;
mod deciding;
mod dependents;
mod explaining;
mod judging;
mod measuring;
mod plugging;
mod saving;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::mpsc::UnboundedSender;
use tributary_plugins_host::Compiler;

use crate::attributes;
use crate::control::Control;
use crate::engine::{
    Act, Activate, Answer, Body, Decide, Decided, Declare, Declared, Engine, Explain, Explanation,
    Import, ImportProgress, Imported, Ingest, Issued, LogLine, NewToken, OfPlugin, OfToken,
    PluginDetails, PluginDiff, PluginVersion, Principal, Query, Receipt, Token, Upload,
};
use crate::fault::{Error, Fault, Result};
use crate::folder;
use crate::import::{Job, Mapping};
use crate::ingest;
use crate::limits;
use crate::manufacturer::ManufacturerId;
use crate::model::{Semantics, TABLES, Table};
use crate::plugins::Registry;
use crate::principal::Scope;
use crate::saved::{Named, Run, Save, Saved, SavedKind};
use crate::settings::Settings;
use crate::sql::{self, Gated, Library, NativeFunctions, Plan, Sessions, Tables, When};
use crate::store::{Snapshot, Store};

use deciding::Turns;

/// How to open a database.
#[derive(Clone, Default)]
pub struct Options {
    /// The data folder; created where it does not exist.
    pub data: PathBuf,
    /// Threads that queries may use; one for each core where absent.
    pub threads: Option<usize>,
    /// Bytes that queries may hold before they spill or fail; the engine's own limit where absent.
    pub query_memory_bytes: Option<usize>,
    /// What compiles plugins; this process does where absent.
    pub compiler: Option<Arc<dyn Compiler>>,
    /// Functions of the process that embeds the engine.
    pub native: NativeFunctions,
}

/// A database on this machine.
pub struct Database {
    control: Arc<Control>,
    store: Arc<Store>,
    registry: Arc<Registry>,
    turns: Turns,
    sessions: Arc<Sessions>,
    first_token: Option<String>,
    /// CPU work runs here, away from the threads that serve sockets.
    threads: Option<Runtime>,
}

impl Database {
    /// Opens a data folder, or makes an empty one into one.
    pub async fn open(options: Options) -> Result<Arc<Self>> {
        folder::prepare(&options.data)?;
        let threads = options.threads.unwrap_or_else(|| {
            std::thread::available_parallelism().map_or(2, std::num::NonZero::get)
        });
        let memory = options.query_memory_bytes;
        let runtime = runtime_env(&options.data, memory.unwrap_or(limits::QUERY_MEMORY_BYTES))?;
        let control = Control::open(&options.data.join("control.sqlite")).await?;
        let store = Arc::new(Store::new(&options.data, &runtime));
        for manufacturer in control.manufacturers().await? {
            store.open(&manufacturer)?;
        }
        Ok(Arc::new(Self {
            first_token: control.first_token().await?,
            control: Arc::new(control),
            store,
            registry: Arc::new(Registry::new(plugging::compiler(
                &options.data,
                options.compiler,
            )?)?),
            turns: Turns::default(),
            sessions: Arc::new(Sessions::new(runtime, threads, options.native)?),
            threads: Some(worker_threads(threads)?),
        }))
    }

    /// The operator's token, known only to the process that made it: the first start on a data folder.
    #[must_use]
    pub fn first_token(&self) -> Option<&str> {
        self.first_token.as_deref()
    }

    fn threads(&self) -> &Handle {
        self.threads
            .as_ref()
            .expect("threads are taken only when dropped")
            .handle()
    }

    /// Answers a statement of somebody who was let in.
    async fn answered(&self, query: Query) -> Result<Answer> {
        let started = Instant::now();
        let scope = query.principal.scope();
        let statement = Gated::parse(&query.sql, &query.parameters)?;
        check_explains(&statement, &scope)?;
        let statement = self.expanded(&query.manufacturer, statement).await?;
        let library = self
            .library(&query.manufacturer, &scope, &statement)
            .await?;
        let longest = Duration::from_secs(limits::QUERY_SECONDS);
        let deadline = query.deadline.map_or(longest, |asked| asked.min(longest));
        let plan = self
            .planned(&query.manufacturer, scope, statement, library, deadline)
            .await?;
        Ok(Answer {
            schema: plan.schema(),
            freshness: plan.freshness(),
            frames: sql::stream(
                plan,
                self.threads(),
                started,
                deadline,
                self.after(query.manufacturer),
            ),
        })
    }

    /// The states that a statement reads, in order.
    async fn snapshots(
        &self,
        manufacturer: &ManufacturerId,
        tables: &Tables,
    ) -> Result<Vec<Arc<Snapshot>>> {
        let mut snapshots = Vec::with_capacity(tables.states.len());
        for state in &tables.states {
            snapshots.push(match state.when {
                When::Now => self.store.snapshot(manufacturer, state.table).await?,
                When::At(at) => {
                    self.store
                        .snapshot_at(manufacturer, state.table, at)
                        .await?
                }
                When::Then(at_us) => {
                    let table = state.table;
                    self.store.snapshot_then(manufacturer, table, at_us).await?
                }
            });
        }
        Ok(snapshots)
    }

    /// Plans a statement over one snapshot of each table that it needs.
    async fn planned(
        &self,
        manufacturer: &ManufacturerId,
        scope: Scope,
        statement: Gated,
        library: Library,
        deadline: Duration,
    ) -> Result<Plan> {
        let plugins = self.called(manufacturer, &library).await?;
        let tables = self
            .sessions
            .tables(manufacturer, scope, &statement, library)?;
        let snapshots = self.snapshots(manufacturer, &tables).await?;
        let settings = self.control.own_settings(manufacturer).await?;
        let sessions = Arc::clone(&self.sessions);
        let manufacturer = manufacturer.clone();
        let plan = self.threads().spawn(async move {
            sessions
                .plan(
                    &manufacturer,
                    statement,
                    tables,
                    snapshots,
                    plugins,
                    &settings,
                )
                .await
        });
        tokio::time::timeout(deadline, plan)
            .await
            .map_err(|_| sql::too_long(deadline))?
            .map_err(|panic| Error::internal("plan query", panic))?
    }
}

#[async_trait]
impl Engine for Database {
    async fn authenticate(&self, token: &str) -> Result<Principal> {
        let principal = self.control.principal(token).await?;
        principal.ok_or_else(|| {
            Error::new(Fault::Unauthenticated, "token is not valid")
                .with_hint("Send the header \"Authorization: Bearer <token>\".")
        })
    }

    async fn issue_token(&self, new: NewToken) -> Result<Issued> {
        self.issued(new).await
    }

    async fn tokens(
        &self,
        principal: &Principal,
        manufacturer: &ManufacturerId,
    ) -> Result<Vec<Token>> {
        self.permit(principal, manufacturer, Act::Tokens).await?;
        self.control.tokens(manufacturer).await
    }

    async fn revoke_token(&self, of: OfToken) -> Result<Token> {
        self.revoked(of).await
    }

    async fn rotate_token(&self, of: OfToken) -> Result<Issued> {
        self.rotated(of).await
    }

    async fn query(&self, query: Query) -> Result<Answer> {
        self.permit(&query.principal, &query.manufacturer, Act::Query)
            .await?;
        self.answered(query).await
    }

    async fn ingest(&self, ingest: Ingest, body: Body) -> Result<Receipt> {
        let table = writable(&ingest.table)?;
        self.may_ingest(&ingest.principal, &ingest.manufacturer)
            .await?;
        let model = self.store.model(&ingest.manufacturer, table).await?;
        let decoded = ingest::decode(Arc::clone(&model), &ingest.reading, ingest.on_error, body);
        let (rows, rejected) = (decoded.rows, Arc::clone(&decoded.rejected));
        let store = Arc::clone(&self.store);
        let manufacturer = ingest.manufacturer.clone();
        let write = self
            .threads()
            .spawn(async move { store.write(&manufacturer, model, rejected, rows).await });
        let written = write
            .await
            .map_err(|panic| Error::internal("store rows", panic))
            .flatten()
            .inspect_err(|_| self.store.leave(&ingest.manufacturer))?;
        let rejected = decoded.rejected.count();
        // Last, so that rows which were refused leave no manufacturer behind.
        let created = self.control.add_manufacturer(&ingest.manufacturer).await?;
        if table.name == "leads" {
            self.decide_after_commit(&ingest.manufacturer).await;
        }
        Ok(Receipt {
            manufacturer: ingest.manufacturer,
            table: table.name.to_string(),
            rows_in: written.rows_in + rejected,
            accepted: written.rows_in,
            rejected,
            inserted: written.inserted,
            updated: written.updated,
            unchanged: written.unchanged,
            table_version: written.version,
            created_manufacturer: created,
            read_as: decoded.read_as.get().cloned().unwrap_or_default(),
        })
    }

    async fn import(
        &self,
        import: Import,
        progress: UnboundedSender<ImportProgress>,
    ) -> Result<Imported> {
        if import.principal != Principal::Operator {
            return Err(Error::new(Fault::Denied, "only the operator imports"));
        }
        let mapping = Mapping::parse(&import.mapping)?;
        let (sessions, store) = (Arc::clone(&self.sessions), Arc::clone(&self.store));
        let dry_run = import.dry_run;
        let work = self.threads().spawn(async move {
            let job = Job {
                name: &import.name,
                text: &import.mapping,
                mapping,
                folder: &import.folder,
                manufacturer: import.manufacturer,
                on_error: import.on_error,
                progress,
            };
            if !dry_run {
                return job.run(&sessions, &store, &store).await;
            }
            let scratch = tempfile::tempdir()
                .map_err(|error| Error::internal("create folder for dry run", error))?;
            let runtime = runtime_env(scratch.path(), limits::QUERY_MEMORY_BYTES)?;
            let empty = Store::new(scratch.path(), &runtime);
            job.run(&sessions, &store, &empty).await
        });
        let outcome = work
            .await
            .map_err(|panic| Error::internal("import", panic))??;
        if !dry_run {
            for table in &outcome.tables {
                self.control.add_manufacturer(&table.manufacturer).await?;
            }
            for table in outcome.tables.iter().filter(|each| each.table == "leads") {
                self.decide_after_commit(&table.manufacturer).await;
            }
        }
        Ok(Imported {
            import_id: (!dry_run).then_some(outcome.id),
            tables: outcome.tables,
            unread: outcome.unread,
            rejects: outcome.rejects,
        })
    }

    async fn declare(&self, declare: Declare) -> Result<Declared> {
        let table = writable(&declare.table)?;
        let manufacturer = &declare.manufacturer;
        self.permit(&declare.principal, manufacturer, Act::Declare)
            .await?;
        let model = self.store.model(manufacturer, table).await?;
        let missing = attributes::missing(&model, &declare.attributes)?;
        if !missing.is_empty() {
            self.store
                .add_columns(manufacturer, table, &missing)
                .await?;
        }
        let snapshot = self.store.snapshot(manufacturer, table).await?;
        Ok(attributes::declared(&snapshot.table, snapshot.version))
    }

    async fn upload(&self, upload: Upload) -> Result<PluginVersion> {
        self.uploaded(upload).await
    }

    async fn activate(&self, activate: Activate) -> Result<PluginVersion> {
        self.activated(activate).await
    }

    async fn rollback(&self, of: OfPlugin) -> Result<PluginVersion> {
        self.rolled_back(of).await
    }

    async fn plugin(&self, of: OfPlugin) -> Result<PluginDetails> {
        self.permit(&of.principal, &of.manufacturer, Act::ReadPlugins)
            .await?;
        self.registry.details(&self.control, &of).await
    }

    async fn plugin_diff(&self, of: OfPlugin, from: String, to: String) -> Result<PluginDiff> {
        self.permit(&of.principal, &of.manufacturer, Act::ReadPlugins)
            .await?;
        self.registry.diff(&self.control, &of, &from, &to).await
    }

    async fn plugin_log(&self, of: OfPlugin) -> Result<Vec<LogLine>> {
        self.logged(of).await
    }

    async fn decide(&self, decide: Decide) -> Result<Vec<Decided>> {
        self.decided(decide).await
    }

    async fn explain(&self, explain: Explain) -> Result<Explanation> {
        self.explained(explain).await
    }

    async fn plugins(
        &self,
        principal: &Principal,
        manufacturer: &ManufacturerId,
    ) -> Result<Vec<PluginVersion>> {
        self.permit(principal, manufacturer, Act::ReadPlugins)
            .await?;
        self.registry.list(&self.control, manufacturer).await
    }

    async fn put(&self, save: Save) -> Result<Saved> {
        self.save(save).await
    }

    async fn saved(&self, named: Named) -> Result<Saved> {
        self.found(named).await
    }

    async fn delete(&self, named: Named) -> Result<Saved> {
        self.removed(named).await
    }

    async fn list(
        &self,
        principal: &Principal,
        manufacturer: &ManufacturerId,
        kind: SavedKind,
    ) -> Result<Vec<Saved>> {
        self.listed(principal, manufacturer, kind).await
    }

    async fn run(&self, run: Run) -> Result<Answer> {
        self.ran(run).await
    }

    async fn settings(
        &self,
        principal: &Principal,
        manufacturer: &ManufacturerId,
    ) -> Result<Settings> {
        self.permit(principal, manufacturer, Act::ReadSettings)
            .await?;
        self.control.own_settings(manufacturer).await
    }

    async fn set(
        &self,
        principal: &Principal,
        manufacturer: &ManufacturerId,
        settings: Settings,
    ) -> Result<Settings> {
        self.permit(principal, manufacturer, Act::ChangeSettings)
            .await?;
        let settings = settings.checked()?;
        self.control.set(manufacturer, &settings).await?;
        let detail = format!(
            "fiscal year from month {}, {} holidays",
            settings.fiscal_start_month,
            settings.holidays.len()
        );
        self.control
            .audit(manufacturer, principal, "set", "settings", &detail)
            .await?;
        Ok(settings)
    }

    async fn manufacturers(&self, principal: &Principal) -> Result<Vec<ManufacturerId>> {
        match principal {
            Principal::Operator => self.control.manufacturers().await,
            Principal::Member(member) => Ok(vec![member.manufacturer.clone()]),
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some(threads) = self.threads.take() {
            threads.shutdown_background();
        }
    }
}

/// Plans tell how many rows there are that a distributor does not see.
fn check_explains(statement: &Gated, scope: &Scope) -> Result<()> {
    if *scope == Scope::Whole || !statement.explains() {
        return Ok(());
    }
    Err(
        Error::new(Fault::Denied, "a distributor's token may not EXPLAIN")
            .with_hint("Send the statement itself."),
    )
}

fn writable(name: &str) -> Result<&'static Arc<Table>> {
    let names = || {
        let open = TABLES
            .iter()
            .filter(|table| table.semantics != Semantics::Engine);
        let names: Vec<&str> = open.map(|table| table.name.as_ref()).collect();
        format!("Rows are taken by {}.", names.join(", "))
    };
    match Table::named(name) {
        Some(table) if table.semantics == Semantics::Engine => Err(Error::new(
            Fault::Denied,
            format!("table \"{name}\" is written by the engine only"),
        )
        .with_hint(names())),
        Some(table) => Ok(table),
        None => {
            let shown: String = name.chars().take(63).collect();
            Err(
                Error::new(Fault::Missing, format!("table {shown:?} does not exist"))
                    .with_hint(names()),
            )
        }
    }
}

fn runtime_env(data: &Path, memory_bytes: usize) -> Result<Arc<RuntimeEnv>> {
    let spill = data.join("spill");
    let disk = DiskManagerBuilder::default()
        .with_mode(DiskManagerMode::Directories(vec![spill.clone()]))
        .with_max_temp_directory_size(limits::SPILL_BYTES);
    std::fs::create_dir_all(&spill)
        .map_err(|error| folder::unusable("create spill folder".to_owned(), error))?;
    RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(FairSpillPool::new(memory_bytes)))
        .with_disk_manager_builder(disk)
        .build_arc()
        .map_err(|error| Error::internal("start query runtime", error))
}

/// Threads for queries. Their stacks are deep, because plans and sandboxed calls nest.
fn worker_threads(threads: usize) -> Result<Runtime> {
    const STACK_BYTES: usize = 8 << 20;
    Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_stack_size(STACK_BYTES)
        .thread_name("tributary-query")
        .enable_all()
        .build()
        .map_err(|error| Error::internal("start query threads", error))
}
