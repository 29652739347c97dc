//! Snapshots under crashes at every operation, flipped bits, full and failing disks, and transfers that come
//! in pieces, twice, or not at all.

#[path = "snapshot/model.rs"]
mod model;

use std::io::ErrorKind;

use model::{CLUSTER, Content, SCRIPT, Step, build, content, file_of, load, name_of, open, receive, run};
use proptest::prelude::*;
use quorate::disk::{Directory, SimDisk, Survival};
use quorate::identity::ClusterId;
use quorate::kv::{Command, Operation, Restorer, SetOptions, Store, WallClock};
use quorate::raft::SnapshotId;
use quorate::snapshot::{Received, SnapshotError, Snapshots};

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
    std::iter::once(Ending::Killed).chain(survivals.map(Ending::PowerCut)).collect()
}

/// Opens a disk after a crash: all that is there is whole, and nothing that was confirmed is gone unless it
/// was to be. Answers what is there.
fn recover(disk: &SimDisk, confirmed: &[SnapshotId], context: &str) -> Vec<SnapshotId> {
    let (mut snapshots, found) = open(disk).unwrap_or_else(|error| panic!("{context}: {error}"));
    assert!(found.damaged.is_empty(), "{context}: half a snapshot: {:?}", found.damaged);
    for id in &found.snapshots {
        let loaded = load(&mut snapshots, *id).unwrap_or_else(|error| panic!("{context}: {error}"));
        assert_eq!(loaded, content(id.last.index.0), "{context}");
    }
    let indices: Vec<u64> = found.snapshots.iter().map(|id| id.last.index.0).collect();
    assert!(indices.is_sorted_by(|newer, older| newer > older), "{context}: {indices:?}");
    let mut expected: Vec<&SnapshotId> = confirmed.iter().collect();
    expected.sort_by_key(|id| std::cmp::Reverse(id.last.index));
    expected.dedup();
    // Of two kept, one may have been removed for a newer one that was not confirmed any more.
    let newest = expected.first().map_or(0, |id| id.last.index.0);
    let unconfirmed = indices.iter().filter(|index| **index > newest).count();
    for id in expected.into_iter().take(2_usize.saturating_sub(unconfirmed)) {
        assert!(found.snapshots.contains(id), "{context}: {id:?} is gone, there are {indices:?}");
    }
    assert!(disk.content("building").is_none() && disk.content("receiving").is_none(), "{context}");
    found.snapshots
}

/// Goes on after a recovery: what is made now survives a power cut, and two are kept.
fn go_on(disk: &SimDisk, context: &str) {
    let (mut snapshots, _) = open(disk).unwrap_or_else(|error| panic!("{context}: {error}"));
    let made = [90, 91].map(|index| {
        build(&mut snapshots, &content(index)).unwrap_or_else(|error| panic!("{context}: {error}"))
    });
    disk.cut_power(Survival::Nothing);
    assert_eq!(recover(disk, &made, context)[..2], [made[1], made[0]], "{context}");
}

#[test]
fn crashes_at_every_operation_leave_the_newest_or_the_one_before_it() {
    let complete = SimDisk::new();
    let (confirmed, errors) = run(&complete, SCRIPT);
    assert!(errors.is_empty() && confirmed.len() == 7, "{errors:?}");
    let operations = complete.operations();
    let left = recover(&complete, &confirmed, "no crash");
    assert_eq!(left.iter().map(|id| id.last.index.0).collect::<Vec<_>>(), [40, 31], "two are kept");
    let (mut crashes, mut nested) = (0, 0);
    for operation in 1..=operations {
        let disk = SimDisk::new();
        disk.stop_at(operation);
        let (confirmed, _) = run(&disk, SCRIPT);
        for ending in endings(&disk, operation) {
            let context = format!("crash at operation {operation} of {operations}, {ending:?}");
            let crashed = disk.fork();
            end(&crashed, ending);
            crashes += 1;
            nested += crash_opening_everywhere(&crashed, &confirmed, &context);
        }
    }
    println!("{operations} operations, {crashes} crashes, {nested} more while opening");
    assert!(crashes > 800 && nested > 4_000, "only {crashes} + {nested} crash points");
}

