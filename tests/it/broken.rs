//! Damaged files of every format, by the thousand: each is stored as it says or refused with a reason, and the next good
//! one is stored. The seed is fixed, so that a failure comes again.

use std::fmt::Write;

use serde_json::Value;

use crate::files::{self, CSV, NDJSON, PARQUET, STREAM};
use crate::support::{Served, World, json as send};

const HEADER: &str = "revenue_id,distributor_id,booked_at,amount,quantity,kind\n";

/// A small generator of numbers that anybody can repeat (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let sides = u64::try_from(sides).expect("few").max(1);
        usize::try_from((mixed ^ (mixed >> 31)) % sides).expect("few")
    }
}

/// A server, and what its table is known to hold.
struct Target {
    served: Served,
    rows: u64,
    version: u64,
    sent: u64,
    refused: u64,
}

impl Target {
    async fn new() -> Self {
        let served = Served::over(World::empty().await).await;
        let mut target = Self {
            served,
            rows: 0,
            version: 0,
            sent: 0,
            refused: 0,
        };
        target.good().await;
        target
    }

    async fn post(&self, query: &str, kind: &str, body: Vec<u8>) -> (u16, Value) {
        let request = self.served.post(&format!("/v1/tiny/tables/revenue{query}"));
        send(request.header("content-type", kind).body(body)).await
    }

    /// A good file is stored, whatever came before it.
    async fn good(&mut self) {
        self.sent += 1;
        let row = format!("G{},D1,2024-01-01T00:00:00Z,1,1,new\n", self.sent);
        let (status, receipt) = self
            .post("", CSV, format!("{HEADER}{row}").into_bytes())
            .await;
        assert_eq!(status, 200, "{receipt}");
        self.rows += 1;
        self.version = receipt["table_version"].as_u64().expect("a version");
    }

    /// Sends a damaged file; either all of it counts or nothing.
    async fn damaged(&mut self, name: &str, query: &str, kind: &str, body: Vec<u8>) {
        let (status, answer) = self.post(query, kind, body).await;
        if status == 200 {
            self.rows += answer["inserted"].as_u64().expect("a count");
            let told = answer["inserted"]
                .as_u64()
                .zip(answer["unchanged"].as_u64());
            let accepted = told.map(|(inserted, unchanged)| inserted + unchanged);
            assert_eq!(answer["accepted"].as_u64(), accepted, "{name}: {answer}");
            self.version = answer["table_version"].as_u64().expect("a version");
        } else {
            assert!((400..500).contains(&status), "{name}: {status} {answer}");
            let message = answer["message"].as_str().unwrap_or_default();
            assert!(!message.is_empty(), "{name}: {answer}");
            self.refused += 1;
        }
        let (status, answer) = self
            .served
            .sql("SELECT count(*) AS rows FROM revenue")
            .await;
        assert_eq!(status, 200, "{name}: {answer}");
        assert_eq!(
            answer["rows"][0]["rows"].as_u64(),
            Some(self.rows),
            "{name}"
        );
        let version = answer["tables"]["revenue"].as_u64();
        assert_eq!(version, Some(self.version), "{name}: {answer}");
    }
}

/// Cut short at many places, single bits turned, and pieces taken out, doubled or overwritten.
fn damages(good: &[u8], dice: &mut Dice) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    let step = (good.len() / 12).max(1);
    let near_ends = (1..good.len().min(13)).chain(good.len().saturating_sub(12)..good.len());
    for length in (0..good.len()).step_by(step).chain(near_ends.step_by(3)) {
        all.push((format!("cut at {length}"), good[..length].to_vec()));
    }
    for _ in 0..24 {
        let mut bytes = good.to_vec();
        let (at, bit) = (dice.roll(bytes.len()), dice.roll(8));
        bytes[at] ^= 1 << bit;
        all.push((format!("bit {bit} of byte {at}"), bytes));
    }
    // Lengths and offsets stand in heads and footers.
    for at in (0..good.len().min(64))
        .step_by(5)
        .chain((good.len().saturating_sub(64)..good.len()).step_by(5))
    {
        let mut bytes = good.to_vec();
        bytes[at] = [0, 0x7F, 0x80, 0xFF][dice.roll(4)];
        all.push((format!("byte {at} overwritten"), bytes));
    }
    for _ in 0..6 {
        let mut bytes = good.to_vec();
        let from = dice.roll(bytes.len());
        let to = (from + 1 + dice.roll(64)).min(bytes.len());
        let piece: Vec<u8> = bytes.drain(from..to).collect();
        all.push((format!("{from} to {to} taken out"), bytes.clone()));
        bytes.splice(from..from, piece.repeat(2));
        all.push((format!("{from} to {to} doubled"), bytes));
        let mut bytes = good.to_vec();
        bytes[from..to].fill(0xFF);
        all.push((format!("{from} to {to} filled"), bytes));
    }
    all
}

