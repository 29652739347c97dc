//! The log under crashes at every operation, torn tails, flipped bits, full and failing disks, and against a
//! naive model.

#[path = "wal/model.rs"]
mod model;
#[path = "wal/reading.rs"]
mod reading;

use std::io::ErrorKind;
use std::sync::Arc;

use model::{
    IDENTITY, Model, Progress, Step, TINY, Wish, large_script, recycling_script, reopen, retaining_script,
    run, script, voted,
};
use proptest::prelude::*;
use quorate::disk::{Directory, LockError, SimDisk, Survival};
use quorate::identity::{ClusterId, Incarnation};
use quorate::raft::{Entry, HardState, Index, NodeId, Payload, Position, Term};
use quorate::wal::{Identity, OpenError, Options, Spare, Tail, WriteError, create, open};

/// How a process ends.
#[derive(Clone, Copy, Debug)]
enum Ending {
    Killed,
    PowerCut(Survival),
}

fn end(disk: &SimDisk, ending: Ending) {
    match ending {
        Ending::Killed => disk.restart(),
        Ending::PowerCut(survival) => disk.cut_power(survival),
    }
}

/// Every kind of ending; the random ones differ from seed to seed.
fn endings(disk: &SimDisk, seed: u64) -> Vec<Ending> {
    let pending = disk.pending_bytes();
    let survivals = [
        Survival::Nothing,
        Survival::Prefix(pending / 2),
        Survival::Prefix(pending.saturating_sub(1)),
        Survival::Prefix(pending),
        Survival::Random(seed),
        Survival::Random(seed ^ 0x5eed_0001),
        Survival::Random(seed ^ 0x5eed_0002),
    ];
    let cuts = survivals.into_iter().map(Ending::PowerCut);
    std::iter::once(Ending::Killed).chain(cuts).collect()
}

/// Recovers, and checks that what comes back is a state the log may be in (D3). `None`: there is no log yet,
/// which is right only while its creation has not been confirmed; it is then created.
fn recover(disk: &SimDisk, progress: &Progress, context: &str) -> Option<Model> {
    match reopen(disk, TINY) {
        Ok((found, _)) => {
            assert!(progress.possible.contains(&found), "{context}: {found:?} is none of {progress:?}");
            Some(found)
        }
        Err(OpenError::Absent) if progress.confirmed.is_none() => {
            create(disk.clone(), IDENTITY, TINY).expect("what a crash left of a creation is no obstacle");
            None
        }
        Err(error) => panic!("{context}: {error}"),
    }
}

/// Goes on after a recovery: what is written now survives a power cut, behind what was recovered (D4).
fn go_on(disk: &SimDisk, context: &str) {
    let (found, mut writer) = reopen(disk, TINY).unwrap_or_else(|error| panic!("{context}: {error}"));
    found.check_reads(&mut writer, &[100], context);
    let mut progress = Progress::at(found);
    let term = progress.model().hard_state.term.0 + 1;
    let model = progress.model();
    let more = Step::Batch(vec![voted(term, 1), model.entries_at(model.next(), term, &[25, 130])]);
    assert!(progress.step(&mut writer, &more), "{context}");
    progress.model().check_reads(&mut writer, &[usize::MAX], context);
    disk.cut_power(Survival::Nothing);
    assert_eq!(recover(disk, &progress, context), progress.confirmed, "{context}");
}

/// Crashes at each operation of a recovery, then recovers again. Answers how many crashes there were.
fn crash_recovery_everywhere(crashed: &SimDisk, progress: &Progress, ending: Ending, context: &str) -> u64 {
    let whole = crashed.fork();
    let before = whole.operations();
    let first = recover(&whole, progress, context);
    let operations = whole.operations() - before;
    whole.cut_power(Survival::Nothing);
    let (again, _) = open(whole, IDENTITY, TINY).unwrap_or_else(|error| panic!("{context}: {error}"));
    assert_eq!(again.cut, None, "{context}: there was nothing left to cut");
    assert_eq!(Model::from(again), first.clone().unwrap_or_default(), "{context}: recovered, then lost");
    for operation in 1..=operations {
        let context = format!("{context}, again at operation {operation} of {operations}");
        let disk = crashed.fork();
        disk.stop_at(before + operation);
        let _ = reopen(&disk, TINY).map(|_| ()).or_else(|error| match error {
            OpenError::Absent => create(disk.clone(), IDENTITY, TINY).map(drop),
            other => Err(other),
        });
        let choices = endings(&disk, operation);
        end(&disk, choices[usize::try_from(operation).unwrap() % choices.len()]);
        let second = recover(&disk, progress, &context);
        if let Ending::PowerCut(_) = ending {
            assert!(second == first || first.is_none(), "{context}: {second:?} instead of {first:?}");
        }
        go_on(&disk, &context);
    }
    operations
}

