//! The lab: its state, its settings, and the way of one API call through rates, fault hooks, the operation and the log.
//! Not what operations do: that is one module a service.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::automation::Engines;
use super::automation::execution::Execution;
use super::calls::CallLog;
use super::error::ApiError;
use super::faults::{Action, Board, Fired};
use super::lambda::Environments;
use super::limits::{Rates, throttled};
use super::model::models;
use super::principal::Principal;
use super::resource;
use super::store::Store;
use super::wire::{Reply, Request};
use super::world::World;
use super::{lambda, ssm, sts, tagging};

/// What can be changed while the lab runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// How long an update of a function takes, in milliseconds.
    pub update_ms: u64,
    /// How many times faster `aws:sleep` is.
    pub speed: f64,
    /// What request rates are multiplied by; 0: no limit.
    pub rates: f64,
    /// What is left for the workflow of a cancelled execution, in seconds.
    pub cancel_limit_s: f64,
    /// Between two reads of a waiting step, in milliseconds.
    pub poll_ms: u64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { update_ms: 300, speed: 1.0, rates: 1.0, cancel_limit_s: 120.0, poll_ms: 500 }
    }
}

/// Where a lab stands.
#[derive(Debug, Clone)]
pub struct Place {
    /// The account, twelve digits.
    pub account: String,
    /// The region.
    pub region: String,
}

/// The whole lab.
#[derive(Debug)]
pub struct Lab {
    /// The account and region.
    pub place: Place,
    /// The state folder.
    pub store: Store,
    /// The call log.
    pub calls: CallLog,
    /// The fault hooks.
    pub faults: Board,
    /// The execution environments.
    pub environments: Environments,
    /// The executions that run.
    pub engines: Engines,
    world: Mutex<World>,
    settings: Mutex<Settings>,
    rates: Mutex<Rates>,
    endpoint: OnceLock<String>,
    /// One more with each reset: a call from before it has no effect any more.
    era: AtomicU64,
}

/// How a call ends for the client.
#[derive(Debug)]
pub enum Outcome {
    /// With an answer.
    Answer(Result<Reply, ApiError>),
    /// Without one.
    Dropped,
}

impl Lab {
    /// Opens a lab on a state folder.
    pub fn open(folder: &Path, place: Place, speed: Option<f64>) -> io::Result<Lab> {
        let store = Store::open(folder)?;
        let calls = CallLog::open(folder)?;
        let world = World::load(&store)?;
        let mut settings: Settings = store.load("settings")?.pop().unwrap_or_default();
        if let Some(speed) = speed {
            settings.speed = speed;
        }
        Ok(Lab {
            environments: Environments::new(folder),
            engines: Engines::default(),
            faults: Board::default(),
            world: Mutex::new(world),
            settings: Mutex::new(settings),
            rates: Mutex::new(Rates::default()),
            endpoint: OnceLock::new(),
            era: AtomicU64::new(0),
            place,
            store,
            calls,
        })
    }

    /// The endpoint, once the port is open.
    pub fn endpoint(&self) -> &str {
        self.endpoint.get().map_or("", String::as_str)
    }

    /// Sets the endpoint, once.
    pub fn set_endpoint(&self, endpoint: String) {
        let _first = self.endpoint.set(endpoint).is_ok();
    }

