//! One environment: its process, what the process says through the Runtime API, its log, its time and its memory.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use faultlayer_core::variables::XRAY_DAEMON;
use tokio::sync::oneshot;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::api::{Api, Delivery, Message};
use super::clients::Place;
use super::error::LabError;
use super::function::Setup;
use super::memory;
use super::process::{Exit, Launcher};
use super::report::{self, Report};
use super::spec::{Cause, Invoke, InvokeOutcome, Invoked, Stream};
use super::tools::unique;
use super::variables;
use super::view::View;

/// The time that Lambda gives to an environment's first initialisation. What is slower or fails is started again with the invocation.
const INIT_LIMIT: Duration = Duration::from_secs(10);
/// How often memory is looked at.
const MEMORY_INTERVAL: Duration = Duration::from_millis(25);
/// How long what was measured stands: looking takes some 50 µs, which is much beside a small function, and in this time no process
/// touches many megabytes anew.
const MEMORY_FRESH: Duration = Duration::from_millis(2);
const MB: u64 = 1024 * 1024;

/// One environment.
pub struct Environment {
    setup: Arc<Setup>,
    place: Place,
    launcher: Launcher,
    api: Api,
    /// Whether the runtime's process is there.
    running: bool,
    /// The client's open question for an invocation.
    ready: Option<oneshot::Sender<Delivery>>,
    log_stream: String,
    used: u64,
    measured: Option<(Instant, u64)>,
    fresh: bool,
}

/// What happened to the environment.
enum Event {
    Said(Message),
    Ended(Exit),
    OutOfTime,
    OutOfMemory,
}

impl Environment {
    /// An environment without a process yet.
    pub async fn new(setup: Arc<Setup>) -> Result<Environment, LabError> {
        let (spec, runtime) = (&setup.spec, setup.client.runtime_dir());
        let folder = setup.tools.folder("environment")?;
        let view = setup.place.is_some().then(|| View {
            root: folder.clone(),
            task: setup.code.clone(),
            opt: setup.opt.clone(),
            runtime: runtime.to_path_buf(),
            kept: setup.client.kept(),
            tmp_mb: spec.ephemeral_mb,
        });
        let place = setup.place.clone().unwrap_or_else(|| Place {
            isolated: false,
            task: setup.code.clone(),
            opt: setup.opt.clone(),
            runtime: runtime.to_path_buf(),
            tmp: folder,
        });
        let launcher = Launcher::start(&setup.tools.launcher, view).await?;
        let (now, id) = (report::timestamp(), unique());
        let day = now.get(..10).unwrap_or_default().replace('-', "/");
        let log_stream = format!("{day}/[{}]{id:016x}{:016x}", spec.version, unique());
        Ok(Environment {
            api: Api::start().await?,
            place,
            launcher,
            running: false,
            ready: None,
            log_stream,
            used: 0,
            measured: None,
            fresh: true,
            setup,
        })
    }

    /// Hands one invocation to the process, which is started first if it is not there, and waits for its fate.
    pub async fn invoke(&mut self, call: Invoke) -> Result<Invoked, LabError> {
        let request_id = call.request_id.clone().unwrap_or_else(random_id);
        let cold_start = !self.running;
        let mut init_ms = None;
        if std::mem::take(&mut self.fresh) {
            init_ms = self.initialise().await?;
        }
        let begin = Instant::now();
        let deadline = begin + self.setup.spec.timeout;
        let deadline_ms = SystemTime::now().checked_add(self.setup.spec.timeout).map_or(0, epoch_ms);
        self.launcher.log.say(format!("START RequestId: {request_id} Version: {}", self.setup.spec.version));
        let outcome = match self.prepare(&request_id, deadline).await? {
            Some(failed) => failed,
            None => self.deliver(call, &request_id, begin, deadline, deadline_ms).await?,
        };
        let duration_ms = ms(begin.elapsed());
        Ok(self.finish(request_id, outcome, cold_start, init_ms, duration_ms))
    }