#[test]
fn crashes_at_every_operation_lose_nothing_that_was_confirmed() {
    crash_everywhere(&script());
}

#[test]
fn crashes_in_segments_that_are_used_again_lose_nothing_that_was_confirmed() {
    crash_everywhere(&recycling_script());
}

#[test]
fn crashes_around_a_kept_tail_lose_nothing_that_was_confirmed() {
    crash_everywhere(&retaining_script());
}

fn crash_everywhere(steps: &[Step]) {
    let complete = SimDisk::new();
    let all = run(&complete, TINY, steps);
    let operations = complete.operations();
    assert_eq!(recover(&complete, &all, "no crash"), all.confirmed);
    let (mut crashes, mut nested) = (0, 0);
    for operation in 1..=operations {
        let disk = SimDisk::new();
        disk.stop_at(operation);
        let progress = run(&disk, TINY, steps);
        for ending in endings(&disk, operation) {
            let context = format!("crash at operation {operation} of {operations}, {ending:?}");
            let crashed = disk.fork();
            end(&crashed, ending);
            crashes += 1;
            nested += crash_recovery_everywhere(&crashed, &progress, ending, &context);
        }
    }
    println!("{operations} operations, {crashes} crashes, {nested} more during recovery");
    assert!(crashes + nested > 2_000, "only {crashes} + {nested} crash points");
}

/// `TORN_SEEDS=3200 cargo test --release --test wal -- --nocapture any_subset` for a long run.
#[test]
fn any_subset_of_torn_sectors_leaves_a_state_that_was_possible() {
    let wanted = std::env::var("TORN_SEEDS").map_or(80, |text| text.parse().expect("TORN_SEEDS is a number"));
    let steps = script();
    let complete = SimDisk::new();
    run(&complete, TINY, &steps);
    let mut images = 0;
    for operation in 1..=complete.operations() {
        let disk = SimDisk::new();
        disk.stop_at(operation);
        let progress = run(&disk, TINY, &steps);
        let seeds = if disk.pending_bytes() > 0 { 0..wanted } else { 0..1 };
        for seed in seeds {
            let crashed = disk.fork();
            crashed.cut_power(Survival::Random(operation << 32 | seed));
            recover(&crashed, &progress, &format!("operation {operation}, seed {seed}"));
            images += 1;
        }
    }
    println!("{images} images");
    assert!(images > 5_000, "only {images} images");
}

#[test]
fn an_error_is_final_and_what_the_kernel_only_shows_is_written_again() {
    let steps = script();
    let complete = SimDisk::new();
    run(&complete, TINY, &steps);
    for operation in 1..=complete.operations() {
        let context = format!("error at operation {operation}");
        let disk = SimDisk::new();
        disk.fail_at(operation, ErrorKind::Other);
        let mut progress = Progress::new();
        if let Ok(mut writer) = create(disk.clone(), IDENTITY, TINY) {
            progress.confirm(Model::default());
            assert!(!steps.iter().all(|step| progress.step(&mut writer, step)), "{context}");
            let done = disk.operations();
            assert!(matches!(writer.prepare(), Err(WriteError::Failed(_))), "{context}");
            let after = progress.model().start;
            assert!(matches!(writer.compact(after, Tail::Kept), Err(WriteError::Failed(_))), "{context}");
            let mut later = progress.clone();
            assert!(!later.step(&mut writer, &Step::Batch(vec![Wish::default()])), "{context}");
            assert_eq!(disk.operations(), done, "{context}: a dead writer touches nothing");
        }
        // The process ends, the machine goes on; so the next one sees what the kernel will never write.
        disk.restart();
        let found = recover(&disk, &progress, &context);
        disk.cut_power(Survival::Nothing);
        if found.is_some() {
            assert_eq!(recover(&disk, &progress, &context), found, "{context}: recovered, then lost");
        }
        go_on(&disk, &context);
    }
}

