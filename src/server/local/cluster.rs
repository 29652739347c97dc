//! The cluster in the words of Redis Cluster: all slots belong to the leader, the others are its replicas.
//!
//! Cluster clients ask for this first, and give up on a cluster without an owner for every slot. So there is
//! one at any moment: while nobody leads, the node that is asked names itself, because it takes commands and
//! keeps them until somebody does lead.
//!
//! What clients may not rely on: the addresses. Nodes know where they reach each other, not where
//! the others take clients, so what is told are the addresses among nodes; for Unix sockets, which Redis
//! Cluster has no form for, 127.0.0.1 and port 0.

use super::super::picture::{Member, Picture};
use crate::raft::NodeId;
use crate::resp::{ReplyWriter, Request, Verb, hash_slot, number};

/// What CLUSTER MYSHARDID answers: there is one group, and no node has this name.
const SHARD: u16 = u16::MAX;

/// Answers a command, if it is one of these.
pub(super) fn answer(
    verb: Verb,
    request: Request<'_>,
    picture: &Picture,
    writer: &mut ReplyWriter<'_>,
) -> bool {
    match verb {
        Verb::ClusterInfo => writer.verbatim(*b"txt", info(picture).as_bytes()),
        Verb::ClusterNodes => writer.verbatim(*b"txt", nodes(picture).as_bytes()),
        Verb::ClusterSlots => slots(picture, writer),
        Verb::ClusterShards => shards(picture, writer),
        Verb::ClusterReplicas => replicas(request, picture, writer),
        Verb::ClusterLinks => writer.array(0),
        Verb::ClusterMyid => writer.bulk(name_of(picture.me).as_bytes()),
        Verb::ClusterMyshardid => writer.bulk(name_of(NodeId(SHARD)).as_bytes()),
        Verb::ClusterKeyslot => {
            writer.integer(i64::from(hash_slot::hash_slot(request.get(2).unwrap_or_default())));
        }
        Verb::RaftMembers => members(picture, writer),
        _ => return false,
    }
    true
}

/// Each member with its standing, its address among nodes, and whether it leads.
fn members(picture: &Picture, writer: &mut ReplyWriter<'_>) {
    writer.array(picture.members.len());
    for member in picture.members.iter() {
        writer.map(4);
        writer.bulk(b"node");
        writer.integer(i64::from(member.id.0));
        text(writer, "standing", member.standing());
        text(writer, "address", &member.address);
        text(writer, "role", if picture.status.leader == Some(member.id) { "leader" } else { "follower" });
    }
}

/// The slot that a request names, or the error for it.
pub(in super::super) fn slot_of(request: Request<'_>) -> Result<u16, &'static str> {
    let slot = request.get(2).and_then(number::parse_i64);
    let slot = slot.ok_or("ERR value is not an integer or out of range")?;
    u16::try_from(slot).ok().filter(|slot| *slot < hash_slot::SLOTS).ok_or("ERR Invalid slot")
}

/// Who owns the slots: the leader, or the node that is asked.
fn owner(picture: &Picture) -> NodeId {
    let leader = picture.status.leader;
    leader.filter(|leader| picture.members.iter().any(|member| member.id == *leader)).unwrap_or(picture.me)
}

/// The members, the owner of the slots first.
fn owner_first(picture: &Picture) -> Vec<&Member> {
    let owner = owner(picture);
    let mut members: Vec<&Member> = picture.members.iter().collect();
    members.sort_by_key(|member| (member.id != owner, member.id));
    members
}

fn info(picture: &Picture) -> String {
    let (state, served) = if picture.status.leader.is_some() { ("ok", 16_384) } else { ("fail", 0) };
    format!(
        "cluster_enabled:0\r\ncluster_state:{state}\r\ncluster_slots_assigned:16384\r\n\
         cluster_slots_ok:{served}\r\ncluster_slots_pfail:0\r\ncluster_slots_fail:{}\r\n\
         cluster_known_nodes:{}\r\ncluster_size:1\r\ncluster_current_epoch:{term}\r\n\
         cluster_my_epoch:{term}\r\ncluster_stats_messages_sent:0\r\ncluster_stats_messages_received:0\r\n",
        hash_slot::SLOTS - served,
        picture.members.len(),
        term = picture.status.term.0
    )
}

/// A line for each member, as in the file that Redis Cluster keeps; they end in line feeds alone.
fn nodes(picture: &Picture) -> String {
    picture.members.iter().map(|member| node_line(member, picture)).collect()
}

fn node_line(member: &Member, picture: &Picture) -> String {
    let owner = owner(picture);
    let (host, port) = member.host_and_port();
    let is_owner = member.id == owner;
    format!(
        "{name} {host}:{port}@{port} {myself}{role} {master} 0 0 {term} connected{slots}\n",
        name = name_of(member.id),
        myself = if member.id == picture.me { "myself," } else { "" },
        role = if is_owner { "master" } else { "slave" },
        master = if is_owner { "-".to_owned() } else { name_of(owner) },
        term = picture.status.term.0,
        slots = if is_owner { " 0-16383" } else { "" },
    )
}

fn slots(picture: &Picture, writer: &mut ReplyWriter<'_>) {
    writer.array(1);
    writer.array(2 + picture.members.len());
    writer.integer(0);
    writer.integer(i64::from(hash_slot::SLOTS) - 1);
    for member in owner_first(picture) {
        let (host, port) = member.host_and_port();
        writer.array(4);
        writer.bulk(host.as_bytes());
        writer.integer(i64::from(port));
        writer.bulk(name_of(member.id).as_bytes());
        writer.array(0);
    }
}

fn shards(picture: &Picture, writer: &mut ReplyWriter<'_>) {
    let owner = owner(picture);
    let offset = i64::try_from(picture.status.commit.0).unwrap_or(i64::MAX);
    writer.array(1);
    writer.map(2);
    writer.bulk(b"slots");
    writer.array(2);
    writer.integer(0);
    writer.integer(i64::from(hash_slot::SLOTS) - 1);
    writer.bulk(b"nodes");
    writer.array(picture.members.len());
    for member in owner_first(picture) {
        let (host, port) = member.host_and_port();
        let role = if member.id == owner { "master" } else { "replica" };
        writer.map(7);
        text(writer, "id", &name_of(member.id));
        writer.bulk(b"port");
        writer.integer(i64::from(port));
        text(writer, "ip", &host);
        text(writer, "endpoint", &host);
        text(writer, "role", role);
        writer.bulk(b"replication-offset");
        writer.integer(offset);
        text(writer, "health", "online");
    }
}

fn text(writer: &mut ReplyWriter<'_>, name: &str, value: &str) {
    writer.bulk(name.as_bytes());
    writer.bulk(value.as_bytes());
}

fn replicas(request: Request<'_>, picture: &Picture, writer: &mut ReplyWriter<'_>) {
    let owner = owner(picture);
    let asked = request.get(2).unwrap_or_default();
    let known = picture.members.iter().find(|member| asked == name_of(member.id).as_bytes());
    match known {
        None => writer.error_of(&[b"ERR Unknown node ", asked]),
        Some(member) if member.id != owner => writer.error("ERR The specified node is not a master"),
        Some(_) => {
            let others: Vec<&Member> = picture.members.iter().filter(|member| member.id != owner).collect();
            writer.array(others.len());
            for member in others {
                writer.bulk(node_line(member, picture).trim_end().as_bytes());
            }
        }
    }
}

/// A node's name as Redis has them: forty hexadecimal digits.
fn name_of(node: NodeId) -> String {
    format!("{:040x}", node.0)
}
