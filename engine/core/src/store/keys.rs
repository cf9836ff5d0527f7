//! Fingerprints of rows: 128 bits that stand for the values of some columns.
//!
//! Two keyed 64-bit SipHashes over Arrow's row encoding: the keys are random for each write, so nobody can
//! construct two rows that collide, and by chance two of 10⁸ rows do with probability below 10⁻²².

use std::hash::{BuildHasher, RandomState};

use arrow::array::ArrayRef;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use arrow::row::{RowConverter, Rows, SortField};

use crate::fault::{Error, Result};

/// What stands for the values of a row's columns.
pub type Fingerprint = u128;

/// Computes fingerprints over fixed columns.
pub struct Fingerprints {
    columns: Vec<usize>,
    converter: RowConverter,
    seeds: (RandomState, RandomState),
}

impl Fingerprints {
    /// Over the columns of these names, or all of them.
    pub fn new(schema: &SchemaRef, names: Option<&[&str]>) -> Result<Self> {
        let columns: Vec<usize> = match names {
            Some(names) => names
                .iter()
                .map(|name| {
                    schema
                        .index_of(name)
                        .map_err(|error| Error::internal("find key", error))
                })
                .collect::<Result<_>>()?,
            None => (0..schema.fields().len()).collect(),
        };
        let fields = columns
            .iter()
            .map(|column| SortField::new(schema.field(*column).data_type().clone()));
        Ok(Self {
            converter: RowConverter::new(fields.collect())
                .map_err(|error| Error::internal("encode key", error))?,
            columns,
            seeds: (RandomState::new(), RandomState::new()),
        })
    }

    /// The same fingerprints again, for another thread of work.
    pub fn like(other: &Self, schema: &SchemaRef, names: &[&str]) -> Result<Self> {
        Ok(Self {
            seeds: other.seeds.clone(),
            ..Self::new(schema, Some(names))?
        })
    }

    /// The positions of the columns in the schema that this was made for.
    pub fn columns(&self) -> &Vec<usize> {
        &self.columns
    }

    /// One fingerprint for each row of a batch of that schema.
    pub fn of(&self, batch: &RecordBatch) -> Result<Vec<Fingerprint>> {
        self.of_arrays(&self.arrays(batch))
    }

    /// The same for the columns alone.
    pub fn of_arrays(&self, arrays: &[ArrayRef]) -> Result<Vec<Fingerprint>> {
        let rows = self.rows(arrays)?;
        let hashed = rows.iter().map(|row| {
            let bytes = row.as_ref();
            let (low, high) = (self.seeds.0.hash_one(bytes), self.seeds.1.hash_one(bytes));
            (u128::from(high) << 64) | u128::from(low)
        });
        Ok(hashed.collect())
    }

    /// Half a fingerprint for each row of a batch: enough to tell two contents of one key apart.
    pub fn short(&self, batch: &RecordBatch) -> Result<Vec<u64>> {
        let rows = self.rows(&self.arrays(batch))?;
        Ok(rows
            .iter()
            .map(|row| self.seeds.0.hash_one(row.as_ref()))
            .collect())
    }

    fn arrays(&self, batch: &RecordBatch) -> Vec<ArrayRef> {
        let columns = self.columns.iter();
        columns
            .map(|column| batch.column(*column).clone())
            .collect()
    }

    fn rows(&self, arrays: &[ArrayRef]) -> Result<Rows> {
        self.converter
            .convert_columns(arrays)
            .map_err(|error| Error::internal("encode key", error))
    }
}