    /// Ends everything in the environment and waits until it is gone.
    pub async fn end(self) {
        self.launcher.end().await;
    }

    /// The first initialisation, before the invocation's own time begins. One that fails leaves no process: the invocation starts another.
    async fn initialise(&mut self) -> Result<Option<f64>, LabError> {
        let begin = Instant::now();
        self.launcher.log.say(format!("INIT_START Runtime Version: {}", versioned(&self.setup.spec.runtime)));
        self.start().await?;
        let failed = match self.until_ready(begin + INIT_LIMIT).await? {
            None => return Ok(Some(ms(begin.elapsed()))),
            Some(event) => event,
        };
        let status = match failed {
            Event::OutOfTime => "timeout".to_owned(),
            Event::Ended(_) => "error\tError Type: Runtime.ExitError".to_owned(),
            Event::OutOfMemory => "error\tError Type: Runtime.OutOfMemory".to_owned(),
            Event::Said(_) => "error\tError Type: Runtime.Unknown".to_owned(),
        };
        self.stop().await?;
        self.launcher.log.say(format!("INIT_REPORT Init Duration: {:.2} ms\tPhase: init\tStatus: {status}", ms(begin.elapsed())));
        Ok(None)
    }

    /// Makes sure that a process waits for an invocation. An outcome says why there is none.
    async fn prepare(&mut self, request_id: &str, deadline: Instant) -> Result<Option<InvokeOutcome>, LabError> {
        if self.running && self.ready.is_some() {
            return Ok(None);
        }
        if !self.running {
            self.start().await?;
        }
        let outcome = match self.until_ready(deadline).await? {
            None => return Ok(None),
            Some(Event::Said(Message::InitError(error_type, payload))) => {
                let error_type = error_type.or_else(|| type_in(&payload)).unwrap_or_else(|| "Runtime.Unknown".to_owned());
                self.stop().await?;
                InvokeOutcome::FunctionError { cause: Cause::Init, error_type, payload, stream: None }
            }
            Some(event) => self.died(request_id, event).await?,
        };
        Ok(Some(outcome))
    }

    /// Hands the invocation over and waits for the answer, then for the client to be ready again.
    async fn deliver(
        &mut self,
        call: Invoke,
        request_id: &str,
        begin: Instant,
        deadline: Instant,
        deadline_ms: i64,
    ) -> Result<InvokeOutcome, LabError> {
        let spec = &self.setup.spec;
        let delivery = Delivery {
            request_id: request_id.to_owned(),
            invocation_id: random_id(),
            deadline_ms,
            function_arn: call.function_arn.unwrap_or_else(|| spec.arn()),
            client_context: call.client_context,
            trace_id: trace_id(deadline_ms / 1000, spec.variables.contains_key(XRAY_DAEMON)),
            event: call.event,
        };
        self.api.expect(&delivery);
        if let Some(ready) = self.ready.take() {
            // A client that is gone meanwhile is a process that ended, which is the next event.
            let _ = ready.send(delivery);
        }
        let mut stream: Option<Stream> = None;
        let outcome = loop {
            match self.event(deadline).await? {
                Event::Said(Message::Answer { content_type, payload }) => {
                    break InvokeOutcome::Ok { payload, content_type, stream: None };
                }
                Event::Said(Message::StreamBegun { content_type }) => stream = Some(Stream { content_type, chunks: Vec::new() }),
                Event::Said(Message::Chunk(chunk)) => {
                    if let Some(stream) = &mut stream {
                        stream.chunks.push((ms(begin.elapsed()), chunk));
                    }
                }
                Event::Said(Message::StreamEnded(None)) => {
                    let stream = stream.take().unwrap_or_default();
                    break InvokeOutcome::Ok {
                        payload: stream.bytes(),
                        content_type: stream.content_type.clone(),
                        stream: Some(stream),
                    };
                }
                Event::Said(Message::StreamEnded(Some((error_type, payload)))) => {
                    break InvokeOutcome::FunctionError { cause: Cause::Handler, error_type, payload, stream: stream.take() };
                }
                Event::Said(Message::Error(error_type, payload)) => {
                    let error_type = type_in(&payload).or(error_type).unwrap_or_default();
                    break InvokeOutcome::FunctionError { cause: Cause::Handler, error_type, payload, stream: None };
                }
                Event::Said(Message::TooLarge(most)) => {
                    break report::error(
                        Cause::TooLarge,
                        request_id,
                        "Function.ResponseSizeTooLarge",
                        &format!("Response payload size exceeded maximum allowed payload size ({most} bytes)."),
                    );
                }
                // A client that asks again without an answer, or speaks of its initialisation now, has lost this invocation.
                Event::Said(Message::Next(ready)) => self.ready = Some(ready),
                Event::Said(Message::InitError(..)) => {}
                event => {
                    let mut outcome = self.died(request_id, event).await?;
                    if let InvokeOutcome::FunctionError { stream: sent, .. } = &mut outcome {
                        *sent = stream.take();
                    }
                    return Ok(outcome);
                }
            }
        };
        // What it used at most counts even if that was between two looks: Lambda would have killed it there.
        if self.measure() > self.limit() {
            return self.died(request_id, Event::OutOfMemory).await;
        }
        if let Some(event) = self.until_ready(deadline).await? {
            // The answer is out; only the log says what came after it.
            self.died(request_id, event).await?;
        }
        Ok(outcome)
    }

