//! How a trace says what it saw.

use quorate::raft::{
    AppendOutcome, Entry, Envelope, HardState, LogWrite, Member, Membership, Message, Payload, Position,
    Reign, Standing,
};

pub(crate) fn entries(entries: &[Entry]) -> String {
    let shown: Vec<String> = entries.iter().map(entry).collect();
    format!("[{}]", shown.join(" "))
}

pub(crate) fn entry(entry: &Entry) -> String {
    match &entry.payload {
        Payload::Noop => format!("t{}:-", entry.term.0),
        Payload::Command(bytes) => format!("t{}:{}", entry.term.0, String::from_utf8_lossy(bytes)),
        Payload::Membership(membership) => format!("t{}:{}", entry.term.0, self::membership(membership)),
    }
}

/// Members with a mark for each that is no plain voter.
pub(crate) fn membership(membership: &Membership) -> String {
    let member = |member: &Member| match member.standing {
        Standing::Voter => member.id.0.to_string(),
        Standing::Learner => format!("{}?", member.id.0),
        Standing::Joining => format!("+{}", member.id.0),
        Standing::Leaving => format!("-{}", member.id.0),
    };
    let members: Vec<String> = membership.members().iter().map(member).collect();
    format!("{{{}}}", members.join(" "))
}

pub(crate) fn position(position: Position) -> String {
    format!("{}@t{}", position.index.0, position.term.0)
}

pub(crate) fn envelope(envelope: &Envelope) -> String {
    let Envelope { from, to, term, message } = envelope;
    format!("{}->{} t{} {}", from.0, to.0, term.0, self::message(message))
}

pub(crate) fn hard_state(hard: HardState) -> String {
    let vote = hard.vote.map_or("no vote".to_owned(), |vote| format!("vote for {}", vote.0));
    format!("t{} {vote}", hard.term.0)
}

pub(crate) fn write(write: &LogWrite) -> String {
    let mut parts = Vec::new();
    if let Some(hard) = write.hard_state {
        parts.push(hard_state(hard));
    }
    if let Some(append) = &write.entries {
        parts.push(format!("from {} {}", append.first.0, entries(&append.entries)));
    }
    if parts.is_empty() {
        parts.push("nothing".to_owned());
    }
    if !write.then_send.is_empty() {
        parts.push(format!("{} to send then", write.then_send.len()));
    }
    parts.join(", ")
}

fn message(message: &Message) -> String {
    let kind = message.kind();
    let yes = |granted: &bool| if *granted { "yes" } else { "no" };
    match message {
        Message::PreVote { last, .. } | Message::Vote { last, .. } => {
            format!("{kind}, log to {}", position(*last))
        }
        Message::PreVoteReply { granted, commit, .. } | Message::VoteReply { granted, commit } => {
            format!("{kind} {}, commit {}", yes(granted), commit.0)
        }
        Message::Append { reign, previous, entries, commit } => {
            let after = position(*previous);
            format!(
                "{kind} {} after {after}, commit {}{}",
                self::entries(entries),
                commit.0,
                self::reign(reign)
            )
        }
        Message::AppendReply { beat, outcome } => {
            format!("{kind} {}{}", self::outcome(outcome), round(beat.round.0))
        }
        Message::Heartbeat { reign, commit, reply } => {
            let wish = if *reply { ", answer" } else { "" };
            format!("{kind} commit {}{}{wish}", commit.0, self::reign(reign))
        }
        Message::HeartbeatReply { beat } => format!("{kind}{}", round(beat.round.0)),
        Message::Snapshot { id, offset, .. } => format!("{kind} to {} from {offset}", position(id.last)),
        Message::SnapshotReply { last, outcome, .. } => {
            format!("{kind} to {}: {outcome:?}", position(*last))
        }
        Message::TimeoutNow => kind.to_owned(),
    }
}

fn outcome(outcome: &AppendOutcome) -> String {
    match outcome {
        AppendOutcome::Matched(index) => format!("matched {}", index.0),
        AppendOutcome::Missing { previous, hint } => {
            format!("missing {}, try {}", previous.0, position(*hint))
        }
        AppendOutcome::Deposed => "deposed".to_owned(),
    }
}

fn reign(reign: &Reign) -> String {
    format!(", rank {}{}", reign.rank, round(reign.beat.round.0))
}

fn round(round: u64) -> String {
    if round == 0 { String::new() } else { format!(", round {round}") }
}
