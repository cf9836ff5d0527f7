//! How a variant's name is spelled in SQL.

/// `NeedInfo` to `need_info`.
pub(crate) fn snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.extend(letter.to_lowercase());
    }
    out
}

/// `NoAuthority` to `NO_AUTHORITY`.
pub(crate) fn screaming(name: &str) -> String {
    snake(name).to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::{screaming, snake};

    #[test]
    fn splits_at_capitals() {
        assert_eq!(snake("Mql"), "mql");
        assert_eq!(snake("NeedInfo"), "need_info");
        assert_eq!(screaming("NoAuthority"), "NO_AUTHORITY");
    }
}
