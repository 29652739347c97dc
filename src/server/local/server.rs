//! About the server: its settings, its clock, its role, and what Redis has for slow commands.
//!
//! There is nothing to be changed while a node runs. CONFIG SET agrees to what is the case already, because
//! tools set `save` or `maxmemory` to what they need, and refuses everything else.

use super::super::picture::{Member, Picture};
use super::text_of;
use crate::limits::VALUE_BYTES_MAX;
use crate::resp::{ReplyWriter, Request, Verb, number};

/// Answers a command, if it is one of these.
pub(super) fn answer(
    verb: Verb,
    request: Request<'_>,
    picture: &Picture,
    writer: &mut ReplyWriter<'_>,
) -> bool {
    match verb {
        Verb::Info => {
            let sections: Vec<String> = request.iter().skip(1).map(text_of).collect();
            writer.verbatim(*b"txt", picture.info(&sections).as_bytes());
        }
        Verb::Time => {
            let milliseconds = picture.wall.0;
            writer.array(2);
            writer.bulk((milliseconds / 1_000).to_string().as_bytes());
            writer.bulk((milliseconds % 1_000 * 1_000).to_string().as_bytes());
        }
        Verb::Role => role(picture, writer),
        // Whatever has been answered is on a majority already.
        Verb::Wait => writer.integer(i64::try_from(picture.members.len() / 2).unwrap_or(i64::MAX)),
        Verb::Shutdown => {
            writer.error("ERR SHUTDOWN is not supported: to end this node send its process SIGTERM");
        }
        Verb::ConfigGet => config_get(request, picture, writer),
        Verb::ConfigSet => config_set(request, picture, writer),
        Verb::ConfigResetstat | Verb::SlowlogReset => writer.ok(),
        Verb::ConfigRewrite => {
            writer.error("ERR CONFIG REWRITE is not supported: settings are those of the node's start");
        }
        _ => return answer_slow(verb, request, writer),
    }
    true
}

/// Nothing is measured, and it is said in the forms of Redis.
fn answer_slow(verb: Verb, request: Request<'_>, writer: &mut ReplyWriter<'_>) -> bool {
    match verb {
        Verb::SlowlogLen | Verb::LatencyReset => writer.integer(0),
        Verb::SlowlogGet => {
            match request.get(2).map_or(Some(10), number::parse_i64).filter(|count| *count >= -1) {
                Some(_) => writer.array(0),
                None => writer.error("ERR count should be greater than or equal to -1"),
            }
        }
        Verb::LatencyLatest | Verb::LatencyHistory => writer.array(0),
        Verb::LatencyHistogram => writer.map(0),
        Verb::LatencyDoctor => {
            writer.verbatim(*b"txt", b"This server does not record how long commands took.\n");
        }
        Verb::LatencyGraph => {
            let event = request.get(2).unwrap_or_default();
            writer.error_of(&[b"ERR No samples available for event '", event, b"'"]);
        }
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
        return;
    }
    let (host, port) = picture.leader().map_or((String::new(), 0), Member::host_and_port);
    writer.array(5);
    writer.bulk(b"slave");
    writer.bulk(host.as_bytes());
    writer.integer(i64::from(port));
    writer.bulk(if picture.leader().is_some() { b"connected" } else { b"connect" });
    writer.integer(offset);
}

/// What is the case, under the names that Redis has for it.
fn settings(picture: &Picture) -> Vec<(&'static str, String)> {
    let fixed = [
        ("appendonly", "yes"),
        ("appendfsync", "always"),
        ("save", ""),
        ("databases", "1"),
        ("maxmemory", "0"),
        ("maxmemory-policy", "noeviction"),
        ("timeout", "0"),
        ("notify-keyspace-events", ""),
        ("slowlog-log-slower-than", "-1"),
        ("slowlog-max-len", "0"),
        ("latency-monitor-threshold", "0"),
        ("cluster-enabled", "no"),
    ];
    let mut settings: Vec<_> = fixed.map(|(name, value)| (name, value.to_owned())).to_vec();
    settings.push(("maxclients", picture.clients_max.to_string()));
    settings.push(("proto-max-bulk-len", VALUE_BYTES_MAX.to_string()));
    settings
}

fn config_get(request: Request<'_>, picture: &Picture, writer: &mut ReplyWriter<'_>) {
    let asked = |name: &str| {
        request.iter().skip(2).any(|pattern| number::matches_ignoring_case(pattern, name.as_bytes()))
    };
    let found: Vec<_> = settings(picture).into_iter().filter(|(name, _)| asked(name)).collect();
    writer.map(found.len());
    for (name, value) in found {
        writer.bulk(name.as_bytes());
        writer.bulk(value.as_bytes());
    }
}

fn config_set(request: Request<'_>, picture: &Picture, writer: &mut ReplyWriter<'_>) {
    let words: Vec<&[u8]> = request.iter().skip(2).collect();
    let settings = settings(picture);
    if !words.len().is_multiple_of(2) {
        return writer.error("ERR wrong number of arguments for 'config|set' command");
    }
    for pair in words.chunks(2) {
        let (name, value) = (pair[0], pair[1]);
        match settings.iter().find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes())) {
            None => {
                let head = b"ERR Unknown option or number of arguments for CONFIG SET - '";
                return writer.error_of(&[head, name, b"'"]);
            }
            Some((_, is)) if value.eq_ignore_ascii_case(is.as_bytes()) => {}
            Some((_, is)) => {
                let head = b"ERR CONFIG SET failed (possibly related to argument '";
                let why = format!("') - it is '{is}', and settings cannot be changed while the node runs");
                return writer.error_of(&[head, name, why.as_bytes()]);
            }
        }
    }
    writer.ok();
}
