//! Bits that flip on a disk, and what a node that finds them may do (D6).
//!
//! Before a bit flips for good it flips on copies of the disk, and each copy is opened as a restart would
//! open it. Whatever comes of that must be one of four things: the damage is found and the node stays down;
//! it lies in a snapshot, and the older one with a longer log leads to the same; it lies where nobody reads;
//! or it lies in the last record of the log. That last case nobody can tell from a write that a power cut
//! has torn, so it is cut off with whatever was in it; no disk is left like that here.
//!
//! A node that has met such a bit counts as lost: it may run on until it reads it, and then it ends and stays
//! down. So bits flip on a minority of the disks only. Missing: repair from the other nodes.

use super::ghost::{Checked, fail};
use super::world::World;
use crate::disk::{Disk, SimDisk, Survival};
use crate::storage::Storage;

/// How many bits are tried out at a time.
const TRIALS: usize = 4;

/// What a flipped bit would do to the next start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Effect {
    /// The node stays down.
    Found,
    /// An older snapshot and a longer log take its place.
    Bypassed,
    /// Nothing.
    Unread,
    /// It passes for a torn write.
    Torn,
}

/// A bit on one of a node's two disks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Bit {
    is_log: bool,
    file: String,
    offset: usize,
    bit: u8,
}

impl World {
    /// Flips a bit of one node, if the others are a majority without it.
    pub(super) fn rot(&mut self, at: usize) -> Checked {
        let lost = (0..self.stations.len()).filter(|other| *other != at && self.is_doomed(*other)).count();
        let is_affordable = (lost + 1) * 2 < self.stations.len();
        if !is_affordable || self.stations[at].is_lost || self.planted.is_some() {
            return Ok(());
        }
        let Ok(whole) = self.stations[at].node.durable() else { return Ok(()) };
        for _ in 0..TRIALS {
            let Some(bit) = self.draw_bit(at) else { continue };
            // The same bit once more would be whole again, and nothing for a start to find.
            if self.stations[at].flipped.as_ref() == Some(&bit) {
                continue;
            }
            let effect = self.effect_of(at, &bit, &whole)?;
            match effect {
                Effect::Found | Effect::Bypassed => self.sometimes.rot_found += 1,
                Effect::Unread => self.sometimes.rot_unread += 1,
                Effect::Torn => self.sometimes.rot_torn += 1,
            }
            if matches!(effect, Effect::Found | Effect::Bypassed) && !self.stations[at].is_rotten() {
                self.say(|| format!("node {at} rots: {bit:?}"));
                let node = &self.stations[at].node;
                let disk = if bit.is_log { &node.log_disk } else { &node.snapshot_disk };
                disk.flip(&bit.file, bit.offset, bit.bit);
                self.stations[at].flipped = Some(bit);
            }
        }
        Ok(())
    }

    /// Whether a node is down for good, or will be.
    pub(super) fn is_doomed(&self, at: usize) -> bool {
        self.stations[at].is_lost || self.stations[at].is_rotten()
    }

    fn draw_bit(&mut self, at: usize) -> Option<Bit> {
        let is_log = self.prng.chance(600);
        let node = &self.stations[at].node;
        let disk = if is_log { &node.log_disk } else { &node.snapshot_disk }.fork();
        disk.cut_power(Survival::Nothing);
        let mut files = disk.file_names();
        if files.is_empty() {
            return None;
        }
        let file = files.swap_remove(self.prng.place(files.len()));
        let length = disk.content(&file)?.iter().rposition(|byte| *byte != 0)? + 1;
        let bit = u8::try_from(self.prng.below(8)).expect("below eight");
        Some(Bit { is_log, file, offset: self.prng.place(length), bit })
    }

    /// Whether a start finds what it would find if the file were not there: a leader's snapshot that the log
    /// does not know of yet, so that nothing rests on it.
    fn is_as_without(&self, at: usize, bit: &Bit, found: &Storage<SimDisk>) -> bool {
        let opened = self.stations[at].node.durable_with(|log, snapshots| {
            let mut disk = if bit.is_log { log } else { snapshots }.clone();
            disk.remove(&bit.file).expect("it was there just now");
        });
        opened.is_ok_and(|without| {
            without.recovered == found.recovered && without.store.digest() == found.store.digest()
        })
    }

    fn effect_of(&self, at: usize, bit: &Bit, whole: &Storage<SimDisk>) -> Result<Effect, super::Violation> {
        let node = &self.stations[at].node;
        let opened = node.durable_with(|log, snapshots| {
            let disk = if bit.is_log { log } else { snapshots };
            disk.flip(&bit.file, bit.offset, bit.bit);
        });
        let Ok(found) = opened else { return Ok(Effect::Found) };
        let (is, was) = (&found.recovered, &whole.recovered);
        let is_same_log =
            (is.hard_state, is.start) == (was.hard_state, was.start) && is.entries == was.entries;
        if is_same_log && is.snapshot == was.snapshot && found.store.digest() == whole.store.digest() {
            return Ok(Effect::Unread);
        }
        let is_named = !found.findings.damaged.is_empty();
        if is_named && (is_same_log || self.is_as_without(at, bit, &found)) {
            return Ok(Effect::Bypassed);
        }
        // Whatever was in that record is lost with it, be it entries, a vote or the removal of entries.
        let offset = bit.offset as u64;
        if found.findings.cut.is_some_and(|cut| cut.file == bit.file && cut.offset <= offset) {
            return Ok(Effect::Torn);
        }
        fail("D6", format!("node {at} would take {bit:?} for granted"))
    }
}
