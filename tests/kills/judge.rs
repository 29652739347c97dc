//! The judgement: whether the nodes agree, the counters add up, and the history has an order.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::time::{Duration, Instant};

use quorate::check::{self, Action, Answer, Key, Operation, Outcome, Verdict};
use quorate::limits::CHECK_STEPS_MAX;

use crate::client::{Client, Told};
use crate::load::{Notes, Shared, answer};
use crate::nemesis::Damage;
use crate::node::{Cluster, Node};
use crate::settings::Settings;

/// How long a node that is left alone may take to answer a read.
const READ_PATIENCE: Duration = Duration::from_secs(10);

/// Clients with numbers from here on are the judge.
const JUDGE: u64 = 100;

/// Adds to the notes whatever is wrong.
pub(crate) fn judge(shared: &Shared<'_>, cluster: &Cluster, damage: &Damage, notes: &mut Notes) {
    let begin = Instant::now();
    for id in cluster.ids() {
        if let Err(fault) = cluster.with(id, Node::inspect) {
            notes.fault(fault);
        }
    }
    match cluster.wait_for_leader() {
        Ok(view) => println!("at rest after {:.1} s: {view:?}", begin.elapsed().as_secs_f64()),
        Err(fault) => notes.fault(fault),
    }
    println!("{}", longest_silence(&notes.operations, damage));
    let values = read_everywhere(shared, cluster, notes);
    add_up(&values, notes);
    let begin = Instant::now();
    let verdict = check::check(&notes.operations, CHECK_STEPS_MAX);
    println!("{} keys checked in {:.1} s", values.len(), begin.elapsed().as_secs_f64());
    match verdict {
        Verdict::Linearizable => {}
        Verdict::Undecided(keys) => {
            let keys: Vec<_> = keys.iter().map(|key| key.escape_ascii().to_string()).collect();
            println!("UNDECIDED, there was no order in {CHECK_STEPS_MAX} steps: {}", keys.join(", "));
        }
        Verdict::Violated(violation) => {
            notes.faults.push(violation.to_string());
            write_history(cluster, &notes.operations, &violation.keys);
        }
    }
    if !notes.faults.is_empty() {
        write_events(cluster, damage);
    }
}

/// Reads every key once at every node; the nodes have to agree.
fn read_everywhere(shared: &Shared<'_>, cluster: &Cluster, notes: &mut Notes) -> BTreeMap<Key, Answer> {
    let keys: BTreeSet<Key> =
        notes.operations.iter().flat_map(|operation| operation.action.keys()).cloned().collect();
    let mut values: BTreeMap<Key, Answer> = BTreeMap::new();
    for id in cluster.ids() {
        let mut client = Client::new(cluster, id);
        for key in &keys {
            let action = Action::Get { key: key.clone() };
            let invoked = shared.now();
            let told = client.ask_until(&[b"GET", key], Instant::now() + READ_PATIENCE);
            let read = match &told {
                Told::Answer(reply) => answer(&action, reply),
                _ => None,
            };
            let Some(read) = read else {
                notes.fault(format!("node {id} answered {action} with {told:?}"));
                continue;
            };
            let first = values.entry(key.clone()).or_insert_with(|| read.clone());
            if *first != read {
                let fault = format!("node {id} answered {action} with {read}, and another one with {first}");
                notes.fault(fault);
            }
            let outcome = Outcome::Done { returned: shared.now(), answer: read };
            notes.operations.push(Operation { client: JUDGE + id, invoked, action, outcome });
        }
    }
    values
}

/// Counters count what was done, and what may have been done at most.
fn add_up(values: &BTreeMap<Key, Answer>, notes: &mut Notes) {
    let mut bounds: BTreeMap<&Key, (i64, i64)> = BTreeMap::new();
    for operation in &notes.operations {
        let Action::Add { key, delta } = &operation.action else { continue };
        if key.starts_with(b"n") {
            let (done, may_be) = bounds.entry(key).or_default();
            match operation.outcome {
                Outcome::Done { .. } => (*done, *may_be) = (*done + delta, *may_be + delta),
                Outcome::Unknown => *may_be += delta,
                Outcome::Nothing => {}
            }
        }
    }
    for (key, (answered, open)) in &notes.tokens {
        let number = |count: u64| i64::try_from(count).expect("a test ends before that");
        bounds.insert(key, (number(*answered), number(answered + open)));
    }
    let mut faults = Vec::new();
    for (key, (least, most)) in bounds {
        let value = match values.get(key) {
            Some(Answer::Bytes(text)) => String::from_utf8_lossy(text).parse::<i64>().ok(),
            Some(Answer::Nil) => Some(0),
            _ => None,
        };
        if !value.is_some_and(|value| least <= value && value <= most) {
            let key = key.escape_ascii();
            faults.push(format!("{key} counts {value:?}, and should count {least} to {most}"));
        }
    }
    faults.into_iter().for_each(|fault| notes.fault(fault));
}

/// The longest time in which nobody got an answer.
fn longest_silence(operations: &[Operation], damage: &Damage) -> String {
    let mut returns: Vec<u64> = operations.iter().filter_map(Operation::returned).map(|at| at.0).collect();
    returns.sort_unstable();
    let Some(longest) = returns.windows(2).max_by_key(|pair| pair[1] - pair[0]) else {
        return "there was no answer".to_owned();
    };
    let [from, to] = [longest[0], longest[1]].map(|at| Duration::from_nanos(at).as_secs_f64());
    let meanwhile = damage.events.iter().filter(|(at, _)| (from - 1.0..to).contains(at));
    let meanwhile: Vec<String> = meanwhile.map(|(at, event)| format!("{event} at {at:.1}")).collect();
    let took = to - from;
    format!("longest time without any answer: {took:.1} s, at {from:.1} s: {}", meanwhile.join(", "))
}

/// Keeps what was asked about some keys.
fn write_history(cluster: &Cluster, operations: &[Operation], keys: &[Key]) {
    let about = |operation: &&Operation| operation.action.keys().iter().any(|key| keys.contains(key));
    let mut told: Vec<&Operation> = operations.iter().filter(about).collect();
    told.sort_by_key(|operation| operation.invoked);
    let mut text = String::new();
    for operation in told {
        writeln!(text, "{operation}").expect("a text takes everything");
    }
    fs::write(cluster.folder.join("history.txt"), text).expect("our own folder");
}

/// Keeps what was done to the nodes.
fn write_events(cluster: &Cluster, damage: &Damage) {
    let line = |(at, event): &(f64, String)| format!("{at:>8.3} {event}\n");
    let text: String = damage.events.iter().map(line).collect();
    fs::write(cluster.folder.join("events.txt"), text).expect("our own folder");
}

/// Ends the run: without a trace if all is well, and with everything that helps if not.
pub(crate) fn conclude(settings: &Settings, cluster: &Cluster, notes: &Notes) {
    let words = cluster.last_words();
    for id in cluster.ids() {
        // Whatever there is to say about it has been said.
        let _ = cluster.with(id, Node::kill);
    }
    if notes.faults.is_empty() {
        fs::remove_dir_all(&cluster.folder).expect("our own folder");
        return;
    }
    let (folder, seed) = (cluster.folder.display(), settings.seed);
    panic!(
        "{} faults:\n{}\n\n{words}\nkept: {folder}\nKILLS_SEED={seed}",
        notes.faults.len(),
        notes.faults.join("\n")
    );
}
