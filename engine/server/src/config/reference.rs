//! The reference of the configuration, as `docs/configuration.md` has it.

use std::fmt::Write;

use super::{Config, DEFINITIONS, SECTIONS};

const INTRODUCTION: &str = "\
# Configuration

What `tributary serve` can be told. Generated from the definitions in `engine/server/src/config/mod.rs`.

```sh
tributary serve --config tributary.toml
tributary serve --config tributary.toml --print-config   # the values in force, as a file, and no server
tributary serve --set limits.queries=8 --set http.listen=0.0.0.0:7070
```

Every value can stand in the file, in the environment, and on the command line as `--set section.key=value`; the later in
this list wins. A variable of the environment is named `TRIBUTARY_` with section and key in capitals: `TRIBUTARY_LIMITS_QUERIES=8`.
Lists are separated by commas there. The flags `--data`, `--listen`, `--threads` and `--log-format` stand for the keys of the
same meaning, and so do the variables `TRIBUTARY_DATA` and `TRIBUTARY_LOG`.

A section, key or variable that is not in this list is an error, which says the line and the nearest name that there is. Units
are in the names.

A file that says something:

```toml
[http]
listen = \"0.0.0.0:7070\"
drain_pause_seconds = 5          # longer than the load balancer needs to see /readyz

[tls]
certificate_file = \"/etc/tributary/server.pem\"
key_file = \"/etc/tributary/server.key\"

[metrics]
listen = \"10.0.0.5:9464\"

[limits]
tenant_queries = 4
```
";

/// `docs/configuration.md`: every section and key with its kind, default and meaning.
#[must_use]
pub fn configuration_reference() -> String {
    let mut text = INTRODUCTION.to_owned();
    let mut config = Config::default();
    for (section, about) in SECTIONS {
        let _ = write!(
            text,
            "\n## {section}\n\n{}\n\n| key | kind | default | what it is |\n|---|---|---|---|\n",
            about.trim()
        );
        for definition in DEFINITIONS.iter().filter(|one| one.section == *section) {
            let value = config
                .value(section, definition.key)
                .expect("every definition has its value");
            let range = definition.range.as_ref().map(|range| {
                let (least, most) = (range.start(), range.end());
                format!(", {least} to {most}")
            });
            let _ = writeln!(
                text,
                "| `{}` | {}{} | `{}` | {} |",
                definition.key,
                value.kind(),
                range.unwrap_or_default(),
                value.written(),
                definition.text.trim()
            );
        }
    }
    text
}