/// Crashes at each operation of an opening, then opens again. Answers how many crashes there were.
fn crash_opening_everywhere(crashed: &SimDisk, confirmed: &[SnapshotId], context: &str) -> u64 {
    let whole = crashed.fork();
    let before = whole.operations();
    let (_, found) = open(&whole).unwrap_or_else(|error| panic!("{context}: {error}"));
    let operations = whole.operations() - before;
    whole.cut_power(Survival::Nothing);
    let again = recover(&whole, confirmed, context);
    assert_eq!(again, found.snapshots, "{context}: what an opening has found is durable");
    for operation in 1..=operations {
        let context = format!("{context}, again at operation {operation} of {operations}");
        let disk = crashed.fork();
        disk.stop_at(before + operation);
        assert!(open(&disk).is_err() || operation < operations, "{context}");
        let choices = endings(&disk, operation);
        end(&disk, choices[usize::try_from(operation).unwrap() % choices.len()]);
        recover(&disk, confirmed, &context);
        if operation == operations {
            go_on(&disk, &context);
        }
    }
    operations
}

#[test]
fn an_error_ends_the_attempt_and_nothing_else() {
    let complete = SimDisk::new();
    run(&complete, SCRIPT);
    let opening = 2;
    for operation in opening + 1..=complete.operations() {
        for kind in [ErrorKind::Other, ErrorKind::StorageFull] {
            let context = format!("{kind} at operation {operation}");
            let disk = SimDisk::new();
            disk.fail_at(operation, kind);
            let (confirmed, errors) = run(&disk, SCRIPT);
            assert!(errors.len() <= 1, "{context}: {errors:?}");
            assert!(confirmed.len() >= 6, "{context}: {confirmed:?}");
            // The process ends, the machine goes on; so the next one sees what the kernel will never write.
            disk.restart();
            let found = recover(&disk, &confirmed, &context);
            disk.cut_power(Survival::Nothing);
            let again = recover(&disk, &confirmed, &context);
            // An old one whose removal was not durable may be back, and nothing else.
            assert_eq!(again[..found.len()], found, "{context}: found, then lost");
            go_on(&disk, &context);
        }
    }
}

#[test]
fn a_full_disk_ends_the_attempt_and_gives_back_what_it_took() {
    let disk = SimDisk::new();
    let (mut snapshots, _) = open(&disk).unwrap();
    let first = build(&mut snapshots, &content(1)).unwrap();
    let sent = file_of(&content(2));
    for capacity in first.bytes..first.bytes + sent.0.bytes {
        disk.set_capacity(Some(capacity));
        let error = build(&mut snapshots, &content(2)).unwrap_err();
        assert!(matches!(error, SnapshotError::Full { bytes } if bytes > 0), "{error}");
        assert!(!snapshots.is_building() && disk.content("building").is_none());
        let error = receive(&mut snapshots, &sent, 70).unwrap_err();
        assert!(matches!(error, SnapshotError::Full { .. }), "{error}");
        assert!(disk.content("receiving").is_none());
    }
    assert_eq!(snapshots.ids().collect::<Vec<_>>(), [first]);
    disk.set_capacity(Some(first.bytes + sent.0.bytes));
    assert_eq!(receive(&mut snapshots, &sent, 70).unwrap(), sent.0);
}

/// Two snapshots, the newer one as `tampered` says.
fn opened_with(newer: Vec<u8>) -> (SimDisk, SnapshotId, SnapshotId) {
    let (older, id) = (file_of(&content(3)), file_of(&content(4)).0);
    let disk = SimDisk::new();
    disk.tamper(&name_of(older.0), Some(older.1));
    disk.tamper(&name_of(id), Some(newer));
    (disk, older.0, id)
}

/// The newer of two snapshots is bad: that is found, and the older one serves.
fn assert_bad(newer: Vec<u8>, context: &str) {
    let (disk, older, id) = opened_with(newer);
    let (mut snapshots, found) = open(&disk).unwrap_or_else(|error| panic!("{context}: {error}"));
    if found.snapshots.len() == 2 {
        let other = found.snapshots[0];
        let error = load(&mut snapshots, other).unwrap_err();
        assert!(matches!(&error, SnapshotError::Damaged { file, .. } if *file == name_of(id)), "{error}");
        assert!(snapshots.read_chunk(other, 0, 10).unwrap().is_none(), "{context}: sent all the same");
    } else {
        assert!(matches!(&found.damaged[..], [SnapshotError::Damaged { .. }]), "{context}: {found:?}");
    }
    assert!(matches!(load(&mut snapshots, id), Err(SnapshotError::Gone { .. })), "{context}");
    assert_eq!(load(&mut snapshots, older).unwrap(), content(3), "{context}");
    assert!(disk.content(&name_of(id)).is_some(), "{context}: evidence is kept");
}

