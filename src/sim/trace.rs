//! What happened: a number for all of it, so that two runs can be compared, and on request the last lines.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::run::Size;
use crate::raft::Instant;

/// The last lines of a run, shared with whoever may have to show them after a panic.
#[derive(Clone, Debug)]
pub struct Lines {
    kept: usize,
    lines: Arc<Mutex<VecDeque<String>>>,
    size: Arc<Mutex<Size>>,
}

/// Two places for lines are equal if they are the same one.
impl PartialEq for Lines {
    fn eq(&self, other: &Lines) -> bool {
        Arc::ptr_eq(&self.lines, &other.lines)
    }
}

impl Eq for Lines {}

impl Lines {
    /// Keeps so many.
    pub fn keep(kept: usize) -> Lines {
        Lines { kept, lines: Arc::default(), size: Arc::default() }
    }

    /// Those that were kept, oldest first.
    pub fn taken(&self) -> Vec<String> {
        self.lines.lock().map(|lines| lines.iter().cloned().collect()).unwrap_or_default()
    }

    /// How large the run had become when it was last heard of.
    pub fn size(&self) -> Size {
        self.size.lock().map(|size| size.clone()).unwrap_or_default()
    }

    fn add(&self, line: String) {
        let Ok(mut lines) = self.lines.lock() else { return };
        if lines.len() == self.kept {
            lines.pop_front();
        }
        lines.push_back(line);
    }
}

/// The trace of one run.
#[derive(Debug)]
pub(super) struct Trace {
    hash: u64,
    lines: Option<Lines>,
}

impl Trace {
    pub(super) fn new(lines: Option<Lines>) -> Trace {
        Trace { hash: 0, lines }
    }

    /// Everything so far in one number.
    pub(super) fn hash(&self) -> u64 {
        self.hash
    }

    /// Something happened that two runs of a seed must agree on.
    pub(super) fn note(&mut self, numbers: &[u64]) {
        self.hash = numbers.iter().fold(self.hash, |hash, number| mix(hash, *number));
    }

    /// Whether somebody wants to read it.
    pub(super) fn is_read(&self) -> bool {
        self.lines.is_some()
    }

    /// How large the run is now.
    pub(super) fn measure(&self, size: Size) {
        if let Some(lines) = &self.lines
            && let Ok(mut kept) = lines.size.lock()
        {
            *kept = size;
        }
    }

    /// A line for people, made only if somebody wants it.
    pub(super) fn say(&self, now: Instant, line: impl FnOnce() -> String) {
        if let Some(lines) = &self.lines {
            let (seconds, micros) = (now.0 / 1_000_000, now.0 % 1_000_000);
            lines.add(format!("{seconds:>5}.{micros:06}  {}", line()));
        }
    }
}

/// Two numbers in one; the order counts.
pub(super) fn mix(hash: u64, number: u64) -> u64 {
    let mixed = (hash.rotate_left(23) ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed ^ (mixed >> 29)
}

/// A number and some bytes in one.
pub(super) fn mix_bytes(hash: u64, bytes: &[u8]) -> u64 {
    bytes.chunks(8).fold(mix(hash, bytes.len() as u64), |hash, chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        mix(hash, u64::from_le_bytes(word))
    })
}
