//! The plugins inside the binary: the components that `build.rs` made of `plugins/guests`.

/// Name and component of each.
pub const PLUGINS: [(&str, &[u8]); 6] = [
    (
        "champ",
        include_bytes!(concat!(env!("OUT_DIR"), "/champ.wasm")),
    ),
    (
        "ev_router",
        include_bytes!(concat!(env!("OUT_DIR"), "/ev_router.wasm")),
    ),
    (
        "fit_engagement",
        include_bytes!(concat!(env!("OUT_DIR"), "/fit_engagement.wasm")),
    ),
    (
        "naive_bayes",
        include_bytes!(concat!(env!("OUT_DIR"), "/naive_bayes.wasm")),
    ),
    (
        "scorecard",
        include_bytes!(concat!(env!("OUT_DIR"), "/scorecard.wasm")),
    ),
    (
        "woe_scorecard",
        include_bytes!(concat!(env!("OUT_DIR"), "/woe_scorecard.wasm")),
    ),
];
