//! Agreement of orders: of two, and of several periods.

use tributary_engine_stats::rank::{kendall_w, spearman};

use super::argument::{Kind, needed};
use super::definition::{Body, Chapter, Definition, Returns, STATUS, Text, number, whole};
use super::rows::Rows;

pub const ALL: &[Definition] = &[SPEARMAN, KENDALL_W];

const SPEARMAN: Definition = Definition {
    name: "spearman",
    arguments: &[
        needed("x", Kind::Number, "the one"),
        needed("y", Kind::Number, "the other"),
    ],
    returns: Returns::Record(&[
        number("rho", "correlation of the ranks, from -1 to 1"),
        number("p", "two-sided, from Student's t"),
        number("p_exact", "over all orders; for up to 9 pairs without ties"),
        whole("n", "pairs"),
        STATUS,
    ]),
    body: Body::Aggregate(|rows, out| {
        let found = spearman(rows.numbers(0), rows.numbers(1))?;
        out.number(found.rho)
            .number(found.p)
            .number(found.p_exact)
            .count(found.n)
            .status(found.status);
        Ok(())
    }),
    text: Text {
        chapter: Chapter::FairComparison,
        what: "Whether two columns put units in the same order, such as this year's rank and last year's.",
        nulls: "A row with a NULL is left out and counted. No pairs: `no_data`; one or two: `small_n`; a column of one value: `infeasible`.",
        source: "Spearman (1904); ties share their mean rank; R's `cor.test(method = \"spearman\", exact = FALSE)`.",
        example: "SELECT spearman(x, y) AS s FROM (VALUES (1, 2), (2, 1), (3, 3), (4, 5), (5, 4)) AS t (x, y)",
    },
};

const KENDALL_W: Definition = Definition {
    name: "kendall_w",
    arguments: &[
        needed("unit", Kind::Text, "who is ranked"),
        needed("period", Kind::Order, "when"),
        needed(
            "value",
            Kind::Number,
            "by what; values of one unit in one period are added up",
        ),
    ],
    returns: Returns::Record(&[
        number(
            "w",
            "Kendall's coefficient of concordance: 0 no agreement, 1 the same order in every period",
        ),
        number("chi2", "its χ²"),
        number("p", "chance of as much agreement; rough for few units"),
        number("mean_rho", "mean rank correlation of two periods"),
        whole("units", "units with a value in every period"),
        whole("periods", "periods"),
        whole("left_out", "units that have no value in some period"),
        STATUS,
    ]),
    body: Body::Aggregate(|rows, out| {
        let table = Table::of(rows);
        let found = kendall_w(&table.values)?;
        out.number(found.w)
            .number(found.chi2)
            .number(found.p)
            .number(found.mean_rho)
            .count(found.units)
            .count(found.periods)
            .count(table.left_out)
            .status(found.status);
        Ok(())
    }),
    text: Text {
        chapter: Chapter::FairComparison,
        what: "Whether a league table is the same month after month, or a lottery.",
        nulls: "A row with a NULL is left out and counted; a unit without a value in some period is left out of all. One period: `small_n`; nothing in any order: `infeasible`.",
        source: "Kendall & Babington Smith (1939), with ties as Siegel & Castellan (1988) eq. 9.18; R's `irr::kendall(correct = TRUE)`.",
        example: "SELECT kendall_w(unit, period, rate) AS k FROM (VALUES ('A', 1, 0.1), ('B', 1, 0.2), ('C', 1, 0.3), ('A', 2, 0.15), ('B', 2, 0.11), ('C', 2, 0.35), ('A', 3, 0.12), ('B', 3, 0.25), ('C', 3, 0.31)) AS t (unit, period, rate)",
    },
};

/// What every unit had in every period: one line for each period, one column for each unit.
struct Table {
    values: Vec<Vec<f64>>,
    /// units with a gap
    left_out: u64,
}

impl Table {
    fn of(rows: &Rows<'_>) -> Self {
        let (units, names) = rows.groups(0);
        let series = rows.series(1);
        let mut cells: Vec<(u32, usize, f64)> = units
            .iter()
            .zip(&series.positions)
            .zip(rows.numbers(2))
            .map(|((unit, period), value)| (*unit, *period, *value))
            .collect();
        // By value, too, so that sums do not depend on the order of the rows.
        cells.sort_by(|one, other| {
            (one.0, one.1)
                .cmp(&(other.0, other.1))
                .then(one.2.total_cmp(&other.2))
        });
        let sums: Vec<(u32, usize, f64)> = cells
            .chunk_by(|one, other| (one.0, one.1) == (other.0, other.1))
            .map(|cell| (cell[0].0, cell[0].1, cell.iter().map(|it| it.2).sum()))
            .collect();
        let periods = series.order.len();
        let mut values = vec![Vec::new(); periods];
        let mut complete = 0;
        let of_units = sums.chunk_by(|one, other| one.0 == other.0);
        for unit in of_units.filter(|unit| unit.len() == periods) {
            complete += 1;
            for (_, period, sum) in unit {
                values[*period].push(*sum);
            }
        }
        Self {
            values,
            left_out: names.len() as u64 - complete,
        }
    }
}
