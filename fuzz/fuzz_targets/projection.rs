//! See `faultlayer_fuzz::projection`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| faultlayer_fuzz::projection(bytes));
