//! A conversation with a node that has a store and no cluster: what clients send, and what they hear.

#![cfg(test)]

use super::super::client::Batch;
use super::super::picture::Member;
use super::super::session::Handled;
use super::*;
use crate::kv::{Command, Operation, Store, Value, WallClock};
use crate::raft::{Index, NodeId, Position, Standing, Status, Term};
use crate::resp::OwnedRequest;

/// One connection, and a store that carries out its batches at once.
struct Talk {
    session: Session,
    picture: Picture,
    store: Store,
}

impl Talk {
    /// With node 2 of three, the last of which has a Unix socket.
    fn new(leader: Option<u16>) -> Talk {
        let addresses = ["tcp:127.0.0.1:7001", "tcp:[::1]:7002", "unix:/p"];
        let members = (1..).zip(addresses).map(|(id, address)| Member {
            id: NodeId(id),
            standing: Standing::Voter,
            address: address.into(),
        });
        let (term, commit) = (Term(4), Index(9));
        let last = Position { term, index: commit };
        let status = Status { term, leader: leader.map(NodeId), last, commit, ..Status::default() };
        let picture = Picture {
            me: NodeId(2),
            members: members.collect(),
            status,
            clients: 5,
            clients_max: 100,
            wall: WallClock(1_000),
            is_full: false,
        };
        Talk { session: Session::new(7), picture, store: Store::default() }
    }

    /// The answer to a command of words without blanks, line ends as spaces.
    fn ask(&mut self, line: &str) -> String {
        let words: Vec<&str> = line.split(' ').collect();
        let request = OwnedRequest::new(&words).expect("a request");
        let (mut batch, mut output) = (Batch::default(), Vec::new());
        let handled = self.session.handle(request.view(), &self.picture, &mut batch, &mut output);
        assert!(handled == Handled::Done);
        if !batch.is_empty() {
            let values = batch.operations.into_iter().map(|operation| self.carry_out(operation)).collect();
            self.session.say(values, &mut output);
        }
        String::from_utf8(output).expect("answers are text here").replace("\r\n", " ")
    }

    fn carry_out(&mut self, operation: Operation) -> Value {
        if operation.is_read() {
            return self.store.read(&operation);
        }
        let command = Command { stamp: WallClock(1_000), once: None, operations: vec![operation] };
        self.store.apply(Command::decode(&command.encode())).remove(0)
    }

    fn check(&mut self, talk: &[(&str, &str)]) {
        for (line, wanted) in talk {
            assert_eq!(self.ask(line).trim_end(), *wanted, "{line}");
        }
    }
}

fn name(id: u16) -> String {
    format!("{id:040x}")
}

#[test]
fn the_leader_owns_all_slots_and_the_others_are_its_replicas() {
    let mut talk = Talk::new(Some(1));
    let (one, two, three) = (name(1), name(2), name(3));
    let nodes = talk.ask("CLUSTER NODES");
    let wanted = format!(
        "{one} 127.0.0.1:7001@7001 master - 0 0 4 connected 0-16383\n\
         {two} ::1:7002@7002 myself,slave {one} 0 0 4 connected\n\
         {three} 127.0.0.1:0@0 slave {one} 0 0 4 connected\n"
    );
    assert_eq!(nodes, format!("${} {wanted} ", wanted.len()));
    let node = |host: &str, port: u16, name: &str| format!("*4 ${} {host} :{port} $40 {name} *0", host.len());
    let slots = format!(
        "*1 *5 :0 :16383 {} {} {} ",
        node("127.0.0.1", 7001, &one),
        node("::1", 7002, &two),
        node("127.0.0.1", 0, &three)
    );
    assert_eq!(talk.ask("CLUSTER SLOTS"), slots);
    let shards = talk.ask("CLUSTER SHARDS");
    let head = format!("*1 *4 $5 slots *2 :0 :16383 $5 nodes *3 *14 $2 id $40 {one} $4 port :7001 $2 ip");
    assert!(shards.starts_with(&head), "{shards}");
    assert_eq!(shards.matches("$7 replica $18 replication-offset :9 $6 health $6 online").count(), 2);
    let replicas = talk.ask(&format!("CLUSTER REPLICAS {one}"));
    assert!(replicas.starts_with("*2 $") && replicas.contains(&format!("{three} 127.0.0.1:0@0 slave {one}")));
    assert_eq!(talk.ask("CLUSTER REPLICAS x"), "-ERR Unknown node x ");
    assert!(talk.ask("CLUSTER INFO").contains(" cluster_state:ok cluster_slots_assigned:16384 "));
}

