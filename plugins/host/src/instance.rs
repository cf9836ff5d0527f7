//! One running guest: the only file that holds a wasmtime `Store`. It gives every call its
//! budget, and turns whatever wasmtime says into our errors. It deliberately knows no Arrow and
//! believes nothing it returns to be right.

use wasmtime::component::{
    Component, ComponentExportIndex, Func, InstancePre, Lift, Linker, TypedFunc, WasmStr,
};
use wasmtime::{Engine, PoolConcurrencyLimitError, ResourceLimiter, Store, StoreContextMut, Trap};

use crate::check::VERSION;
use crate::error::{Error, ErrorKind, printable};
use crate::limits::Limits;
use crate::wire::{
    ColumnIn, ColumnOut, ConfigValue, Context, ErrorCode, Info, Judgement, Level, PluginError,
};

type Args<'a> = (u32, &'a [ColumnIn<'a>], u32);
type Configure<'a> = (&'a [(String, ConfigValue)], Context);
/// arguments, groups, filter, rows, groups in all
pub(crate) type Update<'a> = (&'a [ColumnIn<'a>], &'a [u32], Option<&'a [u8]>, u32, u32);
/// the same without the last
pub(crate) type Retract<'a> = (&'a [ColumnIn<'a>], &'a [u32], Option<&'a [u8]>, u32);
/// state, groups, rows, groups in all
pub(crate) type Merge<'a> = (&'a [ColumnIn<'a>], &'a [u32], u32, u32);
type Answer<T> = (Result<T, PluginError>,);

/// A component that needs nothing but memory to run, and where its exports are.
pub(crate) struct Template {
    pre: InstancePre<Guest>,
    describe: ComponentExportIndex,
    configure: ComponentExportIndex,
    eval: Option<ComponentExportIndex>,
    judge: Option<ComponentExportIndex>,
    aggregate: Option<Aggregate<ComponentExportIndex>>,
    retract: Option<ComponentExportIndex>,
}

/// The functions of interface `aggregate`.
#[derive(Clone, Copy)]
struct Aggregate<T> {
    start: T,
    update: T,
    merge: T,
    evaluate: T,
    state: T,
    drop_first: T,
    reset: T,
}

impl<T> Aggregate<T> {
    fn try_new<E>(mut find: impl FnMut(&str) -> Result<T, E>) -> Result<Self, E> {
        Ok(Self {
            start: find("start")?,
            update: find("update")?,
            merge: find("merge")?,
            evaluate: find("evaluate")?,
            state: find("state")?,
            drop_first: find("drop-first")?,
            reset: find("reset")?,
        })
    }

    fn try_map<U>(&self, mut with: impl FnMut(&T) -> Option<U>) -> Option<Aggregate<U>> {
        Some(Aggregate {
            start: with(&self.start)?,
            update: with(&self.update)?,
            merge: with(&self.merge)?,
            evaluate: with(&self.evaluate)?,
            state: with(&self.state)?,
            drop_first: with(&self.drop_first)?,
            reset: with(&self.reset)?,
        })
    }
}

/// Which interfaces the functions of a manifest need.
#[derive(Clone, Copy, Default)]
pub(crate) struct Needs {
    pub(crate) scalar: bool,
    pub(crate) rule: bool,
    pub(crate) aggregate: bool,
    pub(crate) retract: bool,
}

impl Template {
    pub(crate) fn new(component: &Component, engine: &Engine) -> Result<Self, Error> {
        let missing = |name: &str| {
            Error::refused(format!(
                "the component does not export \"tributary:plugin/{name}@{VERSION}\""
            ))
        };
        let pre = linker(engine).and_then(|linker| linker.instantiate_pre(component));
        Ok(Self {
            pre: pre.map_err(|error| Error::refused(format!("link plugin: {error:#}")))?,
            describe: export(component, "manifest", "describe")
                .ok_or_else(|| missing("manifest"))?,
            configure: export(component, "lifecycle", "configure")
                .ok_or_else(|| missing("lifecycle"))?,
            eval: export(component, "scalar", "eval"),
            judge: export(component, "rule", "judge"),
            aggregate: Aggregate::try_new(|name| export(component, "aggregate", name).ok_or(()))
                .ok(),
            retract: export(component, "aggregate-retract", "retract"),
        })
    }

    /// Fails unless the component has what its functions need, with the right types.
    pub(crate) fn check(&self, limits: &Limits, needs: Needs) -> Result<(), Error> {
        let instance = Instance::new(self, limits)?;
        let interfaces = [
            (needs.scalar, self.eval.is_some(), "scalar"),
            (needs.rule, self.judge.is_some(), "rule"),
            (needs.aggregate, self.aggregate.is_some(), "aggregate"),
            (needs.retract, self.retract.is_some(), "aggregate-retract"),
        ];
        for (wanted, there, name) in interfaces {
            if wanted && !there {
                return Err(Error::refused(format!(
                    "the plugin has functions that need interface \"{name}\", and no such interface"
                )));
            }
        }
        instance.typed::<Configure<'_>, Answer<()>>(instance.configure)?;
        if let Some(eval) = instance.eval {
            instance.typed::<Args<'_>, Answer<ColumnOut>>(eval)?;
        }
        if let Some(judge) = instance.judge {
            instance.typed::<Args<'_>, Answer<Judgement>>(judge)?;
        }
        if let Some(retract) = instance.retract {
            instance.typed::<Retract<'_>, Answer<()>>(retract)?;
        }
        if let Some(aggregate) = &instance.aggregate {
            instance.typed::<(u32,), Answer<()>>(aggregate.start)?;
            instance.typed::<Update<'_>, Answer<()>>(aggregate.update)?;
            instance.typed::<Merge<'_>, Answer<()>>(aggregate.merge)?;
            instance.typed::<(&[u32],), Answer<ColumnOut>>(aggregate.evaluate)?;
            instance.typed::<(&[u32],), Answer<Vec<ColumnOut>>>(aggregate.state)?;
            instance.typed::<(u32,), Answer<()>>(aggregate.drop_first)?;
            instance.typed::<(u32,), Answer<()>>(aggregate.reset)?;
        }
        Ok(())
    }
}

fn linker(engine: &Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    linker
        .instance(&format!("tributary:plugin/diagnostics@{VERSION}"))?
        .func_wrap(
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

fn export(component: &Component, interface: &str, function: &str) -> Option<ComponentExportIndex> {
    let interface = format!("tributary:plugin/{interface}@{VERSION}");
    let interface = component.get_export_index(None, &interface)?;
    component.get_export_index(Some(&interface), function)
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
    pub(crate) fuel: u64,
    pub(crate) output_bytes: u64,
}

/// One running guest. After an error it must be dropped: wasmtime does not let a guest that
/// stopped in the middle of a call be entered again, and we do not want to either.
pub(crate) struct Instance {
    store: Store<Guest>,
    describe: Func,
    configure: Func,
    eval: Option<Func>,
    judge: Option<Func>,
    aggregate: Option<Aggregate<Func>>,
    retract: Option<Func>,
    fuel_describe_max: u64,
    fuel_start_max: u64,
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
        let fuel = limits.fuel_start_max;
        let instance = store
            .set_fuel(fuel)
            .and_then(|()| template.pre.instantiate(&mut store));
        let instance = instance.map_err(|error| {
            if error.is::<PoolConcurrencyLimitError>() {
                return Error::limit("instances_max", limits.instances_max, None);
            }
            fault(
                &error,
                &store,
                ("fuel_start_max", fuel),
                limits.output_bytes_max,
            )
        })?;
        let mut func = |index: &ComponentExportIndex| instance.get_func(&mut store, index);
        let lost = || Error::internal("an export that was there is not a function");
        Ok(Self {
            describe: func(&template.describe).ok_or_else(lost)?,
            configure: func(&template.configure).ok_or_else(lost)?,
            eval: template.eval.as_ref().and_then(&mut func),
            judge: template.judge.as_ref().and_then(&mut func),
            aggregate: template
                .aggregate
                .as_ref()
                .and_then(|aggregate| aggregate.try_map(&mut func)),
            retract: template.retract.as_ref().and_then(&mut func),
            store,
            fuel_describe_max: limits.fuel_describe_max,
            fuel_start_max: limits.fuel_start_max,
            message_bytes_max: limits.message_bytes_max,
        })
    }

    /// What the plugin says it is.
    pub(crate) fn describe(&mut self) -> Result<Info, Error> {
        let describe = self.typed::<(), (Info,)>(self.describe)?;
        let fuel = ("fuel_describe_max", self.fuel_describe_max);
        let output_bytes = self.store.hostcall_fuel() as u64;
        self.call(&describe, (), fuel, output_bytes)
            .map(|(info,)| info)
    }

    /// Hands over the settings, before any evaluation.
    pub(crate) fn configure(
        &mut self,
        settings: &[(String, ConfigValue)],
        now_us: Option<i64>,
    ) -> Result<(), Error> {
        let configure = self.typed::<Configure<'_>, Answer<()>>(self.configure)?;
        let fuel = ("fuel_start_max", self.fuel_start_max);
        let output_bytes = self.store.hostcall_fuel() as u64;
        let params = (settings, Context { now_us });
        let (answer,) = self.call(&configure, params, fuel, output_bytes)?;
        answer.map_err(|error| {
            let reported = self.reported(&error, 0);
            match error.code {
                ErrorCode::MissingConfig | ErrorCode::InvalidInput => {
                    Error::new(ErrorKind::Settings, reported.message)
                }
                ErrorCode::Unsupported | ErrorCode::Internal => reported,
            }
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
        let params: Args<'_> = (function, args, rows);
        self.batch(self.eval, params, rows, budget)
    }

    /// One batch of a rule.
    pub(crate) fn judge(
        &mut self,
        function: u32,
        args: &[ColumnIn<'_>],
        rows: u32,
        budget: Budget,
    ) -> Result<Judgement, Error> {
        let params: Args<'_> = (function, args, rows);
        self.batch(self.judge, params, rows, budget)
    }

    /// Makes the instance accumulate for one function.
    pub(crate) fn aggregate_start(&mut self, function: u32, budget: Budget) -> Result<(), Error> {
        let func = self.aggregate.map(|aggregate| aggregate.start);
        self.batch(func, (function,), 0, budget)
    }

    /// Adds rows to groups.
    pub(crate) fn update(&mut self, update: Update<'_>, budget: Budget) -> Result<(), Error> {
        let func = self.aggregate.map(|aggregate| aggregate.update);
        self.batch(func, update, update.3, budget)
    }

    /// Takes rows out of groups.
    pub(crate) fn retract(&mut self, retract: Retract<'_>, budget: Budget) -> Result<(), Error> {
        self.batch(self.retract, retract, retract.3, budget)
    }

    /// Adds partial states to groups.
    pub(crate) fn merge(&mut self, merge: Merge<'_>, budget: Budget) -> Result<(), Error> {
        let func = self.aggregate.map(|aggregate| aggregate.merge);
        self.batch(func, merge, merge.2, budget)
    }

    /// The values of groups.
    pub(crate) fn evaluate(&mut self, groups: &[u32], budget: Budget) -> Result<ColumnOut, Error> {
        let func = self.aggregate.map(|aggregate| aggregate.evaluate);
        self.batch(func, (groups,), 0, budget)
    }

    /// The partial states of groups.
    pub(crate) fn state(
        &mut self,
        groups: &[u32],
        budget: Budget,
    ) -> Result<Vec<ColumnOut>, Error> {
        let func = self.aggregate.map(|aggregate| aggregate.state);
        self.batch(func, (groups,), 0, budget)
    }

    /// Forgets the first groups.
    pub(crate) fn drop_first(&mut self, groups: u32, budget: Budget) -> Result<(), Error> {
        let func = self.aggregate.map(|aggregate| aggregate.drop_first);
        self.batch(func, (groups,), 0, budget)
    }

    /// Makes a group empty.
    pub(crate) fn reset(&mut self, group: u32, budget: Budget) -> Result<(), Error> {
        let func = self.aggregate.map(|aggregate| aggregate.reset);
        self.batch(func, (group,), 0, budget)
    }

    /// What plugins warned of in the last call.
    pub(crate) fn warnings(&self) -> impl Iterator<Item = &str> {
        let diagnostics = self.store.data().diagnostics.iter();
        diagnostics
            .filter(|(level, _)| matches!(level, Level::Warn))
            .map(|(_, message)| message.as_str())
    }

    /// Instructions that the last call took, of those that it was given.
    pub(crate) fn fuel_used(&self, given: u64) -> u64 {
        given.saturating_sub(self.store.get_fuel().unwrap_or_default())
    }

    /// The most linear memory it had.
    pub(crate) fn linear_memory_bytes(&self) -> u64 {
        self.store.data().linear_memory_bytes
    }

    fn batch<P, T>(
        &mut self,
        func: Option<Func>,
        params: P,
        rows: u32,
        budget: Budget,
    ) -> Result<T, Error>
    where
        P: wasmtime::component::ComponentNamedList + wasmtime::component::Lower,
        T: Lift + 'static,
    {
        let func =
            func.ok_or_else(|| Error::internal("the plugin does not have this interface"))?;
        // SAFETY: the unchecked part is that the function has these types. `Template::check`
        // compared them with this very component when it was installed, through the same export;
        // the lifetimes in the parameters change no layout. Comparing again costs a microsecond
        // per call.
        let func = unsafe { TypedFunc::<P, Answer<T>>::new_unchecked(func) };
        let (answer,) = self.call(
            &func,
            params,
            ("fuel_call_max", budget.fuel),
            budget.output_bytes,
        )?;
        answer.map_err(|error| self.reported(&error, rows))
    }

    fn call<P, R>(
        &mut self,
        func: &TypedFunc<P, R>,
        params: P,
        fuel: (&'static str, u64),
        output_bytes: u64,
    ) -> Result<R, Error>
    where
        P: wasmtime::component::ComponentNamedList + wasmtime::component::Lower,
        R: wasmtime::component::ComponentNamedList + Lift + 'static,
    {
        let Guest {
            denied,
            diagnostics,
            ..
        } = self.store.data_mut();
        *denied = None;
        diagnostics.clear();
        self.store
            .set_hostcall_fuel(usize::try_from(output_bytes).unwrap_or(usize::MAX));
        let result = self
            .store
            .set_fuel(fuel.1)
            .and_then(|()| func.call(&mut self.store, params));
        result.map_err(|error| fault(&error, &self.store, fuel, output_bytes))
    }

    fn typed<P, R>(&self, func: Func) -> Result<TypedFunc<P, R>, Error>
    where
        P: wasmtime::component::ComponentNamedList + wasmtime::component::Lower,
        R: wasmtime::component::ComponentNamedList + Lift,
    {
        func.typed(&self.store).map_err(|error| {
            Error::refused(format!(
                "the component differs from tributary:plugin {VERSION}: {}",
                printable(&format!("{error:#}"), 1000)
            ))
        })
    }

    /// An error the plugin returned in good order.
    fn reported(&self, error: &PluginError, rows: u32) -> Error {
        let row = error.row.filter(|row| *row < rows).map(u64::from);
        let kind = match (error.code, row) {
            (ErrorCode::InvalidInput, Some(_)) => ErrorKind::Row,
            (
                ErrorCode::InvalidInput
                | ErrorCode::MissingConfig
                | ErrorCode::Unsupported
                | ErrorCode::Internal,
                _,
            ) => ErrorKind::Plugin,
        };
        Error::new(kind, printable(&error.message, self.message_bytes_max)).in_row(row)
    }
}

/// What wasmtime's error means: a bound of ours, a trap, or an answer that breaks the interface.
fn fault(
    error: &wasmtime::Error,
    store: &Store<Guest>,
    fuel: (&'static str, u64),
    output_bytes: u64,
) -> Error {
    let guest = store.data();
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => Error::limit(fuel.0, fuel.1, None),
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
        None if exhausted_output(error) => Error::limit("output_bytes_max", output_bytes, None),
        None => Error::output(printable(&format!("{error:#}"), 1000)),
    }
}

/// wasmtime has no type for this error, so its text is compared, here and nowhere else; the
/// hostile test `output_too_large` fails if an upgrade changes it.
fn exhausted_output(error: &wasmtime::Error) -> bool {
    format!("{error:#}").contains("fuel allocated for hostcalls has been exhausted")
}
