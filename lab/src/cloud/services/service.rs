//! What a service of the lab is.

use std::fmt::Debug;
use std::future::{Future, ready};
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::cloud::call::access::{Authorizer, Need};
use crate::cloud::call::rates::Rate;
use crate::cloud::call::{ApiError, Call, Principal, Reply, Request};
use crate::cloud::gateway::control::{Ask, Own};
use crate::cloud::lab::Lab;

/// An answer to come.
pub type Answer = Pin<Box<dyn Future<Output = Result<Reply, ApiError>> + Send>>;

/// Something that takes a moment.
pub type Done = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

/// An answer that is there already.
pub fn now<T: Into<Reply>>(answer: Result<T, ApiError>) -> Answer {
    Box::pin(ready(answer.map(Into::into)))
}

/// What a hook does to whoever calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupt {
    /// Its execution is cancelled.
    Cancel,
    /// Its process is killed.
    Kill,
}

/// A resource with tags, for the tagging API and for conditions of policies.
#[derive(Debug, Clone)]
pub struct Tagged {
    /// Its ARN.
    pub arn: String,
    /// As in `lambda:function`.
    pub kind: &'static str,
    /// Its tags.
    pub tags: Map<String, Value>,
}

/// A service: its model and its operations, and what else is particular about it. What has a default needs no thought.
pub trait Service: Debug + Send + Sync {
    /// The service's `model.json`.
    fn model(&self) -> &'static str;

    /// One operation; its input fits the model.
    fn operate(self: Arc<Self>, call: Call) -> Answer;

    /// The ARNs of what a request is about, the most telling one first; `*` where it names none.
    fn resources(&self, _request: &Request) -> Vec<String> {
        vec!["*".to_owned()]
    }

    /// The request's action as policies name it.
    fn action(&self, request: &Request) -> String {
        format!("{}:{}", request.service, request.operation)
    }

    /// Everything that must be allowed for a request.
    fn needs(&self, request: &Request) -> Vec<Need> {
        vec![Need { action: self.action(request), resources: self.resources(request), ..Need::default() }]
    }

    /// What decides about permissions, if this is the service that keeps them.
    fn authorizer(&self) -> Option<&dyn Authorizer> {
        None
    }

    /// How often an operation may be called; `None`: as often as one likes.
    fn rate(&self, _operation: &str) -> Option<Rate> {
        None
    }

    /// The most bytes that a request may have.
    fn largest(&self, _operation: &str) -> usize {
        1 << 20
    }

    /// More bytes than that.
    fn too_large(&self, most: usize, operation: &str) -> ApiError {
        let message = format!("Request must be smaller than {most} bytes for the {operation} operation");
        ApiError::new("RequestEntityTooLargeException", 413, message)
    }

    /// Too many requests.
    fn throttled(&self) -> ApiError {
        ApiError::bad("ThrottlingException", "Rate exceeded")
    }

    /// The service's own trouble, which clients try again.
    fn trouble(&self) -> ApiError {
        ApiError::internal("An error occurred on the server side.")
    }

    /// Not allowed.
    fn denied(&self, message: String) -> ApiError {
        ApiError::bad("AccessDeniedException", message)
    }

    /// Everything that has tags.
    fn tagged(&self) -> Vec<Tagged> {
        Vec::new()
    }

    /// The tags of one resource, if it is one of this service's.
    fn tags_of(&self, arn: &str) -> Option<Map<String, Value>> {
        self.tagged().into_iter().find(|tagged| tagged.arn == arn).map(|tagged| tagged.tags)
    }

    /// Cancels or kills what this service runs in somebody's name.
    fn interrupt(&self, _who: &Principal, _how: Interrupt) {}

    /// What tests can ask of this service below `/_lab`; `None`: not that.
    fn control(&self, _ask: &Ask) -> Option<Result<Own, String>> {
        None
    }

    /// The port is open: goes on with what was interrupted.
    fn start(self: Arc<Self>, _lab: &Arc<Lab>) {}

    /// Forgets everything, on disk too.
    fn reset(self: Arc<Self>) -> Done {
        Box::pin(ready(Ok(())))
    }

    /// Ends every process that it started.
    fn stop(self: Arc<Self>) -> Done {
        Box::pin(ready(Ok(())))
    }
}