#[test]
fn without_a_leader_the_node_that_is_asked_owns_the_slots() {
    let mut talk = Talk::new(None);
    let nodes = talk.ask("CLUSTER NODES");
    assert!(nodes.contains(&format!("{} ::1:7002@7002 myself,master - 0 0 4 connected 0-16383", name(2))));
    assert_eq!(nodes.matches(" slave ").count(), 2);
    assert!(talk.ask("CLUSTER SLOTS").starts_with("*1 *5 :0 :16383 *4 $3 ::1 :7002 "));
    assert!(talk.ask("CLUSTER INFO").contains("cluster_state:fail"));
}

#[test]
fn keys_of_a_slot_are_counted_and_named() {
    let mut talk = Talk::new(Some(2));
    talk.check(&[
        ("MSET foo 1 bar 2 {foo}x 3", "+OK"),
        ("CLUSTER KEYSLOT foo", ":12182"),
        ("CLUSTER COUNTKEYSINSLOT 12182", ":2"),
        ("CLUSTER COUNTKEYSINSLOT 5061", ":1"),
        ("CLUSTER COUNTKEYSINSLOT 0", ":0"),
        ("CLUSTER COUNTKEYSINSLOT 16384", "-ERR Invalid slot"),
        ("CLUSTER COUNTKEYSINSLOT x", "-ERR value is not an integer or out of range"),
        ("CLUSTER GETKEYSINSLOT 5061 9", "*1 $3 bar"),
        ("CLUSTER GETKEYSINSLOT 12182 0", "*0"),
        ("CLUSTER GETKEYSINSLOT 12182 -1", "-ERR Invalid slot or number of keys"),
    ]);
}

#[test]
fn what_is_not_supported_is_refused_in_words() {
    let mut talk = Talk::new(Some(2));
    for line in [
        "CLIENT KILL ID 5",
        "CLIENT REPLY OFF",
        "CLIENT REPLY SKIP",
        "CLIENT TRACKING ON",
        "CLIENT PAUSE 1",
        "SHUTDOWN",
        "SHUTDOWN NOSAVE",
        "CONFIG REWRITE",
    ] {
        let answer = talk.ask(line);
        assert!(answer.starts_with("-ERR ") && answer.contains("not supported"), "{line}: {answer}");
    }
    talk.check(&[
        ("CLIENT REPLY ON", "+OK"),
        ("CLIENT REPLY x", "-ERR syntax error"),
        ("CLIENT TRACKING OFF", "+OK"),
        ("CLIENT TRACKINGINFO", "*6 $5 flags *1 $3 off $8 redirect :-1 $8 prefixes *0"),
        ("CLIENT GETREDIR", ":-1"),
        ("CLIENT UNBLOCK 9", ":0"),
        ("CLIENT NO-EVICT on", "+OK"),
        ("CLIENT NO-EVICT x", "-ERR syntax error"),
        ("SELECT x", "-ERR value is not an integer or out of range"),
        ("LATENCY RESET", ":0"),
        ("LATENCY HISTOGRAM", "*0"),
        ("LATENCY GRAPH x", "-ERR No samples available for event 'x'"),
        ("SLOWLOG GET x", "-ERR count should be greater than or equal to -1"),
    ]);
}

#[test]
fn settings_can_be_set_to_what_they_are() {
    let mut talk = Talk::new(Some(2));
    talk.check(&[
        ("CONFIG SET maxmemory 0", "+OK"),
        ("CONFIG SET APPENDONLY YES timeout 0", "+OK"),
        ("CONFIG SET nope 1", "-ERR Unknown option or number of arguments for CONFIG SET - 'nope'"),
        ("CONFIG SET save 1 timeout", "-ERR wrong number of arguments for 'config|set' command"),
        ("CONFIG GET databases", "*2 $9 databases $1 1"),
    ]);
    let refused = talk.ask("CONFIG SET timeout 0 maxmemory 1gb");
    assert!(refused.starts_with("-ERR CONFIG SET failed (possibly related to argument 'maxmemory')"));
}

