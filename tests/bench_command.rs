//! `quorate bench` as its user meets it: against a real cluster, and against servers that misbehave.

#[path = "bench_command/cluster.rs"]
mod cluster;
#[path = "bench_command/fake.rs"]
mod fake;
#[path = "support/folder.rs"]
mod folder;

use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use cluster::Cluster;
use fake::{Fake, Reaction};
use folder::Folder;

fn command(addresses: &[String], line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quorate"));
    command.arg("bench").args(addresses).args(line.split_whitespace()).stdin(Stdio::null());
    command
}

fn run(addresses: &[String], line: &str) -> Output {
    command(addresses, line).output().expect("the program can be started")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("it writes text")
}

/// What a run reports, and its exit code. Whatever else it is asked to show, its books have to balance.
fn measure(addresses: &[String], line: &str) -> (Value, Option<i32>) {
    let ended = run(addresses, &format!("{line} --json"));
    let report = text(&ended.stdout);
    let report: Value = serde_json::from_str(&report)
        .unwrap_or_else(|error| panic!("{line}: {error}: {report}{}", text(&ended.stderr)));
    let parts = ["answered", "refused", "uncertain", "failed", "unknown"].map(|name| number(&report, name));
    assert_eq!(number(&report, "sent"), parts.iter().sum::<u64>(), "{report:#}");
    (report, ended.status.code())
}

fn number(report: &Value, name: &str) -> u64 {
    report[name].as_u64().unwrap_or_else(|| panic!("{name} is no count: {report:#}"))
}

/// A fake server that is honest but for what `twist` says, if it says anything.
fn fake(
    folder: &Folder,
    twist: impl Fn(u64, &[String]) -> Option<Reaction> + Send + Sync + 'static,
) -> [String; 1] {
    Fake::start(&folder.path("fake"), twist);
    [folder.path("fake")]
}

#[test]
fn a_real_cluster_is_linearizable_under_a_checked_load() {
    let folder = Folder::new("bench-real");
    let cluster = Cluster::start(&folder.0);
    for line in [
        "--mix set=1,get=1 --keys 50 --fill --clients 12 --requests 6000 --check",
        "--mix set=1,get=2,incr=1 --keys 200 --clients 9 --pipeline 8 --requests 6000 --check --value 16-300",
        "--mix set,get --distribution zipf --keys 300 --rate 2000 --seconds 1.5 --warmup 0.2 --check",
    ] {
        let (report, code) = measure(&cluster.doors(), line);
        assert_eq!(report["check"]["verdict"], "linearizable", "{line}: {report:#}");
        assert_eq!((code, number(&report, "lost_connections")), (Some(0), 0), "{line}: {report:#}");
        assert_eq!(number(&report, "sent"), number(&report, "answered"), "{line}: {report:#}");
    }
}

#[test]
fn an_open_loop_sends_what_its_schedule_says() {
    let folder = Folder::new("bench-rate");
    let cluster = Cluster::start(&folder.0);
    let (report, code) = measure(&cluster.doors(), "--rate 500 --seconds 2 --warmup 0.5 --mix set=1,ping=1");
    assert_eq!((code, number(&report, "sent"), number(&report, "unsent")), (Some(0), 1_000, 0));
    let kinds = report["operations"].as_object().expect("an object");
    assert_eq!(kinds.keys().collect::<Vec<_>>(), ["ping", "set"]);
}

#[test]
fn a_node_that_dies_costs_what_was_on_its_way_and_no_more() {
    let folder = Folder::new("bench-dies");
    let mut cluster = Cluster::start(&folder.0);
    let doors = cluster.doors();
    let load =
        thread::spawn(move || measure(&doors, "--mix set,get --keys 100 --seconds 3 --clients 9 --check"));
    thread::sleep(Duration::from_secs(1));
    cluster.kill(2);
    let (report, code) = load.join().expect("it does not panic");
    assert_eq!((code, &report["check"]["verdict"]), (Some(0), &Value::from("linearizable")), "{report:#}");
    assert_eq!(number(&report, "lost_connections"), 3, "{report:#}");
    assert!(number(&report, "unknown") <= 3, "{report:#}");
    assert!(report["first_loss"].as_str().expect("a reason").contains("c2: "), "{report:#}");
}

