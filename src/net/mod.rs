//! Bytes in and out: addresses, sockets, buffers, frames.
//!
//! Nothing here knows what the bytes mean, and nothing waits: a socket that cannot go on says so and is
//! tried again when the event loop reports it. mio reports a change once, so whoever stops early, to be
//! fair to others, has to remember that there is more ([`Connection::is_readable`]).

mod address;
mod connection;
mod frame;

pub use address::{Address, Listener, Stream};
pub use connection::{Connection, Flow, Scratch};
pub use frame::{FRAME_HEAD_BYTES, FrameError, Frames, append_frame, cluster_of};
