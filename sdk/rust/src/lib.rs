//! What a Rust plugin author imports: write plain functions, get SQL functions.
//!
//! ```
//! use tributary_sdk::prelude::*;
//!
//! /// Discount in percent, from the size of the order.
//! #[score(range = 0..=30)]
//! fn discount(order_value: f64, regular: Option<bool>) -> f64 {
//!     clamp(order_value / 1000.0, 0.0, 25.0) + if regular == Some(true) { 5.0 } else { 0.0 }
//! }
//!
//! tributary_sdk::plugin! { name: "shop", version: "1.0.0", functions: [discount] }
//!
//! assert_eq!(discount(4000.0, None), 4.0); // still a function, so unit tests need no WebAssembly
//! ```
//!
//! In SQL that is `shop.discount(order_value, regular)`.
//!
//! * **Arguments**: `f64 f32 i64 i32 i16 i8 u64 bool &str`, [`Date`], [`Timestamp`], [`Decimal`], [`Document`].
//!   A plain argument is strict: where it is NULL the result is NULL and the function is not
//!   called. An `Option` argument sees the NULLs.
//! * **Results**: the same types (text as `String` or `&'static str`), an `Option` of one, or a
//!   `Result` of either with [`PluginFailure`], which ends the query and names the row.
//! * **Rules** return a [`Decision`]: a verdict, reasons, and details.
//! * **Aggregates** are a module of functions with `#[aggregate]`, around a state with
//!   `#[derive(GroupState)]`.
//! * **Settings** are a struct with `#[derive(Config)]`, named in [`plugin!`]. A function takes them
//!   as its first argument, a reference, which SQL does not see; the time that a query is as of is
//!   an argument of type [`Now`].
//! * **Documents**: an argument of type [`Document`] is one JSON document per row; LIST and STRUCT
//!   arrive as one. The feature `json` parses them, and adds settings of any JSON.
//!
//! Everything is columns underneath. The generated code goes through them in blocks of 64 rows,
//! so that a formula of plain numbers becomes SIMD. Two habits keep it fast: use [`min`], [`max`]
//! and [`clamp`] of this crate instead of the methods of `f64`, which are library calls in
//! WebAssembly, and prefer plain arguments to `Option`.
//!
//! This crate does not know Arrow, SQL, or the host. Its contract is `sdk/wit/plugin.wit`.

#![deny(missing_docs)]

mod aggregate;
mod argument;
mod block;
mod config;
mod context;
mod document;
mod failure;
#[cfg(target_arch = "wasm32")]
mod memory;
mod number;
mod rule;
mod score;
mod serve;
mod sink;
#[cfg(feature = "testing")]
pub mod testing;
pub mod text;
mod time;
mod value;

pub use aggregate::GroupState;
pub use config::Config;
pub use context::Now;
pub use document::Document;
#[cfg(feature = "json")]
pub use document::Json;
pub use failure::PluginFailure;
pub use number::{clamp, max, min};
pub use rule::{Decision, Details, Reasons, Verdicts};
pub use time::{Date, Timestamp};
pub use tributary_sdk_rust_macros::{
    Config, Details, GroupState, Reasons, Verdicts, aggregate, rule, score,
};
pub use value::Decimal;

/// What a plugin's one file needs.
pub mod prelude {
    pub use crate::{
        Config, Date, Decimal, Decision, Details, Document, GroupState, Now, PluginFailure,
        Reasons, Timestamp, Verdicts, aggregate, clamp, max, min, rule, score,
    };

    #[cfg(feature = "json")]
    pub use crate::Json;
}

/// The interface in `sdk/wit`, as wit-bindgen spells it. For the macros; not part of the promise.
#[doc(hidden)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../wit",
        world: "full-plugin",
        pub_export_macro: true,
        default_bindings_module: "::tributary_sdk::bindings",
    });
}

/// What the macros expand to. Not part of the promise.
#[doc(hidden)]
pub mod generated {
    pub use crate::aggregate::{
        Accumulate, Groups, Rows, describe_aggregate, describe_value, field_column, field_values,
        kept,
    };
    pub use crate::argument::{Argument, Reader, arguments, internal};
    pub use crate::bindings::exports::tributary::plugin::lifecycle::{ConfigValue, Context};
    pub use crate::bindings::exports::tributary::plugin::manifest;
    pub use crate::bindings::exports::tributary::plugin::rule::Judgement;
    pub use crate::bindings::tributary::plugin::types::{Column, PluginError};
    pub use crate::block::blocks;
    pub use crate::config::{Given, Setting, Uses, UsesNone, describe_key, takes};
    pub use crate::context::{now, settings};
    pub use crate::rule::{Judgements, describe_rule};
    pub use crate::score::{Scores, describe_score};
    pub use crate::serve::{
        ConfigEntry, Entry, Plugin, Run, configure, describe, drop_first, eval, evaluate, judge,
        merge, reset, retract, start, state, update,
    };
    pub use crate::sink::{Maybe, Slot};
    pub use crate::value::describe_result;
}

