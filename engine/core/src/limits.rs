//! Every bound of the engine, with its unit in the name.

/// Bytes of one ingest request, as they arrive.
pub const INGEST_BODY_BYTES: u64 = 4 << 30;
/// Bytes of one field of an ingested row.
pub const INGEST_FIELD_BYTES: usize = 1 << 20;
/// Bytes of one ingest request after decoding.
pub const INGEST_DECODED_BYTES: u64 = 8 << 30;
/// Bytes that one byte of a packed file may unpack to, once there are more than the free ones.
pub const INGEST_RATIO: u64 = 100;
/// Bytes that a file may unpack to however small it is.
pub const INGEST_RATIO_FREE_BYTES: u64 = 16 << 20;
/// Bytes of text that one byte of a Parquet or Arrow file may come to, once there are more than the free ones.
pub const INGEST_TEXT_RATIO: u64 = 1_000;
/// Bytes of text that a file may come to however small it is.
pub const INGEST_TEXT_FREE_BYTES: u64 = 64 << 20;
/// Power of two of the bytes that a Zstandard frame may look back to; the most that its own tool takes unasked.
pub const INGEST_ZSTD_WINDOW_LOG: u32 = 27;
/// Bytes of one unpacked page of an ingested Parquet file.
pub const INGEST_PAGE_BYTES: u64 = 128 << 20;
/// Bytes of one unpacked message of an ingested Arrow file or stream.
pub const INGEST_MESSAGE_BYTES: u64 = 512 << 20;
/// Bytes that one CSV record, or line of NDJSON, may span: a quote that never closes must not take the whole file into memory.
pub const CSV_RECORD_BYTES: usize = 16 << 20;
/// Rows of one ingested Parquet or Arrow file.
pub const INGEST_ROWS: u64 = 200_000_000;
/// Columns of an ingested file.
pub const INGEST_COLUMNS: usize = 2_000;
/// Rows of one decoded batch.
pub const INGEST_BATCH_ROWS: usize = 8_192;
/// Bytes of one decoded batch, about.
pub const INGEST_BATCH_BYTES: usize = 64 << 20;
/// Bad rows that one error message describes.
pub const INGEST_ERRORS_SHOWN: usize = 10;
/// Bad rows that one request may set aside.
pub const QUARANTINE_ROWS: usize = 100_000;
/// Bytes of all bad rows that one request may set aside.
pub const QUARANTINE_BYTES: usize = 64 << 20;
/// Bytes of a bad row that are kept of it.
pub const QUARANTINE_CONTENT_BYTES: usize = 4 << 10;
/// Columns of its own that a manufacturer may add to one table.
pub const ATTRIBUTES: usize = 200;
/// Rows of one append, whose keys are held in memory.
pub const APPEND_ROWS: u64 = 50_000_000;
/// Rows of an upsert, whose keys are held in memory.
pub const UPSERT_ROWS: u32 = 20_000_000;

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
/// Bytes of one mapping.
pub const MAPPING_BYTES: usize = 1 << 20;
/// Bad rows that the outcome of an import names.
pub const IMPORT_REJECTS_SHOWN: usize = 20;
/// Manufacturers that one import may write to.
pub const IMPORT_MANUFACTURERS: usize = 1_000;
/// Bytes of a source file that are read at once.
pub const SOURCE_CHUNK_BYTES: usize = 1 << 18;
/// Seconds that a write, or another import, waits for an import to end.
pub const IMPORT_WAIT_SECONDS: u64 = 10;
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
/// Parameters of one SQL statement.
pub const PARAMETERS: usize = 256;
/// Bytes of the name of a parameter.
pub const PARAMETER_NAME_BYTES: usize = 63;
/// Values that parameters put into one SQL statement, each entry of a list counted in each place: as many as a list
/// that is written out may have.
pub const PARAMETER_ENTRIES: usize = 10_000;
/// Bytes that parameters put into one SQL statement.
pub const PARAMETER_BYTES: usize = 256 << 10;

/// Views, named queries, and metrics of its own, that one manufacturer has at a time, each.
pub const SAVED_NAMES: usize = 500;
/// Versions of views, named queries and metrics of one manufacturer.
pub const SAVED_VERSIONS: usize = 10_000;
/// Bytes of all versions of views, named queries and metrics of one manufacturer.
pub const SAVED_BYTES: usize = 16 << 20;
/// Bytes of the description of a view, a query, a metric or a parameter.
pub const SAVED_DESCRIPTION_BYTES: usize = 4 << 10;
/// Saved views that may stand behind one another.
pub const SAVED_VIEW_DEPTH: usize = 16;
/// Tries of a change to saved SQL against other changes.
pub const SAVED_TRIES: usize = 8;

/// Bytes that the sorts of all writes may hold before they spill.
pub const INGEST_MEMORY_BYTES: usize = 512 << 20;
/// Bytes that queries may hold before they spill or fail.
pub const QUERY_MEMORY_BYTES: usize = 2 << 30;
/// Bytes that one engine may spill to disk.
pub const SPILL_BYTES: u64 = 16 << 30;
/// Batches waiting between a query and its reader.
pub const ANSWER_BATCHES_WAITING: usize = 2;
/// Seconds after which a query is stopped.
pub const QUERY_SECONDS: u64 = 300;

/// Tokens of one manufacturer, revoked and expired ones included.
pub const TOKENS: i64 = 10_000;
/// Bytes of the label of a token.
pub const TOKEN_LABEL_BYTES: usize = 200;
/// Named queries that the token of a dashboard lists.
pub const TOKEN_QUERIES: usize = 500;

/// Own leads, and own reps, by which a distributor's rows of other tables are told.
pub const OWN_KEYS: usize = 1_000_000;

/// Plugin versions of one manufacturer.
pub const PLUGIN_VERSIONS: i64 = 1_000;
/// Bytes of one uploaded plugin.
pub const PLUGIN_BYTES: usize = 4 << 20;
/// Compiled plugins that are kept for the next query.
pub const PLUGINS_COMPILED: usize = 256;
/// Tries of an activation against other activations.
pub const PLUGIN_TRIES: usize = 8;
/// Failures after which a version is not called any more, where they come within so many seconds.
pub const PLUGIN_STRIKES: usize = 3;
/// See [`PLUGIN_STRIKES`].
pub const PLUGIN_STRIKES_SECONDS: u64 = 60;
/// Rows of the audit trail, of plugin logs and of plugin calls that a manufacturer sees.
pub const RECORD_ROWS: i64 = 100_000;
/// Records after which those that nobody sees any more are removed.
pub const RECORD_TRIM_EVERY: i64 = 1_000;
/// Leads that one batch of a run of rules decides, once a lead was refused.
pub const DECIDE_SPLIT_ROWS: usize = 256;
/// Holidays that a manufacturer may set.
pub const HOLIDAYS: usize = 2_000;
/// Comparisons that one statement may make; a scorecard makes one for each of its metrics.
pub const COMPARISONS: usize = 20;
