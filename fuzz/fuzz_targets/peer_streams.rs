//! What arrives on a line of another replica: a hello, frames, and what is no frame.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| quorate_fuzz::peer_streams(bytes));
