//! The types of `sdk/wit/plugin.wit`, as wasmtime lowers and lifts them. Arguments borrow, so that
//! a column is copied once, into the guest; results own what was copied out. wasmtime compares
//! these types with a component's own at upload, name by name.

#![expect(dead_code, reason = "wasmtime makes these values, through its derives")]

use wasmtime::component::{ComponentType, Lift, Lower};

// ------------------------------------------------------------------------------ into the guest

#[derive(ComponentType, Lower, Clone, Copy)]
#[component(record)]
pub(crate) struct VarlenIn<'a> {
    pub(crate) offsets: &'a [i32],
    pub(crate) bytes: &'a [u8],
}

/// As [`VarlenIn`], as raw bytes.
#[derive(ComponentType, Lower, Clone, Copy)]
#[component(record)]
pub(crate) struct PackedVarlenIn<'a> {
    pub(crate) offsets: &'a [u8],
    pub(crate) bytes: &'a [u8],
}

#[derive(ComponentType, Lower, Clone, Copy)]
#[component(record)]
pub(crate) struct DictIn<'a> {
    pub(crate) keys: &'a [i32],
    pub(crate) values: VarlenIn<'a>,
}

#[derive(ComponentType, Lower, Clone, Copy)]
#[component(variant)]
pub(crate) enum ValuesIn<'a> {
    #[component(name = "bits")]
    Bits(&'a [u8]),
    #[component(name = "int8")]
    Int8(&'a [i8]),
    #[component(name = "int16")]
    Int16(&'a [i16]),
    #[component(name = "int32")]
    Int32(&'a [i32]),
    #[component(name = "int64")]
    Int64(&'a [i64]),
    #[component(name = "uint8")]
    Uint8(&'a [u8]),
    #[component(name = "uint16")]
    Uint16(&'a [u16]),
    #[component(name = "uint32")]
    Uint32(&'a [u32]),
    #[component(name = "uint64")]
    Uint64(&'a [u64]),
    #[component(name = "float32")]
    Float32(&'a [f32]),
    #[component(name = "float64")]
    Float64(&'a [f64]),
    #[component(name = "int128")]
    Int128(&'a [u64]),
    #[component(name = "text")]
    Text(VarlenIn<'a>),
    #[component(name = "binary")]
    Binary(VarlenIn<'a>),
    #[component(name = "dict-text")]
    DictText(DictIn<'a>),
    #[component(name = "packed")]
    Packed(&'a [u8]),
    #[component(name = "packed-text")]
    PackedText(PackedVarlenIn<'a>),
}

#[derive(ComponentType, Lower, Clone, Copy)]
#[component(record)]
pub(crate) struct ColumnIn<'a> {
    pub(crate) values: ValuesIn<'a>,
    pub(crate) validity: Option<&'a [u8]>,
    pub(crate) constant: bool,
}

/// A setting, on its way in.
#[derive(ComponentType, Lower, Clone, Debug)]
#[component(variant)]
pub(crate) enum ConfigValue {
    #[component(name = "boolean")]
    Boolean(bool),
    #[component(name = "integer")]
    Integer(i64),
    #[component(name = "number")]
    Number(f64),
    #[component(name = "text")]
    Text(String),
    #[component(name = "text-list")]
    TextList(Vec<String>),
    #[component(name = "json")]
    Json(String),
}

/// What a guest learns of the query it runs in.
#[derive(ComponentType, Lower, Clone, Copy)]
#[component(record)]
pub(crate) struct Context {
    #[component(name = "now-us")]
    pub(crate) now_us: Option<i64>,
}

// ---------------------------------------------------------------------------- out of the guest

#[derive(ComponentType, Lift, Debug)]
#[component(record)]
pub(crate) struct VarlenOut {
    pub(crate) offsets: Vec<i32>,
    pub(crate) bytes: Vec<u8>,
}

#[derive(ComponentType, Lift, Debug)]
#[component(record)]
pub(crate) struct PackedVarlenOut {
    pub(crate) offsets: Vec<u8>,
    pub(crate) bytes: Vec<u8>,
}

#[derive(ComponentType, Lift, Debug)]
#[component(record)]
pub(crate) struct DictOut {
    pub(crate) keys: Vec<i32>,
    pub(crate) values: VarlenOut,
}

#[derive(ComponentType, Lift, Debug)]
#[component(variant)]
pub(crate) enum ValuesOut {
    #[component(name = "bits")]
    Bits(Vec<u8>),
    #[component(name = "int8")]
    Int8(Vec<i8>),
    #[component(name = "int16")]
    Int16(Vec<i16>),
    #[component(name = "int32")]
    Int32(Vec<i32>),
    #[component(name = "int64")]
    Int64(Vec<i64>),
    #[component(name = "uint8")]
    Uint8(Vec<u8>),
    #[component(name = "uint16")]
    Uint16(Vec<u16>),
    #[component(name = "uint32")]
    Uint32(Vec<u32>),
    #[component(name = "uint64")]
    Uint64(Vec<u64>),
    #[component(name = "float32")]
    Float32(Vec<f32>),
    #[component(name = "float64")]
    Float64(Vec<f64>),
    #[component(name = "int128")]
    Int128(Vec<u64>),
    #[component(name = "text")]
    Text(VarlenOut),
    #[component(name = "binary")]
    Binary(VarlenOut),
    #[component(name = "dict-text")]
    DictText(DictOut),
    #[component(name = "packed")]
    Packed(Vec<u8>),
    #[component(name = "packed-text")]
    PackedText(PackedVarlenOut),
}

#[derive(ComponentType, Lift, Debug)]
#[component(record)]
pub(crate) struct ColumnOut {
    pub(crate) values: ValuesOut,
    pub(crate) validity: Option<Vec<u8>>,
    pub(crate) constant: bool,
}

#[derive(ComponentType, Lift, Debug)]
#[component(record)]
pub(crate) struct Judgement {
    pub(crate) verdicts: Vec<u8>,
    pub(crate) reasons: Vec<u64>,
    pub(crate) details: Vec<ColumnOut>,
}

#[derive(ComponentType, Lift, Clone, Copy, Debug)]
#[component(enum)]
#[repr(u8)]
pub(crate) enum ErrorCode {
    #[component(name = "invalid-input")]
    InvalidInput,
    #[component(name = "missing-config")]
    MissingConfig,
    #[component(name = "unsupported")]
    Unsupported,
    #[component(name = "internal")]
    Internal,
}

#[derive(ComponentType, Lift, Debug)]
#[component(record)]
pub(crate) struct PluginError {
    pub(crate) code: ErrorCode,
    pub(crate) message: String,
    pub(crate) row: Option<u32>,
}

#[derive(ComponentType, Lift, Clone, Copy, Debug)]
#[component(enum)]
#[repr(u8)]
pub(crate) enum Level {
    #[component(name = "panic")]
    Panic,
    #[component(name = "warn")]
    Warn,
}

// --------------------------------------------------------------------------------- the manifest

#[derive(ComponentType, Lift, Clone, Copy, Debug, PartialEq)]
#[component(enum)]
#[repr(u8)]
pub(crate) enum Kind {
    #[component(name = "scalar")]
    Scalar,
    #[component(name = "rule")]
    Rule,
    #[component(name = "aggregate")]
    Aggregate,
}

#[derive(ComponentType, Lift, Clone, Copy, Debug, PartialEq)]
#[component(enum)]
#[repr(u8)]
pub(crate) enum Volatility {
    #[component(name = "immutable")]
    Immutable,
    #[component(name = "stable")]
    Stable,
}

#[derive(ComponentType, Lift, Clone, Copy, Debug, PartialEq)]
#[component(enum)]
#[repr(u8)]
pub(crate) enum Wire {
    #[component(name = "typed")]
    Typed,
    #[component(name = "packed")]
    Packed,
}

#[derive(ComponentType, Lift, Clone, Copy, Debug, PartialEq)]
#[component(enum)]
#[repr(u8)]
pub(crate) enum Physical {
    #[component(name = "bits")]
    Bits,
    #[component(name = "int8")]
    Int8,
    #[component(name = "int16")]
    Int16,
    #[component(name = "int32")]
    Int32,
    #[component(name = "int64")]
    Int64,
    #[component(name = "uint8")]
    Uint8,
    #[component(name = "uint16")]
    Uint16,
    #[component(name = "uint32")]
    Uint32,
    #[component(name = "uint64")]
    Uint64,
    #[component(name = "float32")]
    Float32,
    #[component(name = "float64")]
    Float64,
    #[component(name = "int128")]
    Int128,
    #[component(name = "text")]
    Text,
    #[component(name = "binary")]
    Binary,
}

#[derive(ComponentType, Lift, Clone, Debug, PartialEq)]
#[component(record)]
pub(crate) struct DataType {
    pub(crate) physical: Physical,
    pub(crate) logical: String,
}

#[derive(ComponentType, Lift, Clone, Debug, PartialEq)]
#[component(record)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) ty: DataType,
    pub(crate) nullable: bool,
}

#[derive(ComponentType, Lift, Clone, Debug, PartialEq)]
#[component(record)]
pub(crate) struct Range {
    pub(crate) lo: f64,
    pub(crate) hi: f64,
}

#[derive(ComponentType, Lift, Clone, Debug, PartialEq)]
#[component(record)]
pub(crate) struct Reason {
    pub(crate) code: String,
    pub(crate) text: String,
}

#[derive(ComponentType, Lift, Clone, Debug, PartialEq)]
#[component(record)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) doc: String,
    pub(crate) args: Vec<Field>,
    pub(crate) returns: Vec<Field>,
    pub(crate) volatility: Volatility,
    #[component(name = "wants-now")]
    pub(crate) wants_now: bool,
    #[component(name = "accepts-dictionaries")]
    pub(crate) accepts_dictionaries: bool,
    #[component(name = "output-range")]
    pub(crate) output_range: Option<Range>,
    pub(crate) verdicts: Vec<String>,
    pub(crate) reasons: Vec<Reason>,
    pub(crate) state: Vec<Field>,
    pub(crate) retracts: bool,
}

#[derive(ComponentType, Lift, Clone, Copy, Debug, PartialEq)]
#[component(enum)]
#[repr(u8)]
pub(crate) enum ConfigType {
    #[component(name = "boolean")]
    Boolean,
    #[component(name = "integer")]
    Integer,
    #[component(name = "number")]
    Number,
    #[component(name = "text")]
    Text,
    #[component(name = "text-list")]
    TextList,
    #[component(name = "json")]
    Json,
}

#[derive(ComponentType, Lift, Clone, Debug, PartialEq)]
#[component(record)]
pub(crate) struct ConfigKey {
    pub(crate) name: String,
    pub(crate) ty: ConfigType,
    pub(crate) required: bool,
    pub(crate) doc: String,
    #[component(name = "default-json")]
    pub(crate) default_json: Option<String>,
    pub(crate) min: Option<f64>,
    pub(crate) max: Option<f64>,
}

#[derive(ComponentType, Lift, Clone, Debug, PartialEq)]
#[component(record)]
pub(crate) struct Info {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) wire: Wire,
    pub(crate) functions: Vec<Function>,
    pub(crate) config: Vec<ConfigKey>,
}

// ---------------------------------------------------------------------------- how much came out

impl ColumnOut {
    /// What was copied out of the guest.
    pub(crate) fn bytes(&self) -> u64 {
        let values = match &self.values {
            ValuesOut::Bits(values) | ValuesOut::Uint8(values) | ValuesOut::Packed(values) => {
                size_of_val(values.as_slice())
            }
            ValuesOut::Int8(values) => size_of_val(values.as_slice()),
            ValuesOut::Int16(values) => size_of_val(values.as_slice()),
            ValuesOut::Int32(values) => size_of_val(values.as_slice()),
            ValuesOut::Int64(values) => size_of_val(values.as_slice()),
            ValuesOut::Uint16(values) => size_of_val(values.as_slice()),
            ValuesOut::Uint32(values) => size_of_val(values.as_slice()),
            ValuesOut::Uint64(values) | ValuesOut::Int128(values) => size_of_val(values.as_slice()),
            ValuesOut::Float32(values) => size_of_val(values.as_slice()),
            ValuesOut::Float64(values) => size_of_val(values.as_slice()),
            ValuesOut::Text(varlen) | ValuesOut::Binary(varlen) => varlen.bytes(),
            ValuesOut::DictText(DictOut { keys, values }) => {
                size_of_val(keys.as_slice()) + values.bytes()
            }
            ValuesOut::PackedText(PackedVarlenOut { offsets, bytes }) => {
                offsets.len() + bytes.len()
            }
        };
        (values + self.validity.as_ref().map_or(0, Vec::len)) as u64
    }
}

impl VarlenOut {
    fn bytes(&self) -> usize {
        size_of_val(self.offsets.as_slice()) + self.bytes.len()
    }
}

impl Judgement {
    /// What was copied out of the guest.
    pub(crate) fn bytes(&self) -> u64 {
        let details: u64 = self.details.iter().map(ColumnOut::bytes).sum();
        (self.verdicts.len() + size_of_val(self.reasons.as_slice())) as u64 + details
    }
}
