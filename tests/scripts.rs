//! Golden scripts: a command, then everything that happened; one file a situation, named by it.
//!
//! A file under `tests/scripts/raft` holds lines `> command`, each followed by what the cluster did, and
//! comments that start with `#`. The test runs the commands and compares. After a change that was meant,
//! `UPDATE_SCRIPTS=1 cargo test --test scripts` writes all files anew. That accepts whatever happens now, so
//! the difference must be read, line by line, before it is kept: each line is a decision of the core, and
//! the comments at the head of a file must still be true of it.
//!
//! ```text
//! > cluster nodes=5 reads=leased replication=majority   and more, see `Cluster::new`
//! > tick 100ms            time passes; nodes whose deadline comes take their turn; `wait 0`: until 0's comes
//! > run 100ms             the same, and messages arrive at once
//! > deliver 0->1          what is held on these lines now arrives, in the order in which it was sent
//! > deliver *->1 newest   only the newest of it, so that it overtakes the others; or only the oldest
//! > settle                deliver until nothing is held
//! > drop 0->*   double 0->1   cut 0 1 | 2 3 4   heal
//! > propose 0 x   read 0
//! > durable 0 1           all writes of these nodes that are under way; `durable 0 one` only the oldest
//! > crash 0   restart 0   back comes what was durable
//! > stored 0 t3 1 2 2     restart with term 3 and a log of entries of these terms
//! > status
//! > quietly ...           any of the above, without a trace
//! ```
//!
//! Lines of the trace: `0->1` is sent and held, `0=>1` arrives. An entry is shown as its term and text,
//! with `-` for the entry that opens a term.

#[path = "scripts/cluster.rs"]
mod cluster;
#[path = "scripts/words.rs"]
mod words;

use std::fs;
use std::path::{Path, PathBuf};

use cluster::Cluster;

#[test]
fn scripts_tell_what_happens() {
    let mut stale = Vec::new();
    for path in scripts() {
        let expected = fs::read_to_string(&path).expect("a script is text");
        let actual = play(&expected);
        if std::env::var_os("UPDATE_SCRIPTS").is_some() {
            fs::write(&path, &actual).expect("a script can be written");
        } else if actual != expected {
            let name = path.file_name().unwrap_or_default().display().to_string();
            stale.push(format!("{name}: {}", first_difference(&expected, &actual)));
        }
    }
    assert!(
        stale.is_empty(),
        "if it was meant, UPDATE_SCRIPTS=1 accepts it; then read the difference:\n{}",
        stale.join("\n")
    );
}

fn scripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts/raft");
    let entries = fs::read_dir(folder).expect("there are scripts");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    paths.sort();
    assert!(!paths.is_empty(), "there are scripts");
    paths
}

/// The script with what happens now in place of what happened then.
fn play(script: &str) -> String {
    let mut cluster: Option<Cluster> = None;
    let mut told = String::new();
    for line in script.lines() {
        if line.is_empty() || line.starts_with('#') {
            told.push_str(line);
            told.push('\n');
        }
        let Some(command) = line.strip_prefix("> ") else { continue };
        told.push_str(&format!("> {command}\n"));
        let words: Vec<&str> = command.split_whitespace().collect();
        let (quietly, words) = match words.split_first() {
            Some((&"quietly", rest)) => (true, rest),
            _ => (false, &words[..]),
        };
        match words {
            ["cluster", options @ ..] => cluster = Some(Cluster::new(options)),
            words => cluster.as_mut().expect("a script starts with a cluster").command(words),
        }
        let trace = cluster.as_mut().map(Cluster::take_trace).unwrap_or_default();
        if !quietly {
            told.extend(trace.iter().map(|line| format!("  {line}\n")));
        }
    }
    told
}

fn first_difference(expected: &str, actual: &str) -> String {
    let mut lines = expected.lines().zip(actual.lines()).enumerate();
    let differing = lines.find(|(_, (then, now))| then != now);
    differing.map_or("one is longer".to_owned(), |(at, (then, now))| {
        format!("line {}\n  then: {then}\n  now:  {now}", at + 1)
    })
}