async fn survives_damage(format: usize, seed: u64) {
    let mut target = Target::new().await;
    let mut dice = Dice(seed);
    let (name, kind, good) = files::revenue(40).swap_remove(format);
    let packings = [good.clone(), files::gzip(&good), files::zstd(&good)];
    for (packing, packed) in ["plain", "gzip", "zstd"].into_iter().zip(packings) {
        for (damage, bytes) in damages(&packed, &mut dice) {
            let name = format!("{name} {packing}, {damage}");
            let query = ["", "?on_error=quarantine"][dice.roll(2)];
            target.damaged(&name, query, kind, bytes).await;
        }
        target.good().await;
    }
    assert!(target.refused > 50, "{name}: {} refused", target.refused);
    // Not one bit was stored that the file did not say: the good file itself still is.
    let (status, answer) = target.post("", kind, good).await;
    assert!(status == 200 || status == 409, "{name}: {answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_csv_is_refused_or_read_as_it_stands() {
    survives_damage(0, 11).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_ndjson_is_refused_or_read_as_it_stands() {
    survives_damage(1, 12).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_parquet_is_refused_or_read_as_it_stands() {
    survives_damage(2, 13).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_arrow_streams_are_refused_or_read_as_they_stand() {
    survives_damage(3, 14).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_arrow_files_are_refused_or_read_as_they_stand() {
    survives_damage(4, 15).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_csv_is_refused() {
    let row = "X,D1,2024-01-01T00:00:00Z,1,1,new\n";
    let long_name = "n".repeat(1 << 20);
    let many = (0..3_000).fold(String::new(), |mut all, column| {
        let _ = write!(all, "c{column},");
        all
    });
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("a byte order mark alone", "\u{feff}".into()),
        ("blank lines alone", "\n\r\n\n".into()),
        ("a NUL", "\0".into()),
        ("NULs", vec![0; 4_096]),
        (
            "a NUL in a value",
            format!("{HEADER}X\0,{}", &row[2..]).into_bytes(),
        ),
        ("half a UTF-16 character", vec![0xFF, 0xFE, b'r']),
        (
            "a lone surrogate in UTF-16",
            vec![0xFF, 0xFE, 0x00, 0xD8, b'a', 0],
        ),
        ("a quote alone", "\"".into()),
        (
            "a quote never closed",
            format!("{HEADER}\"X,{row}").into_bytes(),
        ),
        (
            "a quote within a value",
            format!("{HEADER}X\"Y\",{}", &row[2..]).into_bytes(),
        ),
        (
            "text after a quote",
            format!("{HEADER}\"X\"Y,{}", &row[2..]).into_bytes(),
        ),
        (
            "a quote opened in the header",
            format!("\"{HEADER}{row}").into_bytes(),
        ),
        ("too few fields", format!("{HEADER}X,D1\n").into_bytes()),
        (
            "too many fields",
            format!("{HEADER}{},x\n", row.trim()).into_bytes(),
        ),
        ("a huge name", format!("{long_name}\n1\n").into_bytes()),
        ("a huge header", many.into_bytes()),
        ("a header of commas", ",,,,,\n1,2,3,4,5,6\n".into()),
        ("names with blanks", HEADER.replace(',', ", ").into_bytes()),
        ("no header", row.into()),
        (
            "the header twice",
            format!("{HEADER}{HEADER}{row}").into_bytes(),
        ),
        (
            "UTF-8 cut in a character",
            [HEADER.as_bytes(), b"X\xC3"].concat(),
        ),
        (
            "UTF-8 of a surrogate",
            [HEADER.as_bytes(), b"X\xED\xA0\x80", &row.as_bytes()[1..]].concat(),
        ),
        (
            "overlong UTF-8",
            [HEADER.as_bytes(), b"X\xC0\xAF", &row.as_bytes()[1..]].concat(),
        ),
        (
            "HTML",
            "<!DOCTYPE html><html><body>502 Bad Gateway</body></html>".into(),
        ),
        ("JSON", "{\"revenue_id\":\"X\"}".into()),
        (
            "formulas",
            format!("{HEADER}=1+1,D1,=NOW(),1,1,new\n").into_bytes(),
        ),
        (
            "blanks around a number",
            format!("{HEADER}X,D1,2024-01-01T00:00:00Z, 1 ,1,new\n").into_bytes(),
        ),
        (
            "thousands",
            format!("{HEADER}X,D1,2024-01-01T00:00:00Z,\"1,234.50\",1,new\n").into_bytes(),
        ),
        (
            "hexadecimal",
            format!("{HEADER}X,D1,2024-01-01T00:00:00Z,0x10,1,new\n").into_bytes(),
        ),
        (
            "an exponent",
            format!("{HEADER}X,D1,2024-01-01T00:00:00Z,1e3,1,new\n").into_bytes(),
        ),
        (
            "NaN",
            format!("{HEADER}X,D1,2024-01-01T00:00:00Z,NaN,1,new\n").into_bytes(),
        ),
        (
            "a count out of range",
            format!("{HEADER}X,D1,2024-01-01T00:00:00Z,1,9223372036854775808,new\n").into_bytes(),
        ),
        (
            "other digits",
            format!("{HEADER}X,D1,2024-01-01T00:00:00Z,١٢,1,new\n").into_bytes(),
        ),
        (
            "a minus of another kind",
            format!("{HEADER}X,D1,2024-01-01T00:00:00Z,\u{2212}1,1,new\n").into_bytes(),
        ),
    ];
    let mut target = Target::new().await;
    for (name, body) in cases {
        let before = target.refused;
        target.damaged(name, "", CSV, body.clone()).await;
        assert_eq!(target.refused, before + 1, "{name} was stored");
        target
            .damaged(name, "?on_error=quarantine", CSV, body)
            .await;
    }
    target.good().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_json_is_refused() {
    let member = |value: &str| {
        format!(
            "{{\"revenue_id\":\"X\",\"distributor_id\":\"D1\",\"booked_at\":\"2024-01-01T00:00:00Z\",\"quantity\":1,\"kind\":\"new\",{value}}}"
        )
    };
    let deep = |open: &str, times: usize| format!("{{\"amount\":{}", open.repeat(times));
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("a byte order mark alone", "\u{feff}".into()),
        ("an array", "[]".into()),
        ("a number", "1".into()),
        ("a word", "true".into()),
        ("null", "null".into()),
        ("an open object", "{".into()),
        ("a closed object", "}".into()),
        ("a wrong end", "{]".into()),
        ("an empty object", "{}".into()),
        ("a trailing comma", member("\"amount\":1,").into_bytes()),
        ("a leading comma", "{,\"amount\":1}".into()),
        (
            "two commas",
            member("\"amount\":1,,\"cost\":1").into_bytes(),
        ),
        ("no colon", member("\"amount\" 1").into_bytes()),
        ("no value", member("\"amount\":").into_bytes()),
        ("a key without quotes", member("amount:1").into_bytes()),
        ("single quotes", member("'amount':1").into_bytes()),
        ("a comment", member("\"amount\":1/**/").into_bytes()),
        ("NaN", member("\"amount\":NaN").into_bytes()),
        ("Infinity", member("\"amount\":-Infinity").into_bytes()),
        ("leading zeros", member("\"amount\":01").into_bytes()),
        ("a plus", member("\"amount\":+1").into_bytes()),
        (
            "no digit before the point",
            member("\"amount\":.5").into_bytes(),
        ),
        (
            "no digit after the point",
            member("\"amount\":5.").into_bytes(),
        ),
        (
            "an exponent without digits",
            member("\"amount\":1e").into_bytes(),
        ),
        ("1e999", member("\"amount\":1e999").into_bytes()),
        ("1e-999", member("\"amount\":1e-999").into_bytes()),
        (
            "an endless exponent",
            member("\"amount\":1e99999999999999999999999").into_bytes(),
        ),
        ("hexadecimal", member("\"amount\":0x1").into_bytes()),
        (
            "digits without end",
            member(&format!("\"amount\":{}", "9".repeat(100_000))).into_bytes(),
        ),
        (
            "a string never closed",
            member("\"amount\":\"1").into_bytes(),
        ),
        (
            "a lone surrogate",
            member("\"amount\":1,\"rep_id\":\"\\ud800\"").into_bytes(),
        ),
        (
            "a lone surrogate as key",
            member("\"amount\":1,\"\\udc00\":1").into_bytes(),
        ),
        (
            "half an escape",
            member("\"amount\":1,\"rep_id\":\"\\u00\"").into_bytes(),
        ),
        (
            "an unknown escape",
            member("\"amount\":1,\"rep_id\":\"\\x\"").into_bytes(),
        ),
        (
            "an escaped NUL",
            member("\"amount\":1,\"rep_id\":\"\\u0000\"").into_bytes(),
        ),
        (
            "a control character",
            member("\"amount\":1,\"rep_id\":\"\t\"").into_bytes(),
        ),
        (
            "a NUL",
            member("\"amount\":1,\"rep_id\":\"\0\"").into_bytes(),
        ),
        (
            "the same key twice",
            member("\"amount\":1,\"amount\":2").into_bytes(),
        ),
        (
            "the same key twice, once escaped",
            member("\"amount\":1,\"\\u0061mount\":2").into_bytes(),
        ),
        (
            "a nested object",
            member("\"amount\":{\"value\":1}").into_bytes(),
        ),
        ("arrays 100,000 deep", deep("[", 100_000).into_bytes()),
        (
            "objects 100,000 deep",
            deep("{\"a\":", 100_000).into_bytes(),
        ),
        (
            "a million keys",
            format!("{{{}\"z\":1}}", "\"a\":1,".repeat(1_000_000)).into_bytes(),
        ),
        (
            "a good row and a half",
            format!("{}\n{{\"revenue_id\"", member("\"amount\":1")).into_bytes(),
        ),
        (
            "two objects on a line",
            format!("{0}{0}", member("\"amount\":1")).into_bytes(),
        ),
        (
            "an object over lines",
            member("\n\"amount\":1").into_bytes(),
        ),
        (
            "invalid UTF-8",
            [&b"{\"revenue_id\":\"\xFF\"}"[..]].concat(),
        ),
        (
            "UTF-16 without a mark",
            "{}".encode_utf16().flat_map(u16::to_le_bytes).collect(),
        ),
        ("CSV", HEADER.into()),
    ];
    let mut target = Target::new().await;
    for (name, body) in cases {
        let before = target.refused;
        target.damaged(name, "", NDJSON, body.clone()).await;
        assert_eq!(target.refused, before + 1, "{name} was stored");
        target
            .damaged(name, "?on_error=quarantine", NDJSON, body)
            .await;
    }
    target.good().await;
}

/// Numbers in heads and footers that ask for more memory than there is.
#[tokio::test(flavor = "multi_thread")]
async fn claims_of_impossible_sizes_end_no_process() {
    let mut target = Target::new().await;
    let footer = |footer: &[u8]| {
        let length = u32::try_from(footer.len()).expect("short").to_le_bytes();
        [b"PAR1", footer, &length, b"PAR1"].concat()
    };
    // Two billion row groups, in a footer of a few bytes.
    let groups = [
        0x15, 2, 0x19, 0x1C, 0x48, 1, b'r', 0x15, 0, 0, 0x16, 2, 0x19, 0xFC, 0xFF, 0xFF, 0xFF,
        0xFF, 0x07, 0,
    ];
    target
        .damaged("row groups", "", PARQUET, footer(&groups))
        .await;
    target
        .damaged("fields within fields", "", PARQUET, footer(&[0x1C; 4_096]))
        .await;
    let stream = files::stream(&files::batch(3));
    for at in (0..stream.len() - 8).step_by(4) {
        for claim in [i64::MAX, i64::MIN, 1 << 40, -1] {
            let mut bytes = stream.clone();
            bytes[at..at + 8].copy_from_slice(&claim.to_le_bytes());
            if at % 16 == 0 || at < 16 {
                target
                    .damaged(&format!("{claim} at {at}"), "", STREAM, bytes)
                    .await;
            }
        }
    }
    let endless = [
        &0xFFFF_FFFF_u32.to_le_bytes()[..],
        &0x7FFF_FFF0_u32.to_le_bytes(),
    ]
    .concat();
    target.damaged("a head of 2 GiB", "", STREAM, endless).await;
    target.good().await;
}
