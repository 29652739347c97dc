//! Where in the files which entries are: a sparse index, in memory, rebuilt by recovery.
//!
//! A landmark names an entry and the place of the part that holds it. **Whoever reads on from a landmark
//! finds the entries one behind the other, as they stand in the log now, up to the next landmark's entry**;
//! there the reader goes on at the next landmark's place. That is all a reader has to know about cuts:
//!
//! * Entries that only lengthen the log are found by reading on, so they need a landmark only where the last
//!   one is far, to keep the way short, or lies in an older segment, so that each segment can go without
//!   taking away the way to what is in a later one.
//! * Entries that replace others always get one, and the landmarks of what they replace go. What remains of
//!   the stretch before them ends where they begin, so nobody reads on into what was replaced. If several
//!   parts of one record replace each other, each counts on its own.
//!
//! There are no more landmarks than one per distance, one per segment, and one for each cut that has left a
//! trace; a cut takes a new term. They go together with the entries before the log's start.

use std::collections::VecDeque;

use super::segment::{Link, SegmentNumber};
use crate::raft::Index;

/// Where a record begins, and what it must carry to be the one that was written there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub(super) segment: SegmentNumber,
    pub(super) offset: u64,
    pub(super) link: Link,
}

/// An entry that can be found without reading what is before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Landmark {
    pub(super) index: Index,
    pub(super) place: Place,
    /// Where in the record's parts the one begins that holds the entry.
    pub(super) part: usize,
}

/// All landmarks of a log, in the order of their entries and of their places.
#[derive(Debug)]
pub(super) struct Landmarks {
    /// Their distance in a segment, in bytes.
    distance: u64,
    marks: VecDeque<Landmark>,
}

impl Landmarks {
    pub(super) fn new(distance: u64) -> Landmarks {
        Landmarks { distance, marks: VecDeque::new() }
    }

    /// Entries have been written, from `mark` on; `next` is where the log ended before.
    pub(super) fn note(&mut self, mark: Landmark, next: Index) {
        let replaces = mark.index < next;
        if !replaces && self.marks.back().is_some_and(|last| self.are_near(last.place, mark.place)) {
            return;
        }
        let kept = self.marks.partition_point(|other| other.index < mark.index);
        self.marks.truncate(kept);
        self.marks.push_back(mark);
    }

    fn are_near(&self, earlier: Place, later: Place) -> bool {
        earlier.segment == later.segment && later.offset - earlier.offset < self.distance
    }

    /// The log holds no entry now.
    pub(super) fn clear(&mut self) {
        self.marks.clear();
    }

    /// The log begins with this entry now.
    pub(super) fn begin_with(&mut self, first: Index) {
        while self.marks.get(1).is_some_and(|second| second.index <= first) {
            self.marks.pop_front();
        }
    }

    /// From where to read to come to this entry, which is in the log, and the entry up to which that leads.
    pub(super) fn way_to(&self, index: Index) -> (Landmark, Option<Index>) {
        let behind = self.marks.partition_point(|mark| mark.index <= index);
        let mark = self.marks[behind.checked_sub(1).expect("the log's first entry is behind a landmark")];
        (mark, self.marks.get(behind).map(|following| following.index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn landmark(index: u64, segment: u64, offset: u64) -> Landmark {
        let link = Link { previous: 0, batch: offset };
        let place = Place { segment: SegmentNumber(segment), offset, link };
        Landmark { index: Index(index), place, part: 0 }
    }

    /// Entries 1 to 40, each a record of 40 bytes, ten to a segment.
    fn landmarks() -> Landmarks {
        let mut landmarks = Landmarks::new(100);
        for entry in 0..40 {
            landmarks.note(landmark(entry + 1, entry / 10, entry % 10 * 40), Index(entry + 1));
        }
        landmarks
    }

    #[test]
    fn one_in_a_distance_and_one_in_a_segment() {
        let indices: Vec<u64> = landmarks().marks.iter().map(|mark| mark.index.0).collect();
        assert_eq!(indices, [1, 4, 7, 10, 11, 14, 17, 20, 21, 24, 27, 30, 31, 34, 37, 40]);
        assert_eq!(landmarks().way_to(Index(16)), (landmark(14, 1, 120), Some(Index(17))));
        assert_eq!(landmarks().way_to(Index(41)), (landmark(40, 3, 360), None));
    }

    #[test]
    fn a_cut_takes_the_ways_into_what_it_replaced() {
        let mut landmarks = landmarks();
        landmarks.note(landmark(15, 4, 64), Index(41));
        assert_eq!(landmarks.way_to(Index(14)), (landmark(14, 1, 120), Some(Index(15))));
        assert_eq!(landmarks.way_to(Index(15)), (landmark(15, 4, 64), None));
        // A second cut right behind the first one, though that is near.
        landmarks.note(landmark(16, 4, 70), Index(17));
        assert_eq!(landmarks.way_to(Index(15)).1, Some(Index(16)));
        assert_eq!(landmarks.way_to(Index(16)), (landmark(16, 4, 70), None));
    }

    #[test]
    fn the_way_to_the_first_entry_stays() {
        for first in 1..=40 {
            let mut landmarks = landmarks();
            let way = landmarks.way_to(Index(first));
            landmarks.begin_with(Index(first));
            assert_eq!(landmarks.marks.front(), Some(&way.0));
            assert_eq!(landmarks.way_to(Index(first)), way);
        }
    }
}
