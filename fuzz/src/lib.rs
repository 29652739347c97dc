//! One function for each decoder: it takes any bytes, and panics when a promise is broken.
//!
//! The checks are those of `tests/hostile`, from the same files, where a mutator runs them on stable Rust.
//! Here libFuzzer chooses the bytes, by what it sees of the code that they reach. Memory is bounded by
//! libFuzzer (`-malloc_limit_mb`), endless loops by its clock (`-timeout`).

// What only the suite needs is unused here.
#![allow(dead_code)]

#[path = "../../tests/hostile"]
mod hostile {
    pub(crate) mod answers;
    pub(crate) mod client;
    mod cluster;
    pub(crate) mod commands;
    pub(crate) mod course;
    mod history;
    pub(crate) mod log_files;
    pub(crate) mod peer;
    mod pieces;
    mod probes;
    pub(crate) mod snapshot_files;
    mod verdict;

    /// Stands for the counting allocator of the suite, which is not needed under libFuzzer.
    mod weigh {
        pub(crate) struct Weight {
            pub(crate) peak: u64,
            pub(crate) kept: i64,
        }

        pub(crate) fn weigh<T>(work: impl FnOnce() -> T) -> (T, Weight) {
            (work(), Weight { peak: 0, kept: 0 })
        }
    }
}

use hostile::{answers, client, commands, course, log_files, peer, snapshot_files};

/// What arrives on a line of another replica: a hello, frames, and what is no frame.
pub fn peer_streams(bytes: &[u8]) {
    peer::check(bytes);
}

/// What may be in a frame that is whole.
pub fn peer_bodies(bytes: &[u8]) {
    peer::check(&peer::sealed(bytes));
}

/// What a Redis client sends.
pub fn requests(bytes: &[u8]) {
    client::check(bytes);
}

/// What `quorate cli` reads.
pub fn answers(bytes: &[u8]) {
    answers::check(bytes);
}

/// What a course simulator sends.
pub fn course_packets(bytes: &[u8]) {
    course::check(bytes);
}

/// What may be in a packet's base64.
pub fn course_bodies(bytes: &[u8]) {
    course::check(&course::sealed(bytes));
}

/// What log entries and answers are made of.
pub fn commands(bytes: &[u8]) {
    commands::check(bytes);
}

/// A segment of the log, as it may be found on a disk.
pub fn log_files(bytes: &[u8]) {
    log_files::check(bytes);
}

/// What may be in records that are whole.
pub fn log_records(bytes: &[u8]) {
    log_files::check(&log_files::sealed(bytes));
}

/// A snapshot, as it may be found on a disk.
pub fn snapshot_files(bytes: &[u8]) {
    snapshot_files::check(bytes);
}

/// What may be in blocks that are whole.
pub fn snapshot_blocks(bytes: &[u8]) {
    snapshot_files::check(&snapshot_files::sealed(bytes));
}
