//! Real replicas, as a student's simulator starts them: processes, sockets, bad input, kills.
//!
//! The graded runs are in `run.py`; here are the short ones that every change must pass, and what a
//! simulator in its right mind never does.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::UdpSocket;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(20);

/// A replica process; ended with the test, whatever happens.
struct Replica(Child);

impl Drop for Replica {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn quorate(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quorate"));
    command.args(words).stdin(Stdio::null());
    command
}

fn start(command: &mut Command) -> Replica {
    Replica(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts"))
}

fn run(words: &[&str]) -> Output {
    quorate(words).output().expect("the binary runs")
}

/// A folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder below target");
    folder
}

/// Ends the replica and gives back what it wrote to stdout and to stderr.
fn end(mut replica: Replica) -> (String, String) {
    let (mut out, mut err) = (String::new(), String::new());
    replica.0.kill().expect("it still runs: nothing it was sent may end it");
    replica.0.stdout.take().expect("piped").read_to_string(&mut out).expect("text");
    replica.0.stderr.take().expect("piped").read_to_string(&mut err).expect("text");
    (out, err)
}

/// A simulator's end of the UDP dialect, and replica 0001 at the other end, which has said hello.
fn meet(others: &[&str], placement: &str) -> (UdpSocket, Replica) {
    let simulator = UdpSocket::bind("127.0.0.1:0").expect("a port");
    simulator.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let port = simulator.local_addr().expect("bound").port().to_string();
    let mut command = quorate(&["course", &port, "0001"]);
    let replica = start(command.args(others).env("QUORATE_PLACEMENT", placement));
    let mut buffer = [0; 2048];
    let (count, from) = simulator.recv_from(&mut buffer).expect("a hello");
    let hello = String::from_utf8_lossy(&buffer[..count]).into_owned();
    assert_eq!(hello, r#"{"src":"0001","dst":"FFFF","leader":"FFFF","type":"hello"}"#);
    simulator.connect(from).expect("the replica's port");
    (simulator, replica)
}

/// Sends a request until it is answered with something else than a redirect.
fn ask(simulator: &UdpSocket, request: &str) -> String {
    loop {
        simulator.send(request.as_bytes()).expect("sent");
        let answer = hear(simulator, "MID");
        if !answer.contains("redirect") {
            return answer;
        }
    }
}

/// Waits for a message that contains `part`.
fn hear(simulator: &UdpSocket, part: &str) -> String {
    let give_up = Instant::now() + PATIENCE;
    let mut buffer = [0; 65_535];
    while Instant::now() < give_up {
        let count = simulator.recv(&mut buffer).expect("the replica speaks");
        let message = String::from_utf8_lossy(&buffer[..count]).into_owned();
        if message.contains(part) {
            return message;
        }
    }
    panic!("no {part} in {PATIENCE:?}");
}

#[test]
fn wrong_usage_ends_with_64_and_says_what_is_wrong() {
    for (words, said) in [
        (vec![], "no command"),
        (vec!["dance"], "no command \"dance\""),
        (vec!["course"], "no replica id"),
        (vec!["course", "0001"], "no socket file 0001"),
        (vec!["course", "50000", "000G"], "four hex digits"),
        (vec!["course", "50000", "0001", "0001"], "twice"),
    ] {
        let output = run(&words);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(64), "{words:?}: {stderr}");
        assert!(stderr.contains(said) && stderr.lines().count() == 1, "{words:?}: {stderr}");
        assert!(output.stdout.is_empty(), "{words:?}");
    }
    let output =
        quorate(&["course", "50000", "0001"]).env("QUORATE_PLACEMENT", "wide").output().expect("runs");
    assert_eq!(output.status.code(), Some(64));
}

#[test]
fn help_and_version_go_to_stdout() {
    let help = run(&["--help"]);
    assert!(help.status.success() && String::from_utf8_lossy(&help.stdout).contains("Usage: quorate"));
    assert!(run(&["--version"]).stdout.starts_with(b"quorate "));
}

#[test]
fn garbage_is_reported_once_a_kind_and_harms_nobody() {
    for placement in ["fused", "split"] {
        let (simulator, replica) = meet(&[], placement);
        let huge = "x".repeat(60_000);
        for garbage in [
            "",
            "\u{0}",
            "{",
            "[]",
            "null",
            &huge,
            r#"{"src":"0015","dst":"0001","leader":"FFFF","type":"dance","MID":"A"}"#,
            r#"{"src":"0015","dst":"0009","leader":"FFFF","type":"get","MID":"A","key":"k"}"#,
            r#"{"src":"zzzz","dst":"0001","leader":"FFFF","type":"get","MID":"A","key":"k"}"#,
            r#"{"src":"0015","dst":"0001","leader":"FFFF","type":"get","MID":"A"}"#,
            r#"{"src":"0002","dst":"0001","leader":"FFFF","type":"append","raft":"%%%"}"#,
            r#"{"src":"0002","dst":"0001","leader":"FFFF","type":"append","raft":"/////////////////////w"}"#,
        ] {
            for _ in 0..3 {
                simulator.send(garbage.as_bytes()).expect("sent");
            }
        }
        // It is alone, so it leads soon; and then it must serve as if nothing had been.
        let head = r#""src":"0015","dst":"0001","leader":"FFFF""#;
        let put = format!(r#"{{{head},"type":"put","MID":"B","key":"k","value":"v"}}"#);
        let answer = ask(&simulator, &put);
        assert_eq!(answer, r#"{"src":"0001","dst":"0015","leader":"0001","type":"ok","MID":"B"}"#);
        let (out, err) = end(replica);
        assert_eq!(out, "", "stdout belongs to the simulator");
        assert_eq!(err.lines().count(), 6, "six kinds, a line each:\n{err}");
    }
}

#[test]
fn a_request_that_comes_twice_takes_effect_once() {
    let (simulator, _replica) = meet(&[], "fused");
    let message = |kind: &str, mid: &str, value: &str| {
        let head = r#""src":"0015","dst":"0001","leader":"FFFF","key":"k""#;
        format!(r#"{{{head},"type":"{kind}","MID":"{mid}","value":"{value}"}}"#)
    };
    assert!(ask(&simulator, &message("put", "A", "old")).contains("ok"));
    assert!(ask(&simulator, &message("put", "B", "new")).contains("ok"));
    assert!(ask(&simulator, &message("put", "A", "old")).contains("ok"), "the retry is answered as before");
    assert!(ask(&simulator, &message("get", "C", "")).contains(r#""value":"new""#), "and changes nothing");
}

#[test]
fn a_replica_whose_simulator_is_gone_ends_quietly() {
    let (simulator, mut replica) = meet(&["0002", "0000"], "split");
    drop(simulator);
    let give_up = Instant::now() + PATIENCE;
    while replica.0.try_wait().expect("a child").is_none() {
        assert!(Instant::now() < give_up, "it still runs");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(replica.0.wait().expect("a child").success());
}

#[test]
fn the_stream_dialect_is_told_by_its_socket_and_framed_by_lines() {
    let folder = folder("stream");
    let listener = UnixListener::bind(folder.join("0001")).expect("a socket file");
    let mut replica = start(quorate(&["course", "0001"]).current_dir(&folder));
    let (mut stream, _) = listener.accept().expect("the replica connects");
    let get = r#"{"src":"0015","dst":"0001","leader":"FFFF","type":"get","MID":"A","key":"k"}"#;
    let (head, tail) = get.split_at(40);
    stream.write_all(head.as_bytes()).expect("sent");
    stream.flush().expect("sent");
    std::thread::sleep(Duration::from_millis(20));
    stream.write_all(format!("{tail}\n").as_bytes()).expect("sent");
    let mut answer = String::new();
    let mut lines = BufReader::new(stream.try_clone().expect("a second handle"));
    lines.read_line(&mut answer).expect("an answer");
    assert!(answer.contains(r#""MID":"A""#) && answer.ends_with("}\n"), "{answer}");
    drop((stream, lines));
    assert!(replica.0.wait().expect("a child").success(), "the end of the stream is the end of the run");
    std::fs::remove_dir_all(folder).expect("ours");
}

#[test]
fn the_kept_random_configs_pass_in_every_dialect() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let replica = root.join("tests/course/replica_under_test");
    let output = Command::new("python3")
        .current_dir(root)
        .args(["run.py", "random", "--short", "--jobs", "4", "--replica"])
        .arg(replica)
        .env("QUORATE_UNDER_TEST", env!("CARGO_BIN_EXE_quorate"))
        .output()
        .expect("python3 is there");
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stdout}\n{stderr}");
    assert!(stdout.contains("Passed 8 out of 8"), "{stdout}");
}
