//! Requests out of bytes, and answers into bytes and out of them. The limit is to copy the bytes once.

use std::hint::black_box;

use quorate::resp::{Bounds, Protocol, ReplyView, ReplyWriter, RequestParser, find};

use crate::harness::{compare, timed};
use crate::samples::{VALUE, key};

/// Requests in a pipeline.
const PIPELINE: usize = 64;

/// Pipelines in a round.
const COUNT: usize = 100;

#[expect(clippy::redundant_closure_for_method_calls, reason = "the method itself has one lifetime only")]
pub(crate) fn run() {
    let set = |number| format!("*3\r\n$3\r\nSET\r\n$16\r\n{}\r\n$32\r\n{}\r\n", key(number), text(VALUE));
    let get = |number| format!("*2\r\n$3\r\nGET\r\n$16\r\n{}\r\n", key(number));
    read_requests("resp: read a SET, of a pipeline of 64", &pipeline(set));
    read_requests("resp: read a GET, of a pipeline of 64", &pipeline(get));
    write_replies("resp: write OK", |writer| writer.ok());
    write_replies("resp: write a value", |writer| writer.bulk(VALUE));
    read_replies("resp: read OK, as a client", &pipeline(|_| "+OK\r\n".to_owned()));
    read_replies("resp: read a value, as a client", &pipeline(|_| format!("$32\r\n{}\r\n", text(VALUE))));
}

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).expect("it is text")
}

fn pipeline(one: impl Fn(u32) -> String) -> Vec<u8> {
    (0..u32::try_from(PIPELINE).expect("a small number")).map(one).collect::<String>().into_bytes()
}

fn read_requests(what: &str, bytes: &[u8]) {
    let mut parser = RequestParser::new();
    let bounds = Bounds::default();
    let mut read_all = || {
        let mut rest = black_box(bytes);
        while !rest.is_empty() {
            let step = parser.parse(rest, &bounds).expect("they are requests");
            let request = step.request.expect("they are whole");
            black_box(find(request).expect("there are such commands"));
            rest = &rest[step.used..];
        }
    };
    compare_with_copy(what, bytes, || timed(COUNT * PIPELINE, || (0..COUNT).for_each(|_| read_all())));
}

fn write_replies(what: &str, write: impl Fn(&mut ReplyWriter<'_>)) {
    let mut buffer = Vec::new();
    let fill = |buffer: &mut Vec<u8>| {
        buffer.clear();
        let mut writer = ReplyWriter::new(buffer, Protocol::Resp2);
        (0..PIPELINE).for_each(|_| write(&mut writer));
    };
    fill(&mut buffer);
    let bytes = buffer.clone();
    compare_with_copy(what, &bytes, || {
        timed(COUNT * PIPELINE, || (0..COUNT).for_each(|_| fill(black_box(&mut buffer))))
    });
}

fn read_replies(what: &str, bytes: &[u8]) {
    let read_all = || {
        let mut rest = black_box(bytes);
        while let Some((view, used)) = ReplyView::parse(rest).expect("they are answers") {
            black_box(view);
            rest = &rest[used..];
        }
    };
    compare_with_copy(what, bytes, || timed(COUNT * PIPELINE, || (0..COUNT).for_each(|_| read_all())));
}

fn compare_with_copy(what: &str, bytes: &[u8], ours: impl FnMut() -> f64) {
    let mut copy = Vec::with_capacity(bytes.len());
    compare(what, ours, "copy its bytes", || {
        timed(COUNT * PIPELINE, || {
            for _ in 0..COUNT {
                copy.clear();
                copy.extend_from_slice(black_box(bytes));
                black_box(&mut copy);
            }
        })
    });
}
