//! One running guest: the only file that holds a wasmtime `Store`. It gives every call its
//! budget, and turns whatever wasmtime says into our errors. It deliberately knows no Arrow and
//! believes nothing it returns to be right.

use std::marker::PhantomData;

use wasmtime::component::{
    Component, Func, Instance as Running, InstancePre, Linker, TypedFunc, WasmStr,
};
use wasmtime::{Engine, PoolConcurrencyLimitError, ResourceLimiter, Store, StoreContextMut, Trap};

use crate::check::VERSION;
use crate::error::{Error, ErrorKind, printable};
use crate::exports::{
    Configure, Describe, DropFirst, Eval, Evaluate, Exports, Judge, Merge, Reset, Retract,
    Signature, Start, State, Update, interface,
};
use crate::function::Kind;
use crate::limits::Limits;
use crate::manifest::Manifest;
use crate::settings::Settings;
use crate::wire::{ColumnIn, ColumnOut, Context, ErrorCode, Info, Judgement, Level, PluginError};

/// A component that needs nothing but memory to run, and where its exports are. Those that are
/// there have the types of the interface.
pub(crate) struct Template {
    pre: InstancePre<Guest>,
    exports: Exports,
}

impl Template {
    pub(crate) fn new(
        component: &Component,
        engine: &Engine,
        limits: &Limits,
    ) -> Result<Self, Error> {
        let pre = linker(engine).and_then(|linker| linker.instantiate_pre(component));
        let template = Self {
            pre: pre.map_err(|error| Error::refused(format!("link plugin: {error:#}")))?,
            exports: Exports::find(component),
        };
        for (there, name) in [
            (has::<Describe>(&template.exports), Describe::INTERFACE),
            (has::<Configure>(&template.exports), Configure::INTERFACE),
        ] {
            if !there {
                let interface = interface(name);
                return Err(Error::refused(format!(
                    "the component does not export \"{interface}\""
                )));
            }
        }
        Instance::new(&template, limits)?.check_types()?;
        Ok(template)
    }

    /// Fails unless the component has what the functions of the manifest need.
    pub(crate) fn check(&self, manifest: &Manifest) -> Result<(), Error> {
        let there = &self.exports;
        let aggregate = has::<Start>(there)
            && has::<Update>(there)
            && has::<Merge>(there)
            && has::<Evaluate>(there)
            && has::<State>(there)
            && has::<DropFirst>(there)
            && has::<Reset>(there);
        let retracts = manifest.functions.iter().any(|function| function.retracts);
        for (wanted, there, name) in [
            (manifest.has(Kind::Scalar), has::<Eval>(there), "scalar"),
            (manifest.has(Kind::Rule), has::<Judge>(there), "rule"),
            (manifest.has(Kind::Aggregate), aggregate, "aggregate"),
            (retracts, has::<Retract>(there), "aggregate-retract"),
        ] {
            if wanted && !there {
                return Err(Error::refused(format!(
                    "the plugin has {name} functions and no interface \"{}\"",
                    interface(name)
                )));
            }
        }
        Ok(())
    }
}

fn has<S: Signature>(exports: &Exports) -> bool {
    S::place(exports).is_some()
}

fn linker(engine: &Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    linker.instance(&interface("diagnostics"))?.func_wrap(
        "report",
        |guest: StoreContextMut<'_, Guest>, (level, message): (Level, WasmStr)| {
            report(guest, level, &message)
        },
    )?;
    Ok(linker)
}

/// Keeps the first messages of a call, and does not even read the others.
fn report(
    mut guest: StoreContextMut<'_, Guest>,
    level: Level,
    message: &WasmStr,
) -> wasmtime::Result<()> {
    let Guest {
        diagnostics,
        diagnostics_max,
        diagnostic_bytes_max,
        ..
    } = guest.data();
    if diagnostics.len() as u64 >= *diagnostics_max {
        return Ok(());
    }
    let text = printable(&message.to_str(&guest)?, *diagnostic_bytes_max);
    guest.data_mut().diagnostics.push((level, text));
    Ok(())
}

/// What the host keeps about a guest while it runs.
struct Guest {
    linear_memory_bytes_max: u64,
    linear_memory_bytes: u64,
    table_elements_max: u64,
    /// the growth that was denied, if any was
    denied: Option<(&'static str, u64, u64)>,
    diagnostics: Vec<(Level, String)>,
    diagnostics_max: u64,
    diagnostic_bytes_max: u64,
}

impl ResourceLimiter for Guest {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let (limit, asked) = (self.linear_memory_bytes_max, desired as u64);
        if asked > limit {
            self.denied = Some(("linear_memory_bytes_max", limit, asked));
            return Ok(false);
        }
        self.linear_memory_bytes = self.linear_memory_bytes.max(asked);
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let (limit, asked) = (self.table_elements_max, desired as u64);
        if asked > limit {
            self.denied = Some(("table_elements_max", limit, asked));
        }
        Ok(asked <= limit)
    }
}

