//! What Tab offers: from the statement around the cursor and the names that there are.
//!
//! Guesses from words alone; a statement that is being typed does not parse.

use super::command::COMMANDS;
use super::names::Names;
use super::split::{Open, is_word, split};
use crate::cli::shape::Shape;

/// Candidates for the word before the cursor.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Completion {
    /// Bytes before the cursor that a candidate takes the place of.
    pub(super) typed_bytes: usize,
    /// The likeliest first, none twice.
    pub(super) candidates: Vec<String>,
}

/// Words of SELECT and of what else is answered.
const KEYWORDS: [&str; 73] = [
    "ALL",
    "AND",
    "ANTI",
    "AS",
    "ASC",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "CROSS",
    "CURRENT",
    "DATE",
    "DESC",
    "DESCRIBE",
    "DISTINCT",
    "ELSE",
    "END",
    "ESCAPE",
    "EXCEPT",
    "EXISTS",
    "EXPLAIN",
    "EXTRACT",
    "FALSE",
    "FILTER",
    "FIRST",
    "FOLLOWING",
    "FROM",
    "FULL",
    "GROUP",
    "HAVING",
    "ILIKE",
    "IN",
    "INNER",
    "INTERSECT",
    "INTERVAL",
    "IS",
    "JOIN",
    "LAST",
    "LATERAL",
    "LEFT",
    "LIKE",
    "LIMIT",
    "NOT",
    "NULL",
    "NULLS",
    "OFFSET",
    "ON",
    "OR",
    "ORDER",
    "OUTER",
    "OVER",
    "PARTITION",
    "PRECEDING",
    "QUALIFY",
    "RANGE",
    "RECURSIVE",
    "RIGHT",
    "ROWS",
    "SELECT",
    "SEMI",
    "SHOW TABLES",
    "SHOW COLUMNS",
    "THEN",
    "TIMESTAMP",
    "TRUE",
    "UNBOUNDED",
    "UNION",
    "USING",
    "VALUES",
    "WHEN",
    "WHERE",
    "WINDOW",
    "WITH",
];

/// Completes the word at the end of `before`. Both texts are of the statement that is being typed.
pub(super) fn complete(names: &Names, before: &str, after: &str) -> Completion {
    let cut = split(before);
    if cut.open == Open::Nothing && cut.rest.trim_start().starts_with('\\') {
        return of_command(names, cut.rest.trim_start());
    }
    if matches!(cut.open, Open::Comment | Open::Dollar | Open::Quote('\'')) {
        return Completion::default();
    }
    let word = last_word(cut.rest);
    let head = &cut.rest[..cut.rest.len() - word.len()];
    let rest = split(after);
    let following = rest.statements.first().copied().unwrap_or(rest.rest);
    let statement = Words::of(&format!("{head} {following}"));
    let mut offers = Offers::of(word);
    if let Some(qualified) = head.strip_suffix('.') {
        members(
            names,
            &statement,
            &last_word(qualified).to_lowercase(),
            &mut offers,
        );
    } else if Words::of(head).ends_before_table() {
        names.tables.iter().for_each(|table| offers.add(table));
    } else {
        anything(names, &statement, &mut offers);
    }
    offers.completion
}

/// What stands behind a dot: columns of a table or of its alias, functions of a plugin, tables of a schema.
fn members(names: &Names, statement: &Words, qualifier: &str, offers: &mut Offers<'_>) {
    let table = statement.table_called(names, qualifier);
    for (owner, column) in &names.columns {
        if table == Some(owner.as_str()) {
            offers.add(column);
        }
    }
    for (plugin, function) in names.plugin_functions() {
        if plugin == qualifier {
            offers.add(function);
        }
    }
    for table in &names.tables {
        if let Some((_, inner)) = table
            .split_once('.')
            .filter(|(schema, _)| *schema == qualifier)
        {
            offers.add(inner);
        }
    }
}

/// Columns of the tables that the statement names come first.
fn anything(names: &Names, statement: &Words, offers: &mut Offers<'_>) {
    let named = |table: &str| statement.0.iter().any(|word| word == table);
    let columns = || names.columns.iter();
    columns()
        .filter(|(table, _)| named(table))
        .for_each(|(_, column)| offers.add(column));
    names.tables.iter().for_each(|table| offers.add(table));
    columns()
        .filter(|(table, _)| !table.contains('.'))
        .for_each(|(_, column)| offers.add(column));
    names
        .functions
        .iter()
        .for_each(|function| offers.add(function));
    for (plugin, _) in names.plugin_functions() {
        offers.add(&format!("{plugin}."));
    }
    for keyword in KEYWORDS {
        offers.add_keyword(keyword);
    }
}

/// Commands, and what may follow some of them.
fn of_command(names: &Names, line: &str) -> Completion {
    let Some((command, rest)) = line.split_once(char::is_whitespace) else {
        let mut offers = Offers::of(line);
        COMMANDS.iter().for_each(|known| offers.add(known.name));
        return offers.completion;
    };
    let word = rest.rsplit(char::is_whitespace).next().unwrap_or_default();
    let mut offers = Offers::of(word);
    match command {
        "\\d" => names.tables.iter().for_each(|table| offers.add(table)),
        "\\df" => names
            .functions
            .iter()
            .for_each(|function| offers.add(function)),
        "\\format" => Shape::all().for_each(|shape| offers.add(shape.name())),
        "\\timing" => ["on", "off"].iter().for_each(|word| offers.add(word)),
        "\\x" => ["on", "off", "auto"]
            .iter()
            .for_each(|word| offers.add(word)),
        "\\pset" => ["pager", "on", "off"]
            .iter()
            .for_each(|word| offers.add(word)),
        _ => {}
    }
    offers.completion
}

