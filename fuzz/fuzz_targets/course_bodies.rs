//! What may be in a packet's base64.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| quorate_fuzz::course_bodies(bytes));
