//! The state machine: keys and values, what can be done with them, and the memory of what has been done.
//!
//! Everything here is a function of the log alone: no clock, no order of a hash table, no floating point,
//! nothing that two replicas could see differently. Time is what the leader stamped on the commands.
//!
//! From the outside in:
//!
//! * [`parse()`] makes an [`Operation`] of a Redis command, or the error that Redis would answer. It knows
//!   nothing of any store, so it runs wherever the client is connected.
//! * A [`Command`] is what the log holds: operations, a stamp, and perhaps the name of the request.
//! * The [`Store`] carries commands out (`write`), answers reads (`read`, `scan`) and remembers answers
//!   (`session`). Its keys are in a `keyspace`, one `entry` each.
//! * A [`Value`] is an answer, for a protocol to dress.
//! * An image (`image`) shows the store as it is at one moment, in blocks, while it goes on; a [`Restorer`]
//!   makes a store of it again.
//!
//! What is missing: values that are not strings, and ranges of keys in the order of the alphabet, which the
//! order of the tree (see `key`) does not have.

mod bucket;
mod bytes;
mod command;
mod decimal;
mod entry;
mod glob;
mod image;
mod integer;
mod key;
mod keyspace;
mod operation;
mod parse;
mod read;
mod scan;
mod session;
mod store;
mod table;
mod value;
mod write;

#[cfg(test)]
mod tests;

pub use bytes::Bytes;
pub use command::{ClientId, Command, RequestId, Token, WallClock};
pub use image::Restorer;
pub use key::Key;
pub use operation::{
    Comparison, EndOrder, LifetimeCondition, LifetimeForm, Moment, NewLifetime, Operation, Presence,
    Revision, SetAnswer, SetCondition, SetOptions,
};
pub use parse::{COMMANDS, Form, form, parse};
pub use store::Store;
pub use value::Value;
