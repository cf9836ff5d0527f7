//! The functions of `sdk/wit/plugin.wit` with their types, and where a component has them. It
//! deliberately runs nothing; that the types are right is compared once, when a template is made.

use wasmtime::component::{Component, ComponentExportIndex, ComponentNamedList, Lift, Lower};

use crate::check::VERSION;
use crate::wire::{ColumnIn, ColumnOut, ConfigValue, Context, Info, Judgement, PluginError};

/// What a function takes and gives.
pub(crate) trait Signature {
    const INTERFACE: &'static str;
    const NAME: &'static str;
    type Params<'a>: ComponentNamedList + Lower;
    type Answer: ComponentNamedList + Lift + 'static;

    /// Where it is in a component, if it is.
    fn place(exports: &Exports) -> Option<ComponentExportIndex>;
}

type Fallible<T> = (Result<T, PluginError>,);

macro_rules! signatures {
    ($($name:ident at $field:ident: $interface:literal $function:literal $params:ty => $answer:ty;)*) => {
        /// Where a component has the functions of the interface.
        #[derive(Clone, Copy)]
        pub(crate) struct Exports {
            $($field: Option<ComponentExportIndex>,)*
        }

        impl Exports {
            pub(crate) fn find(component: &Component) -> Self {
                Self {
                    $($field: find::<$name>(component),)*
                }
            }
        }

        $(
            #[derive(Clone, Copy)]
            pub(crate) struct $name;

            impl Signature for $name {
                const INTERFACE: &'static str = $interface;
                const NAME: &'static str = $function;
                type Params<'a> = $params;
                type Answer = $answer;

                fn place(exports: &Exports) -> Option<ComponentExportIndex> {
                    exports.$field
                }
            }
        )*
    };
}

type Columns<'a> = &'a [ColumnIn<'a>];
type Settings<'a> = &'a [(String, ConfigValue)];
type Groups<'a> = &'a [u32];
type Filter<'a> = Option<&'a [u8]>;

signatures! {
    Describe at describe: "manifest" "describe" () => (Info,);
    Configure at configure: "lifecycle" "configure" (Settings<'a>, Context) => Fallible<()>;
    Eval at eval: "scalar" "eval" (u32, Columns<'a>, u32) => Fallible<ColumnOut>;
    Judge at judge: "rule" "judge" (u32, Columns<'a>, u32) => Fallible<Judgement>;
    Start at start: "aggregate" "start" (u32,) => Fallible<()>;
    Update at update: "aggregate" "update" (Columns<'a>, Groups<'a>, Filter<'a>, u32, u32) => Fallible<()>;
    Merge at merge: "aggregate" "merge" (Columns<'a>, Groups<'a>, u32, u32) => Fallible<()>;
    Evaluate at evaluate: "aggregate" "evaluate" (Groups<'a>,) => Fallible<ColumnOut>;
    State at state: "aggregate" "state" (Groups<'a>,) => Fallible<Vec<ColumnOut>>;
    DropFirst at drop_first: "aggregate" "drop-first" (u32,) => Fallible<()>;
    Reset at reset: "aggregate" "reset" (u32,) => Fallible<()>;
    Retract at retract: "aggregate-retract" "retract" (Columns<'a>, Groups<'a>, Filter<'a>, u32) => Fallible<()>;
}

/// The name under which a component exports an interface.
pub(crate) fn interface(name: &str) -> String {
    format!("tributary:plugin/{name}@{VERSION}")
}

fn find<S: Signature>(component: &Component) -> Option<ComponentExportIndex> {
    let interface = component.get_export_index(None, interface(S::INTERFACE).as_str())?;
    component.get_export_index(Some(&interface), S::NAME)
}
