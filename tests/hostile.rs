//! Hostile bytes: every decoder of the project under inputs that no node, client or disk in its right mind
//! gives it. What is promised for all of them, and checked here:
//!
//! * nothing panics, and nothing goes on for ever: a reader takes no more steps than there are bytes, and the
//!   same bytes in pieces come to the same end (an endless loop within a step would hang the test);
//! * memory is claimed for bytes that are there, so many for each, and not for what a length says; at the
//!   largest size of an input it stays below a fixed bound (`bounds.rs`);
//! * what is taken for valid has exactly one encoding, the one that came in;
//! * bytes under a checksum that were changed are never taken for anything: a frame is one that was sent, a
//!   log is some of the records that were written, from the first one on, a snapshot is the one that was
//!   made (`suite.rs`);
//! * a node whose files rot says so, or has what it had (`rot.rs`).
//!
//! The inputs begin as valid ones, by the real encoders (each decoder's file has its own), and are spoiled by
//! a seeded mutator (`mutator.rs`): as they are, and inside of frames, records and blocks that then get the
//! right checksums, as somebody would send them who knows how. The checks take any bytes, so the fuzzer in
//! `fuzz/` runs them too, from the same files.
//!
//! ```text
//! cargo test --test hostile                                    0.1 M for each port, 10,000 flipped bits
//! HOSTILE_FRAMES=10000000 HOSTILE_FLIPS=500000 cargo test --release --test hostile -- --nocapture
//! HOSTILE_INPUT=1234 cargo test --test hostile peer_port       one input once more
//! ```

mod hostile {
    mod answers;
    mod bounds;
    mod client;
    mod cluster;
    mod commands;
    mod course;
    mod history;
    mod log_files;
    mod mutator;
    mod peer;
    mod pieces;
    mod probes;
    mod rot;
    mod seeds;
    mod snapshot_files;
    mod suite;
    mod switched_off;
    mod verdict;
    mod weigh;
}
