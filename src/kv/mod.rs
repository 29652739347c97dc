//! The state machine: keys and values, and the memory of what has been done for whom.
//!
//! Everything here is a function of the log alone: no clock, no order of a hash table, nothing that two
//! replicas could see differently.

mod command;
mod session;
mod store;

pub use command::{ClientId, Command, RequestId, Token, Write};
pub use store::Store;
