//! The command line: one file for each subcommand.
//!
//! Results go to stdout, everything else to stderr. Exit codes are those of sysexits(3), so that scripts
//! can tell a typing mistake from a broken disk.

mod course;
mod serve;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

/// The command line makes no sense.
pub const EXIT_USAGE: u8 = 64;

/// What is on disk cannot be trusted.
pub const EXIT_DAMAGED: u8 = 65;

/// A socket or a file failed.
pub const EXIT_IO: i32 = 74;

const HELP: &str = "\
quorate: a small, linearizable, Raft-replicated key-value store

Usage: quorate <command> [arguments]

Commands:
  serve OPTIONS                 run one node of a durable cluster that any Redis client can use
  course [PORT] ID OTHER-ID...  run one replica under a simulator of the networks course
  help                          show this text
  version                       show the version

Options of serve:
  --id N                  this node's name in its cluster, from 0 to 65534
  --data DIR              where it keeps its log
  --client ADDRESS        where clients connect; may be repeated
  --peer ADDRESS          where the other nodes connect
  --members ID=ADDRESS,.. all nodes of the cluster, this one included, and where they can be reached
  --cluster NAME          tells clusters apart that could reach each other (default: quorate)
  --bootstrap             format the directory if it is empty; for a node that never ran before
  --leases                answer reads by lease: fewer messages, but clocks must run at the same rate
  An ADDRESS is unix:PATH or tcp:HOST:PORT.

Environment:
  QUORATE_LOG        which log lines go to stderr: error, warn, info, debug, off
                     (default: warn for course, info for serve)
  QUORATE_PLACEMENT  fused (one thread) or split (one for the socket, one for the replica);
                     default: split if each replica can have two cores

Exit codes: 0 done, 64 wrong usage, 65 damaged data, 74 input/output error
";

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

    fn damaged(message: impl Into<String>) -> Failure {
        Failure { code: EXIT_DAMAGED, message: message.into() }
    }

    fn io(message: impl Into<String>) -> Failure {
        Failure { code: u8::try_from(EXIT_IO).expect("an exit code is small"), message: message.into() }
    }
}

/// Runs the program and turns its end into an exit code.
pub fn main(words: impl Iterator<Item = OsString>) -> ExitCode {
    match run(words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("quorate: {}", failure.message);
            ExitCode::from(failure.code)
        }
    }
}

fn run(words: impl Iterator<Item = OsString>) -> Result<(), Failure> {
    let words: Vec<String> = words
        .map(|word| {
            word.into_string().map_err(|word| Failure::usage(format!("{} is not text", word.display())))
        })
        .collect::<Result<_, _>>()?;
    match words.first().map(String::as_str) {
        Some("course") => course::run(&words[1..]),
        Some("serve") => serve::run(&words[1..]),
        Some("help" | "--help" | "-h") => show(HELP),
        Some("version" | "--version" | "-V") => show(&format!("quorate {}\n", env!("CARGO_PKG_VERSION"))),
        Some(word) => Err(Failure::usage(format!("there is no command {word:?}"))),
        None => Err(Failure::usage("no command given")),
    }
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

/// Writes to stdout. A reader that has gone away is no failure.
fn show(text: &str) -> Result<(), Failure> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::io(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(()),
    }
}
