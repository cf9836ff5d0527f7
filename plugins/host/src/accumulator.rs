//! One running guest that accumulates for one function: the exports of the aggregate interfaces,
//! found once, because windows ask for a value per row. It deliberately knows no Arrow.

use crate::error::Error;
use crate::exports::{DropFirst, Evaluate, Merge, Reset, Retract, Start, State, Update};
use crate::instance::{Budget, Export, Instance};
use crate::wire::{ColumnIn, ColumnOut};

/// A guest that was started for one aggregate.
pub(crate) struct Accumulator {
    pub(crate) instance: Instance,
    update: Export<Update>,
    merge: Export<Merge>,
    evaluate: Export<Evaluate>,
    state: Export<State>,
    drop_first: Export<DropFirst>,
    reset: Export<Reset>,
    retract: Option<Export<Retract>>,
}

/// Rows on their way into groups.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) columns: &'a [ColumnIn<'a>],
    /// the group of each; all are of group 0 where there are none
    pub(crate) groups: &'a [u32],
    /// those that count
    pub(crate) filter: Option<&'a [u8]>,
    pub(crate) rows: u32,
    /// groups there are
    pub(crate) total: u32,
}

impl Accumulator {
    /// Makes an instance accumulate for a function.
    pub(crate) fn start(
        mut instance: Instance,
        function: u32,
        budget: Budget,
    ) -> Result<Self, Error> {
        let start = instance.export::<Start>()?;
        let (answer,) = instance.call(start, (function,), budget)?;
        answer.map_err(|error| instance.reported(&error, 0))?;
        Ok(Self {
            update: instance.export()?,
            merge: instance.export()?,
            evaluate: instance.export()?,
            state: instance.export()?,
            drop_first: instance.export()?,
            reset: instance.export()?,
            retract: instance.find(),
            instance,
        })
    }

    /// Adds rows to groups.
    pub(crate) fn update(&mut self, rows: Rows<'_>, budget: Budget) -> Result<(), Error> {
        let params = (
            rows.columns,
            rows.groups,
            rows.filter,
            rows.rows,
            rows.total,
        );
        let (answer,) = self.instance.call(self.update, params, budget)?;
        answer.map_err(|error| self.instance.reported(&error, rows.rows))
    }

    /// Takes rows out of groups.
    pub(crate) fn retract(&mut self, rows: Rows<'_>, budget: Budget) -> Result<(), Error> {
        let absent = || Error::internal("the component does not retract");
        let retract = self.retract.ok_or_else(absent)?;
        let params = (rows.columns, rows.groups, rows.filter, rows.rows);
        let (answer,) = self.instance.call(retract, params, budget)?;
        answer.map_err(|error| self.instance.reported(&error, rows.rows))
    }

    /// Adds partial states to groups.
    pub(crate) fn merge(&mut self, rows: Rows<'_>, budget: Budget) -> Result<(), Error> {
        let params = (rows.columns, rows.groups, rows.rows, rows.total);
        let (answer,) = self.instance.call(self.merge, params, budget)?;
        // A state is no row that anybody could look at.
        answer.map_err(|error| self.instance.reported(&error, 0))
    }

    /// The values of groups.
    pub(crate) fn evaluate(&mut self, groups: &[u32], budget: Budget) -> Result<ColumnOut, Error> {
        let (answer,) = self.instance.call(self.evaluate, (groups,), budget)?;
        answer.map_err(|error| self.instance.reported(&error, 0))
    }

    /// The partial states of groups.
    pub(crate) fn state(
        &mut self,
        groups: &[u32],
        budget: Budget,
    ) -> Result<Vec<ColumnOut>, Error> {
        let (answer,) = self.instance.call(self.state, (groups,), budget)?;
        answer.map_err(|error| self.instance.reported(&error, 0))
    }

    /// Forgets the first groups.
    pub(crate) fn drop_first(&mut self, groups: u32, budget: Budget) -> Result<(), Error> {
        let (answer,) = self.instance.call(self.drop_first, (groups,), budget)?;
        answer.map_err(|error| self.instance.reported(&error, 0))
    }

    /// Makes a group empty.
    pub(crate) fn reset(&mut self, group: u32, budget: Budget) -> Result<(), Error> {
        let (answer,) = self.instance.call(self.reset, (group,), budget)?;
        answer.map_err(|error| self.instance.reported(&error, 0))
    }
}