#[test]
fn info_tells_the_sections_that_are_asked_for() {
    let mut talk = Talk::new(Some(1));
    let all = talk.ask("INFO");
    for part in ["# Server", "# Clients", "# Memory", "used_memory:", "uptime_in_seconds:", "# Raft node:2 "]
    {
        assert!(all.contains(part), "{part}: {all}");
    }
    assert_eq!(talk.ask("INFO everything").len(), all.len());
    let replication = talk.ask("INFO REPLICATION");
    let wanted = "# Replication role:slave master_host:127.0.0.1 master_port:7001 master_link_status:up \
                  slave_repl_offset:9 ";
    assert!(replication.contains(wanted) && !replication.contains("# Server"), "{replication}");
    let two = talk.ask("INFO cluster server");
    assert!(two.contains("# Server redis_version:7.0.15") && two.contains("  # Cluster cluster_enabled:0 "));
    assert_eq!(talk.ask("INFO nope"), "$0  ");
}

#[test]
fn help_is_made_of_the_table() {
    let mut talk = Talk::new(Some(1));
    let help = talk.ask("SLOWLOG HELP");
    let head = "*9 +SLOWLOG <subcommand> [<arg> [value] [opt] ...]. Subcommands are: +GET +    Tells which";
    assert!(help.starts_with(head), "{help}");
    assert!(talk.ask("COMMAND HELP").starts_with("*17 +COMMAND "));
}

#[test]
fn what_a_node_answers_by_itself_has_its_place_in_a_transaction() {
    Talk::new(Some(2)).check(&[
        ("MULTI", "+OK"),
        ("PING x", "+QUEUED"),
        ("SET a 1", "+QUEUED"),
        ("CLIENT ID", "+QUEUED"),
        ("GET a", "+QUEUED"),
        ("UNWATCH", "+QUEUED"),
        ("SELECT 9", "+QUEUED"),
        ("EXEC", "*6 $1 x +OK :7 $1 1 +OK -ERR DB index is out of range"),
        ("MULTI", "+OK"),
        ("PING", "+QUEUED"),
        ("EXEC", "*1 +PONG"),
        ("MULTI", "+OK"),
        ("EXEC", "*0"),
        ("MULTI", "+OK"),
        ("SHUTDOWN", "-ERR Command not allowed inside a transaction"),
        ("PING", "+QUEUED"),
        ("EXEC", "-EXECABORT Transaction discarded because of previous errors."),
        ("MULTI", "+OK"),
        ("RESET", "+RESET"),
        ("EXEC", "-ERR EXEC without MULTI"),
    ]);
}

#[test]
fn a_transaction_whose_keys_have_changed_answers_no_array() {
    let mut talk = Talk::new(Some(2));
    talk.check(&[("SET a 1", "+OK"), ("WATCH a", "+OK")]);
    // Somebody else.
    let mut other = Session::new(8);
    std::mem::swap(&mut other, &mut talk.session);
    talk.check(&[("SET a 2", "+OK")]);
    std::mem::swap(&mut other, &mut talk.session);
    talk.check(&[("MULTI", "+OK"), ("PING", "+QUEUED"), ("EXEC", "*-1")]);
}

#[test]
fn a_transaction_that_no_message_could_carry_is_refused() {
    let mut talk = Talk::new(Some(2));
    let value = "x".repeat(1 << 20);
    talk.check(&[("MULTI", "+OK")]);
    for _ in 0..3 {
        talk.check(&[(&format!("SET a {value}"), "+QUEUED")]);
    }
    let refused = "-ERR the transaction is too large; nothing of it will be done";
    for _ in 0..3 {
        talk.check(&[(&format!("SET a {value}"), refused)]);
    }
    let aborted = "-EXECABORT Transaction discarded because of previous errors.";
    talk.check(&[("EXEC", aborted), ("GET a", "$-1"), ("MULTI", "+OK"), ("EXEC", "*0")]);
    let key = "k".repeat(crate::limits::KEY_BYTES_MAX + 1);
    assert!(talk.ask(&format!("WATCH {key}")).starts_with("-ERR "));
}
