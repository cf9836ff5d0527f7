//! Every bound of the adapters, with its unit in the name. The engine has its own.

/// Connections served at once; more wait in the listener's queue.
pub(crate) const CONNECTIONS: usize = 1_024;
/// Seconds in which the head of a request must have arrived; also how long an idle connection is kept.
pub(crate) const REQUEST_HEAD_SECONDS: u64 = 10;
/// Seconds without a byte after which a request body is given up.
pub(crate) const BODY_IDLE_SECONDS: u64 = 30;
/// Seconds after which an answer that the client does not take is given up.
pub(crate) const ANSWER_STALL_SECONDS: u64 = 60;
/// Seconds that open requests have to finish after the server is told to stop.
pub(crate) const SHUTDOWN_SECONDS: u64 = 30;

/// Bytes of a query request: the longest statement with every character escaped in JSON.
pub(crate) const QUERY_BODY_BYTES: usize = 512 << 10;
/// Bytes of a bearer token as sent.
pub(crate) const TOKEN_BYTES: usize = 512;
/// Manufacturers that one hint names.
pub(crate) const MANUFACTURERS_NAMED: usize = 20;

/// Rows of one answer that are kept to be laid out as a table.
pub(crate) const TABLE_ROWS: usize = 1_000;
/// Characters of one cell of a table.
pub(crate) const TABLE_CELL_CHARS: usize = 400;
/// Bytes read at once from a file.
pub(crate) const FILE_CHUNK_BYTES: usize = 256 << 10;
/// Bytes of a file of SQL, or of SQL on standard input.
pub(crate) const SQL_FILE_BYTES: u64 = 1 << 20;

/// Stack of a worker thread: planning a deeply nested statement recurses.
pub(crate) const THREAD_STACK_BYTES: usize = 8 << 20;
