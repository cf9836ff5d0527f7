//! Names of companies, people and products, and the one quantile function their sizes need.

use crate::rng::Stream;

const PLACES: [&str; 24] = [
    "Ardenne",
    "Baltic",
    "Brightwater",
    "Carden",
    "Delta",
    "Eastgate",
    "Falkner",
    "Glenmore",
    "Harbour",
    "Iverson",
    "Juniper",
    "Kestrel",
    "Lindqvist",
    "Marlow",
    "Northgate",
    "Oakridge",
    "Pinnacle",
    "Quarry",
    "Riverside",
    "Summit",
    "Thornton",
    "Union",
    "Vesper",
    "Westbrook",
];
const TRADES: [&str; 12] = [
    "Industrial Supply",
    "Automation",
    "Technik GmbH",
    "Process Equipment",
    "Sons & Co",
    "Trading Ltd",
    "Fluid Systems",
    "Engineering",
    "Distribution, Inc.",
    "Controls",
    "Partners",
    "Machinery",
];
const FIRST: [&str; 20] = [
    "Ana", "Ben", "Chiara", "David", "Elif", "Femi", "Grace", "Hugo", "Ines", "Jonas", "Katya",
    "Liam", "Mei", "Noah", "Olga", "Priya", "Rasmus", "Sofia", "Tomas", "Yusuf",
];
const LAST: [&str; 20] = [
    "Adler", "Bauer", "Costa", "Dubois", "Eriksen", "Fischer", "Garcia", "Hansen", "Ito", "Jansen",
    "Kowalski", "Lopez", "Moreau", "Novak", "Okafor", "Petrov", "Rossi", "Schmidt", "Tanaka",
    "Weber",
];

pub(crate) fn company(stream: &mut Stream) -> String {
    format!(
        "{} {}",
        PLACES[stream.below(PLACES.len())],
        TRADES[stream.below(TRADES.len())]
    )
}

pub(crate) fn person(stream: &mut Stream) -> String {
    format!(
        "{} {}",
        FIRST[stream.below(FIRST.len())],
        LAST[stream.below(LAST.len())]
    )
}

pub(crate) fn product(stream: &mut Stream, line: &str, index: usize) -> String {
    format!(
        "{} {}-{}",
        line.trim_end_matches('s'),
        stream.below(9) * 100 + 100,
        index + 1
    )
}

/// Quantile of the normal distribution to about three digits (Tukey's lambda), enough to spread sizes.
pub(crate) fn normal_quantile(probability: f64) -> f64 {
    const LAMBDA: f64 = 0.1349;
    (probability.powf(LAMBDA) - (1.0 - probability).powf(LAMBDA)) / 0.1975
}
