//! The derives: an enum's names as constants, a struct's fields as columns.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, Field, Fields, Ident, LitStr, Result, Token, Variant};

use crate::case::{screaming, snake};

/// `#[derive(Verdicts)]`.
pub(crate) fn verdicts(item: TokenStream) -> Result<TokenStream> {
    let input: DeriveInput = syn::parse2(item)?;
    let variants = unit_variants(&input)?;
    let idents: Vec<&Ident> = variants.iter().map(|variant| &variant.ident).collect();
    let names = idents.iter().map(|ident| snake(&ident.to_string()));
    let codes = 0u8..;
    let name = &input.ident;
    Ok(quote! {
        impl ::tributary_sdk::Verdicts for #name {
            const NAMES: &'static [&'static str] = &[#(#names),*];
            #[inline]
            fn code(&self) -> u8 {
                match self { #(Self::#idents => #codes),* }
            }
        }
    })
}

/// `#[derive(Reasons)]`.
pub(crate) fn reasons(item: TokenStream) -> Result<TokenStream> {
    let input: DeriveInput = syn::parse2(item)?;
    let variants = unit_variants(&input)?;
    if variants.len() > 64 {
        return Err(Error::new(
            input.ident.span(),
            "a rule has at most 64 reasons",
        ));
    }
    let idents: Vec<&Ident> = variants.iter().map(|variant| &variant.ident).collect();
    let said = variants
        .iter()
        .map(|variant| said(variant))
        .collect::<Result<Vec<_>>>()?;
    let (texts, codes): (Vec<LitStr>, Vec<String>) = said.into_iter().unzip();
    let bits = 0u8..;
    let name = &input.ident;
    Ok(quote! {
        impl ::tributary_sdk::Reasons for #name {
            const REASONS: &'static [(&'static str, &'static str)] = &[#((#codes, #texts)),*];
            #[inline]
            fn bit(&self) -> u8 {
                match self { #(Self::#idents => #bits),* }
            }
        }
    })
}

/// `#[derive(Details)]`.
pub(crate) fn details(item: TokenStream) -> Result<TokenStream> {
    let input: DeriveInput = syn::parse2(item)?;
    let fields = named_fields(&input)?;
    let idents: Vec<&Ident> = fields
        .iter()
        .filter_map(|field| field.ident.as_ref())
        .collect();
    let types: Vec<_> = fields.iter().map(|field| &field.ty).collect();
    let names = idents.iter().map(ToString::to_string);
    let places: Vec<syn::Index> = (0..idents.len()).map(syn::Index::from).collect();
    let name = &input.ident;
    Ok(quote! {
        impl ::tributary_sdk::Details for #name {
            type Slots = (#(::tributary_sdk::generated::Slot<#types>,)*);
            fn fields() -> ::std::vec::Vec<::tributary_sdk::generated::manifest::Field> {
                ::std::vec![#(::tributary_sdk::generated::describe_result::<#types>(#names)),*]
            }
            fn slots(rows: usize) -> Self::Slots {
                (#(::tributary_sdk::generated::Slot::<#types>::new(rows),)*)
            }
            #[inline]
            fn put(self, slots: &mut Self::Slots, row: usize) {
                #(slots.#places.put(row, self.#idents);)*
            }
            #[inline]
            fn skip(slots: &mut Self::Slots, row: usize) {
                #(slots.#places.skip(row);)*
            }
            fn columns(slots: Self::Slots) -> ::std::vec::Vec<::tributary_sdk::generated::Column> {
                ::std::vec![#(slots.#places.column()),*]
            }
        }
    })
}

/// The fields of a struct, which all have names.
pub(crate) fn named_fields(input: &DeriveInput) -> Result<Vec<&Field>> {
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => Ok(fields.named.iter().collect()),
            _ => Err(Error::new(input.span(), "its fields have names")),
        },
        _ => Err(Error::new(
            input.span(),
            format!("\"{}\" is not a struct", input.ident),
        )),
    }
}

fn unit_variants(input: &DeriveInput) -> Result<Vec<&Variant>> {
    let Data::Enum(data) = &input.data else {
        return Err(Error::new(
            input.span(),
            format!("\"{}\" is not an enum", input.ident),
        ));
    };
    for variant in &data.variants {
        if !matches!(variant.fields, Fields::Unit) {
            return Err(Error::new(
                variant.span(),
                "a variant is a name, without fields",
            ));
        }
    }
    Ok(data.variants.iter().collect())
}

/// `#[reason("text")]`, `#[reason("text", code = "EV_BELOW_250")]`.
struct Said {
    text: LitStr,
    code: Option<LitStr>,
}

impl Parse for Said {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let text = input.parse()?;
        if input.is_empty() {
            return Ok(Self { text, code: None });
        }
        input.parse::<Token![,]>()?;
        let name: Ident = input.parse()?;
        if name != "code" {
            return Err(Error::new(name.span(), "expected code = \"CODE\""));
        }
        input.parse::<Token![=]>()?;
        Ok(Self {
            text,
            code: Some(input.parse()?),
        })
    }
}

/// What a variant says, and its code.
fn said(variant: &Variant) -> Result<(LitStr, String)> {
    let mut attributes = variant.attrs.iter();
    let attribute = attributes
        .find(|attribute| attribute.path().is_ident("reason"))
        .ok_or_else(|| Error::new(variant.span(), "say why: #[reason(\"text\")]"))?;
    let said: Said = attribute.parse_args()?;
    let code = said.code.map(|code| code.value());
    let code = code.unwrap_or_else(|| screaming(&variant.ident.to_string()));
    Ok((said.text, code))
}
