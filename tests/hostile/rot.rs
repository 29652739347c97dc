//! Disks that rot: one damaged place in the files of a node, and then it is started.
//!
//! What a node opens must be what it wrote. It may refuse to start (D7), with the files left as they were. It
//! may use an older snapshot and more of the log, which amounts to the same. It may cut off the last record,
//! and says so: whether that was torn by a power cut or rotted later nobody can tell (`docs/disk-format.md`).
//! Anything else is damage that was not detected (D6).

use std::collections::BTreeMap;
use std::slice;
use std::sync::atomic::{AtomicU64, Ordering};

use quorate::kv::Value;
use quorate::replica::Answer;

use super::cluster::{TINY, ids};
use super::history::{History, counted, just_elected, lagging};
use super::log_files;
use super::mutator::Mutator;
use super::suite::number;
use super::switched_off::{File, Image, Outcome, Which, disk};

/// Flips in an ordinary run.
const FLIPS: u64 = 10_000;

/// Disks of nodes at several moments of their lives.
fn images(histories: &[History]) -> Vec<Image> {
    let nodes = |history: &History| history.cluster.powered_off().nodes;
    histories.iter().flat_map(nodes).map(|node| Image::of(&node)).collect()
}

/// Bits in all files of some images, numbered so that neighbours lie far from each other.
struct Bits<'a> {
    images: &'a [Image],
    total: u64,
}

/// So far apart are bits with neighbouring numbers: a prime, so each has its turn before one comes again.
const STRIDE: u64 = 1_000_003;

/// A bit in a file.
#[derive(Clone, Copy)]
struct Place<'a> {
    image: &'a Image,
    file: &'a File,
    bit: usize,
}

impl<'a> Bits<'a> {
    fn of(images: &'a [Image]) -> Bits<'a> {
        let total = images.iter().flat_map(|image| &image.files).map(|file| file.bytes as u64 * 8).sum();
        Bits { images, total }
    }

    /// Every bit of every term and every vote in the logs.
    fn in_hard_states(&self) -> Vec<Place<'a>> {
        let logs = |image: &'a Image| {
            image.files.iter().filter(|file| file.which == Which::Log).map(move |file| (image, file))
        };
        let states = |(image, file): (&'a Image, &'a File)| {
            let bytes = log_files::hard_states(&image.content(file)).into_iter().flatten();
            bytes.flat_map(|byte| byte * 8..byte * 8 + 8).map(move |bit| Place { image, file, bit })
        };
        self.images.iter().flat_map(logs).flat_map(states).collect()
    }

    fn find(&self, number: u64) -> Place<'a> {
        let mut bit = usize::try_from(number * STRIDE % self.total).expect("a few millions");
        for image in self.images {
            for file in &image.files {
                if bit < file.bytes * 8 {
                    return Place { image, file, bit };
                }
                bit -= file.bytes * 8;
            }
        }
        unreachable!("it is below the sum")
    }
}

impl Place<'_> {
    /// The file with this bit flipped, or in every fourth case with several bits of its byte.
    fn flipped(self, number: u64) -> Vec<u8> {
        let mut bytes = self.image.content(self.file);
        let others = if number.is_multiple_of(4) { (number * STRIDE).to_le_bytes()[2] } else { 0 };
        bytes[self.bit / 8] ^= others | 1 << (self.bit % 8);
        bytes
    }

    /// The file with a whole sector damaged, or cut short.
    fn mauled(self, number: u64) -> Vec<u8> {
        const SECTOR: usize = 512;
        let (mut bytes, mut luck) = (self.image.content(self.file), Mutator::new(number));
        let start = self.bit / 8 / SECTOR * SECTOR;
        let end = (start + SECTOR).min(bytes.len());
        match luck.below(5) {
            0 => bytes[start..end].fill(0),
            1 => bytes[start..end].fill_with(|| luck.prng.next_u64().to_le_bytes()[0]),
            2 => bytes.truncate(self.bit / 8),
            3 => bytes.copy_within(0..end - start, start),
            _ => {
                let other = luck.below(bytes.len().div_ceil(SECTOR)) * SECTOR;
                let length = (bytes.len() - other).min(end - start);
                bytes.copy_within(other..other + length, start);
            }
        }
        bytes
    }

    fn strike(self, bytes: Vec<u8>) -> Outcome {
        self.image.strike(self.file, self.bit / 8, bytes)
    }

    /// Whether it is in the last record of a log.
    fn is_in_tail(self) -> bool {
        self.file.tail.as_ref().is_some_and(|tail| tail.contains(&(self.bit / 8)))
    }
}

