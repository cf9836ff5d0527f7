//! `#[score]` and `#[rule]`: leaves the function as it is, and puts a type of the same name
//! beside it that carries its manifest entry and its loop. Functions and types have separate
//! namespaces, so `plugin!` and imports name both at once.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{
    Attribute, Error, Expr, ExprLit, ExprRange, FnArg, GenericArgument, Ident, ItemFn, Lifetime,
    Lit, Meta, Pat, PathArguments, RangeLimits, Result, ReturnType, Token, Type,
};

/// `#[score]`, `#[score(range = low..=high)]`.
pub(crate) fn score(attribute: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let Promise { range } = syn::parse2(attribute)?;
    let function = Function::read(item)?;
    let Function {
        name,
        doc,
        result,
        describe_args,
        ..
    } = &function;
    let range = match range {
        Some((low, high)) => quote!(::core::option::Option::Some(((#low) as f64, (#high) as f64))),
        None => quote!(::core::option::Option::None),
    };
    let text = name.to_string();
    let describe = quote! {
        ::tributary_sdk::generated::describe_score::<#result>(#text, #doc, #describe_args, #range)
    };
    Ok(function.expand(&describe, "Score", "Scores", "column", &quote!(Column)))
}

/// `#[rule]`.
pub(crate) fn rule(attribute: TokenStream, item: TokenStream) -> Result<TokenStream> {
    if !attribute.is_empty() {
        let help = "#[rule] takes nothing: verdicts, reasons and details are in the Decision";
        return Err(Error::new(attribute.span(), help));
    }
    let function = Function::read(item)?;
    let Function {
        name,
        doc,
        result,
        describe_args,
        ..
    } = &function;
    let text = name.to_string();
    let describe = quote! {
        ::tributary_sdk::generated::describe_rule::<#result>(#text, #doc, #describe_args)
    };
    Ok(function.expand(
        &describe,
        "Rule",
        "Judgements",
        "judgement",
        &quote!(Judgement),
    ))
}

/// What `#[score(…)]` says.
struct Promise {
    range: Option<(Expr, Expr)>,
}

impl Parse for Promise {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.is_empty() {
            return Ok(Self { range: None });
        }
        let name: Ident = input.parse()?;
        if name != "range" {
            return Err(Error::new(name.span(), "expected range = low..=high"));
        }
        input.parse::<Token![=]>()?;
        let range: ExprRange = input.parse()?;
        match (range.start, range.limits, range.end) {
            (Some(low), RangeLimits::Closed(_), Some(high)) => Ok(Self {
                range: Some((*low, *high)),
            }),
            _ => Err(Error::new(
                name.span(),
                "expected both ends, included: low..=high",
            )),
        }
    }
}

/// What the macros read from a function.
struct Function {
    item: ItemFn,
    name: Ident,
    doc: String,
    result: Type,
    /// argument types, each reference with the lifetime of the batch
    types: Vec<Type>,
    describe_args: TokenStream,
}

impl Function {
    fn read(item: TokenStream) -> Result<Self> {
        let item: ItemFn = syn::parse2(item)?;
        let signature = &item.sig;
        if !signature.generics.params.is_empty() || signature.asyncness.is_some() {
            return Err(Error::new(
                signature.span(),
                "a plugin's function is neither generic nor async",
            ));
        }
        let ReturnType::Type(_, result) = &signature.output else {
            return Err(Error::new(
                signature.span(),
                "a plugin's function returns something",
            ));
        };
        let args = signature
            .inputs
            .iter()
            .map(argument)
            .collect::<Result<Vec<_>>>()?;
        let (names, types): (Vec<String>, Vec<Type>) = args.into_iter().unzip();
        let describe_args = quote! {
            ::std::vec![#(<#types as ::tributary_sdk::generated::Argument<'c>>::describe(#names)),*]
        };
        Ok(Self {
            name: signature.ident.clone(),
            doc: doc(&item.attrs),
            result: (**result).clone(),
            types,
            describe_args,
            item,
        })
    }

    fn expand(
        &self,
        describe: &TokenStream,
        kind: &str,
        collector: &str,
        finish: &str,
        output: &TokenStream,
    ) -> TokenStream {
        let Self {
            item,
            name,
            result,
            types,
            ..
        } = self;
        let vis = &item.vis;
        let [kind, collector, finish] =
            [kind, collector, finish].map(|text| format_ident!("{text}"));
        let count = types.len();
        let columns: Vec<Ident> = (0..count)
            .map(|place| format_ident!("column_{place}"))
            .collect();
        let cells: Vec<Ident> = (0..count)
            .map(|place| format_ident!("cells_{place}"))
            .collect();
        quote! {
            #[inline]
            #item

            #[doc(hidden)]
            #[allow(non_camel_case_types)]
            #vis struct #name {}

            impl #name {
                #[doc(hidden)]
                #vis const ENTRY: ::tributary_sdk::generated::Entry = {
                    fn describe<'c>() -> ::tributary_sdk::generated::manifest::Function {
                        #describe
                    }
                    fn run<'c>(
                        columns: &'c [::tributary_sdk::generated::Column],
                        rows: usize,
                    ) -> ::core::result::Result<
                        ::tributary_sdk::generated::#output,
                        ::tributary_sdk::generated::PluginError,
                    > {
                        let [#(#columns),*] = ::tributary_sdk::generated::arguments::<#count>(columns)?;
                        #(let #columns = ::tributary_sdk::generated::Reader::<'c, #types>::open(#columns, rows)?;)*
                        let mut results = ::tributary_sdk::generated::#collector::<#result>::new(rows);
                        for block in ::tributary_sdk::generated::blocks(rows) {
                            #(let #cells = #columns.block(block);)*
                            let callable = ::core::primitive::u64::MAX #(& #cells.callable())*;
                            results.extend(block, callable, |row| #name(#(#cells.at(row)),*))?;
                        }
                        ::core::result::Result::Ok(results.#finish())
                    }
                    ::tributary_sdk::generated::Entry {
                        describe,
                        run: ::tributary_sdk::generated::Run::#kind(run),
                    }
                };
            }
        }
    }
}

/// Name and type of an argument.
fn argument(arg: &FnArg) -> Result<(String, Type)> {
    let FnArg::Typed(arg) = arg else {
        return Err(Error::new(arg.span(), "a plugin's function has no self"));
    };
    let Pat::Ident(name) = &*arg.pat else {
        return Err(Error::new(
            arg.pat.span(),
            "an argument is a name: it is what SQL shows",
        ));
    };
    let mut ty = (*arg.ty).clone();
    borrow_from_batch(&mut ty);
    Ok((name.ident.to_string(), ty))
}

/// Gives references the lifetime of the batch they point into.
fn borrow_from_batch(ty: &mut Type) {
    match ty {
        Type::Reference(reference) => {
            reference.lifetime = Some(Lifetime::new("'c", reference.span()));
        }
        Type::Path(path) => {
            for segment in &mut path.path.segments {
                let PathArguments::AngleBracketed(args) = &mut segment.arguments else {
                    continue;
                };
                for arg in &mut args.args {
                    if let GenericArgument::Type(ty) = arg {
                        borrow_from_batch(ty);
                    }
                }
            }
        }
        _ => {}
    }
}

/// The documentation comment, which becomes the function's documentation in SQL.
fn doc(attributes: &[Attribute]) -> String {
    let lines = attributes
        .iter()
        .filter_map(|attribute| match &attribute.meta {
            Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
                Expr::Lit(ExprLit {
                    lit: Lit::Str(text),
                    ..
                }) => Some(text.value()),
                _ => None,
            },
            _ => None,
        });
    let lines: Vec<String> = lines.map(|line| line.trim().to_owned()).collect();
    lines.join("\n").trim().to_owned()
}