#[test]
fn every_flipped_bit_and_every_missing_byte_is_found() {
    let (id, bytes) = file_of(&content(4));
    let (disk, older, _) = opened_with(bytes.clone());
    let (mut snapshots, found) = open(&disk).unwrap();
    assert_eq!(found.snapshots, [id, older]);
    assert_eq!(load(&mut snapshots, id).unwrap(), content(4));
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_bad(flipped, &format!("bit {bit}"));
    }
    for length in 0..bytes.len() {
        assert_bad(bytes[..length].to_vec(), &format!("{length} bytes"));
    }
    assert_bad([&bytes[..], &[0]].concat(), "a byte more");
    assert_bad(file_of(&content(3)).1, "another snapshot under this name");
}

#[test]
fn blocks_that_are_moved_or_from_elsewhere_are_found() {
    let two = Content { blocks: vec![vec![1; 30], vec![2; 30]], membership: vec![], ..content(4) };
    let (_, bytes) = file_of(&two);
    // Header, an empty membership, then two blocks of the same size.
    let (first, second, end) = (48 + 8, 48 + 8 + 38, 48 + 8 + 76);
    let swapped = [&bytes[..first], &bytes[second..end], &bytes[first..second], &bytes[end..]].concat();
    assert_bad(swapped, "swapped");
    let left_out = [&bytes[..first], &bytes[second..]].concat();
    assert_bad(left_out, "left out");
    let other = Content { blocks: vec![vec![3; 30], vec![2; 30]], ..two };
    let mixed = [&bytes[..second], &file_of(&other).1[second..]].concat();
    assert_bad(mixed, "from another file");
}

#[test]
fn a_damaged_file_goes_when_two_whole_ones_are_newer() {
    let mut bytes = file_of(&content(4)).1;
    bytes[20] ^= 1;
    let (disk, older, id) = opened_with(bytes);
    let (mut snapshots, _) = open(&disk).unwrap();
    let names = |disk: &SimDisk| [older, id].map(|id| disk.content(&name_of(id)).is_some());
    build(&mut snapshots, &content(5)).unwrap();
    assert_eq!(names(&disk), [true, true], "the older whole one is still the one to fall back to");
    build(&mut snapshots, &content(6)).unwrap();
    assert_eq!(names(&disk), [false, false]);
    // And it can be replaced by a whole one of its position.
    let mut bytes = file_of(&content(4)).1;
    bytes[20] ^= 1;
    let (disk, _, id) = opened_with(bytes);
    let (mut snapshots, _) = open(&disk).unwrap();
    assert_eq!(receive(&mut snapshots, &file_of(&content(4)), 64).unwrap(), id);
    assert_eq!(load(&mut snapshots, id).unwrap(), content(4));
}

#[test]
fn a_block_that_makes_no_sense_to_its_reader_is_damage_and_says_so() {
    let (disk, _, id) = opened_with(file_of(&content(4)).1);
    let (mut snapshots, _) = open(&disk).unwrap();
    let error = snapshots.load(id, |_| Err("not a block")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "0000000000000004-0000000000000001.snapshot is damaged at byte 60: the block there makes no sense: \
         not a block. It is not used; if no older snapshot reaches to where the log begins, remove this \
         replica from its cluster, and add a new one with an empty directory"
    );
}

#[test]
fn equal_snapshots_have_equal_ids_and_others_do_not() {
    let original = content(4);
    assert_eq!(file_of(&original), file_of(&original));
    let others = [
        Content { last: content(5).last, ..original.clone() },
        Content { membership: vec![1], ..original.clone() },
        Content { blocks: original.blocks[1..].to_vec(), ..original.clone() },
        Content { blocks: vec![original.blocks.concat()], ..original.clone() },
    ];
    for other in others {
        assert_ne!(file_of(&other).0, file_of(&original).0);
    }
}

#[test]
fn foreign_and_newer_snapshots_are_refused() {
    let (disk, _, id) = opened_with(file_of(&content(4)).1);
    let error = Snapshots::open(disk.clone(), ClusterId(9)).map(drop).unwrap_err();
    assert!(matches!(error, SnapshotError::Foreign { found: CLUSTER, .. }), "{error}");
    let (mut strangers, _) = Snapshots::open(SimDisk::new(), ClusterId(9)).unwrap();
    let error = receive(&mut strangers, &file_of(&content(4)), 100).unwrap_err();
    assert!(matches!(error, SnapshotError::Foreign { found: CLUSTER, .. }), "{error}");
    assert_eq!(strangers.ids().count(), 0);
    let mut newer = file_of(&content(4)).1;
    newer[8] = 2;
    let checksum = crc32c::crc32c(&newer[..44]);
    newer[44..48].copy_from_slice(&checksum.to_le_bytes());
    disk.tamper(&name_of(id), Some(newer));
    assert_eq!(
        open(&disk).map(drop).unwrap_err().to_string(),
        "0000000000000004-0000000000000001.snapshot has format 2, this program knows 1; use the later \
         program that wrote it"
    );
}

