//! Text that is taller than the screen, shown page by page by the program that the user chose.

use std::io::{self, Write};
use std::process::{Child, Command, Stdio};

use super::terminal;

/// Shows a text: through the pager where it is taller than the screen and the pager starts, else plainly.
pub(super) fn show(text: &str) -> io::Result<()> {
    let tall = terminal::size().is_some_and(|size| text.lines().count() >= size.rows);
    if tall
        && let Some(pager) = start()
        && paged(pager, text)
    {
        return Ok(());
    }
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// `$PAGER`, or `less` with options that leave the text on the screen; an empty `$PAGER` means none.
fn start() -> Option<Child> {
    let mut command = match std::env::var("PAGER") {
        Ok(pager) if pager.trim().is_empty() => return None,
        Ok(pager) => {
            let mut shell = Command::new("sh");
            // `exec` makes a program that is not there the exit code of the shell.
            shell.arg("-c").arg(format!("exec {pager}"));
            shell
        }
        Err(_) => {
            let mut less = Command::new("less");
            less.arg("-FRSX").env("LESSCHARSET", "utf-8");
            less
        }
    };
    command
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()
}

/// Whether the pager took the text. That it is left before the end is what pagers are for.
fn paged(mut pager: Child, text: &str) -> bool {
    if let Some(mut stdin) = pager.stdin.take() {
        // A pager that does not want more closes the pipe.
        let _ = stdin.write_all(text.as_bytes());
    }
    // 126 and 127 are what a shell says of a program that it could not start.
    pager
        .wait()
        .is_ok_and(|status| !matches!(status.code(), Some(126 | 127)))
}
