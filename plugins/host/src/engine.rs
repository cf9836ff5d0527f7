//! How wasmtime is configured. What compiles and what runs must agree in all that shapes machine
//! code, so both come from here.

use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::error::Error;
use crate::limits::Limits;

/// Core modules of one component: the guest, and the glue the component linker adds.
const CORE_INSTANCES_PER_COMPONENT: u32 = 8;
const TABLES_PER_COMPONENT: u32 = 4;

/// The engine that runs plugins: its instances come from a pool, so creating one is microseconds.
pub(crate) fn running(limits: &Limits) -> Result<Engine, Error> {
    let instances = u32::try_from(limits.instances_max).unwrap_or(u32::MAX);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(CORE_INSTANCES_PER_COMPONENT))
        .total_memories(instances)
        .total_tables(instances.saturating_mul(TABLES_PER_COMPONENT))
        .max_core_instances_per_component(CORE_INSTANCES_PER_COMPONENT)
        .max_memories_per_component(1)
        .max_tables_per_component(TABLES_PER_COMPONENT)
        .max_memories_per_module(1)
        .max_tables_per_module(1)
        .max_memory_size(usize(limits.linear_memory_bytes_max))
        .table_elements(usize(limits.table_elements_max));
    let mut config = shared(limits);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    engine(&config)
}

/// The engine that compiles plugins: without a pool, so that it fits a process with little
/// address space.
pub(crate) fn compiling(limits: &Limits) -> Result<Engine, Error> {
    engine(&shared(limits))
}

fn engine(config: &Config) -> Result<Engine, Error> {
    Engine::new(config).map_err(|error| Error::internal(format!("create engine: {error:#}")))
}

fn shared(limits: &Limits) -> Config {
    let mut config = Config::new();
    config
        // The same input always ends the same way: instructions are counted, not time.
        .consume_fuel(true)
        .max_wasm_stack(usize(limits.wasm_stack_bytes_max))
        // Names in a backtrace are the guest's; messages come from `diagnostics` instead.
        .wasm_backtrace_max_frames(None)
        .concurrency_support(false)
        .wasm_multi_memory(false)
        .wasm_memory64(false)
        .wasm_relaxed_simd(false)
        .wasm_tail_call(false)
        .wasm_wide_arithmetic(false)
        .wasm_simd(true)
        .wasm_extended_const(true);
    config
}

fn usize(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
