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
        context,
        ..
    } = &function;
    let wants_now = context.wants_now();
    let range = match range {
        Some((low, high)) => quote!(::core::option::Option::Some(((#low) as f64, (#high) as f64))),
        None => quote!(::core::option::Option::None),
    };
    let text = name.to_string();
    let describe = quote! {
        ::tributary_sdk::generated::describe_score::<#result>(#text, #doc, #describe_args, #range, #wants_now)
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
        context,
        ..
    } = &function;
    let wants_now = context.wants_now();
    let text = name.to_string();
    let describe = quote! {
        ::tributary_sdk::generated::describe_rule::<#result>(#text, #doc, #describe_args, #wants_now)
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
pub(crate) struct Promise {
    pub(crate) range: Option<(Expr, Expr)>,
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
    /// what it takes that is no argument of SQL
    context: Contexts,
    /// argument types, each reference with the lifetime of the batch
    types: Vec<Type>,
    describe_args: TokenStream,
}

/// What functions take in front of their arguments.
#[derive(Default)]
pub(crate) struct Contexts {
    settings: Option<Type>,
    now: bool,
}

impl Contexts {
    /// Takes them off the front of a list of parameters.
    pub(crate) fn take(inputs: &mut Vec<FnArg>) -> Self {
        let mut contexts = Self::default();
        if let Some(FnArg::Typed(arg)) = inputs.first()
            && let Type::Reference(reference) = &*arg.ty
            && !is_named(&reference.elem, "str")
        {
            contexts.settings = Some((*reference.elem).clone());
            inputs.remove(0);
        }
        if let Some(FnArg::Typed(arg)) = inputs.first()
            && is_named(&arg.ty, "Now")
        {
            contexts.now = true;
            inputs.remove(0);
        }
        contexts
    }

    pub(crate) const fn wants_now(&self) -> bool {
        self.now
    }

    /// Asks for them once per batch.
    pub(crate) fn bind(&self) -> TokenStream {
        let settings = self.settings.as_ref().map(|ty| {
            quote! { let settings = ::tributary_sdk::generated::settings::<#ty>()?; }
        });
        let now = self
            .now
            .then(|| quote! { let now = ::tributary_sdk::generated::now()?; });
        quote! { #settings #now }
    }

    /// The type that says which settings they take, so that `plugin!` can compare it with its own.
    pub(crate) fn takes(&self) -> TokenStream {
        match &self.settings {
            Some(ty) => quote! { ::tributary_sdk::generated::Uses<#ty> },
            None => quote! { ::tributary_sdk::generated::UsesNone },
        }
    }

    /// Hands them over.
    pub(crate) fn pass(&self) -> TokenStream {
        let settings = self.settings.as_ref().map(|_| quote! { &settings, });
        let now = self.now.then(|| quote! { now, });
        quote! { #settings #now }
    }
}

/// Whether a type is a path that ends in this name.
fn is_named(ty: &Type, name: &str) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == name))
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
        let mut inputs: Vec<FnArg> = signature.inputs.iter().cloned().collect();
        let context = Contexts::take(&mut inputs);
        let args = inputs.iter().map(argument).collect::<Result<Vec<_>>>()?;
        let (names, types): (Vec<String>, Vec<Type>) = args.into_iter().unzip();
        let describe_args = quote! {
            ::std::vec![#(<#types as ::tributary_sdk::generated::Argument<'c>>::describe(#names)),*]
        };
        Ok(Self {
            name: signature.ident.clone(),
            doc: doc(&item.attrs),
            result: (**result).clone(),
            context,
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
            context,
            types,
            ..
        } = self;
        let (bind, pass, takes) = (context.bind(), context.pass(), context.takes());
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
                #vis const TAKES: ::core::marker::PhantomData<#takes> = ::core::marker::PhantomData;

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
                        #bind
                        let mut results = ::tributary_sdk::generated::#collector::<#result>::new(rows);
                        for block in ::tributary_sdk::generated::blocks(rows) {
                            #(let #cells = #columns.block(block);)*
                            let callable = ::core::primitive::u64::MAX #(& #cells.callable())*;
                            results.extend(block, callable, |row| #name(#pass #(#cells.at(row)),*))?;
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
pub(crate) fn argument(arg: &FnArg) -> Result<(String, Type)> {
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
                    match arg {
                        GenericArgument::Type(ty) => borrow_from_batch(ty),
                        GenericArgument::Lifetime(lifetime) => {
                            *lifetime = Lifetime::new("'c", lifetime.span());
                        }
                        _ => {}
                    }
                }
            }
        }
        _ => {}
    }
}

/// The documentation comment, which becomes the function's documentation in SQL.
pub(crate) fn doc(attributes: &[Attribute]) -> String {
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