/// What one call may use.
#[derive(Clone, Copy)]
pub(crate) struct Budget {
    /// instructions
    pub(crate) fuel: u64,
    /// the limit that is to blame if they are not enough
    pub(crate) fuel_limit: (&'static str, u64),
    pub(crate) output_bytes: u64,
}

impl Budget {
    fn new(fuel_limit: (&'static str, u64), output_bytes: u64) -> Self {
        Self {
            fuel: fuel_limit.1,
            fuel_limit,
            output_bytes,
        }
    }
}

/// A function of a running guest, found for its signature.
#[derive(Clone, Copy)]
pub(crate) struct Export<S> {
    func: Func,
    of: PhantomData<S>,
}

/// One running guest. After an error it must be dropped: wasmtime does not let a guest that
/// stopped in the middle of a call be entered again, and we do not want to either.
pub(crate) struct Instance {
    store: Store<Guest>,
    running: Running,
    exports: Exports,
    eval: Option<Export<Eval>>,
    judge: Option<Export<Judge>>,
    fuel_used: u64,
    message_bytes_max: u64,
}

impl Instance {
    /// Instantiates, which runs what the guest does before any call.
    pub(crate) fn new(template: &Template, limits: &Limits) -> Result<Self, Error> {
        let guest = Guest {
            linear_memory_bytes_max: limits.linear_memory_bytes_max,
            linear_memory_bytes: 0,
            table_elements_max: limits.table_elements_max,
            denied: None,
            diagnostics: Vec::new(),
            diagnostics_max: limits.diagnostics_max,
            diagnostic_bytes_max: limits.diagnostic_bytes_max,
        };
        let mut store = Store::new(template.pre.engine(), guest);
        store.limiter(|guest| guest);
        store.set_hostcall_fuel(usize::try_from(limits.output_bytes_max).unwrap_or(usize::MAX));
        let budget = Budget::new(
            ("fuel_start_max", limits.fuel_start_max),
            limits.output_bytes_max,
        );
        let running = store
            .set_fuel(budget.fuel)
            .and_then(|()| template.pre.instantiate(&mut store));
        let running = running.map_err(|error| {
            if error.is::<PoolConcurrencyLimitError>() {
                return Error::limit("instances_max", limits.instances_max, None);
            }
            fault(&error, &store, budget)
        })?;
        let mut instance = Self {
            store,
            running,
            exports: template.exports,
            eval: None,
            judge: None,
            fuel_used: 0,
            message_bytes_max: limits.message_bytes_max,
        };
        instance.eval = instance.find();
        instance.judge = instance.find();
        Ok(instance)
    }

    /// Compares every export that is there with the interface.
    fn check_types(&mut self) -> Result<(), Error> {
        self.check_type::<Describe>()?;
        self.check_type::<Configure>()?;
        self.check_type::<Eval>()?;
        self.check_type::<Judge>()?;
        self.check_type::<Start>()?;
        self.check_type::<Update>()?;
        self.check_type::<Merge>()?;
        self.check_type::<Evaluate>()?;
        self.check_type::<State>()?;
        self.check_type::<DropFirst>()?;
        self.check_type::<Reset>()?;
        self.check_type::<Retract>()
    }

    fn check_type<S: Signature>(&mut self) -> Result<(), Error> {
        if !has::<S>(&self.exports) {
            return Ok(());
        }
        let func = self.export::<S>()?.func;
        let typed = func.typed::<S::Params<'_>, S::Answer>(&self.store);
        typed.map(drop).map_err(|error| {
            Error::refused(format!(
                "the component differs from tributary:plugin {VERSION}: {}",
                printable(&format!("{error:#}"), 1000)
            ))
        })
    }

    /// Finds an export that has to be there. That takes as long as a small call does.
    pub(crate) fn export<S: Signature>(&mut self) -> Result<Export<S>, Error> {
        self.find().ok_or_else(absent::<S>)
    }

    /// Finds an export that may be there.
    pub(crate) fn find<S: Signature>(&mut self) -> Option<Export<S>> {
        let index = S::place(&self.exports)?;
        let func = self.running.get_func(&mut self.store, index)?;
        let of = PhantomData;
        Some(Export { func, of })
    }

    /// What the plugin says it is.
    pub(crate) fn describe(&mut self, limits: &Limits) -> Result<Info, Error> {
        let describe = self.export::<Describe>()?;
        let fuel = ("fuel_describe_max", limits.fuel_describe_max);
        let budget = Budget::new(fuel, limits.output_bytes_max);
        self.call(describe, (), budget).map(|(info,)| info)
    }

    /// Before any evaluation.
    pub(crate) fn configure(
        &mut self,
        settings: &Settings,
        now_us: Option<i64>,
        limits: &Limits,
    ) -> Result<(), Error> {
        let configure = self.export::<Configure>()?;
        let fuel = ("fuel_configure_max", limits.fuel_configure_max);
        let budget = Budget::new(fuel, limits.output_bytes_max);
        let params = (settings.values(), Context { now_us });
        let (answer,) = self.call(configure, params, budget)?;
        // What is wrong with the input of this call is wrong with the settings.
        answer.map_err(|error| match error.code {
            ErrorCode::InvalidInput => Error {
                kind: ErrorKind::Settings,
                ..self.reported(&error, 0)
            },
            _ => self.reported(&error, 0),
        })
    }

