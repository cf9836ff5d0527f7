//! The reference of all functions, from their definitions.

use super::argument::Argument;
use super::definition::{Body, Chapter, Definition, Field, Returns, Shape};
use super::{definitions, gathered};
use crate::sql::compare;

/// What the reference says of one function.
pub struct Entry {
    /// the chapter it stands in
    pub chapter: &'static str,
    /// its name
    pub name: &'static str,
    /// its text in Markdown, without the example
    pub text: String,
    /// a statement that shows it
    pub example: &'static str,
}

/// Every function, chapter by chapter, by name within each.
#[must_use]
pub fn reference() -> Vec<Entry> {
    let mut all: Vec<&Definition> = definitions().collect();
    all.sort_by_key(|definition| (definition.text.chapter, definition.name));
    let functions = all.into_iter().map(entry);
    compare::entries().into_iter().chain(functions).collect()
}

fn entry(definition: &'static Definition) -> Entry {
    let text = &definition.text;
    let mut lines = vec![
        format!("`{}`", definition.signature()),
        String::new(),
        text.what.to_owned(),
        String::new(),
    ];
    lines.extend(definition.arguments.iter().map(argument));
    lines.push(String::new());
    lines.push(returns(definition.body, definition.returns));
    lines.push(String::new());
    lines.push(format!("*NULL and errors:* {}", text.nulls));
    lines.push(String::new());
    lines.push(format!("*Source:* {}", text.source));
    Entry {
        chapter: Chapter::title(text.chapter),
        name: definition.name,
        text: lines.join("\n"),
        example: text.example,
    }
}

fn argument(argument: &Argument) -> String {
    let literal = match (argument.constant, argument.optional) {
        (true, true) => " (optional, a literal)",
        (true, false) => " (a literal)",
        (false, true) => " (optional)",
        (false, false) => "",
    };
    format!("- `{}`{literal}: {}", argument.name, argument.text)
}

fn returns(body: Body, returns: Returns) -> String {
    let fields = |fields: &[Field]| {
        let more = match body {
            Body::Aggregate(_) => gathered::more(returns),
            Body::Scalar(_) | Body::Window { .. } => &[],
        };
        let all = fields.iter().chain(more);
        let lines: Vec<String> = all
            .map(|field| format!("- `{}` {}: {}", field.name, sql(field.shape), field.text))
            .collect();
        lines.join("\n")
    };
    match returns {
        Returns::Value(shape) => format!("Returns {}.", sql(shape)),
        Returns::Record(all) => format!("Returns a STRUCT of\n\n{}", fields(all)),
        Returns::Records(all) => format!("Returns a LIST of STRUCTs of\n\n{}", fields(all)),
    }
}

fn sql(shape: Shape) -> &'static str {
    match shape {
        Shape::Number => "DOUBLE",
        Shape::Whole => "BIGINT",
        Shape::Text => "VARCHAR",
        Shape::Truth => "BOOLEAN",
        Shape::Day => "DATE",
        Shape::Order => "(as the argument that orders the rows)",
        Shape::Numbers => "LIST<DOUBLE>",
        Shape::Texts => "LIST<VARCHAR>",
    }
}
