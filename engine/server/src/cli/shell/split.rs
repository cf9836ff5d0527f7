//! Where one statement ends and the next begins: at a `;` outside of quotes, comments and dollar quotes.
//!
//! Follows the lexical rules of the engine's SQL dialect and knows nothing of its grammar.

/// What a text ends inside of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Open {
    /// Nothing: the next character is SQL.
    Nothing,
    /// A string or a quoted name, by its quote.
    Quote(char),
    /// A dollar-quoted string.
    Dollar,
    /// A block comment.
    Comment,
}

/// A text cut into statements.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Split<'a> {
    /// Statements that end with `;`, without it, and without those that say nothing.
    pub(super) statements: Vec<&'a str>,
    /// What follows the last `;`.
    pub(super) rest: &'a str,
    /// What the rest ends inside of.
    pub(super) open: Open,
    /// Whether the rest says anything.
    pub(super) says: bool,
}

/// Cuts a text.
pub(super) fn split(text: &str) -> Split<'_> {
    let mut cut = Split {
        statements: Vec::new(),
        rest: text,
        open: Open::Nothing,
        says: false,
    };
    let mut at = 0;
    let mut start = 0;
    while let Some(c) = text[at..].chars().next() {
        let piece = Piece::at(text, at);
        if c == ';' {
            if cut.says {
                cut.statements.push(text[start..at].trim());
            }
            start = at + 1;
            cut.says = false;
        } else if piece.says {
            cut.says = true;
        }
        cut.open = piece.open;
        at = piece.end;
    }
    cut.rest = &text[start..];
    cut
}

/// One quote, comment or character.
struct Piece {
    end: usize,
    open: Open,
    says: bool,
}

impl Piece {
    fn at(text: &str, at: usize) -> Self {
        let rest = &text[at..];
        let c = rest.chars().next().unwrap_or_default();
        match c {
            '\'' => {
                let escapes = escapes(&text[..at]);
                Self::until(text, quote_end(text, at, c, escapes), Open::Quote(c))
            }
            '"' | '`' => Self::until(text, quote_end(text, at, c, false), Open::Quote(c)),
            '$' => match dollar_tag(&text[..at], rest) {
                Some(tag) => {
                    let inside = at + tag.len();
                    let end = text[inside..]
                        .find(tag)
                        .map(|found| inside + found + tag.len());
                    Self::until(text, end, Open::Dollar)
                }
                None => Self::plain(at + 1, true),
            },
            '-' if rest.starts_with("--") => Self::plain(
                rest.find('\n').map_or(text.len(), |found| at + found),
                false,
            ),
            '/' if rest.starts_with("/*") => {
                let mut comment = Self::until(text, comment_end(text, at), Open::Comment);
                comment.says = false;
                comment
            }
            c => Self::plain(at + c.len_utf8(), !c.is_whitespace()),
        }
    }

    const fn plain(end: usize, says: bool) -> Self {
        Self {
            end,
            open: Open::Nothing,
            says,
        }
    }

    fn until(text: &str, end: Option<usize>, open: Open) -> Self {
        match end {
            Some(end) => Self::plain(end, true),
            None => Self {
                end: text.len(),
                open,
                says: true,
            },
        }
    }
}

/// Whether a string that follows this text is one in which a backslash escapes: `E'…'`.
fn escapes(before: &str) -> bool {
    let mut last = before.chars().rev();
    matches!(last.next(), Some('e' | 'E')) && !last.next().is_some_and(is_word)
}

/// Where a quote ends that begins at `at`; doubled, it is a part of what it quotes.
fn quote_end(text: &str, at: usize, quote: char, escapes: bool) -> Option<usize> {
    let mut chars = text[at + 1..].char_indices().peekable();
    while let Some((offset, c)) = chars.next() {
        if escapes && c == '\\' {
            chars.next();
        } else if c == quote && chars.next_if(|(_, next)| *next == quote).is_none() {
            return Some(at + 1 + offset + 1);
        }
    }
    None
}

