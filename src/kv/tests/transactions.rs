//! Several operations as one, and the watch on keys.

use super::*;
use crate::limits::{REPLY_BYTES_MAX, VALUE_BYTES_MAX};

fn revision(shell: &mut Shell, key: &str) -> Revision {
    let Value::Integer(number) = shell.perform(Operation::Revision { key: key.into() }) else {
        panic!("a revision is a number")
    };
    Revision(u64::try_from(number).expect("it counts up"))
}

fn transact(shell: &mut Shell, watched: Vec<(Key, Revision)>, commands: &[&str]) -> String {
    let operations = commands.iter().map(|command| read_command(command).expect("a good command")).collect();
    shown(&shell.perform(Operation::Transaction { watched, operations }))
}

#[test]
fn all_answers_come_together_and_errors_undo_nothing() {
    let mut shell = Shell::new();
    let answers = transact(&mut shell, vec![], &["set k x", "incr k", "get k", "incr l"]);
    assert_eq!(answers, "[OK -ERR value is not an integer or out of range \"x\" 1]");
    assert_eq!(transact(&mut shell, vec![], &[]), "[]");
    shell.goes_on(&[("mget k l", "[\"x\" \"1\"]")]);
}

#[test]
fn a_transaction_has_no_other_inside() {
    let mut shell = Shell::new();
    let inner = Operation::Transaction { watched: vec![], operations: vec![] };
    let outer = Operation::Transaction { watched: vec![], operations: vec![inner] };
    assert_eq!(shown(&shell.perform(outer)), "-ERR MULTI calls can not be nested");
}

#[test]
fn answers_that_are_too_much_give_way_and_their_effects_stand() {
    let mut shell = Shell::new();
    let value = "v".repeat(VALUE_BYTES_MAX);
    let swap = format!("getset k {value}");
    shell.ask(&swap);
    let too_much = "-ERR answer exceeds maximum allowed size";
    shell.goes_on(&[(&format!("mget{}", " k".repeat(REPLY_BYTES_MAX / VALUE_BYTES_MAX)), too_much)]);
    let mut commands = vec!["getex k PERSIST"; REPLY_BYTES_MAX / VALUE_BYTES_MAX];
    commands.push("set l done");
    let answers = transact(&mut shell, vec![], &commands);
    assert!(answers.ends_with(&format!("\" {too_much} OK]")), "{}", &answers[answers.len() - 80..]);
    shell.goes_on(&[("get l", "\"done\"")]);
}

#[test]
fn whatever_touches_a_watched_key_stops_the_transaction() {
    for (before, touch, stops) in [
        ("set k v", "set k v", true),
        ("set k v", "append k x", true),
        ("set k v", "append k \"\"", true),
        ("set k v", "del k", true),
        ("set k v", "expire k 10", true),
        ("set k v EX 10", "persist k", true),
        ("set k v", "rename k l", true),
        ("set k v", "flushall", true),
        ("set l v", "rename l k", true),
        ("set l v", "copy l k", true),
        ("set l v", "set k v", true),
        ("set k v", "getex k EX 10", true),
        ("set k v", "get k", false),
        ("set k v", "getex k PERSIST", false),
        ("set k v", "set k w NX", false),
        ("set k v", "incr k", false),
        ("set k v", "set l v", false),
        ("set k v", "copy k l", false),
        ("set k v", "persist k", false),
        ("set l v", "del k", false),
    ] {
        let mut shell = Shell::new();
        shell.ask(before);
        let seen = revision(&mut shell, "k");
        shell.ask(touch);
        let answer = transact(&mut shell, vec![("k".into(), seen)], &["set done 1"]);
        assert_eq!(answer == "nil", stops, "{touch}");
        assert_eq!(shown(&shell.ask("exists done")) == "0", stops, "{touch}");
    }
}

#[test]
fn a_key_made_anew_is_another_one_and_an_absent_one_is_as_it_was() {
    let mut shell = Shell::new();
    shell.goes_on(&[("set k v", "OK")]);
    let seen = revision(&mut shell, "k");
    shell.goes_on(&[("flushall", "OK"), ("set k v", "OK")]);
    assert_ne!(revision(&mut shell, "k"), seen);
    assert_eq!(revision(&mut shell, "absent"), Revision(0));
    shell.goes_on(&[("set absent v", "OK"), ("del absent", "1")]);
    assert_eq!(transact(&mut shell, vec![("absent".into(), Revision(0))], &["incr n"]), "[1]");
}

#[test]
fn a_watched_key_that_ends_has_changed() {
    let mut shell = Shell::new();
    shell.goes_on(&[("set k v PX 10", "OK")]);
    let seen = revision(&mut shell, "k");
    shell.wait(10);
    assert_eq!(transact(&mut shell, vec![("k".into(), seen)], &["incr n"]), "nil");
}
