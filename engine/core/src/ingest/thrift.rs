//! Looks through Thrift's compact encoding before a reader that believes its lengths: every list and every text has to
//! fit in the bytes that are there.

use std::io::{self, Read};

/// Structures within structures, as deep as Parquet's own go and some more.
const DEPTH: u32 = 32;

/// A whole number in a structure: the field that has it, with the field of the outer structure before it.
pub struct Found {
    /// Field of the outermost structure.
    pub outer: i16,
    /// Field of the structure within; 0 where the number stands in the outermost one.
    pub inner: i16,
    pub value: i64,
}

/// Walks through one structure of at most so many bytes, telling the whole numbers of its two outermost levels. Returns
/// how many bytes it took.
pub fn walk(reader: impl Read, bytes: u64, tell: &mut dyn FnMut(Found)) -> io::Result<u64> {
    let mut walk = Walk {
        reader,
        left: bytes,
    };
    walk.structure(0, &mut |path, value| {
        if let Some((outer, inner)) = path {
            tell(Found {
                outer,
                inner,
                value,
            });
        }
    })?;
    Ok(bytes - walk.left)
}

struct Walk<R> {
    reader: R,
    left: u64,
}

type Tell<'a> = &'a mut dyn FnMut(Option<(i16, i16)>, i64);

impl<R: Read> Walk<R> {
    fn structure(&mut self, depth: u32, tell: Tell<'_>) -> io::Result<()> {
        if depth > DEPTH {
            return Err(implausible("nested too deeply"));
        }
        let mut field: i16 = 0;
        loop {
            let head = self.byte()?;
            let kind = head & 0x0F;
            if kind == 0 {
                return Ok(());
            }
            field = match head >> 4 {
                0 => i16::try_from(zigzag(self.varint()?))
                    .map_err(|_| implausible("field number out of range"))?,
                delta => field
                    .checked_add(i16::from(delta))
                    .ok_or_else(|| implausible("field number out of range"))?,
            };
            self.value(kind, depth, field, tell)?;
        }
    }

    fn value(&mut self, kind: u8, depth: u32, field: i16, tell: Tell<'_>) -> io::Result<()> {
        match kind {
            // The field's own header is the value.
            1 | 2 => Ok(()),
            3 => self.skip(1),
            4..=6 => {
                let value = zigzag(self.varint()?);
                tell(Some((field, 0)), value);
                Ok(())
            }
            7 => self.skip(8),
            8 => {
                let length = self.varint()?;
                self.skip(length)
            }
            9 | 10 => self.list(depth, tell),
            11 => self.map(depth, tell),
            12 => self.structure(depth + 1, &mut |path, value| {
                // One level up a number's own field becomes the inner one.
                let path = path.filter(|(_, inner)| depth == 0 && *inner == 0);
                tell(path.map(|(inner, _)| (field, inner)), value);
            }),
            _ => Err(implausible("unknown type")),
        }
    }

    fn list(&mut self, depth: u32, tell: Tell<'_>) -> io::Result<()> {
        let head = self.byte()?;
        let length = match head >> 4 {
            15 => self.varint()?,
            short => u64::from(short),
        };
        self.fits(length)?;
        for _ in 0..length {
            self.element(head & 0x0F, depth, tell)?;
        }
        Ok(())
    }

    fn map(&mut self, depth: u32, tell: Tell<'_>) -> io::Result<()> {
        let length = self.varint()?;
        self.fits(length)?;
        if length == 0 {
            return Ok(());
        }
        let kinds = self.byte()?;
        for _ in 0..length {
            self.element(kinds >> 4, depth, tell)?;
            self.element(kinds & 0x0F, depth, tell)?;
        }
        Ok(())
    }

    /// Within a list no number has a field of its own, and a flag takes a byte.
    fn element(&mut self, kind: u8, depth: u32, tell: Tell<'_>) -> io::Result<()> {
        if depth > DEPTH {
            return Err(implausible("nested too deeply"));
        }
        match kind {
            1 | 2 => self.skip(1),
            other => self.value(other, depth + 1, 0, &mut |_, value| tell(None, value)),
        }
    }

    fn fits(&self, length: u64) -> io::Result<()> {
        if length > self.left {
            return Err(implausible("longer than the file"));
        }
        Ok(())
    }

    fn skip(&mut self, length: u64) -> io::Result<()> {
        self.fits(length)?;
        let skipped = io::copy(&mut self.reader.by_ref().take(length), &mut io::sink())?;
        self.left -= skipped;
        if skipped < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }

    fn byte(&mut self) -> io::Result<u8> {
        self.fits(1)?;
        let mut byte = [0];
        self.reader.read_exact(&mut byte)?;
        self.left -= 1;
        Ok(byte[0])
    }

    fn varint(&mut self) -> io::Result<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(implausible("number out of range"))
    }
}

const fn zigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

fn implausible(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(bytes: &[u8]) -> io::Result<Vec<(i16, i16, i64)>> {
        let mut found = Vec::new();
        let taken = walk(bytes, bytes.len() as u64, &mut |number| {
            found.push((number.outer, number.inner, number.value));
        })?;
        assert_eq!(taken, bytes.len() as u64);
        Ok(found)
    }

    #[test]
    fn numbers_of_two_levels_are_told() {
        // 1: 3, 2: -1, 5: { 1: 2, 2: [1, 2] }, 8: "ab"
        let bytes = [
            0x15, 6, 0x15, 1, 0x3C, 0x15, 4, 0x19, 0x25, 2, 4, 0, 0x38, 2, b'a', b'b', 0,
        ];
        let found = numbers(&bytes).expect("well formed");
        assert_eq!(found, [(1, 0, 3), (2, 0, -1), (5, 1, 2)]);
    }

    #[test]
    fn lengths_beyond_the_bytes_are_refused() {
        let many = [0x19, 0xFC, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0];
        let long = [0x18, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0];
        let deep = [0x1C; 100];
        let endless = [0xFF; 20];
        for bytes in [&many[..], &long, &deep, &endless, &[0x15], &[]] {
            assert!(numbers(bytes).is_err(), "{bytes:?}");
        }
    }
}
