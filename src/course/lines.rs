//! The stream dialect: messages that end with a line feed, out of bytes that come in any pieces.

use crate::limits::DATAGRAM_BYTES_MAX;

/// What has come of a message that is not whole yet.
#[derive(Debug, Default)]
pub struct Lines {
    partial: Vec<u8>,
}

impl Lines {
    /// Takes what has arrived, and hands out every message that is whole now, without its end.
    pub fn take_in(&mut self, bytes: &[u8], mut take: impl FnMut(&[u8])) {
        self.partial.extend_from_slice(bytes);
        let mut start = 0;
        while let Some(length) = self.partial[start..].iter().position(|byte| *byte == b'\n') {
            take(&self.partial[start..start + length]);
            start += length + 1;
        }
        self.partial.drain(..start);
        if self.partial.len() > DATAGRAM_BYTES_MAX {
            // No message is that long: whatever it is, it ends at the next line feed.
            self.partial.clear();
        }
    }
}
