//! The program as its operator meets it: what it prints, and with which code it ends.

#[path = "support/folder.rs"]
mod folder;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use folder::Folder;

const PROGRAM: &str = env!("CARGO_BIN_EXE_quorate");

/// The program with none of the variables that whoever runs the tests may have set.
fn program(words: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("QUORATE_") {
            command.env_remove(name);
        }
    }
    command.args(words).stdin(Stdio::null());
    command
}

fn run(words: &[&str]) -> Output {
    program(words).output().expect("the program can be started")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("it writes text")
}

/// A node that has said that it is ready.
struct Node {
    child: Child,
    client: String,
}

impl Node {
    fn start(folder: &Folder) -> Node {
        let client = folder.path("client");
        let words = ["serve", "--data", &folder.path("data"), "--bootstrap", "--client", &client];
        let mut command = program(&words);
        command
            .args(["--peer", &folder.path("peer"), "--election-timeout", "100"])
            .env("QUORATE_LOG", "warn");
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the program can be started");
        let mut line = String::new();
        let out = child.stdout.as_mut().expect("its output is a pipe");
        BufReader::new(out).read_line(&mut line).expect("it says something");
        assert_eq!(line, "ready: node 1\n");
        Node { child, client }
    }

    /// The exit code after SIGTERM.
    fn end(mut self) -> Option<i32> {
        let number = self.child.id().to_string();
        let kill = Command::new("kill").args(["-TERM", &number]).status().expect("kill can be started");
        assert!(kill.success());
        self.child.wait().expect("it can be waited for").code()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn wrong_usage_is_one_line_and_exit_code_64() {
    for (words, part) in [
        (&["nonsense"][..], "there is no command \"nonsense\""),
        (&[], "no command given"),
        (&["help", "nonsense"], "there is no command \"nonsense\""),
        (&["serve"], "data is not set"),
        (&["serve", "--data", "d", "--id", "65535"], "id is \"65535\", must be a whole number"),
        (&["serve", "--data", "d", "--join", "--bootstrap"], "exclude each other"),
        (&["serve", "--data", "/nowhere/at/all"], "start it once with --bootstrap"),
    ] {
        let ended = run(words);
        assert_eq!(ended.status.code(), Some(64), "{words:?}");
        assert!(ended.stdout.is_empty(), "{words:?}");
        let said = text(&ended.stderr);
        assert!(said.starts_with("quorate: ") && said.contains(part), "{words:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{words:?}: {said}");
    }
}

#[test]
fn help_and_settings_go_to_stdout() {
    for words in [&["help"][..], &["help", "serve"], &["serve", "--help"], &["--version"]] {
        let ended = run(words);
        assert_eq!(ended.status.code(), Some(0), "{words:?}");
        assert!(text(&ended.stdout).starts_with("quorate"), "{words:?}");
    }
    let shown = program(&["serve", "--check-config"]).env("QUORATE_DATA", "/d").output().expect("it starts");
    assert_eq!(shown.status.code(), Some(0));
    assert!(text(&shown.stdout).contains("# variable QUORATE_DATA\n"));
    assert!(text(&shown.stdout).contains("client = [\"tcp:127.0.0.1:6379\"]"));
}

#[test]
fn damaged_data_is_exit_code_65_and_no_room_for_it_74() {
    let folder = Folder::new("damage");
    fs::create_dir_all(folder.path("data")).expect("a folder can be made");
    fs::write(folder.path("data/identity"), "not a number").expect("a file can be written");
    let places = ["--client", &folder.path("c"), "--peer", &folder.path("p")];
    let serve = |data: &str| run(&[&["serve", "--data", data, "--bootstrap"], &places[..]].concat());
    assert_eq!(serve(&folder.path("data")).status.code(), Some(65));
    fs::write(folder.path("file"), "").expect("a file can be written");
    assert_eq!(serve(&folder.path("file/data")).status.code(), Some(74));
}

#[test]
fn a_node_ends_at_sigterm_with_code_0_and_leaves_no_socket() {
    let folder = Folder::new("ending");
    let node = Node::start(&folder);
    let client = node.client.clone();
    let mut stream = UnixStream::connect(&client).expect("a node listens");
    stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a socket has timeouts");
    stream.write_all(b"SET a 1\r\n").expect("a node reads");
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).expect("a node answers");
    assert_eq!(&answer, b"+OK\r\n");
    assert_eq!(node.end(), Some(0));
    assert!(!PathBuf::from(client).exists());
    assert!(!PathBuf::from(folder.path("peer")).exists());
}

#[test]
fn commands_are_sent_and_answers_shown() {
    let folder = Folder::new("cli");
    let node = Node::start(&folder);
    let ask = |words: &[&str]| {
        let ended = run(&[&["cli", "--connect", &node.client], words].concat());
        (ended.status.code(), text(&ended.stdout))
    };
    assert_eq!(ask(&["set", "a", "x\ny"]), (Some(0), "OK\n".to_owned()));
    assert_eq!(ask(&["get", "a"]), (Some(0), "x\ny\n".to_owned()));
    assert_eq!(ask(&["--no-raw", "get", "a"]), (Some(0), "\"x\\ny\"\n".to_owned()));
    assert_eq!(ask(&["incr", "a"]).0, Some(1));
    assert_eq!(ask(&["incrby", "n", "-5"]), (Some(0), "-5\n".to_owned()));

    let mut command = program(&["cli", "--connect", &node.client]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("the program can be started");
    let mut input = child.stdin.take().expect("its input is a pipe");
    input.write_all(b"mset b 1 c \"2 3\"\n\nmget b c d\n").expect("it reads");
    drop(input);
    let ended = child.wait_with_output().expect("it ends");
    assert_eq!((ended.status.code(), text(&ended.stdout)), (Some(0), "OK\n1\n2 3\n\n".to_owned()));
}

#[test]
fn status_tells_who_leads_and_who_is_not_there() {
    let folder = Folder::new("status");
    let node = Node::start(&folder);
    let nowhere = folder.path("nowhere");
    let both = run(&["status", "--connect", &format!("{},{nowhere}", node.client)]);
    let said = text(&both.stdout);
    assert_eq!(both.status.code(), Some(0));
    assert!(said.contains("  leader  ") && said.contains("\nleader: node 1\n"), "{said}");
    assert!(
        said.contains(&format!("unix:{nowhere}")) && said.contains("unreachable: No such file"),
        "{said}"
    );
    let none = run(&["status", "--connect", &nowhere]);
    assert_eq!(none.status.code(), Some(1));
    assert!(text(&none.stdout).contains("leader: none known"));
    assert_eq!(run(&["cli", "--connect", &nowhere, "ping"]).status.code(), Some(74));
}
