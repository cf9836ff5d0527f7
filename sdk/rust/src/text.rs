//! Text in formulas: comparisons that need no allocation and no Unicode tables. Letters other than ASCII are compared as
//! they are.
//!
//! Bytes are compared 16 at a time. WebAssembly checks its budget once per turn of a loop, so a loop over single bytes spends
//! much of its time on that, and 16 of them are one instruction (measured on texts of 60 bytes: comparing takes a sixth of
//! the time, searching two thirds; looking for one letter gains nothing).

/// Bytes in a block.
const LANES: usize = 16;

/// Whether two texts are the same, whatever the case of their ASCII letters.
#[inline]
pub fn eq_ignore_case(a: &str, b: &str) -> bool {
    a.len() == b.len() && same(a.as_bytes(), b.as_bytes())
}

/// Whether a text contains another, whatever the case of ASCII letters. The empty text is in every text.
#[inline]
pub fn contains_ignore_case(text: &str, part: &str) -> bool {
    let (text, part) = (text.as_bytes(), part.as_bytes());
    let (Some(first), true) = (part.first(), part.len() <= text.len()) else {
        return part.is_empty();
    };
    let letters = [first.to_ascii_lowercase(), first.to_ascii_uppercase()];
    let starts = &text[..=text.len() - part.len()];
    find(starts, letters, |at| same(&text[at..at + part.len()], part)).is_some()
}

/// A text without the ASCII blanks around it.
#[inline]
pub fn trim(text: &str) -> &str {
    text.trim_ascii()
}

/// What stands before and behind the first of these ASCII letters, which need not be there.
///
/// # Panics
/// If `by` is no ASCII letter.
#[inline]
pub fn split_once(text: &str, by: u8) -> Option<(&str, &str)> {
    assert!(by.is_ascii(), "a text is split at an ASCII letter");
    let at = text.as_bytes().iter().position(|letter| *letter == by)?;
    Some((&text[..at], &text[at + 1..]))
}

/// The first place with one of two letters where `fits` holds.
#[inline]
fn find(text: &[u8], letters: [u8; 2], fits: impl Fn(usize) -> bool) -> Option<usize> {
    let (blocks, rest) = text.as_chunks::<LANES>();
    for (number, block) in blocks.iter().enumerate() {
        let mut places = places(block, letters);
        while places != 0 {
            let at = number * LANES + places.trailing_zeros() as usize;
            if fits(at) {
                return Some(at);
            }
            places &= places - 1;
        }
    }
    let begun = blocks.len() * LANES;
    let rest = rest.iter().enumerate();
    let found = rest.filter(|(_, letter)| letters.contains(letter));
    let mut found = found.map(|(at, _)| begun + at);
    found.find(|at| fits(*at))
}

/// A bit for each place of a block with one of the letters.
#[inline]
fn places(block: &[u8; LANES], letters: [u8; 2]) -> u32 {
    let mut places = 0;
    for (at, letter) in block.iter().enumerate() {
        places |= u32::from(*letter == letters[0] || *letter == letters[1]) << at;
    }
    places
}

/// Whether texts of the same length are the same.
#[inline]
fn same(a: &[u8], b: &[u8]) -> bool {
    let ((a_blocks, a_rest), (b_blocks, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut blocks = a_blocks.iter().zip(b_blocks);
    blocks.all(|(a, b)| difference(a, b) == 0) && difference(a_rest, b_rest) == 0
}

/// 0 if there is none. It looks at every byte, which a loop that stops early could not do at once.
#[inline]
fn difference(a: &[u8], b: &[u8]) -> u8 {
    let pairs = a.iter().zip(b);
    pairs.fold(0, |all, (a, b)| all | (lower(*a) ^ lower(*b)))
}

/// As `to_ascii_lowercase`, which is a look-up.
#[inline]
fn lower(letter: u8) -> u8 {
    letter | u8::from(letter.is_ascii_uppercase()) << 5
}

#[cfg(test)]
mod tests {
    use super::{contains_ignore_case, eq_ignore_case, split_once, trim};

    #[test]
    fn case_of_ascii_does_not_matter() {
        assert!(eq_ignore_case("Metal", "mETAL"));
        assert!(!eq_ignore_case("metal", "metals"));
        for part in ["", "größe", "Größe", "GRö", "e 7"] {
            assert!(contains_ignore_case("die Größe 7", part), "{part}");
        }
        for part in ["größe 77", "x", "die Größe 7 und mehr"] {
            assert!(!contains_ignore_case("die Größe 7", part), "{part}");
        }
        // Neighbours of letters that differ from others in the bit of the case alone.
        for (a, b) in [("[", "{"), ("@", "`"), ("Ö", "ö"), ("\u{1f}", "?")] {
            assert!(!eq_ignore_case(a, b), "{a} {b}");
        }
    }

    #[test]
    fn length_and_place_do_not_matter() {
        for before in 0..40 {
            for after in [0, 1, 15, 16, 17] {
                let text = format!("{}Needle{}", "n".repeat(before), "e".repeat(after));
                assert!(contains_ignore_case(&text, "nEEDLe"), "{text}");
                assert!(!contains_ignore_case(&text, "needles"), "{text}");
                assert!(eq_ignore_case(&text, &text.to_uppercase()), "{text}");
                let other = text.replacen("d", "t", 1);
                assert!(!eq_ignore_case(&text, &other), "{text}");
                let split = split_once(&text, b'd').map(|(head, tail)| (head.len(), tail.len()));
                assert_eq!(split, Some((before + 3, after + 2)), "{text}");
            }
        }
    }

    #[test]
    fn splits_and_trims() {
        assert_eq!(split_once("a.b.c", b'.'), Some(("a", "b.c")));
        assert_eq!(split_once("abc", b'.'), None);
        assert_eq!(trim("  ä b\t"), "ä b");
    }
}
