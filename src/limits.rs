//! Every bound in one place, each with its unit, held against each other when the crate is compiled.

/// Longest key, in bytes.
pub const KEY_BYTES_MAX: usize = 1 << 10;

/// Longest value, in bytes. Larger ones will need the stream transport of a durable cluster.
pub const VALUE_BYTES_MAX: usize = 4 << 10;

/// Longest name a client may give to one of its requests, in bytes.
pub const TOKEN_BYTES_MAX: usize = 64;

/// Answers that are remembered for each client, so that a retried request takes effect once.
pub const ANSWERS_PER_CLIENT_MAX: usize = 4096;

/// Clients whose answers are remembered; the one that has been silent longest (in log order) is forgotten.
pub const CLIENTS_MAX: usize = 1024;

/// Requests that a replica keeps waiting at a time; beyond it they are refused.
pub const PENDING_REQUESTS_MAX: usize = 16 << 10;

/// Most replicas of a cluster.
pub const REPLICAS_MAX: usize = 64;

/// Largest message between two replicas under a course simulator, as bincode bytes.
pub const COURSE_RAFT_BYTES_MAX: usize = 5900;

/// Entries in one course append, in bytes; the rest of the message's room is for its head.
pub const COURSE_APPEND_BYTES_MAX: usize = 4 << 10;

/// Largest datagram that any course simulator sends or takes over UDP, in bytes.
pub const DATAGRAM_BYTES_MAX: usize = 65_535;

/// Largest packet that the oldest course simulator takes whole, in bytes.
pub const COURSE_PACKET_BYTES_MAX: usize = 16_384;

/// Messages that wait while a course socket is full. Beyond it messages to replicas are dropped, which the
/// protocol survives; answers to clients are not.
pub const COURSE_OUTBOX_MAX: usize = 1024;

/// Longest body of a frame between two replicas, in bytes.
pub const FRAME_BYTES_MAX: usize = 8 << 20;

/// What is read from one connection before the others have their turn, in bytes.
pub const READ_BYTES_PER_TURN: usize = 256 << 10;

/// Events on their way from the network thread to the replica's, in batches.
pub const MAILBOX_BATCHES_MAX: usize = 64;

/// Longest inline command or header line of a Redis client, in bytes. As in Redis.
pub const RESP_LINE_BYTES_MAX: usize = 64 << 10;

/// Arguments in one Redis command, its name included. As in Redis before 7.
pub const RESP_ARGUMENTS_MAX: usize = 1 << 20;

/// One Redis command with all its arguments and their headers, in bytes.
pub const RESP_REQUEST_BYTES_MAX: usize = 8 << 20;

/// Arguments and bytes per argument that a client may send before it has proved who it is. As in Redis.
pub const RESP_STRANGER_ARGUMENTS_MAX: usize = 10;

/// See [`RESP_STRANGER_ARGUMENTS_MAX`].
pub const RESP_STRANGER_BULK_BYTES_MAX: usize = 16 << 10;

/// Arguments whose places a Redis connection keeps room for between commands.
pub const RESP_SPANS_KEPT_MAX: usize = 128;

/// Lists within lists in an answer that travels between replicas.
pub const REPLY_DEPTH_MAX: usize = 6;

/// Room of one segment file of the log, in bytes. It is written out with zeros before it is used.
pub const WAL_SEGMENT_BYTES: u64 = 16 << 20;

/// The end of a segment that entries leave free when there is no other to go to, in bytes: a replica on a
/// full disk can still store terms, votes and the mark that lets it free space (R16).
pub const WAL_RESERVE_BYTES: u64 = 64 << 10;

/// A batch for the log that has reached this size takes no further write, in bytes.
pub const WAL_BATCH_BYTES: usize = 1 << 20;

/// Largest record of the log, in bytes. A single write of the core stays far below it.
pub const WAL_RECORD_BYTES_MAX: usize = 1 << 30;

/// What a log entry adds to the key and value in it: ids, token, lengths.
const COMMAND_HEAD_BYTES_MAX: usize = TOKEN_BYTES_MAX + 64;

/// What an append adds to its entries.
const APPEND_HEAD_BYTES_MAX: usize = 128;

const _: () = assert!(
    KEY_BYTES_MAX + VALUE_BYTES_MAX + COMMAND_HEAD_BYTES_MAX + APPEND_HEAD_BYTES_MAX <= COURSE_RAFT_BYTES_MAX,
    "an append of one entry of the largest size fits a course message"
);
const _: () = assert!(COURSE_APPEND_BYTES_MAX + APPEND_HEAD_BYTES_MAX <= COURSE_RAFT_BYTES_MAX);
const _: () = assert!(
    COURSE_RAFT_BYTES_MAX.div_ceil(3) * 4 + 256 < COURSE_PACKET_BYTES_MAX / 2,
    "in base64 and an envelope it stays below 8 KiB"
);
const _: () = assert!(WAL_RESERVE_BYTES < WAL_SEGMENT_BYTES / 2);
const _: () = assert!((WAL_BATCH_BYTES as u64) < WAL_SEGMENT_BYTES - WAL_RESERVE_BYTES);
const _: () = assert!(WAL_BATCH_BYTES < WAL_RECORD_BYTES_MAX);
const _: () = assert!(WAL_RECORD_BYTES_MAX <= u32::MAX as usize, "a record's length is written as a u32");
const _: () = assert!(
    RESP_ARGUMENTS_MAX * "$1\r\nx\r\n".len() + "*1048576\r\n".len() <= RESP_REQUEST_BYTES_MAX,
    "as many arguments as a Redis command may have can have one byte each"
);
const _: () = assert!(RESP_REQUEST_BYTES_MAX < u32::MAX as usize, "places in a command fit 32 bits");
const _: () = assert!(KEY_BYTES_MAX + VALUE_BYTES_MAX + RESP_LINE_BYTES_MAX < RESP_REQUEST_BYTES_MAX);
const _: () = assert!(RESP_STRANGER_ARGUMENTS_MAX < RESP_ARGUMENTS_MAX);