/// A log of three segments and its state with and without the last batch.
fn three_segments() -> (SimDisk, Model, Model) {
    let disk = SimDisk::new();
    let mut progress = Progress::new();
    let mut writer = create(disk.clone(), IDENTITY, TINY).unwrap();
    progress.confirm(Model::default());
    assert!(progress.step(&mut writer, &Step::Batch(vec![voted(1, 2)])));
    for size in [100, 50, 170, 120, 90, 60, 30] {
        let model = progress.model();
        assert!(progress.step(&mut writer, &Step::Batch(vec![model.entries_at(model.next(), 1, &[size])])));
    }
    let before = progress.model();
    assert!(progress.step(&mut writer, &Step::Batch(vec![before.entries_at(before.next(), 1, &[45])])));
    assert!(disk.content(THIRD).is_some() && disk.content("0000000000000004.wal").is_none());
    (disk, before, progress.model())
}

const FIRST: &str = "0000000000000001.wal";
const SECOND: &str = "0000000000000002.wal";
const THIRD: &str = "0000000000000003.wal";

/// Where the last record of a segment begins and where it ends.
fn last_record(bytes: &[u8]) -> (usize, usize) {
    let (mut offset, mut last) = (64, (64, 64));
    while bytes.len() >= offset + 24 && bytes[offset..offset + 4] != [0; 4] {
        let parts = u32::from_le_bytes(bytes[offset..offset + 4].try_into().unwrap()) as usize;
        last = (offset, (offset + 24 + parts).next_multiple_of(8));
        offset = last.1;
    }
    last
}

#[test]
fn a_tail_torn_at_any_byte_is_cut_and_written_over() {
    let (disk, before, after) = three_segments();
    let bytes = disk.content(THIRD).unwrap();
    let (start, stop) = last_record(&bytes);
    for length in start..=bytes.len() {
        let mut zeroed = bytes.clone();
        zeroed[length..].fill(0);
        let mut garbage = bytes.clone();
        garbage[length..]
            .iter_mut()
            .zip((11..=251).step_by(16).cycle())
            .for_each(|(byte, fill)| *byte = fill);
        for (kind, torn) in [("cut off", bytes[..length].to_vec()), ("zeros", zeroed), ("garbage", garbage)] {
            let context = format!("{kind} from byte {length} on");
            // Where zeros are lost, zeros are as good.
            let whole = length >= stop || (kind == "zeros" && torn[start..stop] == bytes[start..stop]);
            let disk = disk.fork();
            disk.tamper(THIRD, Some(torn));
            let (recovered, writer) = open(disk.clone(), IDENTITY, TINY).unwrap();
            drop(writer);
            let clean = recovered.cut.is_none();
            assert_eq!(
                Model::from(recovered),
                if whole { after.clone() } else { before.clone() },
                "{context}"
            );
            assert!(
                disk.content(THIRD).unwrap()[if whole { stop } else { start }..]
                    .iter()
                    .all(|byte| *byte == 0)
            );
            assert!(clean || kind == "garbage" || length > start, "{context}: nothing to cut");
            go_on(&disk, &context);
        }
    }
}

#[test]
fn every_flipped_bit_is_detected_or_was_never_needed() {
    let (disk, before, after) = three_segments();
    let (mut damaged, mut unused, mut cut) = (0, 0, 0);
    for name in [FIRST, SECOND, THIRD] {
        let bytes = disk.content(name).unwrap();
        let (start, stop) = last_record(&bytes);
        for bit in 0..bytes.len() * 8 {
            let context = format!("{name}, bit {bit}");
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let disk = disk.fork();
            disk.tamper(name, Some(flipped.clone()));
            let in_tail = name == THIRD && (start..stop).contains(&(bit / 8));
            match reopen(&disk, TINY) {
                Err(OpenError::Damaged { file, .. }) => {
                    assert!(bit / 8 < stop && !in_tail && file == name, "{context}: {file}");
                    assert_eq!(disk.content(name), Some(flipped), "{context}: evidence was changed");
                    damaged += 1;
                }
                Ok((found, _)) if in_tail => {
                    assert_eq!(found, before, "{context}");
                    cut += 1;
                }
                Ok((found, _)) => {
                    assert!(bit / 8 >= stop, "{context} was not noticed");
                    assert_eq!(found, after, "{context}");
                    unused += 1;
                }
                Err(other) => panic!("{context}: {other}"),
            }
        }
    }
    println!("{damaged} flips are damage, {cut} a torn tail, {unused} lie where nothing is");
}

