//! The seam where a write-ahead log goes, for replicas that have none.

use crate::raft::Receipt;
use crate::replica::{Now, Output, Replica};

/// Ends a turn of a replica whose storage is its memory: what is to be written counts as durable at once,
/// and what waited for that leaves with the rest.
pub fn turn_in_memory(replica: &mut Replica, now: Now, output: &mut Output) {
    replica.turn(now, output);
    while let Some(mut write) = output.write.take() {
        output.peers.append(&mut write.then_send);
        replica.durable(Receipt(write.sequence));
        replica.turn(now, output);
    }
}
