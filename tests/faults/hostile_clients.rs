//! Clients that claim too much, say half, read nothing, or speak no protocol at all.
//!
//! Two promises: whatever somebody sends, the node lives, and a well-behaved client on another connection
//! keeps getting right answers; and what a node keeps for a connection is bounded.

use std::io::Write;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::client::{Client, Reply, command};
use super::figures;
use super::nodes::{Nodes, wait_until};

/// A well-behaved client at work, to be asked in the end whether anything was wrong.
struct Witness {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<u64>,
}

impl Witness {
    fn start(nodes: &Nodes, id: u16) -> Witness {
        let (mut client, stop) = (nodes.client(id), Arc::new(AtomicBool::new(false)));
        let is_over = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut number = 0;
            while !is_over.load(Ordering::SeqCst) {
                number += 1;
                let value = number.to_string();
                assert_eq!(client.say(&["SET", "witness", &value]), Reply::ok());
                assert_eq!(client.say(&["GET", "witness"]), Reply::bulk(&value));
                thread::sleep(Duration::from_millis(1));
            }
            number
        });
        Witness { stop, thread }
    }

    fn end(self) {
        self.stop.store(true, Ordering::SeqCst);
        assert!(self.thread.join().expect("it got right answers") > 0);
    }
}

#[test]
fn what_is_too_long_is_refused_from_its_header() {
    let mut nodes = Nodes::new("too-long", 1).started();
    let witness = Witness::start(&nodes, 1);
    let process = nodes.process(1);
    let before = figures::resident(process);
    let mut client = nodes.client(1);
    assert_eq!(client.say(&["SET", "k", &"x".repeat(1 << 20)]), Reply::ok());
    assert!(matches!(client.say(&["SET", &"k".repeat((64 << 10) + 1), "v"]), Reply::Error(_)));
    assert_eq!(client.say(&["STRLEN", "k"]), Reply::Integer(1 << 20), "a key too long is only an error");
    for header in [
        format!("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n${}\r\n", (1 << 20) + 1),
        "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2147483648\r\n".to_owned(),
        "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$9223372036854775808\r\n".to_owned(),
        "*3\r\n$3\r\nSET\r\n$-5\r\n".to_owned(),
        "*1048577\r\n".to_owned(),
        "*2147483648\r\n".to_owned(),
        "*9223372036854775808\r\n".to_owned(),
        "*1\r\n:4\r\n".to_owned(),
        "x".repeat((64 << 10) + 1),
    ] {
        let mut client = nodes.client(1);
        // The node may hang up before it has read all.
        let _ = client.send(header.as_bytes());
        let answer = client.hear().expect("an answer");
        assert!(answer.is_error("ERR Protocol error"), "{header:.40}: {answer:?}");
        assert!(client.is_hung_up_on(), "{header:.40}");
    }
    witness.end();
    let grown = figures::resident(process).saturating_sub(before);
    assert!(grown < 24 << 20, "{grown} bytes");
}

