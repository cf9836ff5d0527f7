//! `docs/channel-review.md` shows what the demo answers, on the command line as its reader would ask.
//!
//! `UPDATE_DOCS=1` writes the answers; without it they have to be there.

use std::path::Path;

use crate::support::{root, stderr, stdout, tributary};

const SQL: &str = "```sql\n";
const TEXT: &str = "```text\n";
const END: &str = "```\n";

#[test]
fn the_review_shows_what_the_demo_answers() {
    let path = root().join("docs/channel-review.md");
    let written = std::fs::read_to_string(&path).expect("the review");
    let folder = tempfile::tempdir().expect("a folder");
    let demo = tributary(folder.path(), &["demo"]);
    assert!(demo.status.success(), "{}", stderr(&demo));

    let (mut text, mut rest, mut asked) = (String::new(), written.as_str(), 0);
    while let Some((before, after)) = rest.split_once(SQL) {
        let (sql, after) = after.split_once(END).expect("the end of a statement");
        let after = after
            .strip_prefix(TEXT)
            .expect("an answer after each statement");
        let end = after.find(END).expect("the end of an answer");
        let answer = answered(folder.path(), sql);
        text += &format!("{before}{SQL}{sql}{END}{TEXT}{answer}{END}");
        rest = &after[end + END.len()..];
        asked += 1;
    }
    text += rest;
    assert!(asked >= 12, "{asked} statements");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &text).expect("write the review");
    }
    let kept = std::fs::read_to_string(&path).expect("the review");
    assert!(
        kept == text,
        "docs/channel-review.md is not what the demo answers; UPDATE_DOCS=1 writes it"
    );
}

fn answered(folder: &Path, sql: &str) -> String {
    let arguments = ["sql", "--data", "tributary-demo", "-m", "acme", "-c", sql];
    let answer = tributary(folder, &arguments);
    assert!(answer.status.success(), "{sql}: {}", stderr(&answer));
    let answer = stdout(&answer);
    assert!(answer.lines().count() > 4, "{sql}: {answer}");
    // The last line tells the time that it took, which is another every time.
    let table = answer.trim_end().rsplit_once('\n').expect("more lines");
    format!("{}\n", table.0)
}
