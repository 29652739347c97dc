//! The lines between the nodes. What goes over them is framed and encoded as over a socket.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::settings::{self, up_to};
use crate::codec;
use crate::identity::ClusterId;
use crate::kv::{Operation, RequestId};
use crate::limits::FRAME_BYTES_MAX;
use crate::net::{FRAME_HEAD_BYTES, Frames, append_frame};
use crate::prng::Prng;
use crate::raft::{Envelope, Instant, Span};
use crate::replica::{Answer, Ticket};

/// What nodes say to each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Packet {
    Raft(Envelope),
    /// A client's request, sent on by a follower.
    Ask(Ticket, Option<RequestId>, Vec<Operation>),
    /// The leader's answer to it.
    Answer(Ticket, Answer),
}

/// From one node to another.
pub(super) type Line = (usize, usize);

#[derive(Default)]
pub(super) struct Lines {
    /// Those that carry nothing.
    pub(super) cut: BTreeSet<Line>,
    /// Those that hold everything back until a moment.
    clogged: BTreeMap<Line, Instant>,
    /// When the last message arrives, where they keep their order.
    last: BTreeMap<Line, Instant>,
}

/// How a message fares.
pub(super) struct Passage {
    pub(super) arrives: Instant,
    pub(super) bytes: Vec<u8>,
    pub(super) is_damaged: bool,
}

impl Lines {
    pub(super) fn clog(&mut self, line: Line, until: Instant) {
        self.clogged.insert(line, until);
    }

    pub(super) fn heal(&mut self) {
        self.cut.clear();
        self.clogged.clear();
    }

    /// Sends something once; `None`: it is lost.
    pub(super) fn send(
        &mut self,
        prng: &mut Prng,
        settings: &settings::Network,
        now: Instant,
        line: Line,
        bytes: &[u8],
    ) -> Option<Passage> {
        if self.cut.contains(&line) || prng.chance(settings.lost) {
            return None;
        }
        let late = if prng.chance(settings.late) { settings::ELECTION_TIMEOUT.times(3) } else { Span(0) };
        let delay = settings.delay_min + up_to(prng, settings.delay) + up_to(prng, late);
        let mut arrives = now + delay;
        if let Some(until) = self.clogged.get(&line) {
            arrives = arrives.max(*until);
        }
        if settings.is_in_order {
            arrives = arrives.max(self.last.get(&line).copied().unwrap_or_default());
            self.last.insert(line, arrives);
        }
        let mut bytes = bytes.to_vec();
        let is_damaged = prng.chance(settings.damaged);
        if is_damaged {
            let bit = prng.place((bytes.len() - FRAME_HEAD_BYTES) * 8) + FRAME_HEAD_BYTES * 8;
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        Some(Passage { arrives, bytes, is_damaged })
    }
}

pub(super) fn encode(cluster: ClusterId, packet: &Packet) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    append_frame(&mut bytes, cluster, |buffer| codec::encode_into(packet, buffer));
    bytes
}

/// Whether the body of a frame makes sense, if nobody looks at its checksum.
pub(super) fn can_be_read(bytes: &[u8]) -> bool {
    codec::decode::<Packet>(&bytes[FRAME_HEAD_BYTES..]).is_ok()
}

/// The packet in a frame; `None` when it is damaged.
pub(super) fn decode(cluster: ClusterId, bytes: &[u8]) -> Option<Packet> {
    let body = Frames::new(bytes, cluster, FRAME_BYTES_MAX).next()?.ok()?;
    codec::decode(body).ok()
}
