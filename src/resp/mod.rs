//! The Redis protocol: bytes to requests, answers to bytes, and the table of commands in between.
//!
//! Everything here is a function of its arguments: no socket, no clock, no thread, and nothing of the store.
//! A connection owns a byte buffer for what comes in and one for what goes out. It feeds the first to a
//! [`RequestParser`], which hands out views of the arguments where they lie; [`find`] says which command a
//! view is, or how Redis would refuse it; a [`ReplyWriter`] appends answers to the second in the protocol
//! version that the client has chosen. A [`Reply`] is an answer that has not reached its connection yet:
//! it can wait in a table, and travel from one replica to another. Whoever asks reads answers as a
//! [`ReplyView`].
//!
//! Redis 7 is the measure. Texts of errors, skipped empty requests, quoting of inline commands, how strict
//! a number is: where clients can see a difference, the module that makes it says so.
//!
//! Missing: attributes and streamed aggregates of RESP3, which Redis does not send either; argument
//! descriptions in COMMAND DOCS, from which redis-cli would make its hints; command tips.

mod command_reply;
mod command_table;
mod commands;
pub mod hash_slot;
pub mod number;
mod octets;
mod reply;
mod reply_view;
mod request;

#[cfg(test)]
mod properties;

pub use command_reply::write_command_reply;
pub use command_table::{
    Categories, CommandSpec, Flags, Keys, Refusal, find, find_name, is_cross_protocol_attack,
};
pub use commands::{COMMANDS, Verb};
pub use reply::{Protocol, Reply, ReplyWriter};
pub use reply_view::{ReplyError, ReplyView};
pub use request::{Bounds, OwnedRequest, ProtocolError, Request, RequestParser, Step};
