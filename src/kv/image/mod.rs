//! An image of the store: all that it is at one moment, in blocks, while it goes on changing.
//!
//! Nothing is copied when an image begins, and nothing waits for it. A [`Walk`] goes through the keys in
//! their order, a block at a time; a change of something that it has not reached yet first saves what was
//! there. So a write costs one look more while there is an image, memory grows by what has changed meanwhile
//! and not by what there is, and what is made anew is left out, which its revision tells (for an answer:
//! its place). The answers that are remembered are walked in the same way, in the order in which they were
//! given. Removing all keys at once copies nothing either: the image keeps the old tree.
//!
//! What was saved is given out where it would have stood, so equal states have equal images, byte for byte
//! if the blocks are cut at the same size, whatever was written meanwhile.
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
//! Keys and answers ascend through all blocks, which rules out that one comes twice. A [`Restorer`] believes
//! no length and no count, works out anew all that can be worked out, and holds the result against the
//! digest.
//!
//! Missing: differences between two images. Each is whole.

mod block;
mod restorer;
mod walk;

pub(super) use block::{Block, Head};
pub use restorer::Restorer;
pub(super) use walk::Walk;
