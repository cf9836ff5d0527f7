//! The tables of the control file. Statements are repeatable; a change of meaning raises the folder's format.

/// Run at every start, in order.
pub const STATEMENTS: [&str; 5] = [
    "CREATE TABLE IF NOT EXISTS manufacturers (
        id TEXT PRIMARY KEY,
        created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ'))
    ) STRICT",
    // A token without a manufacturer is the operator's.
    "CREATE TABLE IF NOT EXISTS tokens (
        hash BLOB PRIMARY KEY,
        manufacturer TEXT,
        created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ'))
    ) STRICT",
    "CREATE TABLE IF NOT EXISTS components (
        digest TEXT PRIMARY KEY,
        wasm BLOB NOT NULL
    ) STRICT",
    "CREATE TABLE IF NOT EXISTS plugins (
        manufacturer TEXT NOT NULL REFERENCES manufacturers (id),
        name TEXT NOT NULL,
        version TEXT NOT NULL,
        digest TEXT NOT NULL REFERENCES components (digest),
        bytes INTEGER NOT NULL,
        functions TEXT NOT NULL,
        uploaded_at TEXT NOT NULL,
        active INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (manufacturer, name, version)
    ) STRICT",
    // Views and queries that a manufacturer saved: rows are added and never changed.
    "CREATE TABLE IF NOT EXISTS saved (
        manufacturer TEXT NOT NULL REFERENCES manufacturers (id),
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        version INTEGER NOT NULL,
        sql TEXT NOT NULL,
        description TEXT NOT NULL,
        parameters TEXT NOT NULL,
        saved_at TEXT NOT NULL,
        deleted INTEGER NOT NULL,
        PRIMARY KEY (manufacturer, kind, name, version)
    ) STRICT",
];
