//! Writes CSV rows into one reused buffer and hands it out in chunks. NULL is an empty field.
//! Knows no table: a `Rows` writes one step at a time, `Chunks` decides when a chunk is full.

use std::sync::Arc;

use crate::time::{Calendar, DAY_SECONDS};

const CHUNK_BYTES: usize = 256 * 1024;
/// One step may overshoot a chunk by this much without a second allocation.
const SLACK_BYTES: usize = 16 * 1024;

/// A table's rows, in load order.
pub(crate) trait Rows: Send {
    /// Writes the next few rows (possibly none); false when there are no more.
    fn step(&mut self, out: &mut Writer) -> bool;
}

pub(crate) struct Writer {
    bytes: Vec<u8>,
    calendar: Arc<Calendar>,
}

impl Writer {
    /// Text, quoted when CSV needs it.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        if text
            .bytes()
            .any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r'))
        {
            self.bytes.push(b'"');
            self.bytes
                .extend_from_slice(text.replace('"', "\"\"").as_bytes());
            self.bytes.push(b'"');
        } else {
            self.bytes.extend_from_slice(text.as_bytes());
        }
        self.comma()
    }

    pub(crate) fn null(&mut self) -> &mut Self {
        self.comma()
    }

    /// An id whose text order is its number's order.
    pub(crate) fn id(&mut self, kind: Id, number: u64) -> &mut Self {
        let (prefix, width) = kind.shape();
        self.bytes.push(prefix);
        self.digits(number, width);
        self.comma()
    }

    pub(crate) fn optional_id(&mut self, kind: Id, number: Option<u64>) -> &mut Self {
        match number {
            Some(number) => self.id(kind, number),
            None => self.null(),
        }
    }

    pub(crate) fn int(&mut self, value: i64) -> &mut Self {
        self.sign(value);
        self.digits(value.unsigned_abs(), 1);
        self.comma()
    }

    /// Money from cents.
    pub(crate) fn money(&mut self, cents: i64) -> &mut Self {
        self.sign(cents);
        self.digits(cents.unsigned_abs() / 100, 1);
        self.bytes.push(b'.');
        self.digits(cents.unsigned_abs() % 100, 2);
        self.comma()
    }

    pub(crate) fn boolean(&mut self, value: bool) -> &mut Self {
        self.text(if value { "true" } else { "false" })
    }

    pub(crate) fn date(&mut self, day: i64) -> &mut Self {
        let text = self.calendar.text(day);
        self.bytes.extend_from_slice(&text);
        self.comma()
    }

    pub(crate) fn time(&mut self, seconds: i64) -> &mut Self {
        let text = self.calendar.text(seconds.div_euclid(DAY_SECONDS));
        let of_day = seconds.rem_euclid(DAY_SECONDS) as u64;
        self.bytes.extend_from_slice(&text);
        for (separator, part) in [
            (b'T', of_day / 3600),
            (b':', of_day / 60 % 60),
            (b':', of_day % 60),
        ] {
            self.bytes.push(separator);
            self.digits(part, 2);
        }
        self.bytes.push(b'Z');
        self.comma()
    }

    pub(crate) fn optional_time(&mut self, seconds: Option<i64>) -> &mut Self {
        match seconds {
            Some(seconds) => self.time(seconds),
            None => self.null(),
        }
    }

    /// Ends the row: its last comma becomes the line's end.
    pub(crate) fn end(&mut self) {
        if let Some(last) = self.bytes.last_mut() {
            *last = b'\n';
        }
    }

    fn comma(&mut self) -> &mut Self {
        self.bytes.push(b',');
        self
    }

    fn sign(&mut self, value: i64) {
        if value < 0 {
            self.bytes.push(b'-');
        }
    }

    fn digits(&mut self, mut value: u64, width: usize) {
        let mut text = [b'0'; 20];
        let mut start = text.len();
        while value > 0 || text.len() - start < width {
            start -= 1;
            text[start] = b'0' + (value % 10) as u8;
            value /= 10;
        }
        self.bytes.extend_from_slice(&text[start..]);
    }
}

/// The kinds of ids, each with its letter and its digits.
#[derive(Clone, Copy)]
pub(crate) enum Id {
    Campaign,
    Content,
    ContentEvent,
    Distributor,
    Feedback,
    Lead,
    Product,
    Rep,
    Resource,
    Revenue,
    Training,
}

impl Id {
    const fn shape(self) -> (u8, usize) {
        match self {
            Self::Campaign => (b'C', 3),
            Self::Content => (b'M', 3),
            Self::ContentEvent => (b'E', 9),
            Self::Distributor => (b'D', 3),
            Self::Feedback => (b'F', 9),
            Self::Lead => (b'L', 9),
            Self::Product => (b'P', 3),
            Self::Rep => (b'R', 4),
            Self::Resource => (b'G', 9),
            Self::Revenue => (b'V', 9),
            Self::Training => (b'T', 6),
        }
    }

    pub(crate) fn format(self, number: u64) -> String {
        let (prefix, width) = self.shape();
        format!("{}{number:0width$}", char::from(prefix))
    }
}

/// A table as chunks: the header first, whole rows only.
pub(crate) struct Chunks {
    rows: Box<dyn Rows>,
    writer: Writer,
    done: bool,
}

impl Chunks {
    pub(crate) fn new(columns: &[&str], calendar: Arc<Calendar>, rows: Box<dyn Rows>) -> Self {
        let mut writer = Writer {
            bytes: Vec::with_capacity(CHUNK_BYTES + SLACK_BYTES),
            calendar,
        };
        columns.iter().for_each(|column| {
            writer.text(column);
        });
        writer.end();
        Self {
            rows,
            writer,
            done: false,
        }
    }
}

impl Iterator for Chunks {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        while !self.done && self.writer.bytes.len() < CHUNK_BYTES {
            self.done = !self.rows.step(&mut self.writer);
        }
        if self.writer.bytes.is_empty() {
            return None;
        }
        let spare = if self.done {
            Vec::new()
        } else {
            Vec::with_capacity(CHUNK_BYTES + SLACK_BYTES)
        };
        Some(std::mem::replace(&mut self.writer.bytes, spare))
    }
}
