//! The binary `tributary`; everything is in the library, where tests reach it.

fn main() -> std::process::ExitCode {
    tributary_engine_server::main()
}