#[test]
fn a_lost_sector_before_whole_records_is_damage() {
    let (disk, _, _) = three_segments();
    let bytes = disk.content(THIRD).unwrap();
    let (start, _) = last_record(&bytes);
    // Whatever is wiped out in front of the last record, the record's head and length included.
    for from in (64..start).step_by(8) {
        let mut wiped = bytes.clone();
        wiped[from..start].fill(0);
        disk.tamper(THIRD, Some(wiped));
        assert!(matches!(reopen(&disk, TINY), Err(OpenError::Damaged { .. })), "from {from} on");
    }
}

#[test]
fn records_of_another_segment_are_not_taken_for_this_ones() {
    let (disk, _, after) = three_segments();
    let (second, third) = (disk.content(SECOND).unwrap(), disk.content(THIRD).unwrap());
    let (_, stop) = last_record(&third);
    // A file that once was another segment: its old records still lie behind the new ones.
    for old_from in (64..second.len()).step_by(8) {
        let mut reused = third[..stop].to_vec();
        reused.extend(&second[old_from..]);
        disk.tamper(THIRD, Some(reused));
        let (found, _) = reopen(&disk, TINY).unwrap();
        assert_eq!(found, after, "{old_from}");
    }
    // A whole segment under the name of another one, and an older state of a segment.
    disk.tamper(THIRD, Some(second.clone()));
    assert!(matches!(reopen(&disk, TINY), Err(OpenError::Damaged { offset: 32, .. })));
    disk.tamper(THIRD, Some(third));
    let (start, stop) = last_record(&second);
    let mut older = second;
    older[start..stop].fill(0);
    disk.tamper(SECOND, Some(older));
    assert!(matches!(reopen(&disk, TINY), Err(OpenError::Damaged { file, .. }) if file == SECOND));
}

#[test]
fn records_in_the_wrong_place_are_noticed() {
    let (disk, _, after) = three_segments();
    let third = disk.content(THIRD).unwrap();
    let (start, stop) = last_record(&third);
    let before_it = (64 + 24 + u32_at(&third, 64)).next_multiple_of(8);
    assert!(before_it < start);
    // An older record once more, behind the last: nothing that was written later, so a torn tail.
    let mut twice = [&third[..], &[0; 200]].concat();
    twice.copy_within(before_it..start, stop);
    disk.tamper(THIRD, Some(twice));
    assert_eq!(reopen(&disk, TINY).unwrap().0, after);
    // The last record in the place of the one before it, which is gone.
    let mut moved = third;
    moved.copy_within(start..stop, before_it);
    moved[before_it + stop - start..].fill(0);
    disk.tamper(THIRD, Some(moved));
    let error = reopen(&disk, TINY).map(drop).unwrap_err();
    assert!(matches!(&error, OpenError::Damaged { offset, .. } if *offset == before_it as u64), "{error}");
}

#[test]
fn a_record_of_another_history_is_noticed() {
    // Two logs that differ in one vote, and go on alike.
    let disks = [2, 3].map(|vote| {
        let disk = SimDisk::new();
        let mut writer = create(disk.clone(), IDENTITY, TINY).unwrap();
        let mut progress = Progress::at(Model::default());
        for wish in [voted(1, vote), voted(2, 2)] {
            assert!(progress.step(&mut writer, &Step::Batch(vec![wish])));
        }
        disk
    });
    // A stale sector: the first vote of one, the second of the other.
    let mut mixed = disks[0].content(FIRST).unwrap();
    let (start, stop) = last_record(&mixed);
    mixed[start..stop].copy_from_slice(&disks[1].content(FIRST).unwrap()[start..stop]);
    disks[0].tamper(FIRST, Some(mixed));
    let error = reopen(&disks[0], TINY).map(drop).unwrap_err();
    assert!(matches!(&error, OpenError::Damaged { offset, .. } if *offset == start as u64), "{error}");
}

