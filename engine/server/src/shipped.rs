//! The plugins inside the binary: the components that `build.rs` made of `plugins/guests`.

/// Name and component of each.
pub const PLUGINS: [(&str, &[u8]); 2] = [
    (
        "champ",
        include_bytes!(concat!(env!("OUT_DIR"), "/champ.wasm")),
    ),
    (
        "scorecard",
        include_bytes!(concat!(env!("OUT_DIR"), "/scorecard.wasm")),
    ),
];
