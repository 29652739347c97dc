//! What may be in records that are whole.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| quorate_fuzz::log_records(bytes));