fn u32_at(bytes: &[u8], offset: usize) -> usize {
    u32::from_le_bytes(bytes[offset..offset + 4].try_into().unwrap()) as usize
}

#[test]
fn a_lost_vote_at_the_end_of_an_older_segment_is_noticed() {
    let disk = SimDisk::new();
    let mut writer = create(disk.clone(), IDENTITY, TINY).unwrap();
    let mut progress = Progress::at(Model::default());
    assert!(progress.step(&mut writer, &Step::Batch(vec![voted(1, 2)])));
    assert!(progress.step(&mut writer, &Step::Batch(vec![voted(2, 2)])));
    let large = progress.model().entries_at(Index(1), 2, &[500]);
    assert!(progress.step(&mut writer, &Step::Batch(vec![large])));
    let mut bytes = disk.content(FIRST).unwrap();
    let (start, _) = last_record(&bytes);
    bytes[start..].fill(0);
    disk.tamper(FIRST, Some(bytes));
    let error = reopen(&disk, TINY).map(drop).unwrap_err();
    assert!(matches!(&error, OpenError::Damaged { offset, .. } if *offset == start as u64), "{error}");
}

#[test]
fn a_value_that_looks_like_a_record_is_only_a_value() {
    // Somebody stores a record of another log, of a far later batch, and power fails while it is written.
    let other = SimDisk::new();
    let mut writer = create(other.clone(), IDENTITY, TINY).unwrap();
    for term in 1..10 {
        assert!(Progress::at(Model::default()).step(&mut writer, &Step::Batch(vec![voted(term, 1)])));
    }
    let bytes = other.content(FIRST).unwrap();
    let (start, stop) = last_record(&bytes);
    let value: Arc<[u8]> = bytes[start..stop].into();
    let (disk, mut progress) = (SimDisk::new(), Progress::at(Model::default()));
    let stranger = Identity { incarnation: Incarnation(7), ..IDENTITY };
    let mut writer = create(disk.clone(), stranger, TINY).unwrap();
    assert!(progress.step(&mut writer, &Step::Batch(vec![voted(1, 1)])));
    let before = progress.model();
    let entry = Entry { term: Term(1), payload: Payload::Command(value) };
    let wish = Wish { hard_state: None, entries: Some((Index(1), vec![entry])) };
    assert!(progress.step(&mut writer, &Step::Batch(vec![wish])));
    let mut torn = disk.content(FIRST).unwrap();
    let (start, _) = last_record(&torn);
    torn[start..start + 8].fill(0);
    disk.tamper(FIRST, Some(torn));
    let (recovered, _) = open(disk, stranger, TINY).unwrap();
    assert!(recovered.cut.is_some());
    assert_eq!(Model::from(recovered), before);
}

#[test]
fn a_missing_segment_is_named_unless_nothing_in_it_is_needed() {
    let (disk, _, after) = three_segments();
    for name in [FIRST, SECOND] {
        let disk = disk.fork();
        disk.tamper(name, None);
        match reopen(&disk, TINY) {
            Err(OpenError::Missing { file }) => assert_eq!(file, name),
            other => panic!("{name}: {:?}", other.map(|(model, _)| model)),
        }
    }
    // What a crash during a purge may leave: an old segment, a gap, and a log that is complete above it.
    let first = disk.content(FIRST);
    let (_, mut writer) = reopen(&disk, TINY).unwrap();
    let last = after.position(Index(after.next().0 - 1));
    writer.compact(last, Tail::Kept).unwrap();
    assert_eq!((disk.content(FIRST), disk.content(SECOND)), (None, None));
    disk.tamper(FIRST, first);
    let (found, _) = reopen(&disk, TINY).unwrap();
    assert_eq!((found.start, found.entries, found.hard_state), (last, Vec::new(), after.hard_state));
    assert_eq!(disk.content(FIRST), None);
}

