//! libFuzzer on the target `document`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzing::document(bytes));