#[test]
fn what_is_spoiled_on_its_way_is_never_installed() {
    let (id, bytes) = file_of(&content(4));
    let disk = SimDisk::new();
    let (mut snapshots, _) = open(&disk).unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let error = receive(&mut snapshots, &(id, flipped), 1_000).unwrap_err();
        assert!(matches!(error, SnapshotError::Spoiled { .. }), "bit {bit}: {error}");
        assert!(disk.content("receiving").is_none() && disk.content(&name_of(id)).is_none(), "bit {bit}");
    }
    // A good file, but not the one that was announced.
    let (other, _) = file_of(&content(14));
    for announced in [
        SnapshotId { digest: id.digest ^ 1, ..id },
        SnapshotId { last: other.last, ..id },
        SnapshotId { bytes: id.bytes - 1, ..id },
        SnapshotId { bytes: 7, ..id },
    ] {
        let error = snapshots.receive(announced, 0, &bytes).unwrap_err();
        assert!(matches!(error, SnapshotError::Spoiled { .. }), "{announced:?}: {error}");
    }
    assert_eq!(receive(&mut snapshots, &(id, bytes), 1_000).unwrap(), id);
}

#[test]
fn duplicates_gaps_and_other_snapshots_are_answered_with_what_is_wanted() {
    let (id, bytes) = file_of(&content(4));
    let (other, other_bytes) = file_of(&content(5));
    let (mut snapshots, _) = open(&SimDisk::new()).unwrap();
    let wanted = |next_offset| Received::Partly { next_offset };
    let mut receive = |id, offset: usize, bytes: &[u8]| snapshots.receive(id, offset as u64, bytes).unwrap();
    assert_eq!(receive(id, 50, &bytes[50..]), wanted(0), "its beginning is missing");
    assert_eq!(receive(id, 0, &bytes[..50]), wanted(50));
    assert_eq!(receive(id, 0, &bytes[..50]), wanted(50), "twice");
    assert_eq!(receive(id, 40, &bytes[40..60]), wanted(50), "overlapping");
    assert_eq!(receive(id, 60, &bytes[60..]), wanted(50), "a gap");
    assert_eq!(receive(id, 50, &[]), wanted(50), "nothing");
    assert_eq!(receive(other, 50, &other_bytes[50..]), wanted(0), "another one");
    assert_eq!(receive(other, 0, &other_bytes[..50]), wanted(50));
    assert_eq!(receive(id, 50, &bytes[50..]), wanted(0), "and back");
    assert_eq!(receive(id, 0, &bytes[..60]), wanted(60));
    assert_eq!(receive(id, 60, &bytes[60..]), Received::Whole { id });
    assert_eq!(receive(id, 60, &bytes[60..]), Received::Whole { id }, "the last part twice");
    assert_eq!(receive(id, 0, &[]), Received::Whole { id });
    assert_eq!(load(&mut snapshots, id).unwrap(), content(4));
}

#[test]
fn what_is_pinned_is_kept_and_can_be_read_to_its_end() {
    let disk = SimDisk::new();
    let (mut snapshots, _) = open(&disk).unwrap();
    let [first, second] = [1, 2].map(|index| build(&mut snapshots, &content(index)).unwrap());
    assert!(snapshots.pin(first) && snapshots.pin(first));
    let [third, fourth] = [3, 4].map(|index| build(&mut snapshots, &content(index)).unwrap());
    assert_eq!(snapshots.ids().collect::<Vec<_>>(), [fourth, third, first]);
    assert!(!snapshots.pin(second));
    assert_eq!(snapshots.read_chunk(second, 0, 10).unwrap(), None);
    let bytes = file_of(&content(1)).1;
    assert_eq!(snapshots.read_chunk(first, 5, 10).unwrap().unwrap(), bytes[5..15]);
    assert_eq!(snapshots.read_chunk(first, 5, usize::MAX).unwrap().unwrap(), bytes[5..]);
    assert!(snapshots.read_chunk(first, first.bytes, 10).unwrap().unwrap().is_empty());
    assert!(snapshots.read_chunk(first, u64::MAX, 10).unwrap().unwrap().is_empty());
    snapshots.unpin(first);
    build(&mut snapshots, &content(5)).unwrap();
    assert!(snapshots.ids().any(|id| id == first), "pinned once more");
    snapshots.unpin(first);
    build(&mut snapshots, &content(6)).unwrap();
    assert_eq!(snapshots.ids().count(), 2);
    assert!(disk.content(&name_of(first)).is_none());
}

