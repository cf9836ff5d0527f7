//! What the tests share: guests built once per run, one host, and short ways to call.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, Float64Array};
use tributary_plugins_host::{Argument, Error, Host, InProcess, Limits, Plugin, Pool};

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
    LazyLock::new(|| Host::new(limits()).expect("the default limits fit"));

/// The default limits, but for the many functions of the hostile guest.
pub(crate) fn limits() -> Limits {
    Limits {
        functions_max: 128,
        ..Limits::default()
    }
}

pub(crate) fn install(wasm: &[u8]) -> Result<Arc<Plugin>, Error> {
    let compiler = InProcess::new(HOST.limits()).expect("this machine is known");
    HOST.install(wasm, &compiler)
}

pub(crate) static CHAMP: LazyLock<Arc<Plugin>> =
    LazyLock::new(|| install(&COMPONENTS.champ).expect("champ is a plugin"));
pub(crate) static SCORECARD: LazyLock<Arc<Plugin>> =
    LazyLock::new(|| install(&COMPONENTS.scorecard).expect("scorecard is a plugin"));
pub(crate) static HOSTILE: LazyLock<Arc<Plugin>> =
    LazyLock::new(|| install(&COMPONENTS.hostile).expect("hostile installs"));

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

pub(crate) fn floats(rows: usize) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(
        (0..rows).map(|row| row as f64),
    ))
}

/// A pool with nothing but defaults.
pub(crate) fn pool(plugin: &Arc<Plugin>) -> Arc<Pool> {
    let settings = plugin.settings(&serde_json::Map::new());
    Arc::new(plugin.pool(&settings.expect("every setting has a default"), Some(7)))
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
