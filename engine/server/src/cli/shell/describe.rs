//! The statements behind `\d` and `\df`.

use tributary_engine_core::{Error, Fault, Result};

use super::command::closest;
use super::names::{plugin_signatures, rows};
use crate::cli::door::Door;
use crate::limits::COMPLETION_NAMES;

/// Lists tables and views. Rows are counted of tables alone: the log of a table knows them.
pub(super) async fn tables(door: &Door) -> Result<String> {
    let sql = "SELECT table_name FROM information_schema.tables \
               WHERE table_schema <> 'information_schema' AND table_type = 'BASE TABLE'";
    let counts: Vec<String> = rows(door, sql)
        .await?
        .iter()
        .flatten()
        .map(|table| {
            format!(
                "SELECT {} AS name, count(*) AS counted FROM {}",
                text(table),
                name(table)
            )
        })
        .collect();
    Ok(format!(
        "SELECT table_name AS name, CASE table_type WHEN 'VIEW' THEN 'view' ELSE 'table' END AS kind, \
                counted AS rows \
         FROM information_schema.tables LEFT JOIN ({}) ON name = table_name \
         WHERE table_schema <> 'information_schema' ORDER BY kind, name",
        counts.join(" UNION ALL ")
    ))
}

/// Shows the columns of one table or view.
pub(super) async fn columns(door: &Door, table: &str) -> Result<String> {
    let table = table.trim_matches('"').to_lowercase();
    let (schema, inner) = match table.split_once('.') {
        Some((schema, inner)) => (format!("table_schema = {}", text(schema)), inner),
        None => (
            "table_schema <> 'information_schema'".to_owned(),
            table.as_str(),
        ),
    };
    let found = format!("{schema} AND table_name = {}", text(inner));
    let there = rows(
        door,
        &format!("SELECT 1 FROM information_schema.tables WHERE {found}"),
    )
    .await?;
    if there.is_empty() {
        return Err(missing(door, &table).await?);
    }
    Ok(format!(
        "SELECT column_name AS \"column\", data_type AS \"type\", lower(is_nullable) AS \"null\" \
         FROM information_schema.columns WHERE {found} ORDER BY ordinal_position"
    ))
}

async fn missing(door: &Door, table: &str) -> Result<Error> {
    let sql = "SELECT table_name FROM information_schema.tables WHERE table_schema <> 'information_schema'";
    let names = rows(door, sql).await?;
    let error = Error::new(Fault::Missing, format!("table {table:?} does not exist"));
    let names = names.iter().flatten().map(String::as_str);
    Ok(match closest(table, names) {
        Some(name) => error.with_hint(format!("The closest is \"{name}\"; \\d lists all of them.")),
        None => error,
    })
}

/// Lists functions. Those without a documented call are shown once for each list of argument types.
pub(super) async fn functions(door: &Door, pattern: Option<&str>) -> Result<String> {
    let plugins = plugin_signatures(door).await?;
    let plugins: String = plugins
        .iter()
        .take(COMPLETION_NAMES)
        .map(|signature| {
            let name = signature.split('(').next().unwrap_or_default();
            format!(
                " UNION ALL SELECT {}, 'plugin', {}, ''",
                text(name),
                text(signature)
            )
        })
        .collect();
    let wanted = pattern.map_or_else(String::new, |pattern| {
        format!(" WHERE \"function\" LIKE {}", text(&like(pattern)))
    });
    Ok(format!(
        "WITH documented AS (
            SELECT routine_name AS name, lower(min(function_type)) AS kind, min(syntax_example) AS call,
                   min(description) AS does
            FROM information_schema.routines GROUP BY routine_name),
         typed AS (
            SELECT specific_name AS name,
                   string_agg(data_type, ', ' ORDER BY ordinal_position) FILTER (WHERE parameter_mode = 'IN') AS args
            FROM information_schema.parameters GROUP BY specific_name, rid),
         calls AS (
            SELECT DISTINCT documented.name, kind,
                   coalesce(call, documented.name || '(' || coalesce(args, '') || ')') AS call,
                   coalesce(does, '') AS does
            FROM documented LEFT JOIN typed ON typed.name = documented.name AND call IS NULL)
         SELECT \"function\", kind, call, does
         FROM (SELECT name AS \"function\", kind, call, does FROM calls{plugins}){wanted}
         ORDER BY \"function\", length(call), call"
    ))
}

/// `*` and `?` as on a command line; a pattern without them is found anywhere.
fn like(pattern: &str) -> String {
    let lower = pattern.to_lowercase();
    let escaped = lower
        .replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_");
    if escaped.contains(['*', '?']) {
        return escaped.replace('*', "%").replace('?', "_");
    }
    format!("%{escaped}%")
}

/// A text as SQL writes it.
fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

/// A name as SQL writes it.
fn name(value: &str) -> String {
    format!("\"{}\"", value.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_a_command_line() {
        for (pattern, expected) in [
            ("rate", "%rate%"),
            ("RATE_*", "rate\\_%"),
            ("?bs", "_bs"),
            ("100%", "%100\\%%"),
        ] {
            assert_eq!(like(pattern), expected);
        }
    }

    #[test]
    fn names_and_texts_cannot_leave_their_quotes() {
        assert_eq!(text("it's"), "'it''s'");
        assert_eq!(name("a\"b"), "\"a\"\"b\"");
    }
}
