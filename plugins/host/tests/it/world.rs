//! What the tests share: guests built once per run, one host, and short ways to call.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, Float64Array};
use serde_json::{Map, Value, json};
use tributary_plugins_host::{
    Argument, Error, Host, InProcess, Limits, Plugin, Pool, Receipts, Settings,
};

/// 2026-01-01T00:00:00Z
pub(crate) const NOW_US: i64 = 1_767_225_600_000_000;

/// The components, as the build crate makes them.
pub(crate) struct Components {
    pub(crate) champ: Vec<u8>,
    pub(crate) scorecard: Vec<u8>,
    pub(crate) hostile: Vec<u8>,
}

pub(crate) static COMPONENTS: LazyLock<Components> = LazyLock::new(|| {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let members = [
        "plugins/guests/champ",
        "plugins/guests/woe_scorecard",
        "plugins/hostile",
    ]
    .map(Path::new);
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../guests");
    let paths = tributary_sdk_build::build_members(&workspace, &members, &target)
        .unwrap_or_else(|error| panic!("{error}"));
    let read = |at: usize| std::fs::read(&paths[at]).expect("a built component is readable");
    Components {
        champ: read(0),
        scorecard: read(1),
        hostile: read(2),
    }
});

pub(crate) static HOST: LazyLock<Arc<Host>> =
    LazyLock::new(|| Host::new(Limits::default()).expect("the default limits fit"));

pub(crate) fn install(wasm: &[u8]) -> Result<Arc<Plugin>, Error> {
    let compiler = InProcess::new(HOST.limits()).expect("this machine is known");
    HOST.install(wasm, &compiler)
}

/// Installs on a host with other limits.
pub(crate) fn install_within(wasm: &[u8], limits: &Limits) -> Result<Arc<Plugin>, Error> {
    let host = Host::new(limits.clone()).expect("these limits fit");
    let compiler = InProcess::new(limits).expect("this machine is known");
    host.install(wasm, &compiler)
}

/// The hostile guest in another mode.
pub(crate) fn in_mode(mode: &str) -> Vec<u8> {
    let marker = b"TRIBUTARY-MODE-";
    let mut wasm = COMPONENTS.hostile.clone();
    let at = wasm
        .windows(marker.len())
        .position(|window| window == marker)
        .expect("the marker");
    wasm[at + marker.len()..][..2].copy_from_slice(mode.as_bytes());
    wasm
}

fn installed(mode: &str) -> Arc<Plugin> {
    install(&in_mode(mode)).unwrap_or_else(|error| panic!("mode {mode}: {error}"))
}

pub(crate) static CHAMP: LazyLock<Arc<Plugin>> =
    LazyLock::new(|| install(&COMPONENTS.champ).expect("champ is a plugin"));
pub(crate) static SCORECARD: LazyLock<Arc<Plugin>> =
    LazyLock::new(|| install(&COMPONENTS.scorecard).expect("scorecard is a plugin"));
pub(crate) static HOSTILE: LazyLock<Arc<Plugin>> = LazyLock::new(|| installed("00"));
pub(crate) static HONEST: LazyLock<Arc<Plugin>> = LazyLock::new(|| installed("H0"));
/// Aggregates, honest and not.
pub(crate) static AGGREGATES: LazyLock<Arc<Plugin>> = LazyLock::new(|| installed("A0"));
/// As `HONEST`, with columns as bytes.
pub(crate) static PACKED: LazyLock<Arc<Plugin>> = LazyLock::new(|| installed("HP"));

/// Settings as they are written in a test.
pub(crate) fn settings(plugin: &Plugin, given: Value) -> Result<Settings, Error> {
    let given: Map<String, Value> = serde_json::from_value(given).expect("an object");
    plugin.settings(&given)
}

/// A pool with the plugin's defaults.
pub(crate) fn pool(plugin: &Arc<Plugin>) -> Arc<Pool> {
    let defaults = settings(plugin, json!({})).expect("defaults are enough");
    Arc::new(plugin.pool(&defaults, Some(NOW_US)))
}

/// The place of a function in the manifest.
pub(crate) fn place(plugin: &Plugin, name: &str) -> usize {
    let functions = &plugin.manifest().functions;
    functions
        .iter()
        .position(|function| function.name == name)
        .unwrap_or_else(|| panic!("no {name}"))
}

/// Calls a function over arrays.
pub(crate) fn call(pool: &Pool, name: &str, arrays: &[ArrayRef]) -> Result<ArrayRef, Error> {
    let args: Vec<Argument<'_>> = arrays.iter().map(Argument::Array).collect();
    pool.call(place(pool.plugin(), name), &args, arrays[0].len())
}

/// What a function came to so far.
pub(crate) fn receipts(pool: &Pool, name: &str) -> Receipts {
    pool.receipts(place(pool.plugin(), name))
}

pub(crate) fn floats(rows: usize) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(
        (0..rows).map(|row| row as f64),
    ))
}

/// A good plugin still gives right answers, on a pool of its own.
pub(crate) fn all_is_well() {
    let pool = pool(&HONEST);
    let back = call(&pool, "echo_float64", &[floats(100)]).expect("the next call is right");
    assert_eq!(&back, &floats(100));
}
