//! The attributes and derives of the Rust SDK. They read signatures and names and generate the
//! loop over columns; types, readers and sinks live in `tributary-sdk-rust`, which this crate
//! only names by path. Use them through that crate.

use proc_macro::TokenStream;

mod aggregate;
mod case;
mod config;
mod derive;
mod function;

/// Makes a function a scalar SQL function. `#[score(range = 0..=100)]` promises the range of its
/// values, which the host checks on every batch.
#[proc_macro_attribute]
pub fn score(attribute: TokenStream, item: TokenStream) -> TokenStream {
    finish(function::score(attribute.into(), item.into()))
}

/// Makes a function that returns a `Decision` a qualification rule.
#[proc_macro_attribute]
pub fn rule(attribute: TokenStream, item: TokenStream) -> TokenStream {
    finish(function::rule(attribute.into(), item.into()))
}

/// Makes a module an aggregate: functions `update`, `merge`, `finish` and perhaps `retract` around a struct `State` with
/// `#[derive(GroupState)]`. `#[aggregate(range = 0..=1)]` promises the range of its values.
#[proc_macro_attribute]
pub fn aggregate(attribute: TokenStream, item: TokenStream) -> TokenStream {
    finish(aggregate::aggregate(attribute.into(), item.into()))
}

/// Makes a struct the settings of a plugin. A field may carry
/// `#[config(default = 60.0, min = 0, max = 100)]`, or `default_json = "…"` for lists and JSON; its
/// documentation comment becomes the setting's. `#[config(check = path)]` on the struct names a
/// function that refuses settings which do not fit one another.
#[proc_macro_derive(Config, attributes(config))]
pub fn config(item: TokenStream) -> TokenStream {
    finish(config::config(item.into()))
}

/// Makes a struct the partial state of an aggregate, one column per field.
#[proc_macro_derive(GroupState)]
pub fn group_state(item: TokenStream) -> TokenStream {
    finish(aggregate::group_state(item.into()))
}

/// Makes an enum the verdicts of a rule: `NeedInfo` is `need_info`.
#[proc_macro_derive(Verdicts)]
pub fn verdicts(item: TokenStream) -> TokenStream {
    finish(derive::verdicts(item.into()))
}

/// Makes an enum the reasons of a rule: `NoAuthority` is `NO_AUTHORITY`. Each variant carries
/// its text, as in `#[reason("nobody with authority")]`.
#[proc_macro_derive(Reasons, attributes(reason))]
pub fn reasons(item: TokenStream) -> TokenStream {
    finish(derive::reasons(item.into()))
}

/// Makes a struct the details of a rule, one column per field.
#[proc_macro_derive(Details)]
pub fn details(item: TokenStream) -> TokenStream {
    finish(derive::details(item.into()))
}

fn finish(result: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    result.unwrap_or_else(syn::Error::into_compile_error).into()
}
