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
//! * **Arguments**: `f64 f32 i64 i32 i16 i8 bool &str` and [`Date`], [`Timestamp`], [`Decimal`].
//!   A plain argument is strict: where it is NULL the result is NULL and the function is not
//!   called. An `Option` argument sees the NULLs.
//! * **Results**: the same types (text as `String` or `&'static str`), an `Option` of one, or a
//!   `Result` of either with [`PluginFailure`], which ends the query and names the row.
//! * **Rules** return a [`Decision`]: a verdict, reasons, and details.
//!
//! Everything is columns underneath. The generated code goes through them in blocks of 64 rows,
//! so that a formula of plain numbers becomes SIMD. Two habits keep it fast: use [`min`], [`max`]
//! and [`clamp`] of this crate instead of the methods of `f64`, which are library calls in
//! WebAssembly, and prefer plain arguments to `Option`.
//!
//! This crate does not know Arrow, SQL, or the host. Its contract is `sdk/wit/plugin.wit`.

#![deny(missing_docs)]

mod argument;
mod block;
mod failure;
mod number;
mod rule;
mod score;
mod serve;
mod sink;
mod value;

pub use failure::PluginFailure;
pub use number::{clamp, max, min};
pub use rule::{Decision, Details, Reasons, Verdicts};
pub use tributary_sdk_rust_macros::{Details, Reasons, Verdicts, rule, score};
pub use value::{Date, Decimal, Timestamp};

/// What a plugin's one file needs.
pub mod prelude {
    pub use crate::{
        Date, Decimal, Decision, Details, PluginFailure, Reasons, Timestamp, Verdicts, clamp, max,
        min, rule, score,
    };
}

/// The interface in `sdk/wit`, as wit-bindgen spells it. For the macros; not part of the promise.
#[doc(hidden)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../wit",
        world: "lead-plugin",
        pub_export_macro: true,
        default_bindings_module: "::tributary_sdk::bindings",
    });
}

/// What the macros expand to. Not part of the promise.
#[doc(hidden)]
pub mod generated {
    pub use crate::argument::{Argument, Reader, arguments};
    pub use crate::bindings::exports::tributary::plugin::manifest;
    pub use crate::bindings::exports::tributary::plugin::rule::Judgement;
    pub use crate::bindings::tributary::plugin::types::{Column, PluginError};
    pub use crate::block::blocks;
    pub use crate::rule::{Judgements, describe_rule};
    pub use crate::score::{Scores, describe_score};
    pub use crate::serve::{Entry, Plugin, Run, describe, eval, judge, start};
    pub use crate::sink::{Maybe, Slot};
    pub use crate::value::describe_result;
}

/// Declares the plugin: its name, its version, and the functions it offers.
///
/// The name is the schema its functions are called through in SQL; the functions are those marked
/// with `#[score]` or `#[rule]`. One crate is one plugin.
#[macro_export]
macro_rules! plugin {
    (name: $name:literal, version: $version:expr, functions: [$($function:path),* $(,)?] $(,)?) => {
        const _: () = {
            static PLUGIN: $crate::generated::Plugin = $crate::generated::Plugin {
                name: $name,
                version: $version,
                functions: &[$(<$function>::ENTRY),*],
            };
            // Outside WebAssembly the functions are plain functions, and two plugins may be
            // linked into one test.
            #[cfg(target_arch = "wasm32")]
            const _: () = {
                use $crate::bindings::exports::tributary::plugin as interface;
                use $crate::generated::{self, Column, Judgement, PluginError};

                struct Exports;

                impl interface::manifest::Guest for Exports {
                    fn describe() -> interface::manifest::Info {
                        generated::describe(&PLUGIN)
                    }
                }
                impl interface::lifecycle::Guest for Exports {
                    fn start() -> Result<(), PluginError> {
                        generated::start()
                    }
                }
                impl interface::scalar::Guest for Exports {
                    fn eval(function: u32, args: Vec<Column>, rows: u32) -> Result<Column, PluginError> {
                        generated::eval(&PLUGIN, function, &args, rows)
                    }
                }
                impl interface::rule::Guest for Exports {
                    fn judge(function: u32, args: Vec<Column>, rows: u32) -> Result<Judgement, PluginError> {
                        generated::judge(&PLUGIN, function, &args, rows)
                    }
                }
                $crate::bindings::export!(Exports with_types_in $crate::bindings);
            };
            #[cfg(not(target_arch = "wasm32"))]
            const _: &$crate::generated::Plugin = &PLUGIN;
        };
    };
}