#[test]
fn a_long_file_is_made_durable_along_the_way() {
    let disk = SimDisk::new();
    let (mut snapshots, _) = open(&disk).unwrap();
    snapshots.begin(content(1).last, b"").unwrap();
    for _ in 0..40 {
        snapshots.block(&vec![1; 1 << 20]).unwrap();
        assert!(disk.pending_bytes() <= 17 << 20, "{} bytes", disk.pending_bytes());
    }
    snapshots.finish().unwrap();
}

#[test]
fn a_store_travels_in_a_snapshot() {
    let mut store = Store::default();
    for number in 0..300u64 {
        let (key, value) = (format!("key:{number}").as_str().into(), format!("value {number}").into());
        let operations = vec![Operation::Set { key, value, options: SetOptions::default() }];
        store.apply(Command { stamp: WallClock(number), once: None, operations });
    }
    let path = std::env::temp_dir().join(format!("quorate-snapshot-{}", std::process::id()));
    std::fs::create_dir(&path).unwrap();
    let (mut leader, _) = Snapshots::open(Directory::open(&path).unwrap(), CLUSTER).unwrap();
    leader.begin(content(4).last, b"who is a member").unwrap();
    store.begin_image(1_000);
    while let Some(block) = store.next_image_block() {
        leader.block(&block).unwrap();
    }
    let id = leader.finish().unwrap();
    drop(leader);
    let (mut leader, found) = Snapshots::open(Directory::open(&path).unwrap(), CLUSTER).unwrap();
    assert_eq!((found.snapshots, found.damaged.len()), (vec![id], 0));
    let (mut follower, _) = open(&SimDisk::new()).unwrap();
    let mut offset = 0;
    while offset < id.bytes {
        let chunk = leader.read_chunk(id, offset, 1_000).unwrap().unwrap();
        offset = match follower.receive(id, offset, &chunk).unwrap() {
            Received::Partly { next_offset } => next_offset,
            Received::Whole { .. } => id.bytes,
        };
    }
    let mut restorer = Restorer::new();
    let membership = follower.load(id, |block| restorer.take(block)).unwrap();
    assert_eq!((membership.as_slice(), restorer.finish().unwrap()), (&b"who is a member"[..], store));
    std::thread::spawn(move || drop(leader)).join().unwrap();
    std::fs::remove_dir_all(&path).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

    #[test]
    fn random_scripts_survive_random_crashes(
        script in proptest::collection::vec((0u64..60, 0u64..60, 0u8..4), 1..8),
        stop in 1u64..200,
        seed in any::<u64>(),
    ) {
        let steps: Vec<Step> = script.into_iter().map(|(one, other, kind)| match kind {
            0 => Step::Build(one),
            1 => Step::Receive(one),
            2 => Step::Abandon(one),
            _ => Step::Both(one, other),
        }).collect();
        let disk = SimDisk::new();
        disk.stop_at(stop);
        run(&disk, &steps);
        disk.cut_power(Survival::Random(seed));
        recover(&disk, &[], "whatever is there is whole");
        go_on(&disk, "and it goes on");
    }

    #[test]
    fn chunks_in_any_order_end_in_the_file(
        chunks in proptest::collection::vec((0usize..9, 1usize..9), 0..40),
    ) {
        let (id, bytes) = file_of(&content(4));
        let part = bytes.len().div_ceil(9);
        let (mut snapshots, _) = open(&SimDisk::new()).unwrap();
        for (first, count) in chunks {
            let (start, end) = (first * part, bytes.len().min((first + count) * part));
            let received = snapshots.receive(id, start as u64, &bytes[start..end]).unwrap();
            let is_whole = received == Received::Whole { id };
            prop_assert!(is_whole || snapshots.ids().count() == 0);
        }
        prop_assert_eq!(receive(&mut snapshots, &(id, bytes), part).unwrap(), id);
        prop_assert_eq!(load(&mut snapshots, id).unwrap(), content(4));
    }
}
