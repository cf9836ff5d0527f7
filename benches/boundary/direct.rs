//! A guest without the host's crate around it: one component in an engine of its own, so that what
//! stops a guest can be compared. Lowers and lifts with the host's own types.

use std::hint::black_box;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type};
use wasmtime::component::{
    Component, ComponentNamedList, ComponentType, Instance, InstancePre, Lift, Linker, TypedFunc,
};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store};

use super::batches::{Batches, Turn};
use super::race::{Contender, Outcome};

#[path = "../../plugins/host/src/wire.rs"]
mod wire;

use wire::{ColumnIn, ColumnOut, Judgement, Level, PluginError, ValuesIn, VarlenIn};

/// The version of `sdk/wit/plugin.wit`.
const VERSION: &str = "1.0.0";
/// As in the host's limits.
const INSTANCES: u32 = 64;
const LINEAR_MEMORY_BYTES: usize = 64 << 20;
const WASM_STACK_BYTES: usize = 512 << 10;
/// More than a call needs.
const FUEL: u64 = 1 << 40;

/// What stops a guest that runs for too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// nothing does
    Nothing,
    /// a clock
    Epoch,
    /// a count of instructions
    Fuel,
}

type Args<'a> = (u32, &'a [ColumnIn<'a>], u32);
type Answer<T> = (Result<T, PluginError>,);

/// A component that is ready to be instantiated.
pub struct Template {
    pre: InstancePre<()>,
    stop: Stop,
}

impl Template {
    /// Compiles a component in an engine like the host's, but for what stops a guest.
    pub fn new(wasm: &[u8], stop: Stop) -> Outcome<Self> {
        let engine = engine(stop)?;
        let component = Component::new(&engine, wasm)?;
        let mut linker = Linker::new(&engine);
        linker
            .instance(&format!("tributary:plugin/diagnostics@{VERSION}"))?
            .func_wrap("report", |_, (_level, _message): (Level, String)| Ok(()))?;
        let pre = linker.instantiate_pre(&component)?;
        Ok(Self { pre, stop })
    }

    /// An instance with a store of its own.
    pub fn instantiate(&self) -> Outcome<(Store<()>, Instance)> {
        let mut store = Store::new(self.pre.engine(), ());
        match self.stop {
            Stop::Nothing => {}
            Stop::Epoch => store.set_epoch_deadline(FUEL),
            Stop::Fuel => store.set_fuel(FUEL)?,
        }
        let instance = self.pre.instantiate(&mut store)?;
        Ok((store, instance))
    }

    /// A contender that calls a kernel over batches.
    pub fn contender<'b>(
        &self,
        name: String,
        (number, kernel): (u32, &str),
        batches: &'b Batches,
    ) -> Outcome<Contender<'b>> {
        match kernel {
            "qualify" => self.calling::<Judgement>(name, ("rule", "judge"), number, batches),
            _ => self.calling::<ColumnOut>(name, ("scalar", "eval"), number, batches),
        }
    }

    fn calling<'b, T>(
        &self,
        name: String,
        (interface, export): (&str, &str),
        number: u32,
        batches: &'b Batches,
    ) -> Outcome<Contender<'b>>
    where
        T: Lift + ComponentType + 'static,
        Answer<T>: ComponentNamedList,
    {
        let (mut store, instance) = self.instantiate()?;
        let interface = format!("tributary:plugin/{interface}@{VERSION}");
        let interface = instance.get_export_index(&mut store, None, &interface);
        let export = instance.get_export_index(&mut store, interface.as_ref(), export);
        let export = export.ok_or("the component has no such export")?;
        let func: TypedFunc<Args<'b>, Answer<T>> = instance.get_typed_func(&mut store, export)?;
        let lowered: Vec<Vec<ColumnIn<'b>>> = batches
            .all()
            .iter()
            .map(|batch| batch.iter().map(lowered).collect())
            .collect();
        // They live as long as what they borrow, which the type of the function has to name.
        let mut turn = Turn::new(lowered.leak());
        let (rows, stop) = (u32::try_from(batches.rows())?, self.stop);
        Ok(Contender::new(name, move || {
            if stop == Stop::Fuel {
                store.set_fuel(FUEL)?;
            }
            let (answer,) = func.call(&mut store, (number, turn.next().as_slice(), rows))?;
            black_box(answer.map_err(|error| format!("{error:?}"))?);
            Ok(())
        }))
    }
}

/// The engine as the host configures it, but for what stops a guest.
fn engine(stop: Stop) -> Outcome<Engine> {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(INSTANCES)
        .total_core_instances(8 * INSTANCES)
        .total_memories(INSTANCES)
        .total_tables(4 * INSTANCES)
        .max_memory_size(LINEAR_MEMORY_BYTES);
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .consume_fuel(stop == Stop::Fuel)
        .epoch_interruption(stop == Stop::Epoch)
        .max_wasm_stack(WASM_STACK_BYTES)
        .wasm_backtrace_max_frames(None)
        .concurrency_support(false)
        .wasm_multi_memory(false)
        .wasm_memory64(false)
        .wasm_relaxed_simd(false)
        .wasm_tail_call(false)
        .wasm_wide_arithmetic(false);
    Ok(Engine::new(&config)?)
}

/// An array as the wire has it, for the types of the kernels.
fn lowered(array: &ArrayRef) -> ColumnIn<'_> {
    let values = match array.data_type() {
        DataType::Float64 => ValuesIn::Float64(array.as_primitive::<Float64Type>().values()),
        DataType::Int64 => ValuesIn::Int64(array.as_primitive::<Int64Type>().values()),
        DataType::Int32 => ValuesIn::Int32(array.as_primitive::<Int32Type>().values()),
        _ => {
            let text = array.as_string::<i32>();
            ValuesIn::Text(VarlenIn {
                offsets: text.value_offsets(),
                bytes: text.value_data(),
            })
        }
    };
    let validity = array.nulls().filter(|nulls| nulls.null_count() > 0);
    ColumnIn {
        values,
        validity: validity.map(|nulls| nulls.validity()),
        constant: false,
    }
}
