//! Frames between replicas, with their checksums. The limit is to copy the bytes once.

use std::hint::black_box;

use quorate::codec;
use quorate::identity::ClusterId;
use quorate::limits::FRAME_BYTES_MAX;
use quorate::net::{Frames, append_frame};

use crate::harness::{calls, compare};
use crate::samples;

const CLUSTER: ClusterId = ClusterId(7);

pub(crate) fn run() {
    for count in [1, 64] {
        let body = codec::encode(&samples::append(count));
        let mut frame = Vec::new();
        append_frame(&mut frame, CLUSTER, |buffer| buffer.extend_from_slice(&body));
        let mut buffer = Vec::new();
        line(&format!("frames: frame an encoded append of {count}"), &frame, || {
            buffer.clear();
            append_frame(&mut buffer, CLUSTER, |buffer| buffer.extend_from_slice(black_box(&body)));
        });
        line(&format!("frames: find and check an append of {count}"), &frame, || {
            let mut frames = Frames::new(black_box(&frame), CLUSTER, FRAME_BYTES_MAX);
            black_box(frames.next().expect("there is one").expect("it is whole"));
        });
    }
}

fn line(what: &str, bytes: &[u8], mut work: impl FnMut()) {
    const COUNT: usize = 1_000;
    let mut copy = Vec::with_capacity(bytes.len());
    compare(
        what,
        || calls(COUNT, &mut work),
        "copy its bytes",
        || {
            calls(COUNT, || {
                copy.clear();
                copy.extend_from_slice(black_box(bytes));
                black_box(&mut copy);
            })
        },
    );
}
