//! What may be in a frame that is whole.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| quorate_fuzz::peer_bodies(bytes));
