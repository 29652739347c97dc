//! An image of the store: all that it is at one moment, in blocks, while it goes on changing.
//!
//! Nothing is copied when an image begins, and nothing waits for it. A [`KeyImage`] walks through the keys, a
//! block at a time; what is about to change and has not been reached yet is given out first, as it was. So a
//! write costs a few words copied while there is an image, memory grows by what has changed meanwhile and not
//! by what there is, and what is made anew is left out, which its revision tells. Removing all keys at once
//! copies nothing either: the image keeps the old table. The answers that are remembered are few, and come in
//! the order in which they were given: their [`Walk`] saves what is forgotten meanwhile for its place.
//!
//! **The blocks.** All numbers are little-endian; the first byte of a block says what it holds.
//!
//! * 1, the first block and no other: number of keys (u64), number of answers (u64), clock (u64), revision
//!   (u64), digest of the store (u64).
//! * 2, keys, each: length of the key (u32), length of the value (u32), revision (u64), end or 0 (u64), key,
//!   value.
//! * 3, answers, each: place (u64), client (u64), length of the token (u32), number of values (u32), token,
//!   values. A value is a byte and what it announces: 0 okay; 1 nil; 2 integer (i64); 3 bytes, 4 text,
//!   5 error (length as u32, bytes); 6 array (count as u32, values).
//!
//! Keys come in any order, each once; answers ascend through all blocks. A [`Restorer`] believes no length
//! and no count, works out anew all that can be worked out, and holds the result against the digest.
//!
//! Missing: differences between two images. Each is whole.

mod block;
mod keys;
mod restorer;
mod walk;

pub(super) use block::{Block, Head};
pub(super) use keys::KeyImage;
pub use restorer::Restorer;
pub(super) use walk::Walk;
