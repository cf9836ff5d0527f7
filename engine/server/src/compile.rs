//! Plugins are compiled in a process of their own, which may use only so much of the machine: compiling hostile input can
//! take gigabytes and minutes, and must not take them from this one.
//!
//! The child is this same program. It gets a component that was checked on standard input and answers with machine code.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tributary_engine_core::compile::{self, Compiler, Refused};

use crate::limits::{
    COMPILE_CPU_SECONDS, COMPILE_MEMORY_BYTES, COMPILE_OUTPUT_BYTES, COMPILE_SECONDS,
};

/// The hidden command of the child.
const COMMAND: &str = "compile-plugin";
/// How often the parent looks whether the child is done.
const POLL: Duration = Duration::from_millis(2);

/// Compiles in a child process, one at a time.
pub struct InChild {
    program: PathBuf,
    turn: Mutex<()>,
}

impl InChild {
    /// A compiler that starts `program`, which is this program wherever it lies.
    #[must_use]
    pub const fn new(program: PathBuf) -> Self {
        Self {
            program,
            turn: Mutex::new(()),
        }
    }

    fn start(&self) -> Result<Child, Refused> {
        Command::new(&self.program)
            .arg(COMMAND)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| {
                compile::internal(format!("start \"{}\": {error}", self.program.display()))
            })
    }
}

impl Compiler for InChild {
    fn compile(&self, wasm: &[u8]) -> Result<Vec<u8>, Refused> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut child = self.start()?;
        let lost = || compile::internal("the compiler's pipes are gone");
        let mut stdin = child.stdin.take().ok_or_else(lost)?;
        let stdout = child.stdout.take().ok_or_else(lost)?;
        let stderr = child.stderr.take().ok_or_else(lost)?;
        thread::scope(|scope| {
            // A child that died reads no more; its exit tells why.
            scope.spawn(move || drop(stdin.write_all(wasm)));
            let code = scope.spawn(move || drain(stdout, COMPILE_OUTPUT_BYTES));
            let said = scope.spawn(move || drain(stderr, 4 << 10));
            let status = wait(&mut child);
            let code = code.join().unwrap_or_default();
            let said = said.join().unwrap_or_default();
            outcome(status, code, &String::from_utf8_lossy(&said))
        })
    }
}

fn drain(from: impl Read, bytes_max: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What was read before an error is of no use to anybody, and the exit tells.
    let _ = from.take(bytes_max + 1).read_to_end(&mut bytes);
    bytes
}

/// Waits for the child, and stops it when its time is up.
fn wait(child: &mut Child) -> io::Result<Option<ExitStatus>> {
    let until = Instant::now() + Duration::from_secs(COMPILE_SECONDS);
    while Instant::now() < until {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        thread::sleep(POLL);
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}

fn outcome(
    status: io::Result<Option<ExitStatus>>,
    code: Vec<u8>,
    said: &str,
) -> Result<Vec<u8>, Refused> {
    let status =
        status.map_err(|error| compile::internal(format!("wait for compiler: {error}")))?;
    let Some(status) = status else {
        return Err(compile::limit("compile_seconds", COMPILE_SECONDS));
    };
    if status.success() {
        if code.len() as u64 > COMPILE_OUTPUT_BYTES {
            return Err(compile::limit("compile_output_bytes", COMPILE_OUTPUT_BYTES));
        }
        return Ok(code);
    }
    match (killed_by(status), status.code()) {
        (Some(SIGXCPU | SIGKILL), _) => {
            Err(compile::limit("compile_cpu_seconds", COMPILE_CPU_SECONDS))
        }
        // An allocation that fails aborts.
        (Some(_), _) => Err(compile::limit("compile_memory_bytes", COMPILE_MEMORY_BYTES)),
        (None, Some(REFUSED)) => Err(compile::refused(said.trim())),
        (None, _) => Err(compile::internal(format!(
            "the compiler ended with {status}: {said}"
        ))),
    }
}

const SIGXCPU: i32 = 24;
const SIGKILL: i32 = 9;
/// Exit code of a child that found the component wanting.
const REFUSED: i32 = 2;

#[cfg(unix)]
fn killed_by(status: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

#[cfg(not(unix))]
fn killed_by(_status: ExitStatus) -> Option<i32> {
    None
}

/// The child: limits itself, reads, compiles, answers.
pub(crate) fn child() -> ExitCode {
    if let Err(error) = limit_self() {
        eprintln!("limit the compiler: {error}");
        return ExitCode::FAILURE;
    }
    let mut wasm = Vec::new();
    if let Err(error) = io::stdin().lock().read_to_end(&mut wasm) {
        eprintln!("read component: {error}");
        return ExitCode::FAILURE;
    }
    match compile::here(&wasm) {
        Ok(code) => match io::stdout().lock().write_all(&code) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(REFUSED.unsigned_abs() as u8)
        }
    }
}

#[cfg(unix)]
fn limit_self() -> io::Result<()> {
    use rlimit::Resource;
    let cpu = COMPILE_CPU_SECONDS;
    Resource::CPU.set(cpu, cpu)?;
    Resource::AS.set(COMPILE_MEMORY_BYTES, COMPILE_MEMORY_BYTES)?;
    Resource::CORE.set(0, 0)
}

#[cfg(not(unix))]
fn limit_self() -> io::Result<()> {
    Ok(())
}
