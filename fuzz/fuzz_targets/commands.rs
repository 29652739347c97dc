//! What log entries and answers are made of.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| quorate_fuzz::commands(bytes));
