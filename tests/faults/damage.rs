//! Files that are not as they were left: torn tails, flipped bits, missing segments, newer formats.
//!
//! What cannot be told from a batch that was cut short by a power cut is cut off, and said; anything else is
//! refused with exit code 65, and nothing is changed.

use std::fs;
use std::path::Path;

use super::client::Reply;
use super::nodes::{Nodes, wait_until};

const KEYS: usize = 30;

/// Begins the records of a segment, see `docs/disk-format.md`.
const HEADER_BYTES: usize = 64;

/// A node alone with some keys, each in a record of its own, killed.
fn written(name: &str) -> Nodes {
    let mut nodes = Nodes::new(name, 1).started();
    let mut client = nodes.client(1);
    for number in 0..KEYS {
        assert_eq!(client.say(&["SET", &format!("k{number}"), "value"]), Reply::ok());
    }
    nodes.kill(1);
    nodes
}

fn assert_keys(nodes: &Nodes, count: usize) {
    let mut client = nodes.client(1);
    for number in 0..KEYS {
        let wanted = if number < count { Reply::bulk("value") } else { Reply::Nil };
        assert_eq!(client.say(&["GET", &format!("k{number}")]), wanted, "k{number}");
    }
}

/// Where the records of a segment are, and where they end.
fn records(segment: &[u8]) -> Vec<(usize, usize)> {
    let (mut found, mut place) = (Vec::new(), HEADER_BYTES);
    loop {
        let length = u32::from_le_bytes(segment[place..place + 4].try_into().expect("four bytes")) as usize;
        if length == 0 {
            return found;
        }
        let end = place + (24 + length).next_multiple_of(8);
        found.push((place, end));
        place = end;
    }
}

fn change(file: &Path, how: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(file).expect("a file of the node");
    how(&mut bytes);
    fs::write(file, bytes).expect("a file of the node");
}

fn newest_segment(nodes: &Nodes) -> std::path::PathBuf {
    nodes.files(1, "log", ".wal").pop().expect("there is a segment")
}

#[test]
fn garbage_behind_the_last_record_is_cut_off_and_said() {
    let mut nodes = written("garbage");
    change(&newest_segment(&nodes), |bytes| {
        let (_, end) = *records(bytes).last().expect("there are records");
        for (place, byte) in bytes[end..end + 1_000].iter_mut().enumerate() {
            *byte = u8::try_from(place * 7 % 251).expect("below 251");
        }
    });
    nodes.restart(1);
    assert!(nodes.said(1).contains("cut the log's torn tail"), "{}", nodes.said(1));
    assert_keys(&nodes, KEYS);
    assert_eq!(nodes.client(1).say(&["SET", "more", "v"]), Reply::ok());
    nodes.kill(1);
    nodes.restart(1);
    assert!(!nodes.said(1).contains("cut the log's torn tail"), "it is cut once");
    assert_eq!(nodes.client(1).say(&["GET", "more"]), Reply::bulk("v"));
    assert_keys(&nodes, KEYS);
}

#[test]
fn a_last_record_that_is_not_whole_is_cut_off() {
    let mut nodes = written("torn");
    change(&newest_segment(&nodes), |bytes| {
        let (start, end) = *records(bytes).last().expect("there are records");
        bytes[start + 30..end].fill(0);
    });
    nodes.restart(1);
    assert!(nodes.said(1).contains("cut the log's torn tail"), "{}", nodes.said(1));
    assert_keys(&nodes, KEYS - 1);
}

#[test]
fn a_flipped_bit_in_the_middle_of_the_log_is_no_torn_tail() {
    let mut nodes = written("rotten");
    let segment = newest_segment(&nodes);
    change(&segment, |bytes| {
        let (start, end) = records(bytes)[KEYS / 2];
        bytes[(start + end) / 2] ^= 4;
    });
    let before = fs::read(&segment).expect("a file of the node");
    for _ in 0..2 {
        let (code, said) = nodes.refused(1, &[]);
        assert_eq!(code, Some(65), "{said}");
        assert!(said.lines().count() == 1 && said.contains(".wal"), "one line that names the file: {said}");
    }
    assert_eq!(fs::read(&segment).expect("a file of the node"), before, "nothing was changed");
}

#[test]
fn a_missing_segment_is_noticed() {
    let mut nodes = Nodes::new("missing", 1).with(&["--snapshot-bytes", "1g"]).started();
    let (mut client, large) = (nodes.client(1), "x".repeat(1 << 20));
    for _ in 0..36 {
        assert_eq!(client.say(&["SET", "k", &large]), Reply::ok());
    }
    nodes.kill(1);
    let segments = nodes.files(1, "log", ".wal");
    assert!(segments.len() >= 3, "{segments:?}");
    let bytes = fs::read(&segments[1]).expect("a file of the node");
    fs::remove_file(&segments[1]).expect("a file of the node");
    let (code, said) = nodes.refused(1, &[]);
    assert_eq!(code, Some(65), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    fs::write(&segments[1], bytes).expect("a file of the node");
    nodes.restart(1);
    assert_eq!(nodes.client(1).say(&["STRLEN", "k"]), Reply::Integer(1 << 20));
}

#[test]
fn a_damaged_snapshot_is_stood_in_for_by_the_older_one_and_two_are_refused() {
    let mut nodes = Nodes::new("snapshots", 1).with(&["--snapshot-bytes", "1m"]).started();
    let (mut client, value) = (nodes.client(1), "x".repeat(64 << 10));
    let mut count = 0;
    wait_until("there are two snapshots behind the log's first segment", || {
        for _ in 0..20 {
            count += 1;
            assert_eq!(client.say(&["SET", &format!("k{}", count % 40), &value]), Reply::ok());
        }
        nodes.said(1).matches("took a snapshot").count() > 3
            && nodes.files(1, "snapshots", ".snapshot").len() == 2
    });
    assert_eq!(client.say(&["SET", "last", "v"]), Reply::ok());
    nodes.kill(1);
    let snapshots = nodes.files(1, "snapshots", ".snapshot");
    let flip = |bytes: &mut Vec<u8>| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    };
    change(&snapshots[1], flip);
    nodes.restart(1);
    let said = nodes.said(1);
    assert!(said.contains("an older snapshot and a longer log stand in for it"), "{said}");
    assert_eq!(nodes.client(1).say(&["DBSIZE"]), Reply::Integer(41));
    assert_eq!(nodes.client(1).say(&["GET", "last"]), Reply::bulk("v"));
    nodes.kill(1);
    let snapshots = nodes.files(1, "snapshots", ".snapshot");
    assert_eq!(snapshots.len(), 2, "{snapshots:?}");
    change(&snapshots[0], flip);
    let (code, said) = nodes.refused(1, &[]);
    assert_eq!(code, Some(65), "{said}");
    assert!(said.contains("no snapshot can be read that reaches it"), "{said}");
    change(&snapshots[0], flip);
    nodes.restart(1);
    assert_eq!(nodes.client(1).say(&["GET", "last"]), Reply::bulk("v"));
}

#[test]
fn a_newer_format_is_refused_as_such() {
    let mut nodes = written("newer");
    change(&newest_segment(&nodes), |bytes| {
        bytes[8] = 2;
        let checksum = crc32c::crc32c(&bytes[..60]);
        bytes[60..64].copy_from_slice(&checksum.to_le_bytes());
    });
    let (code, said) = nodes.refused(1, &[]);
    assert_eq!(code, Some(64), "{said}");
    assert!(said.lines().count() == 1 && said.contains("format"), "{said}");
}
