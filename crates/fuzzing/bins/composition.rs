//! libFuzzer on the target `composition`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzing::composition(bytes));
