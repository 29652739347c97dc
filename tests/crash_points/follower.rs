//! One of three, led by a script: appends, conflicts, votes, and snapshots that drop or keep the log's tail.

use std::io;
use std::sync::Arc;

use quorate::disk::SimDisk;
use quorate::identity::ClusterId;
use quorate::kv::{Command, Key, Operation, SetOptions, Store, WallClock};
use quorate::raft::{
    AppendOutcome, Entry, Envelope, Index, Message, NodeId, Payload, Position, Recovered, Reign, SnapshotId,
    SnapshotOutcome, Term,
};
use quorate::replica::Event;
use quorate::sim::Node;
use quorate::snapshot::Snapshots;

use super::{Play, at, make, open};

/// The follower, and those that lead it.
const SELF: NodeId = NodeId(2);
const OTHERS: [NodeId; 2] = [NodeId(1), NodeId(3)];

/// The terms of the entries that are committed in the end, and how many each has.
const TERMS: [(u64, u64); 4] = [(1, 6), (3, 8), (4, 10), (6, 16)];

pub(crate) struct Script {
    entries: Vec<Entry>,
    steps: Vec<Step>,
    digest: u64,
}

/// What a leader does next.
enum Step {
    /// Entries of the log that will be committed, after an index and up to another; and the commit index.
    Append { term: u64, after: u64, to: u64, commit: u64 },
    /// So many entries after an index that will be replaced later.
    Doomed { term: u64, after: u64, count: u64 },
    /// Another wants to lead this term.
    Vote { term: u64 },
    /// The snapshot up to an index.
    Snapshot { term: u64, id: SnapshotId, bytes: Vec<u8> },
}

/// What the follower has said.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    /// Its log is that of its leaders up to here.
    matched: u64,
    term: Term,
    vote: Option<(Term, NodeId)>,
}

impl Script {
    pub(crate) fn new() -> Script {
        let terms = TERMS.into_iter().flat_map(|(term, count)| (0..count).map(move |_| term));
        let entries: Vec<Entry> = (1..).zip(terms).map(|(index, term)| entry(term, index)).collect();
        let steps = vec![
            Step::Append { term: 1, after: 0, to: 3, commit: 0 },
            Step::Append { term: 1, after: 3, to: 6, commit: 5 },
            Step::Doomed { term: 1, after: 6, count: 3 },
            Step::Vote { term: 2 },
            Step::Append { term: 3, after: 6, to: 10, commit: 8 },
            Step::Append { term: 3, after: 10, to: 14, commit: 13 },
            Step::Doomed { term: 3, after: 14, count: 3 },
            snapshot(4, &entries, 20),
            Step::Append { term: 4, after: 20, to: 24, commit: 24 },
            Step::Doomed { term: 4, after: 24, count: 2 },
            Step::Vote { term: 5 },
            Step::Append { term: 6, after: 24, to: 30, commit: 30 },
            Step::Append { term: 6, after: 30, to: 36, commit: 30 },
            snapshot(6, &entries, 33),
            Step::Append { term: 6, after: 36, to: 40, commit: 40 },
        ];
        let digest = store(&entries, 40).digest();
        let script = Script { entries, steps, digest };
        let mut node = script.node();
        assert_eq!(script.run(&mut node).matched, 40, "nothing fails without a crash");
        script
    }

    fn position(&self, index: u64) -> Position {
        let place = usize::try_from(index).expect("few").checked_sub(1);
        let term = place.map_or(Term(0), |place| self.entries[place].term);
        Position { term, index: Index(index) }
    }

    fn take(&self, node: &mut Node, step: &Step, said: &mut Said) -> io::Result<()> {
        match step {
            Step::Append { term, after, to, commit } => {
                let entries = self.run_of(*after, *to);
                said.play(node, *to, self.append(*term, *after, entries, *commit))
            }
            Step::Doomed { term, after, count } => {
                let entries = (0..*count).map(|number| entry(*term, 1_000 + number)).collect();
                said.play(node, *after, self.append(*term, *after, entries, *after))
            }
            Step::Vote { term } => {
                let last = Position { term: Term(*term), index: Index(100) };
                said.play(node, 0, envelope(*term, Message::Vote { last, transfer: true }))
            }
            Step::Snapshot { term, id, bytes } => send_snapshot(node, *term, *id, bytes, said),
        }
    }

    fn run_of(&self, after: u64, to: u64) -> Vec<Entry> {
        let place = |index: u64| usize::try_from(index).expect("few");
        self.entries[place(after)..place(to)].to_vec()
    }

    fn append(&self, term: u64, after: u64, entries: Vec<Entry>, commit: u64) -> Envelope {
        let (previous, commit) = (self.position(after), Index(commit));
        envelope(term, Message::Append { reign: reign(), previous, entries, commit })
    }
}

/// Sends part after part from where the follower wants the next, until it has all.
fn send_snapshot(
    node: &mut Node,
    term: u64,
    id: SnapshotId,
    bytes: &[u8],
    said: &mut Said,
) -> io::Result<()> {
    let mut offset = 0;
    while said.matched < id.last.index.0 {
        let part = bytes[offset..].iter().take(node.make.chunk_bytes).copied().collect::<Vec<u8>>();
        let message =
            Message::Snapshot { reign: reign(), id, offset: offset as u64, bytes: Arc::from(part.clone()) };
        said.play(node, id.last.index.0, envelope(term, message))?;
        offset += part.len();
    }
    Ok(())
}