#[test]
fn half_a_command_and_single_bytes_harm_nobody() {
    let nodes = Nodes::new("half", 1).started();
    let witness = Witness::start(&nodes, 1);
    let mut half = nodes.client(1);
    half.send(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$10\r\nabc").expect("sent");
    let mut slow = nodes.client(1);
    for byte in command(&["SET", "slow", "value"]) {
        slow.send(&[byte]).expect("sent");
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(slow.hear().expect("an answer"), Reply::ok());
    assert_eq!(slow.say(&["GET", "k"]), Reply::Nil);
    half.send(b"defghij\r\n").expect("sent");
    assert_eq!(half.hear().expect("an answer"), Reply::ok());
    assert_eq!(slow.say(&["GET", "k"]), Reply::bulk("abcdefghij"));
    witness.end();
}

#[test]
fn whoever_closes_its_side_behind_a_command_still_gets_the_answers() {
    let nodes = Nodes::new("closing", 1).started();
    for commands in ["SET k v\r\nGET k\r\n", "PING\r\n"] {
        let mut client = nodes.client(1);
        client.send(commands.as_bytes()).expect("sent");
        client.stream().shutdown(Shutdown::Write).expect("a socket");
        let answers: Vec<Reply> = commands.lines().map(|_| client.hear().expect("an answer")).collect();
        assert!(answers.iter().all(|answer| !matches!(answer, Reply::Error(_))), "{answers:?}");
        assert!(client.is_hung_up_on());
    }
}

#[test]
fn garbage_is_answered_with_an_error_and_a_hang_up() {
    let nodes = Nodes::new("garbage-client", 1).started();
    let witness = Witness::start(&nodes, 1);
    let mut client = nodes.client(1);
    client.send(b"SET inline 'a b'\r\nGET inline\r\n\r\n*0\r\nPING\r\n").expect("sent");
    let answers: Vec<Reply> = (0..3).map(|_| client.hear().expect("an answer")).collect();
    assert_eq!(answers, [Reply::ok(), Reply::bulk("a b"), Reply::Status("PONG".to_owned())]);
    let good = [command(&["SET", "before", "v"]), command(&["GET", "before"])].concat();
    client.send(&[good.as_slice(), b"*1\r\n?what\r\n"].concat()).expect("sent");
    assert_eq!(client.hear().expect("an answer"), Reply::ok());
    assert_eq!(client.hear().expect("an answer"), Reply::bulk("v"));
    assert!(client.hear().expect("an answer").is_error("ERR Protocol error"));
    assert!(client.is_hung_up_on());
    let mut client = nodes.client(1);
    client.send(b"SET parting v\r\nQUIT\r\nSET parting w\r\n").expect("sent");
    assert_eq!(
        [client.hear().expect("an answer"), client.hear().expect("an answer")],
        [Reply::ok(), Reply::ok()]
    );
    assert!(client.is_hung_up_on());
    assert_eq!(nodes.client(1).say(&["GET", "parting"]), Reply::bulk("v"));
    let mut seed = 1_u64;
    for round in 0..200 {
        let mut client = nodes.client(1);
        let bytes: Vec<u8> = (0..round * 7 + 1)
            .map(|_| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (seed >> 56).to_le_bytes()[0]
            })
            .collect();
        let _ = client.send(&bytes);
    }
    witness.end();
}

/// Sends bytes from a thread of its own, since the answers have to be taken meanwhile.
fn send_beside(client: &Client, bytes: Vec<u8>) -> JoinHandle<()> {
    let mut writer = client.stream().try_clone().expect("a second handle");
    thread::spawn(move || writer.write_all(&bytes).expect("all is taken in the end"))
}

#[test]
fn long_pipelines_are_answered_in_order_and_read_bit_by_bit() {
    let mut nodes = Nodes::new("pipeline", 1).started();
    let witness = Witness::start(&nodes, 1);
    let process = nodes.process(1);
    let mut client = nodes.client(1);
    let count = 100_000;
    let thread = send_beside(&client, command(&["INCR", "n"]).repeat(count));
    for number in 1..=count {
        assert_eq!(client.hear().expect("an answer"), Reply::Integer(number.try_into().expect("small")));
    }
    thread.join().expect("all is sent");
    // Fifty megabytes, of which only what is in work may be kept.
    let (before, mut highest) = (figures::resident(process), 0);
    let thread = send_beside(&client, command(&["SET", "k", &"v".repeat(1_000)]).repeat(count / 2));
    for number in 0..count / 2 {
        assert_eq!(client.hear().expect("an answer"), Reply::ok());
        if number % 1_000 == 0 {
            highest = highest.max(figures::resident(process));
        }
    }
    thread.join().expect("all is sent");
    witness.end();
    let grown = highest.saturating_sub(before);
    println!("a pipeline of 50 MB: grown by {} KiB at most", grown >> 10);
    assert!(grown < 24 << 20, "{grown} bytes");
}

#[test]
fn a_client_that_reads_nothing_costs_a_bounded_buffer_and_gets_everything_in_the_end() {
    let mut nodes = Nodes::new("deaf", 1).started();
    let witness = Witness::start(&nodes, 1);
    let process = nodes.process(1);
    let mut client = nodes.client(1);
    assert_eq!(client.say(&["SET", "large", &"x".repeat(10_000)]), Reply::ok());
    let before = figures::resident(process);
    let count = 20_000;
    let thread = send_beside(&client, command(&["GET", "large"]).repeat(count));
    thread::sleep(Duration::from_millis(700));
    let grown = figures::resident(process).saturating_sub(before);
    println!("20,000 answers of 10 kB, none read: grown by {} KiB", grown >> 10);
    assert!(grown < 8 << 20, "{grown} bytes");
    // The last commands were read long ago and nothing follows on them: they must not be forgotten.
    for _ in 0..count {
        let Reply::Bulk(bytes) = client.hear().expect("an answer") else { panic!("a text") };
        assert_eq!(bytes.len(), 10_000);
    }
    thread.join().expect("all is sent");
    // A few bytes that ask for much: 500 MB of answers must not be made at once.
    assert_eq!(client.say(&["SET", "large", &"x".repeat(1 << 20)]), Reply::ok());
    let before = figures::resident(process);
    client.send(&command(&["GET", "large"]).repeat(500)).expect("sent");
    thread::sleep(Duration::from_millis(500));
    let grown = figures::resident(process).saturating_sub(before);
    println!("500 answers of 1 MiB, none read: grown by {} KiB", grown >> 10);
    assert!(grown < 8 << 20, "{grown} bytes");
    witness.end();
}

#[test]
fn large_transactions_are_carried_out_up_to_a_limit() {
    let nodes = Nodes::new("large-multi", 3).started();
    let follower = nodes.followers()[0];
    let witness = Witness::start(&nodes, follower);
    let mut client = nodes.client(follower);
    let transaction = |count: usize, inner: &[&str]| {
        [command(&["MULTI"]), command(inner).repeat(count), command(&["EXEC"])].concat()
    };
    let answers = |client: &mut Client, count: usize| {
        let heard: Vec<Reply> = (0..count).map(|_| client.hear().expect("an answer")).collect();
        heard.into_iter().last().expect("some")
    };
    client.send(&transaction(10_000, &["INCR", "n"])).expect("sent");
    let Reply::Array(values) = answers(&mut client, 10_002) else { panic!("a list") };
    assert_eq!(values.last(), Some(&Reply::Integer(10_000)));
    for (count, value) in [(20_000, "v".to_owned()), (12, "v".repeat(1 << 20))] {
        let thread = send_beside(&client, transaction(count, &["SET", "k", &value]));
        let last = answers(&mut client, count + 2);
        thread.join().expect("all is sent");
        assert!(last.is_error("EXECABORT"), "{last:?}");
    }
    assert_eq!(client.say(&["GET", "k"]), Reply::Nil, "nothing of it was done");
    let keys: Vec<String> = (0..100_000).map(|number| format!("key:{number}")).collect();
    let watch: Vec<&str> = std::iter::once("WATCH").chain(keys.iter().map(String::as_str)).collect();
    assert!(matches!(client.say(&watch), Reply::Error(_)));
    witness.end();
}

#[test]
fn long_answers_travel_through_followers() {
    let nodes = Nodes::new("long-answers", 3).started();
    let (leader, follower) = (nodes.leader(), nodes.followers()[0]);
    let witness = Witness::start(&nodes, leader);
    let (mut client, value) = (nodes.client(follower), "x".repeat(1 << 20));
    assert_eq!(client.say(&["SET", "k", &value]), Reply::ok());
    let twelve: Vec<&str> = std::iter::once("MGET").chain([("k"); 12]).collect();
    let Reply::Array(values) = client.say(&twelve) else { panic!("a list") };
    assert!(values.len() == 12 && values.iter().all(|found| *found == Reply::bulk(&value)));
    // Forty megabytes in one breath: no frame takes them, but nobody falls over either.
    client.send(&command(&["GET", "k"]).repeat(40)).expect("sent");
    for _ in 0..40 {
        let answer = client.hear().expect("an answer");
        assert!(answer == Reply::bulk(&value) || answer.is_error("ERR the answer is too long"));
    }
    assert_eq!(client.say(&["GET", "k"]), Reply::bulk(&value));
    witness.end();
}

#[test]
fn a_request_with_a_name_is_alone_even_in_a_pipeline() {
    let nodes = Nodes::new("once", 1).started();
    let mut client = nodes.client(1);
    let pipeline =
        [command(&["ONCE", "token", "INCR", "n"]), command(&["INCR", "m"]), command(&["GET", "n"])].concat();
    for round in 1..=3 {
        client.send(&pipeline).expect("sent");
        let heard: Vec<Reply> = (0..3).map(|_| client.hear().expect("an answer")).collect();
        assert_eq!(heard, [Reply::Integer(1), Reply::Integer(round), Reply::bulk("1")]);
    }
}

#[test]
fn garbage_on_the_peer_port_keeps_no_replica_out() {
    let mut nodes = Nodes::new("garbage-peer", 3).started();
    let leader = nodes.leader();
    let follower = nodes.followers()[0];
    nodes.kill(follower);
    let port = nodes.folder.join(format!("p{leader}"));
    let strangers: Vec<UnixStream> = (0..600)
        .map(|number: usize| {
            let mut stream = UnixStream::connect(&port).expect("the node listens");
            // Some say nothing, some garbage, some the head of a frame that never comes.
            let words: [&[u8]; 3] = [b"GET / HTTP/1.1\r\n\r\n01234567890123456789", b"", &[9; 3]];
            let _ = stream.write_all(words[number.div_ceil(100).min(2)]);
            stream
        })
        .collect();
    nodes.restart(follower);
    let mut client = nodes.client(follower);
    wait_until("the follower takes writes", || client.say(&["SET", "k", "v"]) == Reply::ok());
    wait_until("the follower follows", || nodes.info(follower, "commit") == nodes.info(leader, "commit"));
    assert_eq!(nodes.leader(), leader, "nobody was disturbed");
    drop(strangers);
}
