//! The names that Tab completes, asked for through the same door as any statement, and never too many.

use arrow::util::display::{ArrayFormatter, FormatOptions};
use futures::TryStreamExt;
use tributary_engine_core::engine::Frame;
use tributary_engine_core::manufacturer::ManufacturerId;
use tributary_engine_core::parameter::Parameters;
use tributary_engine_core::{Error, Result};

use crate::cli::door::Door;
use crate::limits::COMPLETION_NAMES;

/// Names in lower case, as the data model has them.
#[derive(Default)]
pub(super) struct Names {
    /// Tables and views; those of `information_schema` with their schema.
    pub(super) tables: Vec<String>,
    /// Table and column.
    pub(super) columns: Vec<(String, String)>,
    /// Functions of the engine.
    pub(super) functions: Vec<String>,
    /// Plugin and function, of the active versions.
    pub(super) plugin_functions: Vec<(String, String)>,
}

/// A name that is not the session's own schema is written with its schema.
const QUALIFIED: &str = "CASE table_schema WHEN 'information_schema' THEN 'information_schema.' ELSE '' END || table_name";

impl Names {
    /// Asks for all of them.
    pub(super) async fn load(door: &Door) -> Result<Self> {
        let tables = rows(
            door,
            &format!("SELECT {QUALIFIED} FROM information_schema.tables"),
        )
        .await?;
        let columns = format!(
            "SELECT {QUALIFIED}, column_name FROM information_schema.columns ORDER BY table_name, ordinal_position"
        );
        let functions = "SELECT DISTINCT routine_name FROM information_schema.routines ORDER BY 1";
        let signatures = plugin_signatures(door).await?;
        Ok(Self {
            tables: firsts(tables),
            columns: rows(door, &columns)
                .await?
                .into_iter()
                .filter_map(pair)
                .collect(),
            functions: firsts(rows(door, functions).await?),
            plugin_functions: signatures
                .iter()
                .filter_map(|signature| signature.split('(').next()?.split_once('.'))
                .map(|(plugin, function)| (plugin.to_owned(), function.to_owned()))
                .take(COMPLETION_NAMES)
                .collect(),
        })
    }

    /// Plugins with their functions.
    pub(super) fn plugin_functions(&self) -> impl Iterator<Item = (&str, &str)> {
        self.plugin_functions
            .iter()
            .map(|(plugin, function)| (plugin.as_str(), function.as_str()))
    }
}

/// Whose tables the door leads to. A server may know it from the token alone.
pub(super) async fn manufacturer(door: &Door) -> Result<ManufacturerId> {
    if let Some(named) = door.manufacturer() {
        return Ok(named.clone());
    }
    let sql = "SELECT table_schema FROM information_schema.tables WHERE table_schema <> 'information_schema' LIMIT 1";
    let schema = firsts(rows(door, sql).await?).into_iter().next();
    let schema =
        schema.ok_or_else(|| Error::internal("find manufacturer", "no table has a schema"))?;
    ManufacturerId::try_from(schema)
}

/// Every function of the active plugins, as SQL calls it, with types.
pub(super) async fn plugin_signatures(door: &Door) -> Result<Vec<String>> {
    let plugins = door.plugins(&manufacturer(door).await?).await?;
    let active = plugins.into_iter().filter(|plugin| plugin.active);
    Ok(active.flat_map(|plugin| plugin.functions).collect())
}

/// The first rows of an answer as text.
pub(super) async fn rows(door: &Door, sql: &str) -> Result<Vec<Vec<String>>> {
    let mut answer = door.answer(sql, Parameters::new()).await?;
    let mut rows = Vec::new();
    while let Some(Frame::Batch(batch)) = answer.frames.try_next().await? {
        let options = FormatOptions::new();
        let columns: Vec<ArrayFormatter<'_>> = batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column, &options))
            .collect::<Result<_, _>>()
            .map_err(|error| Error::internal("read names", error))?;
        let room = COMPLETION_NAMES - rows.len();
        let texts = (0..batch.num_rows()).take(room);
        rows.extend(texts.map(|row| {
            columns
                .iter()
                .map(|column| column.value(row).to_string())
                .collect()
        }));
        if rows.len() >= COMPLETION_NAMES {
            break;
        }
    }
    Ok(rows)
}

fn firsts(rows: Vec<Vec<String>>) -> Vec<String> {
    rows.into_iter()
        .filter_map(|row| row.into_iter().next())
        .collect()
}

fn pair(row: Vec<String>) -> Option<(String, String)> {
    let mut row = row.into_iter();
    Some((row.next()?, row.next()?))
}
