//! What `quorate cli` reads.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| quorate_fuzz::answers(bytes));
