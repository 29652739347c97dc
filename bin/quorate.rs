//! The one program. Everything is in the library; see `quorate::cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    quorate::cli::main(std::env::args_os().skip(1))
}
