//! See `faultlayer_fuzz::plan`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| faultlayer_fuzz::plan(bytes));