/// Declares the plugin: its name, its version, its settings if it has any, and the functions it offers.
///
/// The name is the schema its functions are called through in SQL; the settings are a struct with
/// `#[derive(Config)]`; the functions are those marked with `#[score]`, `#[rule]` or `#[aggregate]`.
/// One crate is one plugin.
///
/// A function whose settings are of another type than the plugin's does not compile:
///
/// ```compile_fail,E0277
/// use tributary_sdk::prelude::*;
///
/// #[derive(Config)]
/// pub struct Settings {
///     #[config(default = 1.0)]
///     pub factor: f64,
/// }
///
/// #[score]
/// pub fn scaled(settings: &Settings, value: f64) -> f64 {
///     settings.factor * value
/// }
///
/// tributary_sdk::plugin! {
///     name: "scales",
///     version: "1.0.0",
///     functions: [scaled],
/// }
/// # fn main() {}
/// ```
///
/// With `config: Settings,` behind the version it does:
///
/// ```
/// use tributary_sdk::prelude::*;
///
/// #[derive(Config)]
/// pub struct Settings {
///     #[config(default = 1.0)]
///     pub factor: f64,
/// }
///
/// #[score]
/// pub fn scaled(settings: &Settings, value: f64) -> f64 {
///     settings.factor * value
/// }
///
/// tributary_sdk::plugin! {
///     name: "scales",
///     version: "1.0.0",
///     config: Settings,
///     functions: [scaled],
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! plugin {
    (
        name: $name:literal,
        version: $version:expr,
        $(config: $config:ty,)?
        functions: [$($($function:ident)::+),* $(,)?] $(,)?
    ) => {
        #[doc(hidden)]
        pub static TRIBUTARY_PLUGIN: $crate::generated::Plugin = $crate::generated::Plugin {
            name: $name,
            version: $version,
            config: $crate::config_entry!($($config)?),
            functions: &[$($($function)::+::ENTRY),*],
        };

        const _: () = {
            type Of = $crate::config_type!($($config)?);
            $($crate::generated::takes::<Of, _>(&$($function)::+::TAKES);)*
        };

        // Outside WebAssembly the functions are plain functions, and two plugins may be linked
        // into one test.
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            use $crate::bindings::exports::tributary::plugin as interface;
            use $crate::generated::{self, Column, ConfigValue, Context, Judgement, PluginError};

            type Done = Result<(), PluginError>;

            struct Exports;

            impl interface::manifest::Guest for Exports {
                fn describe() -> interface::manifest::Info {
                    generated::describe(&TRIBUTARY_PLUGIN)
                }
            }
            impl interface::lifecycle::Guest for Exports {
                fn configure(settings: Vec<(String, ConfigValue)>, context: Context) -> Done {
                    generated::configure(&TRIBUTARY_PLUGIN, settings, context)
                }
            }
            impl interface::scalar::Guest for Exports {
                fn eval(function: u32, args: Vec<Column>, rows: u32) -> Result<Column, PluginError> {
                    generated::eval(&TRIBUTARY_PLUGIN, function, &args, rows)
                }
            }
            impl interface::rule::Guest for Exports {
                fn judge(function: u32, args: Vec<Column>, rows: u32) -> Result<Judgement, PluginError> {
                    generated::judge(&TRIBUTARY_PLUGIN, function, &args, rows)
                }
            }
            impl interface::aggregate::Guest for Exports {
                fn start(function: u32) -> Done {
                    generated::start(&TRIBUTARY_PLUGIN, function)
                }
                fn update(args: Vec<Column>, groups: Vec<u32>, filter: Option<Vec<u8>>, rows: u32, total: u32) -> Done {
                    generated::update(&args, &groups, filter.as_deref(), rows, total)
                }
                fn merge(state: Vec<Column>, groups: Vec<u32>, rows: u32, total: u32) -> Done {
                    generated::merge(&state, &groups, rows, total)
                }
                fn evaluate(groups: Vec<u32>) -> Result<Column, PluginError> {
                    generated::evaluate(&groups)
                }
                fn state(groups: Vec<u32>) -> Result<Vec<Column>, PluginError> {
                    generated::state(&groups)
                }
                fn drop_first(groups: u32) -> Done {
                    generated::drop_first(groups)
                }
                fn reset(group: u32) -> Done {
                    generated::reset(group)
                }
            }
            impl interface::aggregate_retract::Guest for Exports {
                fn retract(args: Vec<Column>, groups: Vec<u32>, filter: Option<Vec<u8>>, rows: u32) -> Done {
                    generated::retract(&args, &groups, filter.as_deref(), rows)
                }
            }
            $crate::bindings::export!(Exports with_types_in $crate::bindings);
        };
    };
}

/// The type of a plugin's settings. For `plugin!`; not part of the promise.
#[doc(hidden)]
#[macro_export]
macro_rules! config_type {
    () => {
        ()
    };
    ($config:ty) => {
        $config
    };
}

/// The settings of a plugin, if it has any. For `plugin!`; not part of the promise.
#[doc(hidden)]
#[macro_export]
macro_rules! config_entry {
    () => {
        None
    };
    ($config:ty) => {
        Some($crate::generated::ConfigEntry::of::<$config>())
    };
}
