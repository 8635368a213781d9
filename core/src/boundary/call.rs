//! What a shim tells of one invocation.

pub use crate::decision::{Event as EventInput, Reads};

/// One invocation, as the shim sees it before it calls the handler.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// Lambda's request id.
    pub request_id: &'a str,
    /// The exact value of the deadline header, milliseconds since the Unix epoch, if [`Reads::deadline`] asks for it; else
    /// it can wait for [`super::Steps::before`].
    pub deadline_ms: Option<i64>,
    /// The ARN by which the function was invoked.
    pub function_arn: Option<&'a str>,
    /// The client context as JSON text, if [`Reads::client_context`] asks for it.
    pub client_context: Option<&'a str>,
    /// The event, if [`Reads::event`] asks for it.
    pub event: EventInput<'a>,
    /// The handler streams its response.
    pub streaming: bool,
    /// The time of the decision in microseconds since the Unix epoch; `None` lets the boundary read the clock.
    pub now_us: Option<i64>,
}

impl<'a> Call<'a> {
    /// An invocation of which nothing but its id is known.
    #[must_use]
    pub const fn of(request_id: &'a str) -> Self {
        Self {
            request_id,
            deadline_ms: None,
            function_arn: None,
            client_context: None,
            event: EventInput::Absent,
            streaming: false,
            now_us: None,
        }
    }
}
