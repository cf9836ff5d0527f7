//! The rows of a partition that make sense, and the way back from their results to all rows.
//!
//! One row that makes no sense spoils neither the query nor the others: it is left out of what they are compared with,
//! and its own result says so. What makes sense is for the numerics to say; nothing here knows it.

use tributary_engine_stats::estimate::Status;
use tributary_engine_stats::invalid::Invalid;

use super::definition::Returns;
use super::out::Out;
use super::rows::Rows;
use super::window::nothing;

/// Hands over one result for each row.
///
/// `compute` gives a result for each of the rows that it is asked for, or says that they make no sense; `put` hands over
/// that of a row. An error where the rows make sense one by one, but not together.
pub fn each<T>(
    rows: &Rows<'_>,
    out: &mut Out,
    returns: Returns,
    compute: impl Fn(&[usize]) -> Result<Vec<T>, Invalid>,
    put: impl Fn(usize, &T, &mut Out),
) -> Result<(), Invalid> {
    let all: Vec<usize> = (0..rows.len).collect();
    let (sound, results) = match compute(&all) {
        Ok(results) => (all, results),
        Err(_) => {
            let alone = all.into_iter().filter(|row| compute(&[*row]).is_ok());
            let sound: Vec<usize> = alone.collect();
            let results = compute(&sound)?;
            (sound, results)
        }
    };
    let mut results = sound.iter().zip(&results).peekable();
    for row in 0..rows.len {
        match results.next_if(|(place, _)| **place == row) {
            Some((_, result)) => put(row, result, out),
            None => nothing(out, returns, Status::Infeasible),
        }
    }
    Ok(())
}

/// The values of some rows.
pub fn of<T: Copy>(values: &[T], rows: &[usize]) -> Vec<T> {
    rows.iter().map(|row| values[*row]).collect()
}

/// The values of some rows as counts; a negative one makes no sense.
pub fn counts_of(
    argument: &'static str,
    wholes: &[i64],
    rows: &[usize],
) -> Result<Vec<u64>, Invalid> {
    let counts = rows.iter().map(|row| {
        u64::try_from(wholes[*row]).map_err(|_| Invalid {
            argument,
            needs: "counts of at least 0",
            got: wholes[*row].to_string(),
        })
    });
    counts.collect()
}