    async fn start(&mut self) -> Result<(), LabError> {
        let setup = Arc::clone(&self.setup);
        let mut variables = variables::of(&setup.spec, &self.place, &self.api.address, &self.log_stream);
        let command = setup.client.command(&setup.spec, &self.place);
        for (name, value) in command.variables {
            if value.is_empty() {
                variables.remove(&name)
            } else {
                variables.insert(name, value)
            };
        }
        let (mut program, mut arguments) = (command.program, command.arguments);
        if let Some(wrapper) = variables.get("AWS_LAMBDA_EXEC_WRAPPER").filter(|wrapper| !wrapper.is_empty()) {
            arguments.insert(0, program.display().to_string());
            program = PathBuf::from(wrapper);
        }
        // What an earlier process asked or said is over.
        self.ready = None;
        while self.api.messages.try_recv().is_ok() {}
        self.launcher.run(program, arguments, variables, self.place.task.clone()).await?;
        self.running = true;
        Ok(())
    }

    /// Ends the process, if it is there, and waits until it is gone.
    async fn stop(&mut self) -> Result<(), LabError> {
        if std::mem::take(&mut self.running) {
            self.launcher.kill().await?;
        }
        self.ready = None;
        Ok(())
    }

    /// Waits until the client asks for an invocation, or for what happened instead.
    async fn until_ready(&mut self, deadline: Instant) -> Result<Option<Event>, LabError> {
        while self.ready.is_none() {
            match self.event(deadline).await? {
                Event::Said(Message::Next(ready)) => self.ready = Some(ready),
                Event::Said(message @ Message::InitError(..)) => return Ok(Some(Event::Said(message))),
                Event::Said(_) => {}
                event => return Ok(Some(event)),
            }
        }
        Ok(None)
    }

