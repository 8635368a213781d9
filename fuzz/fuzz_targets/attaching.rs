//! See `faultlayer_fuzz::attaching`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| faultlayer_fuzz::attaching(bytes));
