//! What each stage of the way of a request costs: one line per measurement, and beside it what the machine
//! can do at best for the same bytes.
//!
//! `cargo bench` runs all of them, `cargo bench --bench stages -- wal resp` only some. Figures of one run are
//! to be compared with each other, never with those of another machine: hence the ratio. Ours and its limit
//! are measured by turns, so that whatever else the machine does hits both; each figure is a median.

#[path = "stages/apply.rs"]
mod apply;
#[path = "stages/codec.rs"]
mod codec;
#[path = "stages/core.rs"]
mod core;
#[path = "stages/frames.rs"]
mod frames;
#[path = "stages/harness.rs"]
mod harness;
#[path = "stages/mailbox.rs"]
mod mailbox;
#[path = "stages/peers.rs"]
mod peers;
#[path = "stages/resp.rs"]
mod resp;
#[path = "stages/samples.rs"]
mod samples;
#[path = "stages/wal.rs"]
mod wal;

/// The stages in the order in which a write meets them.
const STAGES: [(&str, fn()); 8] = [
    ("resp", resp::run),
    ("codec", codec::run),
    ("core", core::run),
    ("mailbox", mailbox::run),
    ("wal", wal::run),
    ("frames", frames::run),
    ("peers", peers::run),
    ("apply", apply::run),
];

fn main() {
    // cargo adds a flag of its own.
    let asked: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    if let Some(word) = asked.iter().find(|word| !STAGES.iter().any(|(name, _)| name == word)) {
        let names = STAGES.map(|(name, _)| name).join(", ");
        eprintln!("there is no stage {word:?}; there are {names}");
        std::process::exit(64);
    }
    harness::head();
    for (name, run) in STAGES {
        if asked.is_empty() || asked.iter().any(|word| word == name) {
            run();
        }
    }
}
