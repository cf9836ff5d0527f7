//! What a function of ours is: its name, its arguments, what it returns, its text in the reference, and its body over
//! plain numbers. Everything else, planning, types, NULLs, groups, is done once for all by the adapters beside this file.

use tributary_engine_stats::invalid::Invalid;

use super::argument::Argument;
use super::out::Out;
use super::row::Row;
use super::rows::Rows;

/// A function.
pub struct Definition {
    pub name: &'static str,
    pub arguments: &'static [Argument],
    pub returns: Returns,
    pub body: Body,
    pub text: Text,
}

/// Computes one result and hands it to the [`Out`]; on an error it has handed over nothing.
pub type OfRow = fn(&Row<'_>, &mut Out) -> Result<(), Invalid>;
/// As [`OfRow`], from the rows of a group; a window function hands over one result for each row.
pub type OfRows = fn(&Rows<'_>, &mut Out) -> Result<(), Invalid>;

/// What computes it.
#[derive(Clone, Copy)]
pub enum Body {
    /// from the arguments of one row
    Scalar(OfRow),
    /// from all rows of a group
    Aggregate(OfRows),
    /// from all rows of a partition, for each of them; `ordered` where their order means something
    Window { body: OfRows, ordered: bool },
}

/// What a function returns.
#[derive(Clone, Copy)]
pub enum Returns {
    /// one bare value
    Value(Shape),
    /// a struct
    Record(&'static [Field]),
    /// a list of structs
    Records(&'static [Field]),
}

/// A field of a struct.
#[derive(Clone, Copy)]
pub struct Field {
    pub name: &'static str,
    pub shape: Shape,
    pub text: &'static str,
}

/// The type of a value that comes out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// DOUBLE, NULL where it does not exist
    Number,
    /// BIGINT
    Whole,
    /// VARCHAR
    Text,
    /// BOOLEAN
    Truth,
    /// DATE
    Day,
    /// of the same type as the argument that orders the rows
    Order,
    /// LIST of DOUBLE
    Numbers,
    /// LIST of VARCHAR
    Texts,
}

/// What the reference says of a function.
pub struct Text {
    /// the chapter it stands in
    pub chapter: Chapter,
    /// what it answers, in a sentence or two
    pub what: &'static str,
    /// what NULL in and NULL out mean, and what is an error
    pub nulls: &'static str,
    /// where the formula is from: author, year, equation
    pub source: &'static str,
    /// a statement over the small data set of the tests, or over literals
    pub example: &'static str,
}

/// The chapters of the reference, in its order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Chapter {
    Calendar,
    Rates,
    Time,
    FairComparison,
    SinceWhen,
    Shares,
    LeadQuality,
}

impl Chapter {
    pub fn title(self) -> &'static str {
        match self {
            Self::Calendar => "Calendar",
            Self::Rates => "Rates and samples",
            Self::Time => "Time to an event",
            Self::FairComparison => "Fair comparison",
            Self::SinceWhen => "Since when",
            Self::Shares => "Shares and growth",
            Self::LeadQuality => "Lead quality",
        }
    }
}

pub const fn field(name: &'static str, shape: Shape, text: &'static str) -> Field {
    Field { name, shape, text }
}

pub const fn number(name: &'static str, text: &'static str) -> Field {
    field(name, Shape::Number, text)
}

pub const fn whole(name: &'static str, text: &'static str) -> Field {
    field(name, Shape::Whole, text)
}

/// The field that says how to read the others.
pub const STATUS: Field = field("status", Shape::Text, "how to read it: `ok`, or why not");

impl Definition {
    /// The fewest arguments it takes.
    pub fn required(&self) -> usize {
        self.arguments.iter().take_while(|it| !it.optional).count()
    }

    /// How it is written, with the types of its arguments; optional ones in brackets.
    pub fn signature(&self) -> String {
        let mut text = format!("{}(", self.name);
        for (place, argument) in self.arguments.iter().enumerate() {
            if argument.optional {
                text.push_str(if place == 0 { "[" } else { " [" });
            }
            if place > 0 {
                text.push_str(", ");
            }
            text.push_str(&format!("{} {}", argument.name, argument.kind.sql()));
        }
        let optional = self.arguments.len() - self.required();
        text.push_str(&"]".repeat(optional));
        text.push(')');
        match self.body {
            Body::Window { ordered: true, .. } => {
                text.push_str(" OVER ([PARTITION BY …] ORDER BY …)");
            }
            Body::Window { ordered: false, .. } => text.push_str(" OVER ([PARTITION BY …])"),
            _ => {}
        }
        text
    }
}