/// Candidates that begin as what was typed, whatever its capitals.
struct Offers<'a> {
    typed: &'a str,
    completion: Completion,
}

impl<'a> Offers<'a> {
    fn of(typed: &'a str) -> Self {
        let completion = Completion {
            typed_bytes: typed.len(),
            candidates: Vec::new(),
        };
        Self { typed, completion }
    }

    fn add(&mut self, name: &str) {
        let start = name.get(..self.typed.len());
        let fits = start.is_some_and(|start| start.eq_ignore_ascii_case(self.typed));
        if fits && !self.completion.candidates.iter().any(|known| known == name) {
            self.completion.candidates.push(name.to_owned());
        }
    }

    /// In capitals, unless lower case was typed.
    fn add_keyword(&mut self, keyword: &str) {
        if self.typed.starts_with(|c: char| c.is_lowercase()) {
            self.add(&keyword.to_lowercase());
        } else {
            self.add(keyword);
        }
    }
}

/// The name that a text ends in.
fn last_word(text: &str) -> &str {
    &text[text.trim_end_matches(is_word).len()..]
}

/// The words of a statement, in lower case; a dotted name is one word, and a comma, too.
struct Words(Vec<String>);

impl Words {
    fn of(text: &str) -> Self {
        let spaced = text.replace(',', " , ").to_lowercase();
        let words = spaced.split(|c| !(is_word(c) || c == '.' || c == ','));
        Self(
            words
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect(),
        )
    }

    fn ends_before_table(&self) -> bool {
        let last = self.0.last().map(String::as_str);
        matches!(last, Some("from" | "join" | "describe"))
    }

    /// The table of this name, or the one with this alias: `FROM leads l`, `FROM leads AS l`.
    fn table_called<'n>(&self, names: &'n Names, name: &str) -> Option<&'n str> {
        let table = |word: &str| {
            names
                .tables
                .iter()
                .find(|table| *table == word)
                .map(String::as_str)
        };
        table(name).or_else(|| {
            self.0.iter().enumerate().find_map(|(position, word)| {
                let follows = self.0[position + 1..].iter().find(|word| *word != "as");
                table(word).filter(|_| follows.is_some_and(|alias| alias == name))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let pair = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
        Names {
            tables: ["leads", "revenue", "v_lead", "information_schema.tables"]
                .map(str::to_owned)
                .into(),
            columns: [
                ("leads", "lead_id"),
                ("leads", "stage"),
                ("revenue", "amount"),
                ("revenue", "lead_id"),
            ]
            .iter()
            .map(pair)
            .collect(),
            functions: ["abs", "avg", "rate_ci"].map(str::to_owned).into(),
            plugin_functions: [("champ", "qualify"), ("champ", "score")]
                .iter()
                .map(pair)
                .collect(),
        }
    }

    fn check(before: &str, after: &str, candidates: &[&str]) {
        assert_eq!(
            complete(&names(), before, after).candidates,
            candidates,
            "{before}|{after}"
        );
    }

    #[test]
    fn offers_columns_of_the_statement_s_tables_first() {
        check("SELECT am", " FROM revenue", &["amount"]);
        check("SELECT st", " FROM leads", &["stage"]);
        check("SELECT le", " FROM leads", &["lead_id", "leads", "left"]);
        check("SELECT le", "", &["leads", "lead_id", "left"]);
        check("SELECT 1 FROM leads; SELECT am", "", &["amount"]);
    }

    #[test]
    fn offers_tables_after_from_and_members_after_a_dot() {
        check(
            "SELECT * FROM ",
            "",
            &["leads", "revenue", "v_lead", "information_schema.tables"],
        );
        check("SELECT * FROM leads JOIN v", "", &["v_lead"]);
        check("SELECT l.", " FROM leads AS l", &["lead_id", "stage"]);
        check("SELECT leads.s", " FROM leads", &["stage"]);
        check("SELECT r.a", " FROM leads l, revenue r", &["amount"]);
        check("SELECT champ.", "", &["qualify", "score"]);
        check("SELECT ch", "", &["champ."]);
        check("SELECT * FROM information_schema.t", "", &["tables"]);
    }

    #[test]
    fn keywords_follow_what_was_typed() {
        check("SEL", "", &["SELECT"]);
        check("sel", "", &["select"]);
        check("SELECT rat", "", &["rate_ci"]);
    }

    #[test]
    fn offers_nothing_inside_strings_and_comments() {
        check("SELECT 'le", "", &[]);
        check("SELECT 1 /* le", "", &[]);
        check("SELECT $$le", "", &[]);
    }

    #[test]
    fn completes_commands_and_what_follows_them() {
        check("\\ti", "", &["\\timing"]);
        check("\\d re", "", &["revenue"]);
        check("\\format c", "", &["csv"]);
        check("\\pset pager of", "", &["off"]);
        check("SELECT 1;\n\\he", "", &["\\help"]);
        assert_eq!(complete(&names(), "SELECT sta", "").typed_bytes, 3);
    }
}