impl Said {
    /// Shows the node a message and takes down what it says. Its log agrees up to `agrees_to` at most.
    fn play(&mut self, node: &mut Node, agrees_to: u64, envelope: Envelope) -> io::Result<()> {
        let now = at(10, 0);
        let life = node.life.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        life.hear(now, Event::Peer(envelope));
        let (mut replies, mut sent) = (Vec::new(), Vec::new());
        let outcome = life.settle(now, &mut replies, &mut sent);
        for Envelope { to, term, message, .. } in sent {
            self.term = self.term.max(term);
            match message {
                Message::AppendReply { outcome: AppendOutcome::Matched(index), .. }
                | Message::SnapshotReply { outcome: SnapshotOutcome::Matched(index), .. } => {
                    self.matched = self.matched.max(index.0.min(agrees_to));
                }
                Message::VoteReply { granted: true, .. } => self.vote = Some((term, to)),
                _ => {}
            }
        }
        outcome
    }
}

fn entry(term: u64, number: u64) -> Entry {
    let value = "x".repeat(usize::try_from(number * 53 % 170).expect("small"));
    let key = Key::new(format!("key{}", number % 6).as_bytes());
    let operations = vec![
        Operation::Set { key, value: value.into(), options: SetOptions::default() },
        Operation::Add { key: Key::new(b"counter"), delta: 1 },
    ];
    let command = Command { stamp: WallClock(number), once: None, operations };
    Entry { term: Term(term), payload: Payload::Command(command.encode()) }
}

/// A store that has carried out the first so many entries.
fn store(entries: &[Entry], count: usize) -> Store {
    let mut store = Store::default();
    for entry in &entries[..count] {
        if let Payload::Command(bytes) = &entry.payload {
            store.apply(Command::decode(bytes));
        }
    }
    store
}

fn snapshot(term: u64, entries: &[Entry], index: usize) -> Step {
    let last = Position { term: entries[index - 1].term, index: Index(index as u64) };
    let (mut snapshots, _) = Snapshots::open(SimDisk::new(), ClusterId(7)).expect("an empty disk");
    snapshots.begin(last, &[]).expect("nothing fails");
    let mut store = store(entries, index);
    store.begin_image(200);
    while let Some(block) = store.next_image_block() {
        snapshots.block(&block).expect("nothing fails");
    }
    let id = snapshots.finish().expect("nothing fails");
    let bytes = snapshots.read_chunk(id, 0, usize::MAX).expect("nothing fails").expect("it is there");
    Step::Snapshot { term, id, bytes }
}

/// Terms have leaders of their own, so that none votes or leads where it may not.
fn envelope(term: u64, message: Message) -> Envelope {
    let from = OTHERS[usize::try_from(term / 2 % 2).expect("one or none")];
    Envelope { from, to: SELF, term: Term(term), message }
}

fn reign() -> Reign {
    Reign { beat: quorate::raft::Beat::default(), rank: 0 }
}

impl Play for Script {
    type Acknowledged = Said;

    fn node(&self) -> Node {
        Node::new(make(SELF.0, 3))
    }

    fn run(&self, node: &mut Node) -> Said {
        let mut said = Said::default();
        if node.format().is_err() || node.start(at(0, 0).monotonic, 1).is_err() {
            return said;
        }
        for step in &self.steps {
            if self.take(node, step, &mut said).is_err() {
                node.life = None;
                break;
            }
        }
        said
    }

    fn check(&self, recovered: &Recovered, said: &Said, context: &str) {
        let hard = recovered.hard_state;
        assert!(hard.term >= said.term, "{context}: {said:?}, and then {hard:?}");
        if let Some((term, to)) = said.vote {
            let is_kept = hard.term > term || hard.vote == Some(to);
            assert!(is_kept, "{context}: {said:?}, and then {hard:?}");
        }
        let start = recovered.start.index.0;
        let held = said.matched.checked_sub(start + 1).map(|place| usize::try_from(place).expect("few"));
        let holds = held.is_none_or(|place| {
            recovered.entries.get(place) == Some(&self.entries[place + usize::try_from(start).expect("few")])
        });
        assert!(holds, "{context}: {said:?}, and then {recovered:?}");
    }

    fn finish(&self, node: &mut Node, said: &Said, context: &str) {
        if node.life.is_none() {
            open(node, context);
        }
        let count = self.entries.len() as u64;
        let commit = node.life.as_ref().expect("it is open").replica.status().commit.0;
        let entries = self.run_of(commit, count);
        let mut said = said.clone();
        said.play(node, count, self.append(9, commit, entries, count))
            .unwrap_or_else(|error| panic!("{context}: {error}"));
        let life = node.life.as_ref().expect("it is open");
        assert_eq!(life.replica.status().applied.0, count, "{context}");
        assert_eq!(life.replica.store().digest(), self.digest, "{context}");
        let durable = node.durable().unwrap_or_else(|error| panic!("{context}: {error}"));
        self.check(&durable.recovered, &said, context);
    }
}
