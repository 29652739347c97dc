//! A cluster of one: every write is durable and answered, or it is asked again under its name.

use quorate::kv::{ClientId, Key, NewLifetime, Operation, RequestId, SetOptions, Token, Value};
use quorate::raft::Recovered;
use quorate::replica::{Answer, Asker, Event, Reply, Request, Ticket};
use quorate::sim::Node;

use super::{Play, at, make, open};

/// So many requests, each of which changes a counter and a value.
pub(crate) struct Script {
    requests: u64,
    /// The digest of a store that has seen all of them.
    digest: u64,
}

impl Script {
    pub(crate) fn new(requests: u64) -> Script {
        let mut script = Script { requests, digest: 0 };
        let mut node = script.node();
        assert_eq!(script.run(&mut node), requests, "nothing fails without a crash");
        let life = node.life.as_ref().expect("it is alive");
        assert!(life.snapshots.ids().count() == 2, "the script is long enough for several snapshots");
        script.digest = life.replica.store().digest();
        script
    }

    /// Asks for one request; `None` when the process ended before the answer.
    fn ask(node: &mut Node, number: u64) -> Option<Answer> {
        let now = at(10_000 + number, number);
        let life = node.life.as_mut()?;
        let request =
            Request { asker: Asker::Here(Ticket(number)), once: once(number), operations: asked(number) };
        life.hear(now, Event::Request(request));
        settle(node, number)
    }

    fn go_on(&self, node: &mut Node, from: u64) -> u64 {
        // A lone voter elects itself as soon as its time has come.
        if settle(node, from).is_none() && node.life.is_none() {
            return from;
        }
        for number in from..self.requests {
            let Some(answer) = Script::ask(node, number) else { return number };
            let counted = Value::Integer(i64::try_from(number + 1).expect("few"));
            assert_eq!(answer, Answer::Done(vec![counted, Value::Okay]), "request {number}");
        }
        self.requests
    }
}

/// Lets everything happen; the process ends with the first failure of a disk.
fn settle(node: &mut Node, number: u64) -> Option<Answer> {
    let (mut replies, mut sent) = (Vec::new(), Vec::new());
    let life = node.life.as_mut()?;
    let outcome = life.settle(at(10_000 + number, number), &mut replies, &mut sent);
    if outcome.is_err() {
        node.life = None;
    }
    replies.pop().map(|Reply { answer, .. }| answer)
}

fn once(number: u64) -> Option<RequestId> {
    Some(RequestId { client: ClientId(1), token: Token(number.to_string().into()) })
}

fn asked(number: u64) -> Vec<Operation> {
    let value = "x".repeat(usize::try_from(number * 37 % 150).expect("small"));
    let options = SetOptions { lifetime: NewLifetime::Endless, ..SetOptions::default() };
    vec![
        Operation::Add { key: Key::new(b"counter"), delta: 1 },
        Operation::Set {
            key: Key::new(format!("key{}", number % 5).as_bytes()),
            value: value.into(),
            options,
        },
    ]
}

impl Play for Script {
    /// How many requests have been answered.
    type Acknowledged = u64;

    fn node(&self) -> Node {
        Node::new(make(1, 1))
    }

    fn run(&self, node: &mut Node) -> u64 {
        if node.format().is_err() || node.start(at(0, 0).monotonic, 1).is_err() {
            return 0;
        }
        self.go_on(node, 0)
    }

    fn check(&self, recovered: &Recovered, acknowledged: &u64, context: &str) {
        let last = recovered.start.index.0 + recovered.entries.len() as u64;
        assert!(last >= *acknowledged, "{context}: {acknowledged} acknowledged, the log ends at {last}");
    }

    fn finish(&self, node: &mut Node, acknowledged: &u64, context: &str) {
        if node.life.is_none() {
            open(node, context);
        }
        assert_eq!(self.go_on(node, *acknowledged), self.requests, "{context}");
        let store = node.life.as_ref().expect("nothing fails any more").replica.store();
        let counter = store.read(&Operation::Get { key: Key::new(b"counter") });
        assert_eq!(counter, Value::Bytes(self.requests.to_string().into()), "{context}");
        assert_eq!(store.digest(), self.digest, "{context}");
        let durable = node.durable().unwrap_or_else(|error| panic!("{context}: {error}"));
        assert!(durable.findings.damaged.is_empty(), "{context}: {:?}", durable.findings);
    }
}
