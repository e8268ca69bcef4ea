//! libFuzzer on the target `rest`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzing::rest(bytes));