#[test]
fn foreign_newer_absent_and_present_logs_are_told_apart() {
    let (disk, _, _) = three_segments();
    let strangers = [
        Identity { cluster: ClusterId(9), ..IDENTITY },
        Identity { node: NodeId(9), ..IDENTITY },
        Identity { incarnation: Incarnation(9), ..IDENTITY },
    ];
    for stranger in strangers {
        let error = open(disk.clone(), stranger, TINY).map(drop).unwrap_err();
        assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
    }
    let mut newer = disk.content(FIRST).unwrap();
    newer[8] = 2;
    let checksum = crc32c::crc32c(&newer[..60]);
    newer[60..64].copy_from_slice(&checksum.to_le_bytes());
    disk.tamper(FIRST, Some(newer));
    let error = reopen(&disk, TINY).map(drop).unwrap_err();
    assert_eq!(
        error.to_string(),
        "0000000000000001.wal has format 2, this program knows 1; use the later program that wrote it"
    );
    let absent = reopen(&SimDisk::new(), TINY).map(drop).unwrap_err();
    assert!(matches!(absent, OpenError::Absent), "{absent}");
    let present = create(disk, IDENTITY, TINY).map(drop).unwrap_err();
    assert!(matches!(present, OpenError::Present { .. }), "{present}");
}

#[test]
fn a_full_disk_refuses_a_batch_before_it_is_begun() {
    let options = Options { reserve_bytes: 200, ..TINY };
    let disk = SimDisk::new();
    let mut writer = create(disk.clone(), IDENTITY, options).unwrap();
    let mut progress = Progress::at(Model::default());
    assert!(progress.step(&mut writer, &Step::Batch(vec![voted(1, 2)])));
    disk.set_capacity(Some(options.segment_bytes + 300));
    assert!(matches!(writer.prepare(), Ok(Spare::Underway)));
    assert!(matches!(writer.prepare(), Err(WriteError::Full { bytes: 700 })), "an early warning");
    while progress
        .step(&mut writer, &Step::Batch(vec![progress.model().entries_at(progress.model().next(), 1, &[90])]))
    {
    }
    assert!(progress.model().entries.len() >= 2, "there was room for some");
    let before = disk.content(FIRST);
    let batch = vec![progress.model().entries_at(progress.model().next(), 1, &[90])];
    assert!(!progress.step(&mut writer, &Step::Batch(batch.clone())));
    assert_eq!(disk.content(FIRST), before, "nothing of the refused batch is written");
    // Terms and votes still get through, and so does the mark that frees space.
    progress.possible.truncate(1);
    for term in 2..4 {
        assert!(progress.step(&mut writer, &Step::Batch(vec![voted(term, 1)])), "term {term}");
    }
    disk.set_capacity(None);
    assert!(progress.step(&mut writer, &Step::Batch(batch)), "it goes on by itself when there is space");
    disk.cut_power(Survival::Nothing);
    assert_eq!(reopen(&disk, options).unwrap().0, progress.model());
}

#[test]
fn a_full_disk_does_not_keep_a_replica_with_a_spare_from_coming_back() {
    let (disk, _, after) = three_segments();
    let (_, mut writer) = reopen(&disk, TINY).unwrap();
    let mut progress = Progress::at(after.clone());
    assert!(progress.step(&mut writer, &Step::Prepare));
    disk.set_capacity(Some(0));
    assert_eq!(reopen(&disk, TINY).unwrap().0, after);
    match reopen(&disk, TINY).map(drop) {
        Err(OpenError::Full { bytes: 700 }) => {}
        other => panic!("the spare has been used up: {other:?}"),
    }
    disk.set_capacity(None);
    assert_eq!(reopen(&disk, TINY).unwrap().0, after);
}

