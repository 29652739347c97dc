//! What a Redis client sends.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| quorate_fuzz::requests(bytes));
