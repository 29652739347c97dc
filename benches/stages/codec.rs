//! Values to bytes and back. The limit is to copy the bytes once.

use std::hint::black_box;

use quorate::codec;
use quorate::course::Desk;
use quorate::kv::Command;
use quorate::raft::{Envelope, NodeId};

use crate::harness::{calls, compare};
use crate::samples;

pub(crate) fn run() {
    let bytes = samples::command();
    let command = samples::set(1);
    let mut buffer = Vec::new();
    line("codec: encode the command of a SET", &bytes, 4_000, || {
        buffer.clear();
        codec::encode_into(black_box(&command), &mut buffer);
    });
    line("codec: decode the command of a SET", &bytes, 4_000, || {
        black_box(Command::decode(black_box(&bytes)));
    });
    for count in [1, 64] {
        let append = samples::append(count);
        let bytes = codec::encode(&append);
        let rounds = 4_000 / usize::try_from(count).expect("a small number");
        line(&format!("codec: encode an append of {count}"), &bytes, rounds, || {
            buffer.clear();
            codec::encode_into(black_box(&append), &mut buffer);
        });
        line(&format!("codec: decode an append of {count}"), &bytes, rounds, || {
            black_box(codec::decode::<Envelope>(black_box(&bytes)).expect("it is one"));
        });
    }
    let mut desk = Desk::new(NodeId(0));
    let request = br#"{"src":"0015","dst":"0000","leader":"0000","type":"put","MID":"ABCDEFGHIJKLMNOP",
        "key":"ABCDEFGHIJKLMNOPABCDEFGHIJKLMNOP","value":"0123456789abcdef0123456789abcdef"}"#;
    line("codec: read a put from its JSON envelope", request, 1_000, || {
        black_box(desk.read(black_box(request)));
    });
}

fn line(what: &str, bytes: &[u8], count: usize, mut work: impl FnMut()) {
    let mut copy = Vec::with_capacity(bytes.len());
    compare(
        what,
        || calls(count, &mut work),
        "copy its bytes",
        || {
            calls(count, || {
                copy.clear();
                copy.extend_from_slice(black_box(bytes));
                black_box(&mut copy);
            })
        },
    );
}
