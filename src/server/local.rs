//! Commands that a node answers by itself: about the connection, the server, the cluster.
//!
//! Clients send a good part of these before they send anything else, and give up on a server that answers
//! them in a way they do not expect. Where there is nothing to tell, the answer has the form of Redis'.

use super::picture::Picture;
use super::session::Session;
use crate::limits::VALUE_BYTES_MAX;
use crate::resp::{
    CommandSpec, Protocol, ReplyWriter, Request, Verb, hash_slot, number, write_command_reply,
};

/// Longest name of a connection, in bytes.
const NAME_BYTES_MAX: usize = 256;

/// Answers a command into `said`.
pub(super) fn answer(
    session: &mut Session,
    spec: &CommandSpec,
    request: Request<'_>,
    picture: &Picture,
    said: &mut Vec<u8>,
) {
    if spec.verb == Verb::Hello {
        return hello(session, request, picture, said);
    }
    let mut writer = ReplyWriter::new(said, session.protocol);
    if write_command_reply(spec.verb, request, &mut writer)
        || answer_connection(session, spec.verb, request, &mut writer)
        || answer_server(spec.verb, request, picture, &mut writer)
        || answer_cluster(spec.verb, request, picture, &mut writer)
    {
        return;
    }
    writer.error_of(&[b"ERR '", spec.name.as_bytes(), b"' is not supported by this server"]);
}

fn hello(session: &mut Session, request: Request<'_>, picture: &Picture, said: &mut Vec<u8>) {
    let asked = request.get(1).map(|version| number::parse_i64(version).and_then(Protocol::of_version));
    let Some(protocol) = asked.unwrap_or(Some(session.protocol)) else {
        return ReplyWriter::new(said, session.protocol).error("NOPROTO unsupported protocol version");
    };
    let mut place = 2;
    while let Some(option) = request.get(place) {
        let is_name = option.eq_ignore_ascii_case(b"setname");
        match (is_name, option.eq_ignore_ascii_case(b"auth"), request.get(place + 1)) {
            (true, _, Some(name)) => {
                session.name = name.to_vec();
                place += 2;
            }
            (_, true, Some(_)) if request.get(place + 2).is_some() => place += 3,
            _ => return ReplyWriter::new(said, session.protocol).error("ERR Syntax error in HELLO option"),
        }
    }
    session.protocol = protocol;
    let mut writer = ReplyWriter::new(said, protocol);
    writer.map(7);
    for (key, value) in [("server", "redis"), ("version", "7.0.15")] {
        writer.bulk(key.as_bytes());
        writer.bulk(value.as_bytes());
    }
    writer.bulk(b"proto");
    writer.integer(protocol.version());
    writer.bulk(b"id");
    writer.integer(number_of(session));
    writer.bulk(b"mode");
    writer.bulk(b"standalone");
    writer.bulk(b"role");
    writer.bulk(if picture.is_leader() { b"master" } else { b"replica" });
    writer.bulk(b"modules");
    writer.array(0);
}

fn number_of(session: &Session) -> i64 {
    i64::try_from(session.number).unwrap_or(i64::MAX)
}

fn answer_connection(
    session: &mut Session,
    verb: Verb,
    request: Request<'_>,
    writer: &mut ReplyWriter<'_>,
) -> bool {
    match verb {
        Verb::Ping => match request.get(1) {
            Some(text) => writer.bulk(text),
            None => writer.simple("PONG"),
        },
        Verb::Echo => writer.bulk(request.get(1).unwrap_or_default()),
        Verb::Select if request.get(1) == Some(b"0") => writer.ok(),
        Verb::Select => writer.error("ERR DB index is out of range"),
        Verb::Auth => writer.error(
            "ERR AUTH <password> called without any password configured for the default user. \
             Are you sure your configuration is correct?",
        ),
        Verb::Quit => {
            session.close();
            writer.ok();
        }
        Verb::Reset => {
            session.reset();
            writer.simple("RESET");
        }
        Verb::ClientId => writer.integer(number_of(session)),
        Verb::ClientGetname => writer.bulk(&session.name),
        Verb::ClientSetname => {
            let name = request.get(2).unwrap_or_default();
            if name.len() > NAME_BYTES_MAX || name.iter().any(|byte| !(b'!'..=b'~').contains(byte)) {
                writer.error("ERR Client names cannot contain spaces, newlines or special characters.");
            } else {
                session.name = name.to_vec();
                writer.ok();
            }
        }
        Verb::ClientInfo | Verb::ClientList => {
            let name = String::from_utf8_lossy(&session.name).into_owned();
            let line =
                format!("id={} name={name} db=0 resp={}\n", session.number, session.protocol.version());
            writer.verbatim(*b"txt", line.as_bytes());
        }
        Verb::ClientSetinfo
        | Verb::ClientNoEvict
        | Verb::ClientNoTouch
        | Verb::Readonly
        | Verb::Readwrite
        | Verb::Asking => writer.ok(),
        _ => return false,
    }
    true
}