/// Whether a cluster that is switched on again has everything that was acknowledged, though on one node a bit
/// has flipped. The disks of the others are whole, and they are a majority.
fn is_all_there(history: &History, place: Place<'_>, number: u64) -> bool {
    let mut cluster = history.cluster.powered_off();
    let struck = place.image.node.make.identity.node;
    disk(cluster.node(struck), place.file.which).tamper(&place.file.name, Some(place.flipped(number)));
    for id in ids() {
        if let Err(error) = cluster.start(id) {
            assert_eq!(id, struck, "{error}");
        }
    }
    let counted_to = Value::Bytes(history.acknowledged.to_string().into());
    cluster.ask(None, &[counted()]) == Some(Answer::Done(vec![counted_to]))
}

/// How often something came about.
type Counts = BTreeMap<Outcome, u64>;

/// Does something for each number below a count, in the shares of two threads.
fn for_each(count: u64, outcome: impl Fn(u64) -> Option<Outcome> + Sync) -> Counts {
    let share = |thread| {
        let mut counts = Counts::new();
        for outcome in (thread..count).step_by(2).filter_map(&outcome) {
            *counts.entry(outcome).or_default() += 1;
        }
        counts
    };
    std::thread::scope(|scope| {
        let threads = [0, 1].map(|thread| scope.spawn(move || share(thread)));
        let joined = threads.map(|thread| thread.join().expect("all damage is detected"));
        joined.into_iter().flatten().fold(Counts::new(), |mut sum, (outcome, count)| {
            *sum.entry(outcome).or_default() += count;
            sum
        })
    })
}

fn flips() -> u64 {
    number("HOSTILE_FLIPS").unwrap_or(FLIPS)
}

#[test]
fn every_flipped_bit_is_detected_or_was_never_needed() {
    let images = images(&[History::full(TINY), just_elected(), lagging()]);
    let bits = Bits::of(&images);
    let counts = for_each(flips(), |number| {
        let place = bits.find(number);
        Some(place.strike(place.flipped(number)))
    });
    println!("{} flips in {} bits: {counts:?}; 0 undetected", flips(), bits.total);
    assert!(counts.len() == 4, "some outcomes never came about: {counts:?}");
    let votes = bits.in_hard_states();
    let counts = for_each(votes.len() as u64, |number| {
        let place = votes[usize::try_from(number).expect("a few thousand")];
        Some(place.strike(place.flipped(1)))
    });
    println!("every one of the {} bits of terms and votes: {counts:?}; 0 undetected", votes.len());
    assert!(counts.contains_key(&Outcome::Cut) && counts.contains_key(&Outcome::Refused), "{counts:?}");
}

#[test]
fn whatever_happens_to_a_file_that_is_complete_is_detected() {
    let images = images(&[History::full(TINY)]);
    let bits = Bits::of(&images);
    let counts = for_each(flips() / 5, |number| {
        let place = bits.find(number);
        let bytes = place.mauled(number);
        let is_changed = place.file.is_complete && bytes != place.image.content(place.file);
        is_changed.then(|| place.strike(bytes))
    });
    println!("sectors lost, moved and torn: {counts:?}; 0 undetected");
    assert!(counts[&Outcome::Refused] > 0 && !counts.contains_key(&Outcome::Cut), "{counts:?}");
}

#[test]
fn a_cluster_loses_nothing_by_a_flipped_bit_while_everybody_has_everything() {
    for history in [History::full(TINY), just_elected()] {
        let images = images(slice::from_ref(&history));
        let bits = Bits::of(&images);
        let count = flips() / 100;
        for_each(count, |number| {
            let place = bits.find(number);
            assert!(is_all_there(&history, place, number), "{number}: {:?}", place.file.name);
            None
        });
        println!("{count} clusters with one flipped bit: 0 acknowledged writes lost");
    }
}

/// The one case in which a write is lost though two of three disks are whole: the third node was the only
/// other one that had it, it was its last record, and that is where the bit flipped.
#[test]
fn a_cluster_with_a_lagging_node_can_only_lose_a_last_record() {
    let history = lagging();
    let images = images(slice::from_ref(&history));
    let bits = Bits::of(&images);
    let (count, lost) = (flips() / 50, AtomicU64::new(0));
    for_each(count, |number| {
        let place = bits.find(number);
        if !is_all_there(&history, place, number) {
            assert!(place.is_in_tail(), "{number}: {:?}, bit {}", place.file.name, place.bit);
            lost.fetch_add(1, Ordering::Relaxed);
        }
        None
    });
    println!("{count} clusters with a lagging node: {} lost the last record", lost.into_inner());
}
