//! See `faultlayer_fuzz::streaming`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| faultlayer_fuzz::streaming(bytes));
