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

/// Bytes of a query request: the longest statement and its parameters with every character escaped in JSON.
pub(crate) const QUERY_BODY_BYTES: usize = 2 << 20;
/// Rows of one row group of a Parquet answer.
pub(crate) const PARQUET_GROUP_ROWS: usize = 1 << 16;
/// Bytes of a Parquet answer that are held back before a row group is closed early.
pub(crate) const PARQUET_GROUP_BYTES: usize = 32 << 20;
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
/// Bytes of an error body that a server sends.
pub(crate) const SERVER_ERROR_BYTES: usize = 64 << 10;
/// Bytes of a server's list of plugins.
pub(crate) const SERVER_PLUGINS_BYTES: usize = 16 << 20;
/// Seconds in which a server must take a connection.
pub(crate) const SERVER_CONNECT_SECONDS: u64 = 10;
/// Seconds without a byte after which a server's answer is given up; longer than a query may run.
pub(crate) const SERVER_SILENCE_SECONDS: u64 = 330;

/// Names of one kind that the shell completes.
pub(crate) const COMPLETION_NAMES: usize = 10_000;
/// Completions that are listed at once.
pub(crate) const COMPLETIONS_SHOWN: usize = 120;
/// Entries of the shell's history.
pub(crate) const HISTORY_ENTRIES: usize = 1_000;
/// Bytes of the history that are read from its file.
pub(crate) const HISTORY_BYTES: u64 = 4 << 20;
/// Files that a file of the shell may include in one another.
pub(crate) const INCLUDE_DEPTH: usize = 8;

/// Stack of a worker thread: planning a deeply nested statement recurses.
pub(crate) const THREAD_STACK_BYTES: usize = 8 << 20;

/// Bytes of a request that sets a plugin up; its settings have a bound of their own.
pub(crate) const SETUP_BODY_BYTES: u64 = 2 << 20;
/// Seconds of processor time in which a plugin has to be compiled.
pub(crate) const COMPILE_CPU_SECONDS: u64 = 30;
/// Seconds after which a compilation is stopped, however little of the processor it got.
pub(crate) const COMPILE_SECONDS: u64 = 120;
/// Bytes of address space that a compilation may take.
pub(crate) const COMPILE_MEMORY_BYTES: u64 = 1 << 30;
/// Bytes of compiled code that a compilation may return.
pub(crate) const COMPILE_OUTPUT_BYTES: u64 = 256 << 20;

/// Bytes of a request that declares attributes.
pub(crate) const DECLARE_BODY_BYTES: u64 = 64 << 10;

/// Bytes of a distributor's feedback on one lead.
pub(crate) const FEEDBACK_BODY_BYTES: u64 = 64 << 10;
/// Bytes of the rows that are gathered into one JSON document.
pub(crate) const OBJECTS_BYTES: usize = 4 << 20;
