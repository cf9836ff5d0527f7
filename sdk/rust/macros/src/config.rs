//! `#[derive(Config)]`: reads fields and their attributes, and generates the manifest entries and the filling.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, DeriveInput, Error, Expr, Field, Ident, Path, Result, Token};

use crate::derive::named_fields;
use crate::function::doc;

/// `#[derive(Config)]`.
pub(crate) fn config(item: TokenStream) -> Result<TokenStream> {
    let input: DeriveInput = syn::parse2(item)?;
    let check = check(&input.attrs)?;
    let check = check.map(|path| quote! { #path(&settings)?; });
    let fields = named_fields(&input)?;
    let keys = fields
        .iter()
        .map(|field| key(field))
        .collect::<Result<Vec<_>>>()?;
    let idents: Vec<&Ident> = fields
        .iter()
        .filter_map(|field| field.ident.as_ref())
        .collect();
    let names = idents.iter().map(ToString::to_string);
    let name = &input.ident;
    Ok(quote! {
        impl ::tributary_sdk::Config for #name {
            fn keys() -> ::std::vec::Vec<::tributary_sdk::generated::manifest::ConfigKey> {
                ::std::vec![#(#keys),*]
            }
            fn fill(
                given: &mut ::tributary_sdk::generated::Given,
            ) -> ::core::result::Result<Self, ::tributary_sdk::PluginFailure> {
                let settings = Self { #(#idents: given.take(#names)?),* };
                #check
                ::core::result::Result::Ok(settings)
            }
        }
    })
}

/// The manifest entry of a field.
fn key(field: &Field) -> Result<TokenStream> {
    let options = Options::of(&field.attrs)?;
    let ty = &field.ty;
    let name = field.ident.as_ref().map(ToString::to_string);
    let doc = doc(&field.attrs);
    let default = match (&options.default, &options.default_json) {
        (Some(_), Some(json)) => {
            return Err(Error::new_spanned(
                json,
                "there is one default: default, or default_json",
            ));
        }
        (Some(default), None) => quote! {
            ::core::option::Option::Some({
                let default: #ty = (#default).into();
                ::tributary_sdk::generated::Setting::json(&default)
            })
        },
        (None, Some(json)) => quote!(::core::option::Option::Some((#json).to_owned())),
        (None, None) => quote!(::core::option::Option::None),
    };
    let bound = |bound: &Option<Expr>| match bound {
        Some(bound) => quote!(::core::option::Option::Some((#bound) as f64)),
        None => quote!(::core::option::Option::None),
    };
    let (min, max) = (bound(&options.min), bound(&options.max));
    Ok(quote! {
        ::tributary_sdk::generated::describe_key::<#ty>(#name, #doc, #default, #min, #max)
    })
}

/// `#[config(check = path)]` on the struct.
fn check(attributes: &[Attribute]) -> Result<Option<Path>> {
    let mut found = None;
    for attribute in attributes
        .iter()
        .filter(|each| each.path().is_ident("config"))
    {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("check") {
                return Err(meta.error("expected check = path"));
            }
            found = Some(meta.value()?.parse()?);
            Ok(())
        })?;
    }
    Ok(found)
}

/// `#[config(…)]` on a field.
#[derive(Default)]
struct Options {
    default: Option<Expr>,
    default_json: Option<Expr>,
    min: Option<Expr>,
    max: Option<Expr>,
}

impl Options {
    fn of(attributes: &[Attribute]) -> Result<Self> {
        let mut options = Self::default();
        for attribute in attributes
            .iter()
            .filter(|each| each.path().is_ident("config"))
        {
            let given =
                attribute.parse_args_with(Punctuated::<One, Token![,]>::parse_terminated)?;
            for One { name, value } in given {
                let place = match name.to_string().as_str() {
                    "default" => &mut options.default,
                    "default_json" => &mut options.default_json,
                    "min" => &mut options.min,
                    "max" => &mut options.max,
                    _ => {
                        let help = "expected default, default_json, min or max";
                        return Err(Error::new(name.span(), help));
                    }
                };
                *place = Some(value);
            }
        }
        Ok(options)
    }
}

/// `name = value`.
struct One {
    name: Ident,
    value: Expr,
}

impl Parse for One {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name = input.parse()?;
        input.parse::<Token![=]>()?;
        Ok(Self {
            name,
            value: input.parse()?,
        })
    }
}
