//! A snapshot, as it may be found on a disk.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| quorate_fuzz::snapshot_files(bytes));
