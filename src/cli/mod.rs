//! The command line: one file for each subcommand.
//!
//! Results go to stdout, everything else to stderr. Exit codes are those of sysexits(3), so that scripts
//! can tell a typing mistake from a broken disk.

mod answer_text;
mod bench;
mod client;
mod course;
mod ending;
mod founding;
mod help;
mod large_pages;
mod prompt;
mod serve;
pub mod settings;
mod sim;
mod status;

pub use client::{Reply, read_reply};

use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

/// What was asked for was done, and the answer is no.
pub const EXIT_FAILED: u8 = 1;

/// The command line makes no sense.
pub const EXIT_USAGE: u8 = 64;

/// What is on disk cannot be trusted.
pub const EXIT_DAMAGED: u8 = 65;

/// This program is at fault.
pub const EXIT_INTERNAL: u8 = 70;

/// A socket or a file failed.
pub const EXIT_IO: i32 = 74;

/// A failed run: what to say and with which code to end.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    /// One sentence for stderr.
    pub message: String,
}

impl Failure {
    fn usage(message: impl Into<String>) -> Failure {
        Failure { code: EXIT_USAGE, message: format!("{} (see 'quorate help')", message.into()) }
    }

    fn usage_of(command: &str, message: impl Into<String>) -> Failure {
        let message = format!("{} (see 'quorate help {command}')", message.into());
        Failure { code: EXIT_USAGE, message }
    }

    fn damaged(message: impl Into<String>) -> Failure {
        Failure { code: EXIT_DAMAGED, message: message.into() }
    }

    fn io(message: impl Into<String>) -> Failure {
        Failure { code: u8::try_from(EXIT_IO).expect("an exit code is small"), message: message.into() }
    }
}

/// Runs the program and turns its end into an exit code.
pub fn main(words: impl Iterator<Item = OsString>) -> ExitCode {
    ending::end_on_panic();
    match run(words) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("quorate: {}", failure.message);
            ExitCode::from(failure.code)
        }
    }
}

fn run(words: impl Iterator<Item = OsString>) -> Result<ExitCode, Failure> {
    let mut words = words.collect::<Vec<_>>();
    let command = if words.is_empty() { None } else { Some(text(words.remove(0))?) };
    match command.as_deref() {
        Some("bench") => bench::run(&texts(words)?),
        Some("course") => course::run(&texts(words)?).map(|()| ExitCode::SUCCESS),
        Some("serve") => serve::run(&texts(words)?).map(|()| ExitCode::SUCCESS),
        Some("cli") => prompt::run(words),
        Some("sim") => sim::run(&texts(words)?),
        Some("status") => status::run(&texts(words)?),
        Some("help" | "--help" | "-h") => show_help(words.pop().map(text).transpose()?.as_deref()),
        Some("version" | "--version" | "-V") => show(&format!("quorate {}\n", env!("CARGO_PKG_VERSION"))),
        Some(word) => Err(Failure::usage(format!("there is no command {word:?}"))),
        None => Err(Failure::usage("no command given")),
    }
}

fn text(word: OsString) -> Result<String, Failure> {
    word.into_string().map_err(|word| Failure::usage(format!("{} is not text", word.display())))
}

fn texts(words: Vec<OsString>) -> Result<Vec<String>, Failure> {
    words.into_iter().map(text).collect()
}

fn show_help(command: Option<&str>) -> Result<ExitCode, Failure> {
    let unknown = || Failure::usage(format!("there is no command {:?}", command.unwrap_or_default()));
    show(&help::text(command).ok_or_else(unknown)?)
}

/// Logs go to stderr, each line with the replica's name, so that several logs can be read as one.
fn start_log(name: &str, usual: &str) {
    let name = name.to_owned();
    let filter = env_logger::Env::new().filter_or("QUORATE_LOG", usual);
    env_logger::Builder::from_env(filter)
        .format(move |out, record| writeln!(out, "{name} {} {}", record.level(), record.args()))
        .init();
}

/// Tells whoever started this node something that they may wait for.
pub(crate) fn announce(line: &str) {
    // Whoever is not interested any more has closed the pipe.
    let _ = show(&format!("{line}\n"));
}

/// Whether a person sees what is written to stdout.
fn is_for_people() -> bool {
    std::io::stdout().is_terminal()
}

/// Writes to stdout. A reader that has gone away is no failure.
fn show(text: &str) -> Result<ExitCode, Failure> {
    show_bytes(text.as_bytes()).map(|_| ExitCode::SUCCESS)
}

/// Writes to stdout; answers whether somebody still reads it.
fn show_bytes(bytes: &[u8]) -> Result<bool, Failure> {
    let mut out = std::io::stdout();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::io(format!("cannot write to stdout: {error}"))),
    }
}
