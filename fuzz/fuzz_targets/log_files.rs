//! A segment of the log, as it may be found on a disk.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| quorate_fuzz::log_files(bytes));