    /// The settings now.
    pub fn settings(&self) -> Settings {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the settings.
    pub fn set_settings(&self, settings: Settings) -> io::Result<()> {
        self.store.save("settings", "settings", &settings)?;
        *self.settings.lock().unwrap_or_else(PoisonError::into_inner) = settings;
        Ok(())
    }

    /// Works on the state. Never hold it over an `await`.
    pub fn world<T>(&self, work: impl FnOnce(&mut World) -> T) -> T {
        work(&mut self.world.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Works on one execution and saves it.
    pub fn execution<T>(&self, id: &str, work: impl FnOnce(&mut Execution) -> T) -> Option<T> {
        self.world(|world| {
            let execution = world.executions.get_mut(id)?;
            let result = work(execution);
            self.save("executions", id, execution);
            Some(result)
        })
    }

    /// Saves an entity. Where the disk refuses, the lab goes on with what is in memory and says so.
    pub fn save<T: Serialize>(&self, kind: &str, name: &str, value: &T) {
        if let Err(error) = self.store.save(kind, name, value) {
            eprintln!("faultlayer lab: cannot save {kind} `{name}`: {error}");
        }
    }

    /// Forgets an entity on disk.
    pub fn forget(&self, kind: &str, name: &str) {
        if let Err(error) = self.store.remove(kind, name) {
            eprintln!("faultlayer lab: cannot remove {kind} `{name}`: {error}");
        }
    }

    /// One API call from a client, a script or a step.
    pub async fn dispatch(self: &Arc<Self>, request: &Request, who: &Principal) -> Outcome {
        let resource = resource::of(&self.place, request);
        let era = self.era.load(Ordering::SeqCst);
        let nth = self.calls.begin(who);
        let mut fired = self.faults.claim(who, request.service, request.operation, &resource);
        let hook = fired.as_ref().map(|fired| fired.id);
        let outcome = match self.before(&mut fired, who, request).await {
            Some(early) => early,
            None if self.era.load(Ordering::SeqCst) != era => return Outcome::Dropped,
            None => {
                let answer = self.answer(request, who).await;
                self.after(&mut fired, who, request, answer).await
            }
        };
        let (status, word) = match &outcome {
            Outcome::Answer(Ok(reply)) => (reply.status.unwrap_or(200), "ok"),
            Outcome::Answer(Err(error)) => (error.status, error.code.as_str()),
            Outcome::Dropped => (0, "dropped"),
        };
        self.calls.end(who, nth, request.service, request.operation, &resource, status, word, hook);
        outcome
    }

    async fn answer(self: &Arc<Self>, request: &Request, who: &Principal) -> Result<Reply, ApiError> {
        let service = models()?.service(request.service);
        if let Some(service) = service {
            service.check(request.operation, &request.input)?;
        }
        let factor = self.settings().rates;
        let taken = {
            let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
            rates.take(request.service, request.operation, factor)
        };
        taken?;
        match request.service {
            "lambda" => lambda::operate(self, request).await,
            "ssm" => ssm::operate(self, request, who).map(Reply::from),
            "resourcegroupstaggingapi" => tagging::operate(self, request).map(Reply::from),
            _ => sts::operate(self, who),
        }
    }

    async fn before(self: &Arc<Self>, fired: &mut Option<Fired>, who: &Principal, request: &Request) -> Option<Outcome> {
        let fired = fired.as_mut()?;
        let actions = fired.actions.clone();
        for (index, action) in actions.iter().enumerate() {
            match action {
                Action::Hang => fired.released().await,
                Action::Cancel => self.cancel_caller(who),
                Action::Kill => {
                    self.kill_caller(who);
                    // What was on the wire arrives late: a call that hangs as well keeps its effect.
                    if !actions.iter().skip(index).any(|later| *later == Action::Hang) {
                        return Some(Outcome::Dropped);
                    }
                }
                Action::Drop => return Some(Outcome::Dropped),
                Action::Fail => return Some(Outcome::Answer(Err(hook_error(fired, request)))),
                Action::Throttle => return Some(Outcome::Answer(Err(throttled(request.service)))),
                _ => {}
            }
        }
        None
    }

    async fn after(
        self: &Arc<Self>,
        fired: &mut Option<Fired>,
        who: &Principal,
        request: &Request,
        answer: Result<Reply, ApiError>,
    ) -> Outcome {
        let Some(fired) = fired.as_mut() else {
            return Outcome::Answer(answer);
        };
        for action in fired.actions.clone() {
            match action {
                Action::HangAfter => fired.released().await,
                Action::CancelAfter => self.cancel_caller(who),
                Action::KillAfter => {
                    self.kill_caller(who);
                    return Outcome::Dropped;
                }
                Action::DropAfter => return Outcome::Dropped,
                Action::FailAfter => return Outcome::Answer(Err(hook_error(fired, request))),
                _ => {}
            }
        }
        Outcome::Answer(answer)
    }

    fn cancel_caller(self: &Arc<Self>, who: &Principal) {
        if let Some(execution) = &who.execution {
            // An execution that has ended already has nothing left to cancel.
            let _ended = super::automation::stop(self, execution, true).is_err();
        }
    }

    fn kill_caller(&self, who: &Principal) {
        if let (Some(execution), Some(step)) = (&who.execution, &who.step) {
            self.engines.kill(execution, step);
        }
    }

    /// Forgets everything but the settings.
    pub async fn reset(self: &Arc<Self>) -> io::Result<()> {
        self.era.fetch_add(1, Ordering::SeqCst);
        self.faults.clear();
        self.engines.end_all();
        self.environments.clear().await;
        // Under the lock, so that nobody saves again what was just forgotten.
        self.world(|world| {
            *world = World::default();
            World::KINDS.iter().chain(&["code", "scripts"]).try_for_each(|kind| self.store.clear(kind))
        })?;
        *self.rates.lock().unwrap_or_else(PoisonError::into_inner) = Rates::default();
        self.calls.clear();
        Ok(())
    }
}

fn hook_error(fired: &Fired, request: &Request) -> ApiError {
    match (&fired.error, request.service) {
        (Some(error), _) => ApiError::new(&error.code, error.status, error.message.clone()),
        (None, "lambda") => ApiError::new("ServiceException", 500, "An error occurred and the request cannot be processed."),
        (None, _) => ApiError::internal("An error occurred on the server side."),
    }
}

/// A member that is a text.
pub fn text<'a>(input: &'a Value, member: &str) -> Option<&'a str> {
    input.get(member).and_then(Value::as_str)
}

/// A page of a list: `marker` is the number of rows to leave out.
pub fn page<T>(
    rows: Vec<T>,
    marker: Option<&str>,
    most: Option<u64>,
    usual: usize,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    let skip = match marker {
        None | Some("") => 0,
        Some(marker) => marker.parse::<usize>().map_err(|_| ApiError::invalid("The pagination token is not valid"))?,
    };
    let most = most.and_then(|most| usize::try_from(most).ok()).unwrap_or(usual).max(1);
    let total = rows.len();
    let rows: Vec<T> = rows.into_iter().skip(skip).take(most).collect();
    let next = skip + rows.len();
    Ok((rows, (next < total).then(|| next.to_string())))
}
