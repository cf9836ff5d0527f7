//! What a file's log entry says of its columns: rows, least and greatest value, NULLs. Queries prune files by it.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::Array;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::record_batch::RecordBatch;
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, ScalarValue, Statistics};
use datafusion::functions_aggregate::min_max::{MaxAccumulator, MinAccumulator};
use datafusion::logical_expr::Accumulator;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::fault::{Error, Result};
use crate::limits;

/// Ranges of the columns of one file, in the order of the schema.
#[derive(Clone, Debug)]
pub struct FileStats {
    /// Absent where another writer did not say.
    pub rows: Option<usize>,
    pub columns: Vec<ColumnRange>,
}

/// Range of one column in one file; NULL where it is not known or every value is NULL.
#[derive(Clone, Debug)]
pub struct ColumnRange {
    pub min: ScalarValue,
    pub max: ScalarValue,
    pub nulls: Option<usize>,
}

/// Collects the ranges of batches as they are written.
pub struct Collector {
    rows: usize,
    columns: Vec<(MinAccumulator, MaxAccumulator, usize)>,
}

impl Collector {
    pub fn new(schema: &SchemaRef) -> Result<Self> {
        let columns = schema
            .fields()
            .iter()
            .map(|field| {
                let kind = field.data_type();
                Ok((
                    MinAccumulator::try_new(kind)?,
                    MaxAccumulator::try_new(kind)?,
                    0,
                ))
            })
            .collect::<datafusion::error::Result<_>>()
            .map_err(|error| Error::internal("collect statistics", error))?;
        Ok(Self { rows: 0, columns })
    }

    pub fn update(&mut self, batch: &RecordBatch) -> Result<()> {
        self.rows += batch.num_rows();
        for (array, (min, max, nulls)) in batch.columns().iter().zip(&mut self.columns) {
            *nulls += array.null_count();
            let array = std::slice::from_ref(array);
            min.update_batch(array)
                .and_then(|()| max.update_batch(array))
                .map_err(|error| Error::internal("collect statistics", error))?;
        }
        Ok(())
    }

    pub fn finish(mut self) -> Result<FileStats> {
        let columns = self
            .columns
            .iter_mut()
            .map(|(min, max, nulls)| {
                let (min, max) = (min.evaluate()?, max.evaluate()?);
                let worth = is_short(&min) && is_short(&max);
                let unknown = ScalarValue::try_from(&min.data_type())?;
                Ok(ColumnRange {
                    min: if worth { min } else { unknown.clone() },
                    max: if worth { max } else { unknown },
                    nulls: Some(*nulls),
                })
            })
            .collect::<datafusion::error::Result<_>>()
            .map_err(|error| Error::internal("collect statistics", error))?;
        Ok(FileStats {
            rows: Some(self.rows),
            columns,
        })
    }
}

fn is_short(value: &ScalarValue) -> bool {
    value
        .try_as_str()
        .flatten()
        .is_none_or(|text| text.len() <= limits::STATISTICS_TEXT_BYTES)
}

/// The log's spelling, as the Delta protocol has it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Json {
    #[serde(skip_serializing_if = "Option::is_none")]
    num_records: Option<usize>,
    #[serde(default)]
    min_values: HashMap<String, Box<RawValue>>,
    #[serde(default)]
    max_values: HashMap<String, Box<RawValue>>,
    #[serde(default)]
    null_count: HashMap<String, usize>,
}

impl FileStats {
    pub fn to_json(&self, schema: &SchemaRef) -> Result<String> {
        let fail = |error| Error::internal("write statistics", error);
        let mut json = Json {
            num_records: self.rows,
            min_values: HashMap::new(),
            max_values: HashMap::new(),
            null_count: HashMap::new(),
        };
        for (field, range) in schema.fields().iter().zip(&self.columns) {
            let name = field.name();
            for (values, value) in [
                (&mut json.min_values, &range.min),
                (&mut json.max_values, &range.max),
            ] {
                if let Some(text) = spell(value) {
                    values.insert(name.clone(), RawValue::from_string(text).map_err(fail)?);
                }
            }
            if let Some(nulls) = range.nulls {
                json.null_count.insert(name.clone(), nulls);
            }
        }
        serde_json::to_string(&json).map_err(fail)
    }

    /// What is known of a file whose log entry says nothing.
    pub fn unknown(schema: &SchemaRef) -> Self {
        let columns = schema.fields().iter().map(|field| ColumnRange {
            min: read(None, field.data_type()),
            max: read(None, field.data_type()),
            nulls: None,
        });
        Self {
            rows: None,
            columns: columns.collect(),
        }
    }

