//! What an instance was told before its first batch: the settings, the time, and the aggregate it accumulates for.
//! WebAssembly has one thread, so in a plugin this is one place; in native tests each thread has its own.

use std::any::Any;
use std::cell::RefCell;
use std::rc::Rc;

use crate::aggregate::Accumulate;
use crate::argument::internal;
use crate::bindings::tributary::plugin::types::PluginError;
use crate::time::Timestamp;

/// The time that a query is as of: the same for every row. A function that takes it is `stable`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Now(
    /// the instant
    pub Timestamp,
);

#[derive(Default)]
struct Context {
    settings: Option<Rc<dyn Any>>,
    now_us: Option<i64>,
}

thread_local! {
    static CONTEXT: RefCell<Context> = RefCell::default();
    /// Apart from the rest, which it reads while it works.
    static ACCUMULATOR: RefCell<Option<Box<dyn Accumulate>>> = RefCell::default();
}

/// Starts over with these settings.
pub(crate) fn begin(settings: Option<Rc<dyn Any>>, now_us: Option<i64>) {
    CONTEXT.with_borrow_mut(|context| {
        *context = Context { settings, now_us };
    });
    ACCUMULATOR.set(None);
}

/// The settings.
pub fn settings<S: Any>() -> Result<Rc<S>, PluginError> {
    let settings = CONTEXT.with_borrow(|context| context.settings.clone());
    let settings = settings.and_then(|settings| settings.downcast::<S>().ok());
    settings.ok_or_else(|| {
        internal("the function takes settings of another type than plugin! declares")
    })
}

/// The time that the query is as of.
pub fn now() -> Result<Now, PluginError> {
    let now = CONTEXT.with_borrow(|context| context.now_us);
    now.map(|us| Now(Timestamp(us)))
        .ok_or_else(|| internal("the host told no time"))
}

/// Accumulates with this from now on.
pub(crate) fn accumulate(accumulator: Box<dyn Accumulate>) {
    ACCUMULATOR.set(Some(accumulator));
}

/// Does something with what accumulates.
pub(crate) fn accumulator<T>(
    work: impl FnOnce(&mut dyn Accumulate) -> Result<T, PluginError>,
) -> Result<T, PluginError> {
    ACCUMULATOR.with_borrow_mut(|accumulator| match accumulator.as_deref_mut() {
        Some(accumulator) => work(accumulator),
        None => Err(internal("nothing was started")),
    })
}
