//! Quorate: a small, fast, linearizable, Raft-replicated key-value store.
//!
//! (The map of the modules goes here.)
pub mod cli;
pub mod codec;
pub mod course;
pub mod kv;
pub mod limits;
pub mod prng;
pub mod raft;
pub mod replica;
pub mod runtime;
