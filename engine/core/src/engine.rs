//! The one door between the engine and its adapters: serialisable requests in, Arrow batches with a trailer out.
//!
//! HTTP and the command line see nothing else of the engine, so that it can move to another process.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::UnboundedSender;

use crate::fault::Result;
use crate::manufacturer::ManufacturerId;
use crate::parameter::Parameters;
pub use crate::plugin::{
    Activate, Activation, Applies, Decide, Decided, DecisionKind, Explain, Explanation, LogLine,
    OfPlugin, PluginDetails, PluginDiff, PluginVersion, Setup, Upload,
};
pub use crate::principal::{Act, Member, Principal, Role};
pub use crate::reading::{
    Compression, Dates, DecimalMark, Delimiter, Encoding, Format, Missing, OnError, ReadAs, Reading,
};
use crate::saved::{Named, Run, Save, Saved, SavedKind};
use crate::settings::Settings;
pub use crate::token::{Issued, NewToken, OfToken, Token};

/// The database as its adapters see it.
#[async_trait]
pub trait Engine: Send + Sync {
    /// Who holds this bearer token.
    async fn authenticate(&self, token: &str) -> Result<Principal>;

    /// Issues a bearer token of one manufacturer. Its secret is in this answer and nowhere else.
    async fn issue_token(&self, new: NewToken) -> Result<Issued>;

    /// The tokens of a manufacturer, oldest first, without their secrets.
    async fn tokens(
        &self,
        principal: &Principal,
        manufacturer: &ManufacturerId,
    ) -> Result<Vec<Token>>;

    /// Ends a token at once.
    async fn revoke_token(&self, of: OfToken) -> Result<Token>;

    /// Issues a token in the place of another, which ends at once.
    async fn rotate_token(&self, of: OfToken) -> Result<Issued>;

    /// Answers one read-only statement in the session of one manufacturer.
    async fn query(&self, query: Query) -> Result<Answer>;

    /// Stores the rows of one body in one table: one commit, all rows or none, unless bad rows are to be set aside.
    async fn ingest(&self, ingest: Ingest, body: Body) -> Result<Receipt>;

    /// Brings another system's export into the tables, by a mapping: all tables are published together, or nothing is.
    /// The operator only, since it reads files where the engine runs. `progress` is told how far it has come.
    async fn import(
        &self,
        import: Import,
        progress: UnboundedSender<ImportProgress>,
    ) -> Result<Imported>;

    /// Adds columns of its own to one of a manufacturer's tables; those that it has already stay as they are. With no
    /// columns to add, it only says which there are.
    async fn declare(&self, declare: Declare) -> Result<Declared>;

    /// Checks, compiles and keeps a plugin as a draft.
    async fn upload(&self, upload: Upload) -> Result<PluginVersion>;

    /// Puts one uploaded version in force, with its settings and the rules that decide about leads.
    async fn activate(&self, activate: Activate) -> Result<PluginVersion>;

    /// Puts in force again what was before: version, settings and rules.
    async fn rollback(&self, of: OfPlugin) -> Result<PluginVersion>;

    /// One version with everything that is known of it.
    async fn plugin(&self, of: OfPlugin) -> Result<PluginDetails>;

    /// How one version differs from another.
    async fn plugin_diff(&self, of: OfPlugin, from: String, to: String) -> Result<PluginDiff>;

    /// What happened to a plugin, newest last.
    async fn plugin_log(&self, of: OfPlugin) -> Result<Vec<LogLine>>;

    /// Applies the rules in force to leads and records what they decide.
    async fn decide(&self, decide: Decide) -> Result<Vec<Decided>>;

    /// Why a lead has the verdicts that it has: the same components, settings and data, asked again.
    async fn explain(&self, explain: Explain) -> Result<Explanation>;

    /// Every uploaded version, by name and time of upload.
    async fn plugins(
        &self,
        principal: &Principal,
        manufacturer: &ManufacturerId,
    ) -> Result<Vec<PluginVersion>>;

    /// Saves the next version of a view, a named query or a metric; the same content again is a no-op.
    async fn put(&self, save: Save) -> Result<Saved>;

    /// One view, named query or metric.
    async fn saved(&self, named: Named) -> Result<Saved>;

    /// Deletes a view, a named query or a metric; its versions stay.
    async fn delete(&self, named: Named) -> Result<Saved>;

    /// The views, the named queries or the metrics that there are, by name.
    async fn list(
        &self,
        principal: &Principal,
        manufacturer: &ManufacturerId,
        kind: SavedKind,
    ) -> Result<Vec<Saved>>;

    /// Answers a named query.
    async fn run(&self, run: Run) -> Result<Answer>;

    /// What a manufacturer has set for itself.
    async fn settings(
        &self,
        principal: &Principal,
        manufacturer: &ManufacturerId,
    ) -> Result<Settings>;

    /// Sets it; the answer is what holds from now on.
    async fn set(
        &self,
        principal: &Principal,
        manufacturer: &ManufacturerId,
        settings: Settings,
    ) -> Result<Settings>;

    /// The manufacturers that the principal may see, in order.
    async fn manufacturers(&self, principal: &Principal) -> Result<Vec<ManufacturerId>>;
}

/// One statement to answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Query {
    /// Who asks.
    pub principal: Principal,
    /// Whose tables.
    pub manufacturer: ManufacturerId,
    /// One read-only statement.
    pub sql: String,
    /// What its placeholders stand for.
    pub parameters: Parameters,
    /// Time after which the query is stopped; the engine's own limit where absent or longer.
    pub deadline: Option<Duration>,
}

