//! What a cluster went through, and what its clients were told: writes, snapshots, a change of leader, a node
//! that was away for long.

use quorate::disk::Disk;
use quorate::kv::{ClientId, Key, Operation, RequestId, SetOptions, Token, Value};
use quorate::raft::NodeId;
use quorate::replica::Answer;
use quorate::sim::Node;
use quorate::wal::Options;

use super::cluster::{Cluster, TINY, ids};
use super::log_files;

/// A cluster at rest, and how many requests it has acknowledged.
pub(crate) struct History {
    pub(crate) cluster: Cluster,
    pub(crate) acknowledged: u64,
}

impl History {
    /// A cluster that has seen nothing yet.
    pub(crate) fn new(options: Options) -> History {
        History { cluster: Cluster::new(options), acknowledged: 0 }
    }

    /// So many further writes, all acknowledged.
    pub(crate) fn write(&mut self, count: u64) {
        for number in self.acknowledged..self.acknowledged + count {
            let answer = self.cluster.ask(Some(&name(number)), &asked(number));
            let counted = Value::Integer(i64::try_from(number + 1).expect("few"));
            assert_eq!(answer, Some(Answer::Done(vec![counted, Value::Okay])), "request {number}");
        }
        self.acknowledged += count;
    }

    /// One with a full life behind it.
    pub(crate) fn full(options: Options) -> History {
        let mut history = History::new(options);
        history.live();
        history
    }

    /// The same, with every word that was said in it.
    pub(crate) fn recorded() -> History {
        let mut history = History::new(TINY);
        history.cluster.traffic = Some(Vec::new());
        history.live();
        history
    }

    /// Everybody is there; one is away and comes back when the others have only a snapshot of what it missed;
    /// the leader is replaced.
    fn live(&mut self) {
        self.write(12);
        self.away(NodeId(3), 12);
        let leader = self.cluster.leader().expect("somebody leads");
        self.away(leader, 6);
        self.write(3);
        self.cluster.rest(200);
    }

    /// One node is cut off for so many writes.
    pub(crate) fn away(&mut self, node: NodeId, writes: u64) {
        self.cluster.apart.insert(node);
        self.cluster.rest(300);
        self.write(writes);
        self.cluster.apart.remove(&node);
        self.cluster.rest(200);
    }
}

/// What the counter says after all that was acknowledged.
pub(crate) fn counted() -> Operation {
    Operation::Get { key: Key::new(b"counter") }
}

fn name(number: u64) -> RequestId {
    RequestId { client: ClientId(1), token: Token(number.to_string().into()) }
}

fn asked(number: u64) -> Vec<Operation> {
    let value = "x".repeat(usize::try_from(number * 37 % 150).expect("small"));
    vec![
        Operation::Add { key: Key::new(b"counter"), delta: 1 },
        Operation::Set {
            key: Key::new(format!("key{}", number % 5).as_bytes()),
            value: value.into(),
            options: SetOptions::default(),
        },
    ]
}

/// The last that everybody wrote is a term and a vote.
pub(crate) fn just_elected() -> History {
    let mut history = History::new(TINY);
    history.write(9);
    let leader = history.cluster.leader().expect("somebody leads");
    history.cluster.apart.insert(leader);
    let has_voted = |node: &Node| {
        let vote = node.open().map(|storage| storage.recovered.hard_state.vote);
        vote.is_ok_and(|vote| vote.is_some_and(|vote| vote != leader))
    };
    for _ in 0..2_000 {
        history.cluster.step();
        let cluster = history.cluster.powered_off();
        if cluster.powered_off().nodes.iter().filter(|node| has_voted(node)).count() == 2 {
            cluster.nodes.iter().filter(|node| has_voted(node)).for_each(forget_behind_vote);
            return History { cluster, acknowledged: history.acknowledged };
        }
    }
    panic!("two that hear nothing of their leader elect another");
}

/// Power was lost right after a vote: what is behind it in the newest segment was never written.
fn forget_behind_vote(node: &Node) {
    let names = node.log_disk.clone().names().expect("it does not fail");
    let newest = names.iter().filter(|name| name.ends_with(".wal")).max().expect("there is a segment");
    let mut bytes = node.log_disk.content(newest).expect("it is there");
    let vote = log_files::hard_states(&bytes).pop().expect("an opening at least");
    let ends = log_files::records(&bytes).into_iter().map(|(_, end)| end);
    let end = ends.filter(|end| *end >= vote.end).min().expect("it is in a record");
    bytes[end..].fill(0);
    node.log_disk.tamper(newest, Some(bytes));
}

/// One was away when the last writes were acknowledged.
pub(crate) fn lagging() -> History {
    let mut history = History::new(TINY);
    history.write(10);
    let leader = history.cluster.leader().expect("somebody leads");
    let follower = ids().find(|id| *id != leader).expect("there are three");
    history.cluster.apart.insert(follower);
    history.write(3);
    history
}
