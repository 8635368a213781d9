//! See `faultlayer_fuzz::matching`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| faultlayer_fuzz::matching(bytes));
