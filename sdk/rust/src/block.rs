//! Blocks of 64 rows: one validity word each, and a trip count the compiler knows. This file
//! deliberately does not know types of values.

/// Rows in a full block.
pub const BLOCK: usize = 64;

/// A run of rows that starts at a multiple of [`BLOCK`].
#[derive(Clone, Copy)]
pub struct Block {
    /// the first row
    pub start: usize,
    /// how many rows; less than [`BLOCK`] in the last block only
    pub len: usize,
}

impl Block {
    /// A word with a bit for every row of the block.
    #[inline]
    pub fn rows(self) -> u64 {
        u64::MAX >> (BLOCK - self.len)
    }
}

/// Cuts a batch into blocks.
#[inline]
pub fn blocks(rows: usize) -> impl Iterator<Item = Block> {
    (0..rows).step_by(BLOCK).map(move |start| Block {
        start,
        len: (rows - start).min(BLOCK),
    })
}

/// Which rows of a column are not NULL.
#[derive(Clone, Copy)]
pub enum Validity<'c> {
    /// All, or none, of them.
    Same(bool),
    /// As the bitmap says, least significant bit first.
    Bits(&'c [u8]),
}

impl Validity<'_> {
    /// One bit per row of the block; bits past its end are unspecified.
    #[inline]
    pub fn word(self, block: Block) -> u64 {
        match self {
            Validity::Same(true) => u64::MAX,
            Validity::Same(false) => 0,
            Validity::Bits(bits) => word(bits, block),
        }
    }
}

/// 64 bits of a bitmap, fewer at its end.
#[inline]
pub fn word(bits: &[u8], block: Block) -> u64 {
    let bytes = &bits[block.start / 8..];
    if let Some(full) = bytes.first_chunk::<8>() {
        return u64::from_le_bytes(*full);
    }
    last_word(bytes)
}

/// Kept out of the loop over blocks, which it would only blow up.
#[cold]
fn last_word(bytes: &[u8]) -> u64 {
    let bytes = bytes.iter().rev();
    bytes.fold(0, |word, byte| word << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::{Block, blocks, word};

    #[test]
    fn last_block_is_short() {
        let lengths: Vec<usize> = blocks(130).map(|block| block.len).collect();
        assert_eq!(lengths, [64, 64, 2]);
        assert_eq!(blocks(0).count(), 0);
        assert_eq!(Block { start: 0, len: 2 }.rows(), 0b11);
        assert_eq!(Block { start: 0, len: 64 }.rows(), u64::MAX);
    }

    #[test]
    fn words_are_little_endian_and_may_be_cut() {
        let bits = [1, 0, 0, 0, 0, 0, 0, 0x80, 0b101];
        assert_eq!(
            word(&bits, Block { start: 0, len: 64 }),
            0x8000_0000_0000_0001
        );
        assert_eq!(word(&bits, Block { start: 64, len: 3 }), 0b101);
    }
}