#[test]
fn the_log_goes_on_in_segments_that_it_is_done_with() {
    let disk = SimDisk::new();
    let mut progress = Progress::new();
    let mut writer = create(disk.clone(), IDENTITY, TINY).unwrap();
    progress.confirm(Model::default());
    for step in &recycling_script() {
        assert!(progress.step(&mut writer, step));
    }
    let retired = |disk: &SimDisk| {
        disk.file_names().into_iter().filter(|name| name.ends_with(".old")).collect::<Vec<_>>()
    };
    assert_eq!(retired(&disk).len(), 4, "so many are kept, the others removed: {:?}", disk.file_names());
    // Whatever the spare is made of, now it is one of them, and nothing has to be written for it.
    assert!(progress.step(
        &mut writer,
        &Step::Batch(vec![progress.model().entries_at(progress.model().next(), 1, &[600])])
    ));
    let (kept, operations) = (retired(&disk).len(), disk.operations());
    assert!(progress.step(&mut writer, &Step::Prepare));
    assert_eq!((retired(&disk).len(), disk.pending_bytes()), (kept - 1, 1), "one renaming");
    assert!(disk.operations() <= operations + 3, "a renaming, an opening and a look at the length");
    // Older records stand behind the newest, and neither end a log nor damage it.
    assert!(progress.step(
        &mut writer,
        &Step::Batch(vec![progress.model().entries_at(progress.model().next(), 1, &[40])])
    ));
    disk.cut_power(Survival::Nothing);
    let (recovered, _) = open(disk.clone(), IDENTITY, TINY).unwrap();
    assert_eq!(recovered.cut, None);
    assert_eq!(Model::from(recovered), progress.model());
    assert_eq!(retired(&disk), [""; 0], "another process cannot know whether they were renamed for good");
}

#[test]
fn an_idle_writer_does_nothing_and_an_empty_batch_needs_no_disk() {
    let disk = SimDisk::new();
    let mut writer = create(disk.clone(), IDENTITY, TINY).unwrap();
    let mut progress = Progress::at(Model::default());
    assert!(progress.step(&mut writer, &Step::Prepare));
    let operations = disk.operations();
    assert!(progress.step(&mut writer, &Step::Prepare));
    assert!(progress.step(&mut writer, &Step::Batch(vec![Wish::default(), Wish::default()])));
    assert_eq!(disk.operations(), operations);
    // A batch, however many writes it has, is one write and one sync.
    let wishes = vec![voted(1, 1), Wish::default(), voted(1, 2), voted(2, 1)];
    assert!(progress.step(&mut writer, &Step::Batch(wishes)));
    assert_eq!(disk.operations(), operations + 2);
}

#[test]
#[should_panic(expected = "gap")]
fn a_gap_is_a_fault_of_the_caller() {
    let mut writer = create(SimDisk::new(), IDENTITY, TINY).unwrap();
    let model = Model::default();
    Progress::at(model.clone())
        .step(&mut writer, &Step::Batch(vec![voted(1, 1), model.entries_at(Index(2), 1, &[1])]));
}

#[test]
fn a_real_directory_holds_a_log_for_one_process_at_a_time() {
    let path = std::env::temp_dir().join(format!("quorate-wal-{}", std::process::id()));
    std::fs::create_dir(&path).unwrap();
    let mut progress = Progress::at(Model::default());
    let mut writer = create(Directory::open(&path).unwrap(), IDENTITY, TINY).unwrap();
    let busy = Directory::open(&path).map(drop).unwrap_err();
    assert!(matches!(busy, LockError::Busy { .. }), "{busy}");
    for step in script() {
        assert!(progress.step(&mut writer, &step));
    }
    drop(writer);
    for _ in 0..2 {
        let (recovered, _) = open(Directory::open(&path).unwrap(), IDENTITY, TINY).unwrap();
        assert_eq!((recovered.cut.clone(), Model::from(recovered)), (None, progress.model()));
    }
    // The writer can be owned by a thread.
    let (_, writer) = open(Directory::open(&path).unwrap(), IDENTITY, Options::default()).unwrap();
    std::thread::spawn(move || drop(writer)).join().unwrap();
    std::fs::remove_dir_all(&path).unwrap();
}

