//! The tables of the control file. Statements are repeatable; a change of meaning raises the folder's format.

/// Columns that older files lack: the table, the column, and what adds it.
pub const ADDED: [(&str, &str, &str); 8] = [
    (
        "saved",
        "measure",
        "ALTER TABLE saved ADD COLUMN measure TEXT",
    ),
    ("tokens", "role", "ALTER TABLE tokens ADD COLUMN role TEXT"),
    (
        "tokens",
        "queries",
        "ALTER TABLE tokens ADD COLUMN queries TEXT",
    ),
    (
        "tokens",
        "distributor",
        "ALTER TABLE tokens ADD COLUMN distributor TEXT",
    ),
    (
        "tokens",
        "label",
        "ALTER TABLE tokens ADD COLUMN label TEXT",
    ),
    (
        "tokens",
        "created_by",
        "ALTER TABLE tokens ADD COLUMN created_by TEXT",
    ),
    (
        "tokens",
        "expires_at",
        "ALTER TABLE tokens ADD COLUMN expires_at TEXT",
    ),
    (
        "tokens",
        "revoked_at",
        "ALTER TABLE tokens ADD COLUMN revoked_at TEXT",
    ),
];

/// Run at every start, in order.
pub const STATEMENTS: [&str; 16] = [
    "CREATE TABLE IF NOT EXISTS manufacturers (
        id TEXT PRIMARY KEY,
        created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ'))
    ) STRICT",
    // A token without a manufacturer is the operator's; one without a role is from before there were roles.
    "CREATE TABLE IF NOT EXISTS tokens (
        hash BLOB PRIMARY KEY,
        manufacturer TEXT,
        created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ')),
        role TEXT,
        queries TEXT,
        distributor TEXT,
        label TEXT,
        created_by TEXT,
        expires_at TEXT,
        revoked_at TEXT
    ) STRICT",
    "CREATE TABLE IF NOT EXISTS components (
        digest TEXT PRIMARY KEY,
        wasm BLOB NOT NULL
    ) STRICT",
    "CREATE TABLE IF NOT EXISTS plugin_versions (
        manufacturer TEXT NOT NULL REFERENCES manufacturers (id),
        name TEXT NOT NULL,
        version TEXT NOT NULL,
        digest TEXT NOT NULL REFERENCES components (digest),
        bytes INTEGER NOT NULL,
        manifest TEXT NOT NULL,
        uploaded_at TEXT NOT NULL,
        PRIMARY KEY (manufacturer, name, version)
    ) STRICT",
    "CREATE TABLE IF NOT EXISTS plugin_settings (
        hash TEXT PRIMARY KEY,
        json TEXT NOT NULL
    ) STRICT",
    // The newest activation of a name is the one in force.
    "CREATE TABLE IF NOT EXISTS plugin_activations (
        activation_id INTEGER PRIMARY KEY AUTOINCREMENT,
        manufacturer TEXT NOT NULL,
        plugin TEXT NOT NULL,
        version TEXT NOT NULL,
        digest TEXT NOT NULL REFERENCES components (digest),
        config_hash TEXT NOT NULL REFERENCES plugin_settings (hash),
        applies TEXT NOT NULL,
        action TEXT NOT NULL,
        at TEXT NOT NULL,
        actor TEXT NOT NULL,
        FOREIGN KEY (manufacturer, plugin, version) REFERENCES plugin_versions (manufacturer, name, version)
    ) STRICT",
    "CREATE INDEX IF NOT EXISTS plugin_activations_of ON plugin_activations (manufacturer, plugin, activation_id)",
    // Up to which version of leads the rule of an activation has decided.
    "CREATE TABLE IF NOT EXISTS plugin_progress (
        activation_id INTEGER NOT NULL REFERENCES plugin_activations (activation_id),
        kind TEXT NOT NULL,
        data_version INTEGER NOT NULL,
        PRIMARY KEY (activation_id, kind)
    ) STRICT",
    "CREATE TABLE IF NOT EXISTS plugin_log (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        manufacturer TEXT NOT NULL,
        at TEXT NOT NULL,
        plugin TEXT NOT NULL,
        version TEXT NOT NULL,
        level TEXT NOT NULL,
        message TEXT NOT NULL
    ) STRICT",
    "CREATE INDEX IF NOT EXISTS plugin_log_of ON plugin_log (manufacturer, id)",
    "CREATE TABLE IF NOT EXISTS plugin_calls (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        manufacturer TEXT NOT NULL,
        at TEXT NOT NULL,
        receipt TEXT NOT NULL
    ) STRICT",
    "CREATE INDEX IF NOT EXISTS plugin_calls_of ON plugin_calls (manufacturer, id)",
    "CREATE TABLE IF NOT EXISTS audit (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        manufacturer TEXT NOT NULL,
        at TEXT NOT NULL,
        principal TEXT NOT NULL,
        action TEXT NOT NULL,
        subject TEXT NOT NULL,
        detail TEXT NOT NULL
    ) STRICT",
    "CREATE INDEX IF NOT EXISTS audit_of ON audit (manufacturer, id)",
    // The newest version holds.
    "CREATE TABLE IF NOT EXISTS settings (
        version INTEGER PRIMARY KEY AUTOINCREMENT,
        manufacturer TEXT NOT NULL,
        json TEXT NOT NULL,
        set_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ'))
    ) STRICT",
    // Views, queries and metrics that a manufacturer saved: rows are added and never changed.
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
        measure TEXT,
        PRIMARY KEY (manufacturer, kind, name, version)
    ) STRICT",
];
