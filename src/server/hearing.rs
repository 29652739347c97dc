//! What another replica says on the line that it has made: frames to messages, a hello before anything else.
//!
//! A function of the bytes, without a socket, so that everything that could ever arrive can be tried out.

use super::peer::{Hello, PeerMessage};
use crate::codec;
use crate::identity::ClusterId;
use crate::limits::FRAME_BYTES_MAX;
use crate::net::Frames;
use crate::raft::NodeId;

/// Longest frame before it is known who speaks, in bytes: a hello, or the reason why one is not welcome.
pub(super) const STRANGER_FRAME_BYTES: usize = 1 << 10;

/// The listening end of one line.
#[derive(Debug, Default)]
pub struct Hearing {
    /// Who speaks.
    hello: Option<Hello>,
}

impl Hearing {
    /// Who speaks, once a hello has been welcome.
    pub fn hello(&self) -> Option<&Hello> {
        self.hello.as_ref()
    }

    /// Takes the whole frames at the front of `input` and hands out what they say. `judge` says whether a
    /// hello is welcome. Answers how many bytes have been used.
    ///
    /// # Errors
    ///
    /// Why the line must be given up. What was handed out before stands.
    pub fn hear(
        &mut self,
        input: &[u8],
        cluster: ClusterId,
        mut judge: impl FnMut(&Hello) -> Result<(), String>,
        take: &mut impl FnMut(NodeId, PeerMessage),
    ) -> Result<usize, String> {
        // Nobody may claim much before it is known who speaks.
        let body_bytes_max = if self.hello.is_none() { STRANGER_FRAME_BYTES } else { FRAME_BYTES_MAX };
        let mut frames = Frames::new(input, cluster, body_bytes_max);
        while let Some(body) = frames.next() {
            let message = decode(body.map_err(|error| error.to_string())?)?;
            match (self.hello.as_ref().map(|hello| hello.from), message) {
                (None, PeerMessage::Hello(hello)) => {
                    judge(&hello)?;
                    self.hello = Some(hello);
                    frames.body_bytes_max = FRAME_BYTES_MAX;
                }
                (Some(from), PeerMessage::Raft(envelope)) if envelope.from == from => {
                    take(from, PeerMessage::Raft(envelope));
                }
                (None, _) | (_, PeerMessage::Hello(_) | PeerMessage::Unwelcome(_) | PeerMessage::Raft(_)) => {
                    return Err("it says what has no place there".to_owned());
                }
                (Some(from), message) => take(from, message),
            }
        }
        Ok(frames.used)
    }
}

/// What the other side says against a connection that we have made, if it says something.
pub(super) fn refusal(input: &[u8], cluster: ClusterId) -> Option<String> {
    match Frames::new(input, cluster, STRANGER_FRAME_BYTES).next()? {
        Ok(body) => match decode(body) {
            Ok(PeerMessage::Unwelcome(why)) => Some(why.into()),
            _ => Some("it answers where nobody was asked".to_owned()),
        },
        // It does not understand us either.
        Err(error) => Some(error.to_string()),
    }
}

fn decode(body: &[u8]) -> Result<PeerMessage, String> {
    codec::decode(body).map_err(|garbage| garbage.to_string())
}
