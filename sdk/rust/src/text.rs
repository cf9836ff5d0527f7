//! Text in formulas: comparisons that need no allocation and no Unicode tables. Letters other than ASCII are compared as
//! they are.

/// Whether two texts are the same, whatever the case of their ASCII letters.
#[inline]
pub fn eq_ignore_case(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.eq_ignore_ascii_case(b)
}

/// Whether a text contains another, whatever the case of ASCII letters. The empty text is in every text.
#[inline]
pub fn contains_ignore_case(text: &str, part: &str) -> bool {
    let (text, part) = (text.as_bytes(), part.as_bytes());
    let Some((first, rest)) = part.split_first() else {
        return true;
    };
    let (lower, upper) = (first.to_ascii_lowercase(), first.to_ascii_uppercase());
    let starts = text.len().saturating_sub(rest.len());
    (0..starts).any(|at| {
        (text[at] == lower || text[at] == upper)
            && text[at + 1..at + part.len()].eq_ignore_ascii_case(rest)
    })
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
    let at = text.as_bytes().iter().position(|byte| *byte == by)?;
    Some((&text[..at], &text[at + 1..]))
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
    }

    #[test]
    fn splits_and_trims() {
        assert_eq!(split_once("a.b.c", b'.'), Some(("a", "b.c")));
        assert_eq!(split_once("abc", b'.'), None);
        assert_eq!(trim("  ä b\t"), "ä b");
    }
}
