//! Every bound in one place, each with its unit, held against each other when the crate is compiled.

/// Longest key, in bytes.
pub const KEY_BYTES_MAX: usize = 64 << 10;

/// Longest value, in bytes. All replicas must have the same: it decides what APPEND answers.
pub const VALUE_BYTES_MAX: usize = 1 << 20;

/// Longest pattern of KEYS and SCAN, in bytes: matching takes pattern times key steps.
pub const PATTERN_BYTES_MAX: usize = 1 << 10;

/// Keys in one operation: what is carried out at once keeps everybody else waiting.
pub const KEYS_PER_COMMAND_MAX: usize = 16 << 10;

/// Keys and values of all operations of a command, in bytes, with what each operation adds.
pub const COMMAND_BYTES_MAX: usize = 4 << 20;

/// Answers to all operations of a command, in bytes: a short command can ask for the same value many times,
/// and every replica that carries it out has to hold the answers.
pub const REPLY_BYTES_MAX: usize = 16 << 20;

/// Keys that a step of SCAN looks at, whatever it is asked for.
pub const SCAN_VISITED_MAX: u64 = 10_000;

/// Names after which a step of SCAN ends early, in bytes.
pub const SCAN_BYTES_MAX: usize = 1 << 20;

/// Keys that KEYS looks at; with more of them in the store it refuses.
pub const KEYS_VISITED_MAX: usize = 1_000_000;

/// Due keys that one command removes.
pub const EXPIRED_PER_COMMAND_MAX: usize = 1_000;

/// Longest key under a course simulator, in bytes.
pub const COURSE_KEY_BYTES_MAX: usize = 1 << 10;

/// Longest value under a course simulator, in bytes: its replicas have no stream between them.
pub const COURSE_VALUE_BYTES_MAX: usize = 4 << 10;

/// Longest name a client may give to one of its requests, in bytes.
pub const TOKEN_BYTES_MAX: usize = 64;

/// Answers that are remembered for each client, so that a retried request takes effect once.
pub const ANSWERS_PER_CLIENT_MAX: usize = 16 << 10;

/// What the remembered answers of one client may take, in bytes. The latest is kept even beyond that.
pub const ANSWER_BYTES_PER_CLIENT_MAX: usize = 4 << 20;

/// What all remembered answers may take, in bytes, but for the latest.
pub const ANSWER_BYTES_MAX: usize = 64 << 20;

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
pub const FRAME_BYTES_MAX: usize = 32 << 20;

/// Answers to the reads of one request after which the rest is asked anew, in bytes: a short request can ask
/// for very much, and somebody has to hold it until the client takes it.
pub const READ_ANSWER_BYTES: usize = 1 << 20;

/// What is read from one connection before the others have their turn, in bytes.
pub const READ_BYTES_PER_TURN: usize = 256 << 10;

/// Connections of clients that a node takes; more are hung up on.
pub const CLIENT_CONNECTIONS_MAX: usize = 10_000;

/// Operations of one client that share a log entry.
pub const CLIENT_BATCH_OPERATIONS_MAX: usize = 1024;

/// Bytes of operations after which a client's batch takes no further one.
pub const CLIENT_BATCH_BYTES: usize = 256 << 10;

/// Answers that a client has not taken, in bytes, after which it is not heard until it does.
pub const CLIENT_UNWRITTEN_MAX: usize = 1 << 20;

/// Messages for another node that it has not taken, in bytes, after which further ones are dropped.
pub const LINK_UNWRITTEN_MAX: usize = 32 << 20;

/// Requests that a node keeps while no leader is known.
pub const HELD_REQUESTS_MAX: usize = 1_000;

/// What they may take together, in bytes, but for the last.
pub const HELD_BYTES_MAX: usize = 16 << 20;

/// Events on their way from the network thread to the replica's, in batches.
pub const MAILBOX_BATCHES_MAX: usize = 64;

/// Orders to the snapshots' keeper that may be under way: of each follower, of the leader and of the own
/// image one, and an image may be abandoned and begun anew meanwhile.
pub const SNAPSHOT_ORDERS_MAX: usize = REPLICAS_MAX + 8;

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

/// Segments that the log needs no more and that are kept, to be written anew in the place of fresh ones:
/// about as many as a snapshot lets go.
pub const WAL_RETIRED_MAX: usize = 4;

/// The end of a segment that entries leave free when there is no other to go to, in bytes: a replica on a
/// full disk can still store terms, votes and the mark that lets it free space (R16).
pub const WAL_RESERVE_BYTES: u64 = 64 << 10;

/// Entries that are read back from the log for one follower at a time, in bytes.
pub const READ_BACK_BYTES: usize = 256 << 10;

/// A batch for the log that has reached this size takes no further write, in bytes.
pub const WAL_BATCH_BYTES: usize = 1 << 20;

/// Largest record of the log, in bytes. A single write of the core stays far below it.
pub const WAL_RECORD_BYTES_MAX: usize = 1 << 30;

/// About how long a block of a snapshot is, in bytes.
pub const SNAPSHOT_BLOCK_BYTES: usize = 256 << 10;

/// Longest block of a snapshot, in bytes; reading one claims no more memory. A block ends behind the entry
/// that makes it long enough, and the largest entry is an answer.
pub const SNAPSHOT_BLOCK_BYTES_MAX: usize = 64 << 20;

/// Longest description of a membership in a snapshot, in bytes.
pub const SNAPSHOT_MEMBERSHIP_BYTES_MAX: usize = 64 << 10;

