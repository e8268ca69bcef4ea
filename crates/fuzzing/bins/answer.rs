//! libFuzzer on the target `answer`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzing::answer(bytes));
