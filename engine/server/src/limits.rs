//! Every bound of the adapters that is the same for everybody, with its unit in the name. Those that an operator may set
//! are in the configuration, and the engine has its own.

/// Bytes of a configuration file.
pub(crate) const CONFIG_FILE_BYTES: u64 = 1 << 20;
/// Addresses whose connections and requests are counted; with more, the idle ones are forgotten.
pub(crate) const ADDRESSES_COUNTED: usize = 65_536;
/// Milliseconds in which the engine has to answer before the server counts as not ready.
pub(crate) const READY_MS: u64 = 2_000;
/// Bytes below which an answer of known size is not compressed.
pub(crate) const COMPRESS_BYTES_MIN: u64 = 1 << 10;
/// Running queries that one list shows.
pub(crate) const RUNNING_LISTED: usize = 1_000;
/// Rows that `limit` may ask for.
pub(crate) const ANSWER_ROWS_MAX: u64 = 1_000_000_000;
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

/// Seconds of processor time in which a plugin has to be compiled.
pub(crate) const COMPILE_CPU_SECONDS: u64 = 30;
/// Seconds after which a compilation is stopped, however little of the processor it got.
pub(crate) const COMPILE_SECONDS: u64 = 120;
/// Bytes of address space that a compilation may take.
pub(crate) const COMPILE_MEMORY_BYTES: u64 = 1 << 30;
/// Bytes of compiled code that a compilation may return.
pub(crate) const COMPILE_OUTPUT_BYTES: u64 = 256 << 20;

/// Bytes of the rows that are gathered into one JSON document.
pub(crate) const OBJECTS_BYTES: usize = 4 << 20;
