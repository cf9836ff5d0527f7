//! Every bound of the sandbox, with its unit in its name. A limit error carries one of these
//! names, the bound, and what was asked for.

/// The bounds. [`Limits::default`] suits plugins compiled ahead of time (Rust, C).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    // ---- an upload, before it is compiled
    /// size of the component
    pub upload_bytes_max: u64,
    /// core modules in a component
    pub modules_max: u64,
    /// components in a component, at any depth
    pub components_max: u64,
    /// how deep components nest
    pub nesting_depth_max: u64,
    /// items (types, aliases, instances, exports…) of a component, all sections together
    pub items_max: u64,
    /// core functions in all modules together
    pub core_functions_max: u64,
    /// size of one core function
    pub core_function_bytes_max: u64,
    /// locals of one core function
    pub locals_max: u64,
    /// locals times blocks of one core function: what compile time and memory grow with
    pub locals_times_blocks_max: u64,
    /// the same, summed over all core functions
    pub locals_times_blocks_sum_max: u64,
    /// data segments in all modules together
    pub data_segments_max: u64,

    // ---- a manifest
    /// functions of a plugin
    pub functions_max: u64,
    /// arguments of a function, and results
    pub fields_max: u64,
    /// verdicts of a rule
    pub verdicts_max: u64,
    /// reasons of a rule: bits of a word
    pub reasons_max: u64,
    /// settings that a plugin declares
    pub config_keys_max: u64,
    /// settings that a manufacturer gives, as JSON
    pub settings_bytes_max: u64,
    /// a name, a verdict, a code of a reason
    pub name_bytes_max: u64,
    /// documentation of a function or a setting, text of a reason
    pub doc_bytes_max: u64,

    // ---- a running instance
    /// instances alive in the process, all queries together
    pub instances_max: u64,
    /// linear memory of an instance
    pub linear_memory_bytes_max: u64,
    /// elements of each table of an instance
    pub table_elements_max: u64,
    /// stack of a guest; the calling thread needs this much and more to spare
    pub wasm_stack_bytes_max: u64,
    /// instructions to instantiate
    pub fuel_start_max: u64,
    /// instructions to take settings, which may be a mebibyte of tables
    pub fuel_configure_max: u64,
    /// instructions to describe
    pub fuel_describe_max: u64,
    /// instructions of one call, plus `fuel_row_max` for each row
    pub fuel_call_max: u64,
    /// see `fuel_call_max`
    pub fuel_row_max: u64,
    /// instructions of all calls of one query
    pub fuel_query_max: u64,

    // ---- a call
    /// arguments as they are copied in; a larger batch is split
    pub input_bytes_max: u64,
    /// rows of one call; a larger batch is split
    pub batch_rows_max: u64,
    /// what a guest may return from one call, plus four times its input
    pub output_bytes_max: u64,
    /// one text or binary value of a result, and an argument that is written as JSON
    pub value_bytes_max: u64,
    /// an error message of a guest, cut to this
    pub message_bytes_max: u64,
    /// diagnostics kept of one call
    pub diagnostics_max: u64,
    /// one diagnostic, cut to this
    pub diagnostic_bytes_max: u64,
    /// warnings kept of one query
    pub warnings_max: u64,

    // ---- what is compiled
    /// files of compiled code that are kept
    pub code_files_max: u64,
}

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

impl Default for Limits {
    fn default() -> Self {
        Self {
            upload_bytes_max: 4 * MIB,
            modules_max: 64,
            components_max: 64,
            nesting_depth_max: 4,
            items_max: 20_000,
            core_functions_max: 50_000,
            core_function_bytes_max: 512 * KIB,
            locals_max: 1_000,
            locals_times_blocks_max: 200_000,
            locals_times_blocks_sum_max: 2_000_000,
            data_segments_max: 1_000,
            functions_max: 64,
            fields_max: 64,
            verdicts_max: 64,
            reasons_max: 64,
            config_keys_max: 128,
            settings_bytes_max: MIB,
            name_bytes_max: 63,
            doc_bytes_max: 4 * KIB,
            instances_max: 64,
            linear_memory_bytes_max: 64 * MIB,
            table_elements_max: 20_000,
            wasm_stack_bytes_max: 512 * KIB,
            fuel_start_max: 20_000_000,
            fuel_configure_max: 200_000_000,
            fuel_describe_max: 20_000_000,
            fuel_call_max: 20_000_000,
            fuel_row_max: 5_000,
            fuel_query_max: 60_000_000_000,
            input_bytes_max: 16 * MIB,
            batch_rows_max: 1 << 16,
            output_bytes_max: 16 * MIB,
            value_bytes_max: MIB,
            message_bytes_max: 4 * KIB,
            diagnostics_max: 8,
            diagnostic_bytes_max: KIB,
            warnings_max: 64,
            code_files_max: 256,
        }
    }
}
