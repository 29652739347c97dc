//! How a process ends by a fault of its own: with one line, and at once. Half a node is worse than none,
//! which the others are built to survive.

use std::panic::{self, PanicHookInfo};
use std::process;

use super::EXIT_INTERNAL;

/// From now on a panic of any thread prints one line and ends the process.
pub(super) fn end_on_panic() {
    panic::set_hook(Box::new(|panic| {
        eprintln!("quorate: {}", words_of(panic));
        process::exit(i32::from(EXIT_INTERNAL));
    }));
}

fn words_of(panic: &PanicHookInfo<'_>) -> String {
    let thread = std::thread::current();
    let place = panic.location().map_or_else(String::new, |place| format!(" at {place}"));
    let reason = panic.payload_as_str().unwrap_or("no reason given");
    one_line(&format!(
        "internal fault in thread {:?}{place}: {reason}; please report it",
        thread.name().unwrap_or("without a name")
    ))
}

/// Assertions speak in several lines; a log is read by the line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::runtime;

    #[test]
    fn reasons_of_several_lines_become_one() {
        assert_eq!(one_line("assertion failed\n  left: 1\n right: 2"), "assertion failed left: 1 right: 2");
    }

    /// Set in the process that is to panic.
    const VICTIM: &str = "ENDING_TEST_VICTIM";

    #[test]
    fn a_panic_in_any_thread_ends_the_process_with_one_line() {
        if std::env::var_os(VICTIM).is_some() {
            end_on_panic();
            let thread = runtime::spawn("victim", || -> io::Result<()> { panic!("one\ntwo") });
            let _ = thread.expect("a thread starts").join();
            panic!("the process is over by now");
        }
        let name = "cli::ending::tests::a_panic_in_any_thread_ends_the_process_with_one_line";
        let ended = process::Command::new(std::env::current_exe().expect("this program has a file"))
            .args(["--exact", name, "--nocapture"])
            .env(VICTIM, "1")
            .output()
            .expect("this program can be started");
        assert_eq!(ended.status.code(), Some(i32::from(EXIT_INTERNAL)));
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        let wanted = "quorate: internal fault in thread \"victim\" at src/cli/ending.rs:";
        assert!(said.starts_with(wanted), "{said}");
        assert!(said.ends_with(": one two; please report it\n"), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}
