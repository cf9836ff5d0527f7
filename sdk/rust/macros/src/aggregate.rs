//! `#[aggregate]` and `#[derive(GroupState)]`: reads the functions of a module and puts the loop beside them, which keeps
//! the states of all groups.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::spanned::Spanned;
use syn::{DeriveInput, Error, FnArg, Ident, Item, ItemFn, ItemMod, Result, ReturnType, Type};

use crate::derive::named_fields;
use crate::function::{Contexts, Promise, argument, doc};

/// `#[derive(GroupState)]`.
pub(crate) fn group_state(item: TokenStream) -> Result<TokenStream> {
    let input: DeriveInput = syn::parse2(item)?;
    let fields = named_fields(&input)?;
    if fields.is_empty() {
        return Err(Error::new(input.span(), "a state has fields"));
    }
    let count = fields.len();
    let idents: Vec<&Ident> = fields
        .iter()
        .filter_map(|field| field.ident.as_ref())
        .collect();
    let types: Vec<&Type> = fields.iter().map(|field| &field.ty).collect();
    let names = idents.iter().map(ToString::to_string);
    // A field may be called "rows".
    let values: Vec<Ident> = (0..count)
        .map(|place| format_ident!("values_{place}"))
        .collect();
    let name = &input.ident;
    Ok(quote! {
        impl ::tributary_sdk::GroupState for #name {
            fn fields() -> ::std::vec::Vec<::tributary_sdk::generated::manifest::Field> {
                ::std::vec![#(::tributary_sdk::generated::describe_result::<#types>(#names)),*]
            }
            fn columns<'s>(
                states: impl ::core::iter::Iterator<Item = &'s Self> + ::core::clone::Clone,
                rows: usize,
            ) -> ::std::vec::Vec<::tributary_sdk::generated::Column> {
                ::std::vec![#(::tributary_sdk::generated::field_column(
                    states.clone().map(|state| state.#idents.clone()),
                    rows,
                )),*]
            }
            fn read(
                columns: &[::tributary_sdk::generated::Column],
                rows: usize,
                mut each: impl ::core::ops::FnMut(usize, Self),
            ) -> ::core::result::Result<(), ::tributary_sdk::generated::PluginError> {
                let [#(#values),*] = ::tributary_sdk::generated::arguments::<#count>(columns)?;
                #(let mut #values = ::tributary_sdk::generated::field_values::<#types>(#values, rows)?.into_iter();)*
                for row in 0..rows {
                    if let (#(::core::option::Option::Some(#values),)*) = (#(#values.next(),)*) {
                        each(row, Self { #(#idents: #values),* });
                    }
                }
                ::core::result::Result::Ok(())
            }
        }
    })
}

/// `#[aggregate]`, `#[aggregate(range = low..=high)]`.
pub(crate) fn aggregate(attribute: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let Promise { range } = syn::parse2(attribute)?;
    let mut module: ItemMod = syn::parse2(item)?;
    let Some((_, items)) = &mut module.content else {
        return Err(Error::new(
            module.span(),
            "an aggregate is a module with its functions in it",
        ));
    };
    let parts = Parts::read(&module.ident, items)?;
    let range = match range {
        Some((low, high)) => quote!(::core::option::Option::Some(((#low) as f64, (#high) as f64))),
        None => quote!(::core::option::Option::None),
    };
    let expanded = parts.expand(&module.ident.to_string(), &doc(&module.attrs), &range);
    items.push(Item::Verbatim(expanded));
    Ok(quote!(#module))
}

/// The functions of the module.
struct Parts {
    update: Loop,
    retract: Option<Loop>,
    merge: Contexts,
    finish: Contexts,
    value: Type,
}

/// A function that takes a state and the arguments of a row.
struct Loop {
    name: Ident,
    contexts: Contexts,
    names: Vec<String>,
    types: Vec<Type>,
}

impl Parts {
    fn read(module: &Ident, items: &[Item]) -> Result<Self> {
        let find = |name: &str| {
            items.iter().find_map(|item| match item {
                Item::Fn(function) if function.sig.ident == name => Some(function),
                _ => None,
            })
        };
        let must = |name: &str, shape: &str| {
            let help = format!("aggregate \"{module}\" needs {shape}");
            find(name).ok_or_else(|| Error::new(module.span(), help))
        };
        let update = must("update", "fn update(state: &mut State, arguments…)")?;
        let merge = must("merge", "fn merge(state: &mut State, other: &State)")?;
        let finish = must("finish", "fn finish(state: &State) -> value")?;
        let ReturnType::Type(_, value) = &finish.sig.output else {
            return Err(Error::new(finish.sig.span(), "finish returns the value"));
        };
        let update = Loop::read(update)?;
        let retract = find("retract").map(Loop::read).transpose()?;
        if let Some(retract) = &retract
            && retract.spelled() != update.spelled()
        {
            let help = "retract takes the same arguments as update";
            return Err(Error::new(retract.name.span(), help));
        }
        Ok(Self {
            update,
            retract,
            merge: contexts(merge)?.0,
            finish: contexts(finish)?.0,
            value: (**value).clone(),
        })
    }

    fn expand(&self, name: &str, doc: &str, range: &TokenStream) -> TokenStream {
        let Self {
            update,
            retract,
            merge,
            finish,
            value,
        } = self;
        let (names, types) = (&update.names, &update.types);
        let retracts = retract.is_some();
        let wants_now = update.contexts.wants_now() || merge.wants_now() || finish.wants_now();
        let takes = update.contexts.takes();
        let update = update.expand();
        let retract = retract.as_ref().map_or_else(
            || quote! { ::core::result::Result::Err(::tributary_sdk::generated::internal("rows never leave this aggregate")) },
            Loop::expand,
        );
        let (merge_bind, merge_pass) = (merge.bind(), merge.pass());
        let (finish_bind, finish_pass) = (finish.bind(), finish.pass());
        quote! {
            #[doc(hidden)]
            pub const TAKES: ::core::marker::PhantomData<#takes> = ::core::marker::PhantomData;

            #[doc(hidden)]
            pub const ENTRY: ::tributary_sdk::generated::Entry = {
                use ::tributary_sdk::generated::{self, Accumulate, Column, PluginError, Rows};

                #[derive(Default)]
                struct Accumulator {
                    groups: generated::Groups<State>,
                }

                impl Accumulate for Accumulator {
                    fn update(&mut self, rows: Rows<'_>, total: u32) -> ::core::result::Result<(), PluginError> {
                        self.groups.grow(total);
                        #update
                    }
                    fn retract(&mut self, rows: Rows<'_>) -> ::core::result::Result<(), PluginError> {
                        #retract
                    }
                    fn merge(
                        &mut self,
                        state: &[Column],
                        groups: &[u32],
                        rows: u32,
                        total: u32,
                    ) -> ::core::result::Result<(), PluginError> {
                        self.groups.grow(total);
                        #merge_bind
                        self.groups.merge(state, groups, rows, |state, other| merge(#merge_pass state, other))
                    }
                    fn evaluate(&self, groups: &[u32]) -> ::core::result::Result<Column, PluginError> {
                        #finish_bind
                        self.groups.evaluate(groups, |state| finish(#finish_pass state))
                    }
                    fn state(&self, groups: &[u32]) -> ::core::result::Result<::std::vec::Vec<Column>, PluginError> {
                        self.groups.states(groups)
                    }
                    fn drop_first(&mut self, groups: u32) {
                        self.groups.drop_first(groups);
                    }
                    fn reset(&mut self, group: u32) {
                        self.groups.reset(group);
                    }
                }

                fn describe<'c>() -> generated::manifest::Function {
                    generated::describe_aggregate::<State>(
                        #name,
                        #doc,
                        ::std::vec![#(<#types as generated::Argument<'c>>::describe(#names)),*],
                        generated::describe_value::<#value>(#name),
                        #range,
                        #retracts,
                        #wants_now,
                    )
                }
                fn make() -> ::std::boxed::Box<dyn Accumulate> {
                    ::std::boxed::Box::new(Accumulator::default())
                }
                generated::Entry {
                    describe,
                    run: generated::Run::Aggregate(make),
                }
            };
        }
    }
}

impl Loop {
    fn read(function: &ItemFn) -> Result<Self> {
        let (contexts, inputs) = contexts(function)?;
        let args = inputs
            .iter()
            .skip(1)
            .map(argument)
            .collect::<Result<Vec<_>>>()?;
        let (names, types) = args.into_iter().unzip();
        Ok(Self {
            name: function.sig.ident.clone(),
            contexts,
            names,
            types,
        })
    }

    /// The types of its arguments, as text.
    fn spelled(&self) -> Vec<String> {
        let types = self.types.iter();
        types.map(|ty| ty.to_token_stream().to_string()).collect()
    }

    /// The loop over a batch.
    fn expand(&self) -> TokenStream {
        let Self {
            name,
            contexts,
            types,
            ..
        } = self;
        let (bind, pass) = (contexts.bind(), contexts.pass());
        let count = types.len();
        let columns: Vec<Ident> = (0..count)
            .map(|place| format_ident!("column_{place}"))
            .collect();
        let cells: Vec<Ident> = (0..count)
            .map(|place| format_ident!("cells_{place}"))
            .collect();
        quote! {
            fn run<'c>(
                states: &mut generated::Groups<State>,
                rows: &Rows<'c>,
            ) -> ::core::result::Result<(), PluginError> {
                let count = rows.rows as usize;
                let [#(#columns),*] = generated::arguments::<#count>(rows.columns)?;
                #(let #columns = generated::Reader::<'c, #types>::open(#columns, count)?;)*
                #bind
                for block in generated::blocks(count) {
                    #(let #cells = #columns.block(block);)*
                    let callable = generated::kept(rows.filter, block) #(& #cells.callable())*;
                    states.each(block, callable, rows.groups, |state, row| {
                        #name(#pass state, #(#cells.at(row)),*)
                    })?;
                }
                ::core::result::Result::Ok(())
            }
            run(&mut self.groups, &rows)
        }
    }
}

/// What a function takes in front of the state, and the rest.
fn contexts(function: &ItemFn) -> Result<(Contexts, Vec<FnArg>)> {
    let mut inputs: Vec<FnArg> = function.sig.inputs.iter().cloned().collect();
    // The state is a reference too, so settings come before it or not at all.
    let leading = inputs.iter().take_while(|input| !is_state(input)).count();
    let rest = inputs.split_off(leading);
    let taken = Contexts::take(&mut inputs);
    match (inputs.first(), rest.is_empty()) {
        (None, false) => Ok((taken, rest)),
        _ => Err(Error::new(
            function.sig.span(),
            "settings and the time come first, then the state, then arguments",
        )),
    }
}

/// Whether a parameter is `&State` or `&mut State`.
fn is_state(input: &FnArg) -> bool {
    let FnArg::Typed(arg) = input else {
        return false;
    };
    let Type::Reference(reference) = &*arg.ty else {
        return false;
    };
    matches!(&*reference.elem, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "State"))
}
