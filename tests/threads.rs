//! What happens between threads: mailboxes, wake-ups that are shared, back-pressure.
//!
//! The simulator has one thread, so it cannot see any of this. Here loom runs the code in every order in
//! which its threads can take turns, up to a number of interruptions, and with every value that the memory
//! model lets a thread see. `src/runtime/mailbox.rs` is compiled into this test as it is, twice, each time
//! with other parts around it: once with a queue that promises as little as any queue can (`lean.rs`), to
//! see that the mark alone suffices; once with one whose users wait (`patient.rs`), to see that they do not
//! wait for each other. Who owns the mailboxes (`src/runtime/split.rs`, `src/server`) has sockets and disks
//! as well, so those loops are written down once more here, as far as they deal with mailboxes.
//!
//! That the checks would notice is shown by mistakes that are made on purpose, each of which must be found.
//! Loom and not a random scheduler, because the whole question is one of four steps and their memory
//! orderings, which fit into a few thousand orders of events and leave nothing to luck.
//!
//! ```text
//! cargo test --test threads                                                    some seconds
//! MORE_INTERRUPTIONS=1 cargo test --release --test threads -- --nocapture      some minutes
//! ```

#![allow(clippy::duplicate_mod, reason = "one file with two kinds of parts around it is what this is about")]

mod threads {
    mod explore;
    mod lean;
    mod lock_ups;
    mod patient;
    mod wake_ups;
}