#[test]
fn a_server_that_answers_stale_values_is_found_out() {
    let folder = Folder::new("bench-stale");
    let stale =
        |count: u64, words: &[String]| (words[0] == "GET" && count % 50 == 49).then_some(Reaction::Stale);
    let ended = run(&fake(&folder, stale), "--mix set,get --keys 5 --clients 4 --requests 4000 --check");
    let said = text(&ended.stdout);
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("VIOLATED") && said.contains("no order explains"), "{said}");
    assert!(said.contains(":key:00000000000") && said.contains("GET check-"), "{said}");
}

#[test]
fn a_write_that_is_confirmed_and_forgotten_is_found_out() {
    let folder = Folder::new("bench-forgotten");
    let forgetful = |count: u64, words: &[String]| {
        (["SET", "INCR"].contains(&words[0].as_str()) && count % 50 == 49).then_some(Reaction::Pretend)
    };
    for mix in ["set,get", "incr"] {
        let line = format!("--mix {mix} --keys 5 --clients 4 --requests 4000 --check");
        let (report, code) = measure(&fake(&folder, forgetful), &line);
        assert_eq!((code, &report["check"]["verdict"]), (Some(1), &Value::from("violated")), "{report:#}");
    }
}

#[test]
fn a_value_that_was_damaged_on_its_way_is_found_out() {
    let folder = Folder::new("bench-damaged");
    let damage =
        |count: u64, words: &[String]| (words[0] == "GET" && count % 50 == 49).then_some(Reaction::Damage);
    let (report, code) =
        measure(&fake(&folder, damage), "--mix set,get --keys 5 --requests 4000 --value 64 --check");
    assert_eq!((code, &report["check"]["verdict"]), (Some(1), &Value::from("violated")), "{report:#}");
    assert!(report["check"]["detail"].as_str().expect("a text").contains("nobody wrote it"), "{report:#}");
}

#[test]
fn a_server_that_hangs_up_loses_no_request_from_the_books() {
    let folder = Folder::new("bench-closes");
    let closing = |count: u64, _: &[String]| (count % 400 == 399).then_some(Reaction::Close);
    let (report, code) = measure(
        &fake(&folder, closing),
        "--mix set,get --keys 20 --clients 8 --pipeline 4 --requests 8000 --check",
    );
    assert_eq!((code, number(&report, "sent")), (Some(0), 8_000));
    assert!(number(&report, "lost_connections") >= 10, "{report:#}");
    assert!(number(&report, "unknown") >= number(&report, "lost_connections"), "{report:#}");
    assert_eq!(report["check"]["verdict"], "linearizable", "{report:#}");
}

#[test]
fn refusals_are_counted_by_code_and_believed() {
    let folder = Folder::new("bench-refuses");
    let refusing = |count: u64, _: &[String]| match count % 10 {
        3 => Some(Reaction::Say("-TRYAGAIN nothing was done: no leader\r\n")),
        6 => Some(Reaction::Say("-UNCERTAIN it may have been done\r\n")),
        8 => Some(Reaction::Say("-ERR no\r\n")),
        9 => Some(Reaction::Say("*0\r\n")),
        _ => None,
    };
    let line = "--mix set,get --keys 20 --clients 1 --requests 1000 --check";
    let (report, code) = measure(&fake(&folder, refusing), line);
    assert_eq!((code, &report["check"]["verdict"]), (Some(0), &Value::from("linearizable")), "{report:#}");
    let counts = ["answered", "refused", "uncertain", "failed"].map(|name| number(&report, name));
    assert_eq!(counts, [600, 100, 100, 200]);
    let codes =
        ["TRYAGAIN", "UNCERTAIN", "ERR", "(another type)"].map(|code| number(&report["errors"], code));
    assert_eq!(codes, [100; 4]);
}

#[test]
fn answers_in_pieces_are_put_together() {
    let folder = Folder::new("bench-pieces");
    let pieces = |_: u64, _: &[String]| Some(Reaction::InPieces);
    let line = "--mix set,get,incr,ping --keys 20 --clients 3 --pipeline 7 --requests 700 --check";
    let (report, code) = measure(&fake(&folder, pieces), line);
    assert_eq!((code, number(&report, "answered")), (Some(0), 700), "{report:#}");
    assert_eq!(report["check"]["verdict"], "linearizable");
}