/// What one message carries of a snapshot's file, in bytes.
pub const SNAPSHOT_CHUNK_BYTES: usize = 256 << 10;

/// Bytes of a snapshot in the making after which they are made durable: no sync has much more to write.
pub const SNAPSHOT_SYNC_BYTES: u64 = 16 << 20;

/// Snapshots that are kept: the newest, and one to fall back to.
pub const SNAPSHOTS_KEPT: usize = 2;

/// Largest value that is decoded, in bytes; decoding claims no more memory for what it points to, and no more
/// for the elements of its lists.
pub const DECODE_BYTES_MAX: usize = FRAME_BYTES_MAX;

/// Lists within lists in a value that is decoded: a transaction's answers to SCANs, in an answer, are four.
pub const LIST_DEPTH_MAX: usize = REPLY_DEPTH_MAX;

/// What a log entry adds to the key and value in it: stamp, ids, token, options, lengths.
const COMMAND_HEAD_BYTES_MAX: usize = TOKEN_BYTES_MAX + 96;

/// What an append adds to its entries.
const APPEND_HEAD_BYTES_MAX: usize = 128;

/// Steps that a check for linearizability takes for one group of keys at most, unless it is told otherwise.
/// Each may leave some hundred bytes in memory.
pub const CHECK_STEPS_MAX: u64 = 2_000_000;

/// Connections of a load generator.
pub const LOAD_CLIENTS_MAX: usize = 10_000;

/// Requests that a load generator has on their way at a time.
pub const LOAD_IN_FLIGHT_MAX: usize = 1_000_000;

/// What they may take together, in bytes.
pub const LOAD_IN_FLIGHT_BYTES_MAX: usize = 256 << 20;

/// Keys that a load is spread over.
pub const LOAD_KEYS_MAX: u32 = 1_000_000_000;

/// Longest answer that a load generator takes, in bytes: any value that it may have written, and a head.
pub const LOAD_REPLY_BYTES_MAX: usize = VALUE_BYTES_MAX + (64 << 10);

/// Requests that a load generator remembers, in order to check the answers. Each takes 48 bytes.
pub const LOAD_HISTORY_MAX: usize = 4_000_000;

const _: () = assert!(
    2 * KEY_BYTES_MAX + 2 * VALUE_BYTES_MAX + 1024 <= COMMAND_BYTES_MAX,
    "every operation on one value fits a command, with another value to compare"
);
const _: () =
    assert!(KEYS_PER_COMMAND_MAX * 64 <= COMMAND_BYTES_MAX, "so many keys, if they are short, fit a command");
const _: () = assert!(ANSWER_BYTES_PER_CLIENT_MAX <= ANSWER_BYTES_MAX);
const _: () = assert!(
    COMMAND_BYTES_MAX + COMMAND_HEAD_BYTES_MAX + APPEND_HEAD_BYTES_MAX <= DECODE_BYTES_MAX,
    "a command of the largest size is decoded, and the message that it travels in"
);
const _: () = assert!(VALUE_BYTES_MAX + KEY_BYTES_MAX < REPLY_BYTES_MAX, "any value alone fits an answer");
const _: () = assert!(
    COURSE_KEY_BYTES_MAX + COURSE_VALUE_BYTES_MAX + COMMAND_HEAD_BYTES_MAX + APPEND_HEAD_BYTES_MAX
        <= COURSE_RAFT_BYTES_MAX,
    "an append of one entry of the largest size fits a course message"
);
const _: () = assert!(COURSE_KEY_BYTES_MAX <= KEY_BYTES_MAX && COURSE_VALUE_BYTES_MAX <= VALUE_BYTES_MAX);
const _: () = assert!(COURSE_APPEND_BYTES_MAX + APPEND_HEAD_BYTES_MAX <= COURSE_RAFT_BYTES_MAX);
const _: () = assert!(
    COURSE_RAFT_BYTES_MAX.div_ceil(3) * 4 + 256 < COURSE_PACKET_BYTES_MAX / 2,
    "in base64 and an envelope it stays below 8 KiB"
);
const _: () = assert!(
    SNAPSHOT_BLOCK_BYTES + REPLY_BYTES_MAX + COMMAND_BYTES_MAX * 72 / 32 + (64 << 10)
        <= SNAPSHOT_BLOCK_BYTES_MAX,
    "an answer that fills a reply, with an error in the place of each that found no room, fits a block"
);
const _: () = assert!(SNAPSHOT_BLOCK_BYTES + KEY_BYTES_MAX + VALUE_BYTES_MAX < SNAPSHOT_BLOCK_BYTES_MAX);
const _: () = assert!(SNAPSHOT_MEMBERSHIP_BYTES_MAX <= SNAPSHOT_BLOCK_BYTES_MAX);
const _: () = assert!(SNAPSHOT_BLOCK_BYTES_MAX < u32::MAX as usize, "a block's length is written as a u32");
const _: () = assert!(SNAPSHOT_CHUNK_BYTES + 1024 < FRAME_BYTES_MAX);
const _: () = assert!(
    READ_ANSWER_BYTES + REPLY_BYTES_MAX + COMMAND_BYTES_MAX * 72 / 32 + (64 << 10) <= FRAME_BYTES_MAX,
    "an answer that fills a reply, with an error in the place of each that found no room, fits a frame"
);
const _: () = assert!(COMMAND_BYTES_MAX + (1 << 20) + (64 << 10) <= FRAME_BYTES_MAX, "so does an append");
const _: () = assert!(SNAPSHOTS_KEPT > 0);
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
