//! The demo runs, twice, and finds what was planted.

use crate::support::{stderr, stdout, tributary};

#[test]
fn runs_small_and_again() {
    let folder = tempfile::tempdir().expect("folder");
    for _ in 0..2 {
        let run = tributary(folder.path(), &["demo", "--scale", "0.02"]);
        assert!(run.status.success(), "{}", stderr(&run));
        assert!(stdout(&run).contains("of 10"), "{}", stdout(&run));
    }
    let sql = [
        "sql",
        "--data",
        "tributary-demo",
        "-m",
        "acme",
        "--format",
        "csv",
        "-c",
        "SELECT count(*) AS n FROM distributors",
    ];
    assert_eq!(stdout(&tributary(folder.path(), &sql)), "n\n62\n");
}

/// At full size: what the `.sql` files say is held against what the generator planted.
#[test]
fn finds_what_was_planted_whatever_the_seed() {
    let folder = tempfile::tempdir().expect("folder");
    let mut found = 0;
    let mut outputs = Vec::new();
    for seed in ["1", "42"] {
        let run = tributary(
            folder.path(),
            &["demo", "--seed", seed, "--data", &format!("demo-{seed}")],
        );
        assert!(run.status.success(), "{}", stderr(&run));
        let text = stdout(&run);
        let line = text
            .lines()
            .find(|line| line.starts_with("found "))
            .expect("a verdict")
            .to_owned();
        let words: Vec<&str> = line.split([' ', ';']).collect();
        assert_eq!(&words[2..4], ["of", "10"], "{line}");
        found += words[1].parse::<u32>().expect("a number");
        outputs.push(text);
    }
    assert!(found >= 16, "only {found} of 20 planted effects were found");
    let comparisons = |text: &str| {
        text.lines()
            .filter(|line| line.starts_with('│'))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_ne!(
        comparisons(&outputs[0]),
        comparisons(&outputs[1]),
        "the numbers do not depend on the seed"
    );
}