/// Where a block comment ends; comments nest.
fn comment_end(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut position, mut depth) = (at, 0_usize);
    while position + 1 < bytes.len() {
        match &bytes[position..position + 2] {
            b"/*" => depth += 1,
            b"*/" if depth == 1 => return Some(position + 2),
            b"*/" => depth -= 1,
            _ => {
                position += 1;
                continue;
            }
        }
        position += 2;
    }
    None
}

/// The mark of a dollar quote, `$$` or `$tag$`. `$1` and `$name` are placeholders.
fn dollar_tag<'a>(before: &str, rest: &'a str) -> Option<&'a str> {
    if before.chars().next_back().is_some_and(is_word) {
        return None;
    }
    let end = rest[1..].find(|c: char| !is_word(c))? + 1;
    let starts_with_digit = rest[1..].starts_with(|c: char| c.is_ascii_digit());
    (rest[end..].starts_with('$') && !starts_with_digit).then(|| &rest[..=end])
}

/// Whether a character belongs to a name.
pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, statements: &[&str], rest: &str, open: Open) {
        let cut = split(text);
        assert_eq!(cut.statements, statements, "{text}");
        assert_eq!((cut.rest.trim(), cut.open), (rest, open), "{text}");
    }

    #[test]
    fn ends_a_statement_at_a_semicolon() {
        check("", &[], "", Open::Nothing);
        check("SELECT 1", &[], "SELECT 1", Open::Nothing);
        check("SELECT 1;", &["SELECT 1"], "", Open::Nothing);
        check(
            "SELECT 1; SELECT\n2; SEL",
            &["SELECT 1", "SELECT\n2"],
            "SEL",
            Open::Nothing,
        );
        check(";;  ; -- nothing\n;", &[], "", Open::Nothing);
        check("/* a; */ -- b;\n;", &[], "", Open::Nothing);
    }

    #[test]
    fn sees_no_semicolon_in_quotes_and_comments() {
        check(
            "SELECT 'a;b', \"c;d\", `e;f`;",
            &["SELECT 'a;b', \"c;d\", `e;f`"],
            "",
            Open::Nothing,
        );
        check(
            "SELECT 'it''s; one';",
            &["SELECT 'it''s; one'"],
            "",
            Open::Nothing,
        );
        check(
            "SELECT 'back\\'; x",
            &["SELECT 'back\\'"],
            "x",
            Open::Nothing,
        );
        check(
            "SELECT E'it\\'s; one';",
            &["SELECT E'it\\'s; one'"],
            "",
            Open::Nothing,
        );
        check(
            "SELECT name'\\'; x",
            &["SELECT name'\\'"],
            "x",
            Open::Nothing,
        );
        check(
            "SELECT 1 -- one; two\n, 2;",
            &["SELECT 1 -- one; two\n, 2"],
            "",
            Open::Nothing,
        );
        check(
            "SELECT 1 /* a /* b; */ c; */ ;",
            &["SELECT 1 /* a /* b; */ c; */"],
            "",
            Open::Nothing,
        );
        check(
            "SELECT $$a;b$$, $t$c;$$;d$t$;",
            &["SELECT $$a;b$$, $t$c;$$;d$t$"],
            "",
            Open::Nothing,
        );
        check(
            "SELECT $1, $name; SELECT a$b",
            &["SELECT $1, $name"],
            "SELECT a$b",
            Open::Nothing,
        );
        check(
            "SELECT 'Zürich;', 2 - 1 / 3;",
            &["SELECT 'Zürich;', 2 - 1 / 3"],
            "",
            Open::Nothing,
        );
    }

    #[test]
    fn says_what_is_open() {
        check("SELECT 'a;", &[], "SELECT 'a;", Open::Quote('\''));
        check("SELECT \"a''", &[], "SELECT \"a''", Open::Quote('"'));
        check("SELECT 1; /* b;", &["SELECT 1"], "/* b;", Open::Comment);
        check("SELECT $x$ ; ", &[], "SELECT $x$ ;", Open::Dollar);
        check("SELECT E'\\", &[], "SELECT E'\\", Open::Quote('\''));
        assert!(!split("-- a comment").says);
        assert!(split("SELECT 1").says);
    }
}
