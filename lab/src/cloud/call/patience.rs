//! A call by one of AWS's own services, as its SDK makes it: throttled, it is made again, ever later.

use std::sync::Arc;
use std::time::Duration;

use super::{ApiError, Principal, Reply, Request};
use crate::cloud::lab::Lab;

/// How often a call is made at the most: for some 25 s.
const TRIES: u32 = 12;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

impl Lab {
    /// One API call for as long as it is throttled. Work of several calls must make each of them so: whoever begins anew with
    /// the first takes the tokens that the last one waits for, and where they come as slowly, for ever.
    ///
    /// # Errors
    ///
    /// What the service refused, throttling too once patience is over; `InternalServerError` where the connection was closed.
    pub async fn call_patiently(self: &Arc<Self>, who: &Principal, request: &Request) -> Result<Reply, ApiError> {
        let mut pause = FIRST_PAUSE;
        for _ in 1..TRIES {
            match self.call(who, request).await.answer() {
                Err(error) if error.is_throttling() => tokio::time::sleep(pause).await,
                answer => return answer,
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        self.call(who, request).await.answer()
    }
}
