//! Commands that a node answers by itself: about the connection, the server, the cluster.
//!
//! Clients send a good part of these before they send anything else, and give up on a server that answers
//! them in a way they do not expect. Where there is nothing to tell, the answer has the form of Redis'.
//! What is about the connection is answered here; `server` and `cluster` have their own files.

mod cluster;
mod process;
mod server;

#[cfg(test)]
mod tests;

use super::picture::Picture;
use super::session::Session;
use crate::resp::{COMMANDS, CommandSpec, Protocol, ReplyWriter, Request, Verb, number, write_command_reply};

pub(super) use cluster::slot_of;
pub(super) use process::Process;

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
        || answer_tracking(spec.verb, request, &mut writer)
        || answer_help(spec, &mut writer)
        || server::answer(spec.verb, request, picture, &mut writer)
        || cluster::answer(spec.verb, request, picture, &mut writer)
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
        Verb::Select => match request.get(1).and_then(number::parse_i64) {
            Some(0) => writer.ok(),
            Some(_) => writer.error("ERR DB index is out of range"),
            None => writer.error("ERR value is not an integer or out of range"),
        },
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
        Verb::ClientNoEvict | Verb::ClientNoTouch => switch(request, writer),
        // Transactions without a WATCH are all that this can be asked in here.
        Verb::Unwatch
        | Verb::ClientSetinfo
        | Verb::ClientUnpause
        | Verb::Readonly
        | Verb::Readwrite
        | Verb::Asking => writer.ok(),
        _ => return false,
    }
    true
}

fn is_word(request: Request<'_>, place: usize, word: &str) -> bool {
    request.get(place).is_some_and(|given| given.eq_ignore_ascii_case(word.as_bytes()))
}

/// ON or OFF, where it makes no difference.
fn switch(request: Request<'_>, writer: &mut ReplyWriter<'_>) {
    if is_word(request, 2, "on") || is_word(request, 2, "off") {
        writer.ok();
    } else {
        writer.error("ERR syntax error");
    }
}

/// What a client may want of its connection and does not get here: a clear no, and OK to asking for what is
/// the case anyway.
fn answer_tracking(verb: Verb, request: Request<'_>, writer: &mut ReplyWriter<'_>) -> bool {
    match verb {
        Verb::ClientReply if is_word(request, 2, "on") => writer.ok(),
        Verb::ClientReply if is_word(request, 2, "off") || is_word(request, 2, "skip") => {
            writer.error("ERR CLIENT REPLY OFF and SKIP are not supported: every command is answered");
        }
        Verb::ClientTracking if is_word(request, 2, "off") => writer.ok(),
        Verb::ClientTracking if is_word(request, 2, "on") => {
            writer.error("ERR CLIENT TRACKING is not supported: nobody is told of changed keys");
        }
        Verb::ClientReply | Verb::ClientTracking => writer.error("ERR syntax error"),
        Verb::ClientTrackinginfo => {
            writer.map(3);
            writer.bulk(b"flags");
            writer.set(1);
            writer.bulk(b"off");
            writer.bulk(b"redirect");
            writer.integer(-1);
            writer.bulk(b"prefixes");
            writer.array(0);
        }
        Verb::ClientGetredir => writer.integer(-1),
        Verb::ClientCaching => writer.error(
            "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or \
             OPTOUT mode enabled",
        ),
        Verb::ClientKill => {
            writer.error("ERR CLIENT KILL is not supported: a connection is closed by its client alone");
        }
        Verb::ClientPause => writer.error("ERR CLIENT PAUSE is not supported: no command is held back"),
        // No command waits for something that this could end.
        Verb::ClientUnblock => match request.get(2).and_then(number::parse_i64) {
            Some(_) => writer.integer(0),
            None => writer.error("ERR value is not an integer or out of range"),
        },
        _ => return false,
    }
    true
}

/// HELP of a command with subcommands: what the table says of them.
fn answer_help(spec: &CommandSpec, writer: &mut ReplyWriter<'_>) -> bool {
    let Some(container) = spec.name.strip_suffix("help").filter(|container| container.ends_with('|')) else {
        return false;
    };
    let subcommands = || COMMANDS.iter().filter_map(|spec| Some((spec.name.strip_prefix(container)?, spec)));
    let title = container.trim_end_matches('|').to_uppercase();
    writer.array(1 + 2 * subcommands().count());
    writer.simple(&format!("{title} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
    for (name, subcommand) in subcommands() {
        writer.simple(&name.to_uppercase());
        writer.simple(&format!("    {}", subcommand.summary));
    }
    true
}

/// A word of a request as text, in small letters.
fn text_of(word: &[u8]) -> String {
    String::from_utf8_lossy(word).to_lowercase()
}
