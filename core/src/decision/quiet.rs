//! Whether a request can be hit at all, whatever the time is and whatever patterns say. For most the answer is no, and it takes
//! a hash and a few instructions a fault: neither the clock nor anything else of the invocation is looked at.

use crate::plan::{Plan, SampleBy};
use crate::sampling::{Below, FaultHash, RequestHash};

/// What of a plan's faults is asked first.
#[derive(Debug)]
pub(crate) struct Quiet {
    seed: RequestHash,
    /// Of each fault that samples by request, the samples that are below its rate at some time.
    by_request: Vec<(FaultHash, Below)>,
    /// A fault samples by attempt, of which the request's id alone says nothing.
    by_attempt: bool,
}

impl Quiet {
    pub(crate) fn of(plan: &Plan) -> Self {
        let by_request = plan.faults.iter().filter(|fault| fault.sample_by == SampleBy::Request);
        Self {
            seed: RequestHash::of_seed(plan.seed),
            by_request: by_request.map(|fault| (fault.hash, Below::rate(fault.rate.highest()))).collect(),
            by_attempt: plan.faults.iter().any(|fault| fault.sample_by == SampleBy::Attempt),
        }
    }

    /// The hash of a request id under the plan's seed.
    pub(crate) fn hash(&self, request_id: &str) -> RequestHash {
        self.seed.with(request_id)
    }

    /// Whether no fault can hit this request, whose hash is asked for only where it can tell.
    pub(crate) fn holds(&self, hash: impl FnOnce() -> RequestHash) -> bool {
        if self.by_attempt {
            return false;
        }
        let request = hash();
        !self.by_request.iter().any(|(fault, below)| below.has_sample_of(request, *fault))
    }
}
