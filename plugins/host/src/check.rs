//! The second step: reads an upload from end to end before anything compiles it. Validates it
//! against the few WebAssembly proposals plugins may use, counts what compile time grows with, and
//! looks at the names it imports and exports. It deliberately runs nothing.

use wasmparser::{
    CanonicalFunction, CanonicalOption, ComponentExternName, FuncToValidate, FunctionBody,
    Operator, Parser, Payload, ValidPayload, Validator, ValidatorResources, WasmFeatures,
};

use crate::error::{Error, printable, within};
use crate::limits::Limits;
use crate::upload::Upload;

/// The package of `sdk/wit/plugin.wit`.
const PACKAGE: &str = "tributary:plugin/";
/// Its version that this host speaks.
pub(crate) const VERSION: &str = "1.0.0";

/// What plugins may use: WebAssembly 2 with SIMD, and constant expressions.
const FEATURES: WasmFeatures = WasmFeatures::WASM2
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::COMPONENT_MODEL);

const WASM_PAGE_BYTES: u64 = 1 << 16;

/// An upload that is valid, within the bounds, and imports nothing but what is offered.
pub(crate) struct Checked {
    pub(crate) wasm: Vec<u8>,
    pub(crate) digest: String,
}

impl Checked {
    pub(crate) fn new(upload: Upload, limits: &Limits) -> Result<Self, Error> {
        let mut validator = Validator::new_with_features(FEATURES);
        let mut scan = Scan::new(limits);
        for payload in Parser::new(0).parse_all(&upload.wasm) {
            let payload = payload.map_err(|error| invalid(&error))?;
            scan.see(&payload)?;
            let valid = validator
                .payload(&payload)
                .map_err(|error| invalid(&error))?;
            if let ValidPayload::Func(func, body) = valid {
                validate(func, &body).map_err(|error| invalid(&error))?;
            }
        }
        if !scan.describes_itself {
            return Err(Error::refused(format!(
                "the component does not export \"{PACKAGE}manifest@{VERSION}\""
            )));
        }
        Ok(Self {
            wasm: upload.wasm,
            digest: upload.digest,
        })
    }
}

fn validate(
    func: FuncToValidate<ValidatorResources>,
    body: &FunctionBody<'_>,
) -> wasmparser::Result<()> {
    func.into_validator(Default::default()).validate(body)
}

fn invalid(error: &wasmparser::BinaryReaderError) -> Error {
    Error::refused(format!(
        "the component is not valid: {}",
        printable(&error.to_string(), 1000)
    ))
}

/// Counts over a whole component, nested ones included.
struct Scan<'l> {
    limits: &'l Limits,
    depth: u64,
    modules: u64,
    components: u64,
    items: u64,
    functions: u64,
    locals_times_blocks: u64,
    data_segments: u64,
    describes_itself: bool,
}

impl<'l> Scan<'l> {
    fn new(limits: &'l Limits) -> Self {
        Self {
            limits,
            depth: 0,
            modules: 0,
            components: 0,
            items: 0,
            functions: 0,
            locals_times_blocks: 0,
            data_segments: 0,
            describes_itself: false,
        }
    }

    fn see(&mut self, payload: &Payload<'_>) -> Result<(), Error> {
        use Payload::{
            CodeSectionEntry, CodeSectionStart, ComponentAliasSection, ComponentCanonicalSection,
            ComponentExportSection, ComponentImportSection, ComponentInstanceSection,
            ComponentSection, ComponentTypeSection, CoreTypeSection, DataSection, End,
            InstanceSection, MemorySection, ModuleSection, TableSection, Version,
        };
        match payload {
            Version { .. } => self.enter(),
            End(_) => {
                self.depth -= 1;
                Ok(())
            }
            ModuleSection { .. } => {
                count(&mut self.modules, 1, "modules_max", self.limits.modules_max)
            }
            ComponentSection { .. } => count(
                &mut self.components,
                1,
                "components_max",
                self.limits.components_max,
            ),
            ComponentImportSection(section) => {
                self.items(section.count())?;
                section.clone().into_iter().try_for_each(|import| {
                    self.import(import.map_err(|error| invalid(&error))?.name)
                })
            }
            ComponentExportSection(section) => {
                self.items(section.count())?;
                section.clone().into_iter().try_for_each(|export| {
                    self.export(export.map_err(|error| invalid(&error))?.name)
                })
            }
            ComponentCanonicalSection(section) => {
                self.items(section.count())?;
                section
                    .clone()
                    .into_iter()
                    .try_for_each(|function| canonical(&function.map_err(|error| invalid(&error))?))
            }
            ComponentTypeSection(section) => self.items(section.count()),
            ComponentAliasSection(section) => self.items(section.count()),
            ComponentInstanceSection(section) => self.items(section.count()),
            InstanceSection(section) => self.items(section.count()),
            CoreTypeSection(section) => self.items(section.count()),
            DataSection(section) => {
                let (sum, limit) = (&mut self.data_segments, self.limits.data_segments_max);
                count(sum, section.count(), "data_segments_max", limit)
            }
            MemorySection(section) => self.memories(section),
            TableSection(section) => self.tables(section),
            CodeSectionStart {
                count: functions, ..
            } => {
                let (sum, limit) = (&mut self.functions, self.limits.core_functions_max);
                count(sum, *functions, "core_functions_max", limit)
            }
            CodeSectionEntry(body) => self.function(body).map_err(Fault::error),
            _ => Ok(()),
        }
    }

