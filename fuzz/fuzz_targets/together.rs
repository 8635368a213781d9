//! See `faultlayer_fuzz::together`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| faultlayer_fuzz::together(bytes));
