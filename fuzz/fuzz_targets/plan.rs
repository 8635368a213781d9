//! Any text is a plan or is refused, without a panic; every problem has a place in the text that it was found in.

#![no_main]

use faultlayer_core::decision::{Engine, Facts, Invocation, Unbounded};
use faultlayer_core::plan::{Plan, locate};
use faultlayer_core::timestamp::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match Plan::parse_to_run(text) {
        Ok(plan) => {
            let now = Timestamp(1_795_435_200_000_000);
            let invocation = Invocation {
                request_id: text,
                deadline: Some(now),
                now,
                cold_start: true,
                streaming: true,
                facts: Facts::default(),
            };
            if let Some(mut decision) = Engine::new(plan).decide(&invocation) {
                decision.before(&mut Unbounded);
                decision.returned(Some(text), now);
            }
        }
        Err(error) => {
            assert!(!error.problems.is_empty());
            for problem in error.problems {
                let _ = locate(text, &problem.path);
            }
        }
    }
});
