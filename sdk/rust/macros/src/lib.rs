//! The attributes and derives of the Rust SDK. They read signatures and names and generate the
//! loop over columns; types, readers and sinks live in `tributary-sdk-rust`, which this crate
//! only names by path. Use them through that crate.

use proc_macro::TokenStream;

mod case;
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
