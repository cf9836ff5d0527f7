//! The one door between the engine and its adapters: serialisable requests in, Arrow batches with a trailer out.
//!
//! HTTP and the command line see nothing else of the engine, so that it can move to another process.

use std::collections::BTreeMap;
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};

use crate::fault::Result;
use crate::manufacturer::ManufacturerId;

/// The database as its adapters see it.
#[async_trait]
pub trait Engine: Send + Sync {
    /// Who holds this bearer token.
    async fn authenticate(&self, token: &str) -> Result<Principal>;

    /// Issues a bearer token for one manufacturer; only the operator may. The token is shown once.
    async fn issue_token(
        &self,
        principal: &Principal,
        manufacturer: ManufacturerId,
    ) -> Result<String>;

    /// Answers one read-only statement in the session of one manufacturer.
    async fn query(&self, query: Query) -> Result<Answer>;

    /// Stores the rows of one body in one table: one commit, all rows or none.
    async fn ingest(&self, ingest: Ingest, body: Body) -> Result<Receipt>;

    /// Checks, compiles and keeps a plugin as a draft.
    async fn upload(&self, upload: Upload) -> Result<PluginVersion>;

    /// Makes one uploaded version the one that SQL calls.
    async fn activate(&self, activate: Activate) -> Result<PluginVersion>;

    /// Every uploaded version, by name and time of upload.
    async fn plugins(
        &self,
        principal: &Principal,
        manufacturer: &ManufacturerId,
    ) -> Result<Vec<PluginVersion>>;

    /// The manufacturers that the principal may see, in order.
    async fn manufacturers(&self, principal: &Principal) -> Result<Vec<ManufacturerId>>;
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Principal {
    /// Runs the installation; may see and do everything.
    Operator,
    /// Belongs to one manufacturer and sees nothing else.
    Manufacturer(ManufacturerId),
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

/// What one plugin did in one query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginReceipt {
    /// Name of the plugin.
    pub plugin: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of the component, as hex.
    pub digest: String,
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
    pub format: Format,
}

/// How an ingested body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// RFC 4180, UTF-8, with a header row; an empty field is NULL.
    Csv,
    /// Apache Parquet.
    Parquet,
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
    /// Rows refused. Always 0 today: one bad row refuses the request.
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
}

/// A plugin to keep as a draft.
#[derive(Clone, Debug)]
pub struct Upload {
    /// Who uploads.
    pub principal: Principal,
    /// Whose plugin.
    pub manufacturer: ManufacturerId,
    /// The component.
    pub wasm: Bytes,
}

/// Which version SQL is to call.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Activate {
    /// Who activates.
    pub principal: Principal,
    /// Whose plugin.
    pub manufacturer: ManufacturerId,
    /// Name of the plugin.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// One uploaded version of a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginVersion {
    /// Name of the plugin: the part before the dot in SQL.
    pub name: String,
    /// Semantic version, from the plugin's own manifest.
    pub version: String,
    /// SHA-256 of the component, as hex.
    pub digest: String,
    /// Size of the component.
    pub bytes: u64,
    /// Functions as SQL calls them, with their argument and result types.
    pub functions: Vec<String>,
    /// When it was uploaded, RFC 3339.
    pub uploaded_at: String,
    /// Whether SQL calls this version.
    pub active: bool,
}