/// The rows of an answer, as they come, and what is known before the first of them.
pub struct Answer {
    /// Names and types of the columns.
    pub schema: SchemaRef,
    /// The version of each table that the answer is computed from.
    pub freshness: BTreeMap<String, u64>,
    /// Batches, then exactly one [`Frame::End`]; an error ends the stream without it.
    pub frames: BoxStream<'static, Result<Frame>>,
}

/// One piece of an answer.
pub enum Frame {
    /// Some rows.
    Batch(RecordBatch),
    /// All rows have been sent.
    End(Trailer),
}

/// What is known after the last row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trailer {
    /// Rows sent.
    pub rows: u64,
    /// Time from the request to the last row.
    pub elapsed_us: u64,
    /// What the plugins of this query cost, by version.
    pub plugins: Vec<PluginReceipt>,
}

/// What one function of a plugin did in one query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginReceipt {
    /// Name of the plugin.
    pub plugin: String,
    /// Its version.
    pub version: String,
    /// Its function.
    pub function: String,
    /// SHA-256 of the component, as hex.
    pub digest: String,
    /// Hash of its settings, as hex.
    pub config_hash: String,
    /// Batches handed over.
    pub calls: u64,
    /// Rows handed over.
    pub rows: u64,
    /// Time inside the plugin, over all threads.
    pub elapsed_us: u64,
    /// Largest linear memory of one instance.
    pub memory_bytes_max: u64,
}

/// Rows for one table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ingest {
    /// Who sends.
    pub principal: Principal,
    /// Whose table; an operator's ingest creates the manufacturer.
    pub manufacturer: ManufacturerId,
    /// A table of the data model.
    pub table: String,
    /// How the body is written.
    pub reading: Reading,
    /// What becomes of it where rows are bad.
    pub on_error: OnError,
}

/// The bytes of a request, as they arrive.
pub type Body = BoxStream<'static, std::io::Result<Bytes>>;

/// What became of the rows of one ingest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Whose table.
    pub manufacturer: ManufacturerId,
    /// Which table.
    pub table: String,
    /// Rows in the body.
    pub rows_in: u64,
    /// Rows now in the table because of this request, new or changed or already there.
    pub accepted: u64,
    /// Rows that were bad and are set aside in the table `quarantine`.
    pub rejected: u64,
    /// Rows with a key that the table did not have.
    pub inserted: u64,
    /// Rows that gave a stored row other content.
    pub updated: u64,
    /// Rows that were there before with the same content, or that a later row of the same request replaced.
    pub unchanged: u64,
    /// Version of the table that has these rows.
    pub table_version: u64,
    /// Whether this request created the manufacturer.
    pub created_manufacturer: bool,
    /// How the body was read.
    pub read_as: ReadAs,
}

/// An export to import.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Import {
    /// Who imports.
    pub principal: Principal,
    /// The mapping's name, for the record.
    pub name: String,
    /// The mapping, a TOML document.
    pub mapping: String,
    /// Where the export's files are.
    pub folder: PathBuf,
    /// Whose rows they are, in place of the manufacturer that the mapping names.
    pub manufacturer: Option<ManufacturerId>,
    /// What becomes of bad rows.
    pub on_error: OnError,
    /// Whether it is only tried, against empty tables.
    pub dry_run: bool,
}

/// How far an import has come with one table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportProgress {
    /// Manufacturer and table.
    pub table: String,
    /// Rows that its statement has made so far.
    pub rows: u64,
}

/// What became of an import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// Its id, as in the table `imports`; absent where it was only tried.
    pub import_id: Option<String>,
    /// What each table got.
    pub tables: Vec<ImportedTable>,
    /// Columns that no statement reads.
    pub unread: Vec<Unread>,
    /// The first bad rows.
    pub rejects: Vec<Reject>,
}

/// What one table got of an import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedTable {
    /// Whose table.
    pub manufacturer: ManufacturerId,
    /// Which table.
    pub table: String,
    /// Rows that its statement made.
    pub rows_in: u64,
    /// Rows with a key that the table did not have.
    pub inserted: u64,
    /// Rows that gave a stored row other content.
    pub updated: u64,
    /// Rows that were there before with the same content.
    pub unchanged: u64,
    /// Rows that were set aside.
    pub rejected: u64,
}

/// Columns of one file that no statement of a mapping reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// The file's name in statements.
    pub source: String,
    /// The file.
    pub file: String,
    /// Its columns.
    pub columns: Vec<String>,
}

/// A row of an import that a table does not take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reject {
    /// Which table.
    pub table: String,
    /// Row of its statement, counted from 1.
    pub row: u64,
    /// The column whose value is bad; absent where the row as a whole is.
    pub column: Option<String>,
    /// Why.
    pub reason: String,
}

/// Columns that a manufacturer adds to a table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Declare {
    /// Who adds them.
    pub principal: Principal,
    /// Whose table.
    pub manufacturer: ManufacturerId,
    /// A table of the data model that takes rows.
    pub table: String,
    /// What it is to have.
    pub attributes: Vec<Attribute>,
}

/// A column of a manufacturer's own; any of its values may be NULL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attribute {
    /// Its name: a lower-case letter, then lower-case letters, digits and underscores.
    pub name: String,
    /// Type of its values, as [`crate::model::Kind::named`] spells it.
    pub kind: String,
}

/// The columns of its own that a manufacturer's table has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    /// Which table.
    pub table: String,
    /// Version of the table that has them; absent where nothing was ever written to it.
    pub table_version: Option<u64>,
    /// All of them, in the order in which they were added.
    pub attributes: Vec<Attribute>,
}
