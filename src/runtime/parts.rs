//! What a mailbox is made of, in one place, so that it can be made of something else: `tests/threads`
//! compiles the same `mailbox.rs` with parts for which every order of events is tried.

pub(super) use std::sync::Arc;
pub(super) use std::sync::atomic::{AtomicBool, Ordering};
pub(super) use std::time::Instant;

pub(super) use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryIter, TrySendError, bounded};
pub(super) use mio::Waker;