    pub fn from_json(text: &str, schema: &SchemaRef) -> Result<Self> {
        let json: Json = serde_json::from_str(text)
            .map_err(|error| Error::internal("read statistics of a data file", error))?;
        let columns = schema.fields().iter().map(|field| ColumnRange {
            min: read(
                json.min_values.get(field.name()).map(Box::as_ref),
                field.data_type(),
            ),
            max: read(
                json.max_values.get(field.name()).map(Box::as_ref),
                field.data_type(),
            ),
            nulls: json.null_count.get(field.name()).copied(),
        });
        Ok(Self {
            rows: json.num_records,
            columns: columns.collect(),
        })
    }

    /// The same, as DataFusion's planner wants it.
    pub fn to_datafusion(&self, size: usize) -> Arc<Statistics> {
        let bound = |value: &ScalarValue| match value.is_null() {
            true => Precision::Absent,
            false => Precision::Exact(value.clone()),
        };
        let columns = self.columns.iter().map(|range| ColumnStatistics {
            null_count: range.nulls.map_or(Precision::Absent, Precision::Exact),
            min_value: bound(&range.min),
            max_value: bound(&range.max),
            ..ColumnStatistics::new_unknown()
        });
        Arc::new(Statistics {
            num_rows: self.rows.map_or(Precision::Absent, Precision::Exact),
            total_byte_size: Precision::Inexact(size),
            column_statistics: columns.collect(),
        })
    }
}

/// A value as JSON; nothing where the log has no exact spelling for it.
fn spell(value: &ScalarValue) -> Option<String> {
    if value.is_null() {
        return None;
    }
    match value {
        ScalarValue::Utf8(Some(text)) => serde_json::to_string(text).ok(),
        ScalarValue::TimestampMicrosecond(Some(us), _) => {
            let instant = chrono::DateTime::from_timestamp_micros(*us)?;
            Some(format!("\"{}\"", instant.format("%Y-%m-%dT%H:%M:%S%.6fZ")))
        }
        ScalarValue::Date32(Some(_)) => Some(format!("\"{value}\"")),
        ScalarValue::Int64(Some(_)) | ScalarValue::Int8(Some(_)) => Some(value.to_string()),
        ScalarValue::Decimal128(Some(units), _, scale) => Some(decimal(*units, *scale)),
        _ => None,
    }
}

fn decimal(units: i128, scale: i8) -> String {
    let scale = usize::from(scale.unsigned_abs());
    let sign = if units < 0 { "-" } else { "" };
    let digits = format!("{:0width$}", units.unsigned_abs(), width = scale + 1);
    let (whole, decimals) = digits.split_at(digits.len() - scale);
    format!("{sign}{whole}.{decimals}")
}

/// The value that JSON spells; NULL where it is absent or another writer spelled it otherwise.
fn read(json: Option<&RawValue>, kind: &DataType) -> ScalarValue {
    let unknown = || ScalarValue::try_from(kind).unwrap_or(ScalarValue::Null);
    let Some(json) = json else { return unknown() };
    let text = match serde_json::from_str::<String>(json.get()) {
        Ok(text) => text,
        Err(_) => json.get().to_owned(),
    };
    ScalarValue::try_from_string(text, kind).unwrap_or_else(|_| unknown())
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::datatypes::{Field, Schema};

    #[test]
    fn ranges_survive_the_log() {
        use crate::model::Kind;
        let kinds = [
            Kind::Text,
            Kind::Date,
            Kind::Timestamp,
            Kind::Count,
            Kind::Money,
        ];
        let values = [
            "a \"b\"\\ü",
            "2024-02-29",
            "2024-02-29T10:00:00.123456Z",
            "-7",
            "-12345678901234.0005",
        ];
        let fields: Vec<Field> = kinds
            .iter()
            .enumerate()
            .map(|(i, kind)| Field::new(format!("c{i}"), kind.data_type(), true))
            .collect();
        let schema: SchemaRef = Arc::new(Schema::new(fields));
        let columns: Vec<ColumnRange> = kinds
            .iter()
            .zip(values)
            .map(|(kind, value)| {
                let value = ScalarValue::try_from_string(value.to_owned(), &kind.data_type())
                    .expect("valid");
                ColumnRange {
                    min: value.clone(),
                    max: value,
                    nulls: Some(3),
                }
            })
            .collect();
        let stats = FileStats {
            rows: Some(5),
            columns,
        };
        let again =
            FileStats::from_json(&stats.to_json(&schema).expect("json"), &schema).expect("parse");
        assert_eq!(format!("{stats:?}"), format!("{again:?}"));
    }
}
