//! Nothing that can stand in a pattern or an event makes matching panic, and an event gives the same answer from its text
//! as from its objects.

#![no_main]

use std::sync::Arc;

use faultlayer_core::matching::{Paths, Pattern, Projection};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

// The pattern, a line break, the event.
fuzz_target!(|text: &str| {
    let Some((pattern, event)) = text.split_once('\n') else { return };
    let Ok(pattern) = serde_json::from_str::<Value>(pattern) else { return };
    let mut paths = Paths::default();
    let Ok(pattern) = Pattern::compile(&pattern, "pattern", &mut paths) else { return };
    let paths = Arc::new(paths);
    let matches = pattern.matches(&Projection::from_json(&paths, event.as_bytes()));
    if let Ok(event) = serde_json::from_str::<Value>(event) {
        // Read and written again, so that a key which stands twice is gone.
        let text = event.to_string();
        let from_text = pattern.matches(&Projection::from_json(&paths, text.as_bytes()));
        assert_eq!(from_text, pattern.matches(&Projection::from_node(&paths, &&event)));
    } else {
        // Text that is no JSON to another parser, which has limits of its own, may still be an event; it only must not panic.
        let _ = matches;
    }
});