    async fn event(&mut self, deadline: Instant) -> Result<Event, LabError> {
        let limit = self.limit();
        let mut looks = interval(MEMORY_INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        looks.reset();
        loop {
            tokio::select! {
                // What was said before the end of the process counts.
                biased;
                Some(message) = self.api.messages.recv() => return Ok(Event::Said(message)),
                exit = self.launcher.ends.next() => {
                    self.running = false;
                    return Ok(Event::Ended(exit?));
                }
                () = sleep_until(deadline) => return Ok(Event::OutOfTime),
                _ = looks.tick() => {
                    if self.measure() > limit {
                        return Ok(Event::OutOfMemory);
                    }
                }
                () = self.launcher.log.readable() => self.launcher.log.drain(),
            }
        }
    }

    /// Ends what is left of the process after `event` and says what the caller gets.
    async fn died(&mut self, request_id: &str, event: Event) -> Result<InvokeOutcome, LabError> {
        let (cause, error_type, message) = match event {
            Event::OutOfTime => (Cause::Timeout, "Sandbox.Timedout", report::timed_out(&self.setup.spec)),
            Event::OutOfMemory => (Cause::Memory, "Runtime.OutOfMemory", report::exited(Exit::Signal(9))),
            Event::Ended(exit) => (Cause::Exit, "Runtime.ExitError", report::exited(exit)),
            Event::Said(_) => (Cause::Exit, "Runtime.ExitError", report::exited(Exit::Code(0))),
        };
        self.stop().await?;
        self.launcher.log.say(if cause == Cause::Timeout {
            format!("{} {request_id} {message}", report::timestamp())
        } else {
            format!("RequestId: {request_id} Error: {message}")
        });
        if cause != Cause::Timeout {
            self.launcher.log.say(error_type.to_owned());
        }
        Ok(report::error(cause, request_id, error_type, &message))
    }

    fn finish(
        &mut self,
        request_id: String,
        outcome: InvokeOutcome,
        cold_start: bool,
        init_ms: Option<f64>,
        duration_ms: f64,
    ) -> Invoked {
        let max_memory_mb = u32::try_from(self.used.div_ceil(MB)).unwrap_or(u32::MAX).min(self.setup.spec.memory_mb);
        let status = match &outcome {
            InvokeOutcome::FunctionError { cause: Cause::Timeout, .. } => Some(("timeout", None)),
            InvokeOutcome::FunctionError {
                cause: Cause::Exit | Cause::Memory | Cause::Init | Cause::TooLarge,
                error_type,
                ..
            } => Some(("error", Some(error_type.as_str()))),
            _ => None,
        };
        self.launcher.log.say(format!("END RequestId: {request_id}"));
        let line = report::report_line(&request_id, &self.setup.spec, &Report { duration_ms, init_ms, max_memory_mb, status });
        self.launcher.log.say(line);
        let (log_times, log) = self.launcher.log.take().into_iter().unzip();
        let log_stream = self.log_stream.clone();
        Invoked { request_id, outcome, cold_start, init_ms, duration_ms, max_memory_mb, log, log_times, log_stream }
    }

    fn limit(&self) -> u64 {
        u64::from(self.setup.spec.memory_mb) * MB
    }

    /// What the processes use now, in bytes, or used less than [`MEMORY_FRESH`] ago.
    fn measure(&mut self) -> u64 {
        if let Some((at, used)) = self.measured
            && at.elapsed() < MEMORY_FRESH
        {
            return used;
        }
        let now = self.launcher.id().map_or(0, memory::used_below);
        self.measured = Some((Instant::now(), now));
        self.used = self.used.max(now);
        now
    }
}

/// A runtime's name as the log has it: `python:3.12`.
fn versioned(runtime: &str) -> String {
    let (name, version) = runtime.split_at(runtime.find(|letter: char| letter.is_ascii_digit()).unwrap_or(runtime.len()));
    format!("{name}:{version}")
}

/// The `errorType` of a client's error.
fn type_in(payload: &Bytes) -> Option<String> {
    let error: serde_json::Value = serde_json::from_slice(payload).ok()?;
    Some(error.get("errorType")?.as_str()?.to_owned())
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn epoch_ms(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// The trace header of an invocation: sampled where the function's variables name a daemon that its subsegments can go to.
fn trace_id(at_s: i64, sampled: bool) -> String {
    let id = unique();
    format!("Root=1-{at_s:08x}-{:016x}{:08x};Parent={id:016x};Sampled={}", unique(), id >> 32, u8::from(sampled))
}

/// A request id as Lambda's: a random UUID of version 4.
fn random_id() -> String {
    uuid::Uuid::new_v4().to_string()
}
