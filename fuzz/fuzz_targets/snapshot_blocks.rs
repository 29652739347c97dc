//! What may be in blocks that are whole.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| quorate_fuzz::snapshot_blocks(bytes));
