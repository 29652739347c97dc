//! The corpora as files, for the fuzzer in `fuzz/` to begin with: `cargo test --test hostile write_seeds --
//! --ignored`.

use std::fs;
use std::path::Path;

use super::{answers, client, commands, course, log_files, peer, snapshot_files};

#[test]
#[ignore = "writes files below fuzz/corpus"]
fn write_seeds() {
    let peer = peer::corpus();
    let course = course::corpus();
    let logs = log_files::corpus();
    let snapshots = snapshot_files::corpus();
    let log_files = logs.logs.into_iter().map(|log| log.file).collect();
    let targets = [
        ("peer_streams", peer.streams),
        ("peer_bodies", peer.bodies),
        ("requests", client::corpus()),
        ("answers", answers::corpus()),
        ("course_packets", course.packets),
        ("course_bodies", course.bodies),
        ("commands", commands::corpus()),
        ("log_files", log_files),
        ("log_records", logs.bodies),
        ("snapshot_files", snapshots.files),
        ("snapshot_blocks", snapshots.bodies),
    ];
    for (target, seeds) in targets {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
        fs::create_dir_all(&folder).expect("the folder can be made");
        for (number, seed) in seeds.iter().enumerate() {
            fs::write(folder.join(format!("seed-{number:03}")), seed).expect("the file can be written");
        }
        println!("{}: {} seeds", folder.display(), seeds.len());
    }
}