#[test]
fn a_real_directory_takes_records_of_all_sizes_whichever_way_they_are_written() {
    let path = std::env::temp_dir().join(format!("quorate-wal-large-{}", std::process::id()));
    std::fs::create_dir(&path).unwrap();
    // Neither segments nor records end where a disk's blocks do.
    let options =
        Options { segment_bytes: (256 << 10) + 777, landmark_bytes: 16 << 10, ..Options::default() };
    let mut progress = Progress::at(Model::default());
    let mut writer = create(Directory::open(&path).unwrap(), IDENTITY, options).unwrap();
    for (number, step) in large_script().iter().enumerate() {
        assert!(progress.step(&mut writer, step));
        progress.model().check_reads(&mut writer, &[1], &format!("step {number}"));
    }
    drop(writer);
    for _ in 0..2 {
        let (recovered, mut writer) = open(Directory::open(&path).unwrap(), IDENTITY, options).unwrap();
        assert_eq!((recovered.cut.clone(), Model::from(recovered)), (None, progress.model()));
        progress.model().check_reads(&mut writer, &[1], "opened again");
        let wish = progress.model().entries_at(progress.model().next(), 1, &[77]);
        assert!(progress.step(&mut writer, &Step::Batch(vec![wish])));
    }
    std::fs::remove_dir_all(&path).unwrap();
}

/// A step relative to whatever the log holds by then.
#[derive(Clone, Debug)]
enum Move {
    /// Replace so many of the last entries by entries of these sizes.
    Write {
        back: u64,
        sizes: Vec<usize>,
        vote: bool,
    },
    /// A snapshot at this share of the log, in percent, or one that drops it all.
    Compact {
        share: u64,
        drop_tail: bool,
    },
    Idle,
    /// After so many more operations the process ends.
    Crash {
        operations: u64,
        seed: Option<u64>,
    },
}

fn moves() -> impl Strategy<Value = Move> {
    let sizes = proptest::collection::vec(prop_oneof![Just(0usize), 1usize..100, 500usize..900], 1..5);
    let write = (0u64..4, sizes, any::<bool>());
    let write = write.prop_map(|(back, sizes, vote)| Move::Write { back, sizes, vote });
    let compact = (0u64..=100, proptest::bool::weighted(0.2));
    let compact = compact.prop_map(|(share, drop_tail)| Move::Compact { share, drop_tail });
    let crash = (1u64..30, proptest::option::of(any::<u64>()));
    let crash = crash.prop_map(|(operations, seed)| Move::Crash { operations, seed });
    prop_oneof![
        6 => write,
        1 => compact,
        1 => Just(Move::Idle),
        2 => crash,
    ]
}

fn step_for(model: &Model, wanted: &Move) -> Option<Step> {
    let HardState { term: Term(term), .. } = model.hard_state;
    match wanted {
        Move::Write { back, sizes, vote } => {
            let back = (*back).min(model.entries.len() as u64);
            let term = if back > 0 || *vote || term == 0 { term + 1 } else { term };
            let wish = model.entries_at(Index(model.next().0 - back), term, sizes);
            Some(Step::Batch(vec![Wish { hard_state: voted(term, 1).hard_state, ..wish }, Wish::default()]))
        }
        Move::Compact { share, drop_tail } => {
            let index = Index(model.start.index.0 + model.entries.len() as u64 * share / 100);
            let dropped = Position { index: Index(index.0 + 3), term: Term(term) };
            Some(match drop_tail {
                true => Step::Compact(dropped, Tail::Dropped),
                false => Step::Compact(model.position(index), Tail::Kept),
            })
        }
        Move::Idle => Some(Step::Prepare),
        Move::Crash { .. } => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn whatever_happens_the_log_equals_the_model(moves in proptest::collection::vec(moves(), 1..60)) {
        let disk = SimDisk::new();
        let mut writer = create(disk.clone(), IDENTITY, TINY).unwrap();
        let mut progress = Progress::at(Model::default());
        let mut ending = Survival::Nothing;
        for wanted in moves.iter().chain([&Move::Crash { operations: 0, seed: None }]) {
            if let Move::Crash { operations, seed } = wanted {
                disk.stop_at(disk.operations() + operations);
                ending = seed.map_or(Survival::Nothing, Survival::Random);
            }
            let step = step_for(&progress.model(), wanted);
            let is_last = matches!(wanted, Move::Crash { operations: 0, .. });
            if step.is_none_or(|step| progress.step(&mut writer, &step)) && !is_last {
                continue;
            }
            disk.cut_power(ending);
            let (found, next) = reopen(&disk, TINY).unwrap();
            prop_assert!(progress.possible.contains(&found), "{:?} is none of {:?}", found, progress);
            progress = Progress::at(found);
            writer = next;
        }
    }
}
