//! See `faultlayer_fuzz::records`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| faultlayer_fuzz::records(bytes));
