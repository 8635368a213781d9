//! What the calls of one invocation ask, from whichever thread makes them.

use std::sync::Arc;

use super::guard::guard;
use super::side::{Failed, Shared};
use crate::aws::{Answer, Request, signed_service};
use crate::decision;
use crate::record::OwnReason;

/// The faults of an invocation that wait for its handler's calls, until the invocation ends.
#[derive(Clone, Debug)]
pub struct Calls {
    shared: Arc<Shared>,
    calls: Arc<decision::Calls>,
}

/// What becomes of one call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Met {
    /// Microseconds to hold it first.
    pub delay_us: u64,
    /// What stands instead of AWS's answer; without it the call goes out.
    pub answer: Option<Answer>,
}

impl Calls {
    pub(super) const fn new(shared: Arc<Shared>, calls: Arc<decision::Calls>) -> Self {
        Self { shared, calls }
    }

    /// Whether no fault is about a call with this header `Authorization`, and by this operation where that is known already,
    /// whatever else the call is: a shim need not ask for it. Where the header says nothing of its service, some may be.
    #[must_use]
    pub fn is_nobodys(&self, authorization: &str, operation: Option<&str>) -> bool {
        let Some(service) = signed_service(authorization) else { return false };
        guard(|| self.calls.can_hit(service, operation)) == Some(false)
    }

    /// The same, for a shim to which asking is dear: of each call that can be hit, what stands before the first comma of its
    /// `Authorization` ends with the first of one of these, as in `/dynamodb/aws4_request`, and the second, where it is not
    /// empty, is its operation. It need not ask for other calls of which that begins with `AWS4-` and ends with
    /// `/aws4_request`. `None` where nobody can tell so.
    #[must_use]
    pub fn scopes(&self) -> Option<Vec<[String; 2]>> {
        let named = guard(|| self.calls.named()).flatten()?;
        let scope = |(service, operation): (_, Option<_>)| [format!("/{service}/aws4_request"), operation.unwrap_or_default()];
        Some(named.into_iter().map(scope).collect())
    }

    /// Asks for one attempt of a call, before it goes out; records are written before this answers. In a layer never an
    /// error: a panic answers that the call goes out, and is recorded once.
    ///
    /// # Errors
    /// In a library: it panicked.
    pub fn met(&self, request: &Request<'_>, now_us: Option<i64>) -> Result<Met, Failed> {
        self.shared.run(|| {
            let met = self.calls.met(request, super::session::at(now_us));
            if met.budget_spent {
                self.shared.tell_budget();
            }
            met.records.iter().for_each(|record| self.shared.sink.write(&Shared::line(record)));
            Met { delay_us: met.delay_us, answer: met.answer }
        })
    }

    /// A call was made while several invocations were under way, and nobody can tell by which: one record says that such
    /// calls are not hit.
    pub fn unattributed(&self) {
        let message = "a call to AWS belongs to none of several invocations that is known, such calls are not hit";
        self.shared.tell(OwnReason::UnattributedCall, message);
    }

    /// Writes Faultlayer's own record of trouble in the shim, once an environment.
    pub fn report(&self, message: &str) {
        self.shared.report(message);
    }
}