fn answer_server(verb: Verb, request: Request<'_>, picture: &Picture, writer: &mut ReplyWriter<'_>) -> bool {
    match verb {
        Verb::Info => writer.verbatim(*b"txt", picture.info().as_bytes()),
        Verb::Time => {
            let milliseconds = picture.wall.0;
            writer.array(2);
            writer.bulk((milliseconds / 1_000).to_string().as_bytes());
            writer.bulk((milliseconds % 1_000 * 1_000).to_string().as_bytes());
        }
        Verb::Role => role(picture, writer),
        // Whatever has been answered is on a majority already.
        Verb::Wait => writer.integer(i64::try_from(picture.members.len() / 2).unwrap_or(i64::MAX)),
        Verb::ConfigGet => config_get(request, writer),
        Verb::ConfigResetstat | Verb::SlowlogReset | Verb::LatencyReset => writer.ok(),
        Verb::SlowlogLen => writer.integer(0),
        Verb::SlowlogGet | Verb::LatencyLatest | Verb::LatencyHistory => writer.array(0),
        _ => return false,
    }
    true
}

fn role(picture: &Picture, writer: &mut ReplyWriter<'_>) {
    let offset = i64::try_from(picture.status.commit.0).unwrap_or(i64::MAX);
    if picture.is_leader() {
        writer.array(3);
        writer.bulk(b"master");
        writer.integer(offset);
        writer.array(0);
    } else {
        let leader = picture.members.iter().find(|member| Some(member.id) == picture.status.leader);
        writer.array(5);
        writer.bulk(b"slave");
        writer.bulk(leader.map_or("", |leader| &leader.address).as_bytes());
        writer.integer(0);
        writer.bulk(if leader.is_some() { b"connected" } else { b"connect" });
        writer.integer(offset);
    }
}

fn config_get(request: Request<'_>, writer: &mut ReplyWriter<'_>) {
    let value_max = VALUE_BYTES_MAX.to_string();
    let settings = [
        ("appendonly", "yes"),
        ("appendfsync", "always"),
        ("save", ""),
        ("databases", "1"),
        ("maxmemory", "0"),
        ("timeout", "0"),
        ("proto-max-bulk-len", &value_max),
    ];
    let asked = |name: &str| {
        request.iter().skip(2).any(|pattern| number::matches_ignoring_case(pattern, name.as_bytes()))
    };
    let found: Vec<_> = settings.into_iter().filter(|(name, _)| asked(name)).collect();
    writer.map(found.len());
    for (name, value) in found {
        writer.bulk(name.as_bytes());
        writer.bulk(value.as_bytes());
    }
}

fn answer_cluster(verb: Verb, request: Request<'_>, picture: &Picture, writer: &mut ReplyWriter<'_>) -> bool {
    match verb {
        Verb::ClusterInfo => {
            let state = if picture.status.leader.is_some() { "ok" } else { "fail" };
            let text = format!(
                "cluster_enabled:0\r\ncluster_state:{state}\r\ncluster_slots_assigned:16384\r\n\
                 cluster_known_nodes:{}\r\ncluster_size:1\r\ncluster_current_epoch:{}\r\n",
                picture.members.len(),
                picture.status.term.0
            );
            writer.verbatim(*b"txt", text.as_bytes());
        }
        Verb::ClusterMyid => writer.bulk(name_of(picture.me.0).as_bytes()),
        Verb::ClusterKeyslot => {
            writer.integer(i64::from(hash_slot::hash_slot(request.get(2).unwrap_or_default())));
        }
        _ => return false,
    }
    true
}

/// A node's name as Redis has them: forty hexadecimal digits.
fn name_of(node: u16) -> String {
    format!("{node:040x}")
}
