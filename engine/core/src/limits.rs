//! Every bound of the engine, with its unit in the name.

/// Bytes of one ingest request, as they arrive.
pub const INGEST_BODY_BYTES: u64 = 4 << 30;
/// Bytes of one field of an ingested row.
pub const INGEST_FIELD_BYTES: usize = 1 << 20;
/// Bytes of one ingest request after decoding.
pub const INGEST_DECODED_BYTES: u64 = 8 << 30;
/// Bytes that one CSV record may span: a quote that never closes must not take the whole file into memory.
pub const CSV_RECORD_BYTES: usize = 16 << 20;
/// Rows of one ingested Parquet file.
pub const INGEST_PARQUET_ROWS: u64 = 200_000_000;
/// Columns of an ingested file.
pub const INGEST_COLUMNS: usize = 2_000;
/// Rows of one decoded batch.
pub const INGEST_BATCH_ROWS: usize = 8_192;
/// Bytes of one decoded batch, about.
pub const INGEST_BATCH_BYTES: usize = 64 << 20;
/// Bad rows that one error message describes.
pub const INGEST_ERRORS_SHOWN: usize = 10;
/// Rows of one append, whose keys are held in memory.
pub const APPEND_ROWS: u64 = 50_000_000;
/// Rows of an upsert, which is held in memory.
pub const UPSERT_ROWS: usize = 20_000_000;

/// Rows of one Parquet file.
pub const FILE_ROWS: usize = 1 << 20;
/// Rows of one Parquet row group.
pub const ROW_GROUP_ROWS: usize = 1 << 16;
/// Commits after which a table's log is folded into a checkpoint.
pub const CHECKPOINT_COMMITS: u64 = 100;
/// Bytes of text that a file's log entry carries as a least or greatest value.
pub const STATISTICS_TEXT_BYTES: usize = 128;
/// Bytes read at the end of a file in the hope that they hold its footer.
pub const FOOTER_BYTES: usize = 64 << 10;
/// Tries of a commit against writers of other processes.
pub const COMMIT_TRIES: usize = 32;

/// Bytes of one SQL statement.
pub const SQL_BYTES: usize = 64 << 10;
/// Tokens of one SQL statement.
pub const SQL_TOKENS: usize = 20_000;
/// Operators of one SQL statement.
pub const SQL_OPERATORS: usize = 1_000;
/// Joins, and set operations, of one SQL statement.
pub const SQL_JOINS: usize = 64;
/// Tables that one SQL statement names.
pub const SQL_RELATIONS: usize = 128;
/// Tables that one SQL statement reads when every use of a common table expression is counted.
pub const SQL_RELATIONS_EXPANDED: usize = 1_024;
/// Nesting of brackets in one SQL statement.
pub const SQL_DEPTH: usize = 50;

/// Bytes that queries and sorts may hold before they spill or fail.
pub const QUERY_MEMORY_BYTES: usize = 2 << 30;
/// Bytes that one engine may spill to disk.
pub const SPILL_BYTES: u64 = 16 << 30;
/// Batches waiting between a query and its reader.
pub const ANSWER_BATCHES_WAITING: usize = 2;
/// Seconds after which a query is stopped.
pub const QUERY_SECONDS: u64 = 300;

/// Plugin versions of one manufacturer.
pub const PLUGIN_VERSIONS: i64 = 1_000;
/// Bytes of one uploaded plugin.
pub const PLUGIN_BYTES: usize = 4 << 20;
