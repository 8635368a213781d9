//! Whether a request can be hit at all, whatever the time is and whatever patterns say. For most the answer is no, and it takes
//! a hash and a few instructions a fault: neither the clock nor anything else of the invocation is looked at. Where the answer
//! is yes, all is asked from the beginning.

use crate::plan::{Fault, Plan, SampleBy};
use crate::sampling::{Below, FaultHash, RequestHash};

/// What of a plan's faults is asked first.
#[derive(Debug)]
pub(crate) struct Quiet {
    seed: RequestHash,
    /// Of each fault, the samples that are below its rate at some time.
    by_request: Vec<(FaultHash, Below)>,
    /// No request's id tells it: a fault hits all, or samples by attempt.
    untold: bool,
}

impl Quiet {
    pub(crate) fn of(plan: &Plan) -> Self {
        let untold = |fault: &Fault| fault.sample_by == SampleBy::Attempt || fault.rate.highest() >= 1.0;
        Self {
            seed: RequestHash::of_seed(plan.seed),
            by_request: plan.faults.iter().map(|fault| (fault.hash, Below::rate(fault.rate.highest()))).collect(),
            untold: plan.faults.iter().any(untold),
        }
    }

    /// The hash of a request id under the plan's seed.
    pub(crate) fn hash(&self, request_id: &str) -> RequestHash {
        self.seed.with(request_id)
    }

    /// Whether any request's id can tell that.
    pub(crate) const fn is_told(&self) -> bool {
        !self.untold
    }

    /// Whether no fault can hit this request.
    pub(crate) fn holds(&self, request_id: &str) -> bool {
        if self.untold {
            return false;
        }
        let request = self.hash(request_id);
        !self.by_request.iter().any(|(fault, below)| below.has_sample_of(request, *fault))
    }
}

#[cfg(test)]
mod tests {
    use crate::decision::{Engine, Facts, Invocation};
    use crate::plan::Plan;
    use crate::timestamp::Timestamp;

    const IDS: u32 = 1000;

    fn engine(start: &str, faults: &str) -> Engine {
        let text = format!(r#"{{"version":1,{start}"expires_at":"2026-01-01T00:01:00Z","faults":[{faults}]}}"#);
        Engine::new(Plan::parse_to_run(&text).unwrap())
    }

    fn is_hit(engine: &Engine, request_id: &str, now: &str) -> bool {
        let (now, facts) = (Timestamp::parse(now).unwrap(), Facts::default());
        let invocation = Invocation { request_id, deadline: None, now, cold_start: false, streaming: false, facts };
        engine.decide(&invocation).is_some()
    }

    #[test]
    fn once_all_faults_had_their_chance_a_request_is_quiet_where_its_id_says_that_none_hits_it() {
        let steps = r#"{"steps":[{"at_s":0,"rate":0.1},{"at_s":30,"rate":0.4}]}"#;
        let faults = format!(r#"{{"id":"a","kind":"exit","rate":0.1}},{{"id":"b","kind":"exit","rate":{steps}}}"#);
        let engine = engine(r#""starts_at":"2026-01-01T00:00:00Z","#, &faults);
        let (mut quiet, mut hit) = (0, 0);
        assert!(engine.standing().id_tells());
        assert!(!engine.standing().is_quiet("0"), "before any call");
        is_hit(&engine, "0", "2025-12-31T23:59:59Z");
        assert!(!engine.standing().is_quiet("0"), "the window was closed");
        is_hit(&engine, "0", "2026-01-01T00:00:00Z");
        for id in (0..IDS).map(|id| id.to_string()) {
            let is_quiet = engine.standing().is_quiet(&id);
            // By the highest of its rates.
            assert_eq!(is_quiet, !is_hit(&engine, &id, "2026-01-01T00:00:30Z"), "{id}");
            assert!(!(is_quiet && is_hit(&engine, &id, "2026-01-01T00:00:10Z")), "{id}");
            assert!(!is_hit(&engine, &id, "2026-01-01T00:01:00Z"), "{id}");
            quiet += u32::from(is_quiet);
            hit += u32::from(!is_quiet);
        }
        assert!(quiet > IDS / 4 && hit > IDS / 4, "{quiet} {hit}");
    }

    #[test]
    fn an_id_says_nothing_of_a_fault_that_hits_all_or_samples_by_attempt() {
        for fault in [r#""rate":1,"match":{"event":{"a":[1]}}"#, r#""rate":1e-15,"sample_by":"attempt""#] {
            let engine = engine("", &format!(r#"{{"id":"a","kind":"exit",{fault}}}"#));
            assert!(!engine.standing().id_tells());
            for _ in 0..2 {
                assert!(!engine.standing().is_quiet("one"), "{fault}");
                is_hit(&engine, "one", "2026-01-01T00:00:00Z");
            }
        }
    }
}
