//! Calibration: do probabilities come true, bin by bin.

use tributary_engine_stats::quality::{Binning, Scored, calibration, ece, hosmer_lemeshow};

use super::argument::{Argument, CONF, Kind, needed, optional};
use super::definition::{Body, Chapter, Definition, Returns, STATUS, Text, number, whole};
use super::rows::Rows;

pub const ALL: &[Definition] = &[CALIBRATION, ECE, HOSMER_LEMESHOW];

const SCORE: Argument = needed("score", Kind::Probability, "a probability");
const LABEL: Argument = needed("label", Kind::Truth, "whether it came true");
const BINS: Argument = optional("bins", Kind::Count, "how many bins, 10 by default").constant();
const BINNINGS: Kind = Kind::Choice(&["equal_width", "quantile", "ntile"]);

const METHOD: Argument = optional(
    "method",
    BINNINGS,
    "where bins end: `equal_width` parts of 0 to 1 (the default), a `quantile` of the scores, or as many rows in each as in `ntile`",
)
.constant();

fn bins(rows: &Rows<'_>) -> usize {
    let bins = rows.count(2).unwrap_or(10);
    usize::try_from(bins).unwrap_or(usize::MAX)
}

const CALIBRATION: Definition = Definition {
    name: "calibration",
    arguments: &[SCORE, LABEL, BINS, METHOD, CONF],
    returns: Returns::Records(&[
        whole("bin", "its number, from 0; bins without rows are left out"),
        number(
            "score_lo",
            "lower edge, outside the bin unless it is the lowest",
        ),
        number("score_hi", "upper edge, inside the bin"),
        whole("n", "rows"),
        whole("positives", "rows that came true"),
        number("mean_score", "mean score"),
        number("rate", "share of rows that came true"),
        number("lo", "lower end of the interval of the rate"),
        number("hi", "upper end"),
    ]),
    body: Body::Aggregate(|rows, out| {
        let method = rows.word(3, Binning::EqualWidth)?;
        let scored = Scored::new(rows.numbers(0), rows.truths(1))?;
        for bin in calibration(&scored, bins(rows), method, rows.number_or(4, 0.95))? {
            out.count(bin.bin as u64)
                .number(bin.from)
                .number(bin.to)
                .count(bin.n)
                .count(bin.positives)
                .number(bin.mean_score)
                .number(bin.rate)
                .number(bin.lo)
                .number(bin.hi);
        }
        Ok(())
    }),
    text: Text {
        chapter: Chapter::LeadQuality,
        what: "The reliability table: of leads with a score of about .3, do three in ten come true?",
        nulls: "A row with a NULL is left out. No rows: an empty list. A score that is no probability: NULL.",
        source: "Murphy & Winkler (1977) Appl Stat 26:41; interval of Wilson (1927); bins as scikit-learn's `calibration_curve`.",
        example: "SELECT unnest(calibration(score, won, 3, 'ntile')) AS c FROM (VALUES (0.9, true), (0.8, true), (0.7, false), (0.6, true), (0.4, false), (0.2, false)) AS t (score, won)",
    },
};

const ECE: Definition = Definition {
    name: "ece",
    arguments: &[SCORE, LABEL, BINS, METHOD],
    returns: Returns::Record(&[
        number(
            "value",
            "mean distance between score and rate of the bins, weighted by rows",
        ),
        number("largest", "the largest distance of a bin"),
        whole("bins", "bins that have rows"),
        whole("n", "rows"),
        STATUS,
    ]),
    body: Body::Aggregate(|rows, out| {
        let method = rows.word(3, Binning::EqualWidth)?;
        let scored = Scored::new(rows.numbers(0), rows.truths(1))?;
        let found = ece(&scored, bins(rows), method)?;
        out.number(found.value)
            .number(found.largest)
            .count(found.bins as u64)
            .count(found.n)
            .status(found.status);
        Ok(())
    }),
    text: Text {
        chapter: Chapter::LeadQuality,
        what: "Expected calibration error: by how much probabilities are off, in one number. It shrinks with fewer bins and grows with fewer rows, so compare like with like.",
        nulls: "A row with a NULL is left out and counted. No rows: `no_data`. A score that is no probability: `infeasible`.",
        source: "Naeini, Cooper & Hauskrecht (2015) AAAI; Guo et al. (2017) ICML, sec. 2.",
        example: "SELECT ece(score, won, 5) AS e FROM (VALUES (0.9, true), (0.8, true), (0.7, false), (0.6, true), (0.4, false), (0.2, false)) AS t (score, won)",
    },
};

const HOSMER_LEMESHOW: Definition = Definition {
    name: "hosmer_lemeshow",
    arguments: &[
        SCORE,
        LABEL,
        BINS,
        optional(
            "method",
            BINNINGS,
            "where bins end, as in `calibration`; `quantile` by default",
        )
        .constant(),
    ],
    returns: Returns::Record(&[
        number("chi2", "the statistic"),
        whole("df", "bins with rows, less two"),
        number("p", "chance of as much without a misfit"),
        whole("n", "rows"),
        STATUS,
    ]),
    body: Body::Aggregate(|rows, out| {
        let method = rows.word(3, Binning::Quantile)?;
        let scored = Scored::new(rows.numbers(0), rows.truths(1))?;
        let found = hosmer_lemeshow(&scored, bins(rows), method)?;
        out.number(found.chi2)
            .whole(found.df.and_then(|df| i64::try_from(df).ok()))
            .number(found.p)
            .count(found.n)
            .status(found.status);
        Ok(())
    }),
    text: Text {
        chapter: Chapter::LeadQuality,
        what: "Whether probabilities that were fitted to these rows fit them, bin by bin: a small `p` says no.",
        nulls: "A row with a NULL is left out and counted. No rows: `no_data`; fewer than three bins with rows: `small_n`; a score that is no probability, or a certain one that is wrong: `infeasible`.",
        source: "Hosmer & Lemeshow (1980) Commun Stat A 9:1043; R's `ResourceSelection::hoslem.test`.",
        example: "SELECT hosmer_lemeshow(score, won, 4) AS h FROM (VALUES (0.9, true), (0.8, true), (0.7, false), (0.6, true), (0.5, false), (0.4, true), (0.3, false), (0.2, false)) AS t (score, won)",
    },
};