    /// One batch of a scalar function.
    pub(crate) fn eval(
        &mut self,
        function: u32,
        args: &[ColumnIn<'_>],
        rows: u32,
        budget: Budget,
    ) -> Result<ColumnOut, Error> {
        let eval = self.eval.ok_or_else(absent::<Eval>)?;
        let (answer,) = self.call(eval, (function, args, rows), budget)?;
        answer.map_err(|error| self.reported(&error, rows))
    }

    /// One batch of a rule.
    pub(crate) fn judge(
        &mut self,
        function: u32,
        args: &[ColumnIn<'_>],
        rows: u32,
        budget: Budget,
    ) -> Result<Judgement, Error> {
        let judge = self.judge.ok_or_else(absent::<Judge>)?;
        let (answer,) = self.call(judge, (function, args, rows), budget)?;
        answer.map_err(|error| self.reported(&error, rows))
    }

    /// The most linear memory it had.
    pub(crate) fn linear_memory_bytes(&self) -> u64 {
        self.store.data().linear_memory_bytes
    }

    /// Instructions since this was last asked.
    pub(crate) fn take_fuel_used(&mut self) -> u64 {
        std::mem::take(&mut self.fuel_used)
    }

    /// What the guest warned of in its last call.
    pub(crate) fn warnings(&mut self) -> impl Iterator<Item = String> {
        let said = self.store.data_mut().diagnostics.drain(..);
        said.filter_map(|(level, message)| matches!(level, Level::Warn).then_some(message))
    }

    /// Calls a function of this guest.
    pub(crate) fn call<S: Signature>(
        &mut self,
        export: Export<S>,
        params: S::Params<'_>,
        budget: Budget,
    ) -> Result<S::Answer, Error> {
        let Guest {
            denied,
            diagnostics,
            ..
        } = self.store.data_mut();
        *denied = None;
        diagnostics.clear();
        self.store
            .set_hostcall_fuel(usize::try_from(budget.output_bytes).unwrap_or(usize::MAX));
        // SAFETY: the unchecked part is that the function has these types. An `Export` is what
        // `find` found for this signature, and `Template::new` compared the types of every
        // export of this very component; the lifetimes in `Params` change no layout. Comparing
        // again costs a microsecond per call.
        let func = unsafe { TypedFunc::<S::Params<'_>, S::Answer>::new_unchecked(export.func) };
        let result = self
            .store
            .set_fuel(budget.fuel)
            .and_then(|()| func.call(&mut self.store, params));
        let left = self.store.get_fuel().unwrap_or(0);
        self.fuel_used = budget.fuel.saturating_sub(left);
        result.map_err(|error| fault(&error, &self.store, budget))
    }

    /// An error the plugin returned in good order.
    pub(crate) fn reported(&self, error: &PluginError, rows: u32) -> Error {
        let row = error.row.filter(|row| *row < rows).map(u64::from);
        let kind = match (error.code, row) {
            (ErrorCode::InvalidInput, Some(_)) => ErrorKind::Row,
            (ErrorCode::MissingConfig, _) => ErrorKind::Settings,
            (ErrorCode::InvalidInput | ErrorCode::Unsupported | ErrorCode::Internal, _) => {
                ErrorKind::Plugin
            }
        };
        Error::new(kind, printable(&error.message, self.message_bytes_max)).in_row(row)
    }
}

fn absent<S: Signature>() -> Error {
    let (interface, name) = (S::INTERFACE, S::NAME);
    Error::internal(format!(
        "the component has no \"{name}\" in \"{interface}\""
    ))
}

/// What wasmtime's error means: a bound of ours, a trap, or an answer that breaks the interface.
fn fault(error: &wasmtime::Error, store: &Store<Guest>, budget: Budget) -> Error {
    let guest = store.data();
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => Error::limit(budget.fuel_limit.0, budget.fuel_limit.1, None),
        Some(Trap::StackOverflow) => Error::limit(
            "wasm_stack_bytes_max",
            store.engine().get_max_wasm_stack() as u64,
            None,
        ),
        Some(trap) => match (&guest.denied, guest.diagnostics.last()) {
            (Some((name, limit, asked)), _) => Error::limit(name, *limit, Some(*asked)),
            (None, Some((Level::Panic, message))) => Error::new(ErrorKind::Trap, message.clone()),
            (None, _) => Error::new(ErrorKind::Trap, trap.to_string()),
        },
        None if exhausted_output(error) => {
            Error::limit("output_bytes_max", budget.output_bytes, None)
        }
        None => Error::output(printable(&format!("{error:#}"), 1000)),
    }
}

/// wasmtime has no type for this error, so its text is compared, here and nowhere else; the
/// hostile test `output_too_large` fails if an upgrade changes it.
fn exhausted_output(error: &wasmtime::Error) -> bool {
    format!("{error:#}").contains("fuel allocated for hostcalls has been exhausted")
}