    fn enter(&mut self) -> Result<(), Error> {
        self.depth += 1;
        within(
            "nesting_depth_max",
            self.limits.nesting_depth_max,
            self.depth,
        )
    }

    fn items(&mut self, items: u32) -> Result<(), Error> {
        count(&mut self.items, items, "items_max", self.limits.items_max)
    }

    /// Only the outermost component reaches the host; the inner ones import from it.
    fn import(&self, name: ComponentExternName<'_>) -> Result<(), Error> {
        let offered =
            ["types", "diagnostics"].map(|interface| format!("{PACKAGE}{interface}@{VERSION}"));
        if self.depth > 1 || offered.iter().any(|offered| offered == name.name) {
            return Ok(());
        }
        spoken_version(name.name)?;
        let name = printable(name.name, self.limits.doc_bytes_max);
        Err(Error::refused(format!(
            "import \"{name}\" is not offered: a plugin may import \"{}\" and nothing else",
            offered[1]
        )))
    }

    fn export(&mut self, name: ComponentExternName<'_>) -> Result<(), Error> {
        if self.depth > 1 {
            return Ok(());
        }
        spoken_version(name.name)?;
        self.describes_itself |= name.name == format!("{PACKAGE}manifest@{VERSION}");
        Ok(())
    }

    fn memories(&self, section: &wasmparser::MemorySectionReader<'_>) -> Result<(), Error> {
        for memory in section.clone() {
            let pages = memory.map_err(|error| invalid(&error))?.initial;
            let bytes = pages.saturating_mul(WASM_PAGE_BYTES);
            within(
                "linear_memory_bytes_max",
                self.limits.linear_memory_bytes_max,
                bytes,
            )?;
        }
        Ok(())
    }

    fn tables(&self, section: &wasmparser::TableSectionReader<'_>) -> Result<(), Error> {
        for table in section.clone() {
            let elements = table.map_err(|error| invalid(&error))?.ty.initial;
            within(
                "table_elements_max",
                self.limits.table_elements_max,
                elements,
            )?;
        }
        Ok(())
    }

    /// Compile time and memory grow with locals times places where control flow meets.
    fn function(&mut self, body: &FunctionBody<'_>) -> Result<(), Fault> {
        let limits = self.limits;
        within(
            "core_function_bytes_max",
            limits.core_function_bytes_max,
            body.range().len() as u64,
        )?;
        let mut locals = 0u64;
        for group in body.get_locals_reader()? {
            locals += u64::from(group?.0);
        }
        within("locals_max", limits.locals_max, locals)?;
        let mut blocks = 0u64;
        for operator in body.get_operators_reader()? {
            blocks += match operator? {
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => 1,
                Operator::BrTable { targets } => u64::from(targets.len()),
                _ => 0,
            };
        }
        let work = locals * blocks;
        within(
            "locals_times_blocks_max",
            limits.locals_times_blocks_max,
            work,
        )?;
        self.locals_times_blocks += work;
        let (limit, sum) = (limits.locals_times_blocks_sum_max, self.locals_times_blocks);
        Ok(within("locals_times_blocks_sum_max", limit, sum)?)
    }
}

/// Either kind of error, so that `?` reads well in one place.
enum Fault {
    Ours(Error),
    Parser(wasmparser::BinaryReaderError),
}

impl Fault {
    fn error(self) -> Error {
        match self {
            Self::Ours(error) => error,
            Self::Parser(error) => invalid(&error),
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl From<wasmparser::BinaryReaderError> for Fault {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        Self::Parser(error)
    }
}

fn count(sum: &mut u64, more: u32, name: &'static str, limit: u64) -> Result<(), Error> {
    *sum += u64::from(more);
    within(name, limit, *sum)
}

/// Refuses our own interfaces in a version this host does not speak.
fn spoken_version(name: &str) -> Result<(), Error> {
    match name
        .strip_prefix(PACKAGE)
        .and_then(|interface| interface.split_once('@'))
    {
        Some((_, version)) if version != VERSION => Err(Error::refused(format!(
            "the plugin is built for tributary:plugin {}, and this host supports {VERSION}",
            printable(version, 64)
        ))),
        _ => Ok(()),
    }
}

/// Text is UTF-8: transcoding in the engine has leaked memory before, and nobody needs it.
fn canonical(function: &CanonicalFunction) -> Result<(), Error> {
    let (CanonicalFunction::Lift { options, .. } | CanonicalFunction::Lower { options, .. }) =
        function
    else {
        return Ok(());
    };
    let other = |option| {
        matches!(
            option,
            &CanonicalOption::UTF16 | &CanonicalOption::CompactUTF16
        )
    };
    if options.iter().any(other) {
        return Err(Error::refused(
            "the component uses UTF-16 strings; a plugin's strings are UTF-8",
        ));
    }
    Ok(())
}
