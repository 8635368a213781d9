//! The door: every call of every caller goes through here, so that hooks, the model, rates, permissions and the log hold for
//! clients, for scripts and for one service that calls another.

use std::sync::Arc;

use serde_json::json;

use super::access::{self, Statements};
use super::hooks::{Action, Fired};
use super::log::Row;
use super::{ApiError, Call, Outcome, Principal, Reply, Request};
use crate::cloud::gateway::check;
use crate::cloud::lab::Lab;
use crate::cloud::services::{Interrupt, Service};

impl Lab {
    /// One API call.
    pub async fn call(self: &Arc<Self>, who: &Principal, request: &Request) -> Outcome {
        let Some(service) = self.service(&request.service) else {
            let message = format!("the lab does not serve `{}`", request.service);
            return Outcome::Answer(Err(ApiError::bad("UnknownOperationException", message)));
        };
        let resource = service.resources(request).into_iter().next().unwrap_or_else(|| "*".to_owned());
        let era = self.era();
        let nth = self.log.begin(who);
        let mut fired = self.hooks.claim(who, &request.service, &request.operation, &resource);
        let hook = fired.as_ref().map(|fired| fired.id);
        let mut statements = Vec::new();
        let outcome = match self.before(&mut fired, who, service.as_ref()).await {
            Some(early) => early,
            None if self.era() != era => return Outcome::Dropped,
            None => {
                let answer = self.answer(&service, who, request, &mut statements).await;
                self.after(&mut fired, who, service.as_ref(), answer).await
            }
        };
        let (status, word) = match &outcome {
            Outcome::Answer(Ok(reply)) => (reply.status.unwrap_or(200), "ok"),
            Outcome::Answer(Err(error)) => (error.status, error.code.as_str()),
            Outcome::Dropped => (0, "dropped"),
        };
        let action = service.action(request);
        let (action, resource, statements) = (action.as_str(), resource.as_str(), statements.as_slice());
        self.log.end(&Row { who, nth, request, action, resource, status, outcome: word, hook, statements });
        outcome
    }

    /// A service begins a session of a role for something of its own; the role's trust policy decides.
    pub async fn assume(self: &Arc<Self>, service: &str, source: String, role: &str, session: &str) -> Result<(), ApiError> {
        let input = json!({"RoleArn": role, "RoleSessionName": session});
        let who = Principal::service(service, source);
        self.call(&who, &Request::new("sts", "AssumeRole", input)).await.answer().map(|_| ())
    }

    async fn answer(
        self: &Arc<Self>,
        service: &Arc<dyn Service>,
        who: &Principal,
        request: &Request,
        statements: &mut Statements,
    ) -> Result<Reply, ApiError> {
        if let Some(model) = self.models().service(&request.service) {
            check::check(model, &request.operation, &request.input)?;
        }
        if let Some(rate) = service.rate(&request.operation)
            && !self.rates.take(&request.service, rate, self.site.settings().rates)
        {
            return Err(service.throttled());
        }
        match access::decide(self, who, request) {
            Ok(decided) => *statements = decided,
            Err((error, decided)) => {
                *statements = decided;
                return Err(error);
            }
        }
        let call = Call { lab: Arc::clone(self), who: who.clone(), request: request.clone() };
        Arc::clone(service).operate(call).await
    }

    async fn before(&self, fired: &mut Option<Fired>, who: &Principal, service: &dyn Service) -> Option<Outcome> {
        let fired = fired.as_mut()?;
        let actions = fired.actions.clone();
        for (index, action) in actions.iter().enumerate() {
            match action {
                Action::Hang => fired.released().await,
                Action::Cancel => self.interrupt(who, Interrupt::Cancel),
                Action::Kill => {
                    self.interrupt(who, Interrupt::Kill);
                    // What was on the wire arrives late: a call that hangs as well keeps its effect.
                    if !actions.iter().skip(index).any(|later| *later == Action::Hang) {
                        return Some(Outcome::Dropped);
                    }
                }
                Action::Drop => return Some(Outcome::Dropped),
                Action::Fail => return Some(Outcome::Answer(Err(trouble(fired, service)))),
                Action::Throttle => return Some(Outcome::Answer(Err(service.throttled()))),
                _ => {}
            }
        }
        None
    }

    async fn after(
        &self,
        fired: &mut Option<Fired>,
        who: &Principal,
        service: &dyn Service,
        answer: Result<Reply, ApiError>,
    ) -> Outcome {
        let Some(fired) = fired.as_mut() else {
            return Outcome::Answer(answer);
        };
        for action in fired.actions.clone() {
            match action {
                Action::HangAfter => fired.released().await,
                Action::CancelAfter => self.interrupt(who, Interrupt::Cancel),
                Action::KillAfter => {
                    self.interrupt(who, Interrupt::Kill);
                    return Outcome::Dropped;
                }
                Action::DropAfter => return Outcome::Dropped,
                Action::FailAfter => return Outcome::Answer(Err(trouble(fired, service))),
                _ => {}
            }
        }
        Outcome::Answer(answer)
    }

    /// Cancels or kills what the caller is; whichever service runs it knows how.
    fn interrupt(&self, who: &Principal, how: Interrupt) {
        self.services().for_each(|service| service.interrupt(who, how));
    }
}

fn trouble(fired: &Fired, service: &dyn Service) -> ApiError {
    match &fired.error {
        Some(error) => ApiError::new(&error.code, error.status, error.message.clone()),
        None => service.trouble(),
    }
}