#[test]
fn filling_writes_every_key_before_anything_counts() {
    let folder = Folder::new("bench-fill");
    let line = "--mix get --keys 3000 --fill --clients 7 --requests 3000 --distribution sequential";
    let (report, code) = measure(&fake(&folder, |_, _| None), line);
    let get = &report["operations"]["get"];
    assert_eq!((code, number(get, "answered"), number(get, "missed")), (Some(0), 3_000, 0), "{report:#}");
    let without = measure(&fake(&folder, |_, _| None), &line.replace("--fill", ""));
    assert_eq!(number(&without.0["operations"]["get"], "missed"), 3_000);
}

/// A server that stands still once is to be seen in the latencies of all who had to wait (coordinated
/// omission). In the closed loop that is one request.
#[test]
fn an_open_loop_counts_the_wait_of_requests_that_could_not_leave() {
    let folder = Folder::new("bench-stall");
    let stalling =
        |count: u64, _: &[String]| (count == 100).then_some(Reaction::Stall(Duration::from_secs(1)));
    let (report, _) = measure(&fake(&folder, stalling), "--rate 200 --seconds 2 --clients 1 --mix ping");
    assert_eq!(number(&report, "sent"), 400);
    let p90 = report["latency_us"]["p90"].as_f64().expect("a number");
    assert!(p90 > 300_000.0, "200 of 400 were due while it stood still: {report:#}");
}

#[test]
fn an_interrupted_run_shows_what_it_has_measured() {
    let folder = Folder::new("bench-interrupted");
    let mut command = command(&fake(&folder, |_, _| None), "--seconds 1000 --clients 2 --json");
    let child = command.stdout(Stdio::piped()).spawn().expect("the program can be started");
    thread::sleep(Duration::from_millis(500));
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.expect("there is a kill command").success());
    let ended = child.wait_with_output().expect("it ends");
    let report: Value = serde_json::from_slice(&ended.stdout).expect("it is JSON");
    assert_eq!((ended.status.code(), &report["ended_early"]), (Some(0), &Value::from(true)));
    assert!(number(&report, "answered") > 0);
}

#[test]
fn a_table_says_which_loop_it_was_and_what_the_generator_cost() {
    let folder = Folder::new("bench-table");
    let ended = run(&fake(&folder, |_, _| None), "--requests 2000 --clients 3 --mix set=1,get=1");
    let said = text(&ended.stdout);
    for part in
        ["closed loop: ", "p99.9", "\nset ", "\nget ", "\nall ", "\nrequests    2000 sent: 2000 answered"]
    {
        assert!(said.contains(part), "{part:?}: {said}");
    }
    assert!(ended.stderr.is_empty(), "progress is for terminals: {}", text(&ended.stderr));
}

#[test]
fn wrong_usage_and_nobody_there_have_their_exit_codes() {
    let folder = Folder::new("bench-wrong");
    for (line, part) in [
        ("--clients 0", "--clients is \"0\""),
        ("--nonsense", "there is no option --nonsense"),
        ("--check --requests 5000000", "it remembers 4000000"),
    ] {
        let ended = run(&[folder.path("nobody")], line);
        let said = text(&ended.stderr);
        assert_eq!(ended.status.code(), Some(64), "{said}");
        assert!(said.contains(part) && said.contains("(see 'quorate help bench')"), "{said}");
    }
    let nobody = run(&[folder.path("nobody")], "--seconds 1");
    assert_eq!(nobody.status.code(), Some(74));
    assert!(text(&nobody.stderr).contains("cannot work with unix:"), "{}", text(&nobody.stderr));
    let other = |_: u64, _: &[String]| Some(Reaction::Say("HTTP/1.1 400 Bad Request\r\n"));
    let no_redis = run(&fake(&folder, other), "--seconds 1 --clients 2");
    assert_eq!(no_redis.status.code(), Some(74), "{}", text(&no_redis.stdout));
    assert!(text(&no_redis.stderr).contains("is it a Redis port?"), "{}", text(&no_redis.stderr));
}
