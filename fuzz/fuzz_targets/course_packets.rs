//! What a course simulator sends.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| quorate_fuzz::course_packets(bytes));
