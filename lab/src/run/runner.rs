//! The loop over a run's invocations: one after the other, in one environment that lives as long as the function lets it.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use faultlayer_core::timestamp::Timestamp;
use faultlayer_report::FaultCount;
use tokio::sync::watch;

use super::attach::{attach, fits};
use super::plan::RunPlan;
use super::report::{Answers, Invocation, Report};
use super::request_ids::RequestIds;
use super::statistics::Side;
use crate::runtime::spec::LARGEST_EVENT;
use crate::runtime::{Function, FunctionSpec, Invoke, InvokeOutcome, LabError, Tools};

/// What to run.
#[derive(Debug)]
pub struct Request {
    /// The function as it stands without Faultlayer.
    pub spec: FunctionSpec,
    /// What to put on it, if anything.
    pub plan: Option<RunPlan>,
    /// Or where it reads a plan that may change meanwhile, of which nobody here knows what to expect.
    pub source: Option<String>,
    /// How often to invoke it, on each side.
    pub calls: u64,
    /// The events, one after the other and then again from the first; not empty.
    pub events: Vec<Bytes>,
    /// Chooses the request ids.
    pub id_seed: u64,
    /// Whether to run without the plan first, with the same ids and events.
    pub compare: bool,
    /// Whether the report keeps each invocation's log.
    pub logs: bool,
    /// Whether it keeps every invocation, which a page or `--json` shows; else those that have records.
    pub keeps_all: bool,
}

/// One side of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Without Faultlayer.
    Healthy,
    /// Under the plan (or the only one, if there is no plan).
    Run,
}

/// One invocation is done.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// On which side.
    pub side: Which,
    /// What became of it.
    pub invocation: &'a Invocation,
    /// Its log, with the platform's lines.
    pub log: &'a [String],
}

/// Runs what `request` says, telling `progress` of every invocation, until it is done or `stop` turns true. Everything that was started has ended when
/// this returns.
pub async fn run(
    request: Request,
    tools: Arc<Tools>,
    mut stop: watch::Receiver<bool>,
    progress: &mut (dyn FnMut(Progress<'_>) + Send),
) -> Result<Report, LabError> {
    fits(&request.spec)?;
    events_fit(&request.events)?;
    let mut report = Report::new(&request, tools.not_isolated());
    if request.compare && (request.plan.is_some() || request.source.is_some()) {
        let healthy = side(&request, request.spec.clone(), Which::Healthy, &tools, &mut stop, progress).await?;
        report.interrupted = healthy.figures.calls != request.calls;
        report.healthy = Some(healthy.figures);
        report.answers = Some(Answers::default());
        if !report.interrupted {
            let run = under_plan(&request, &tools, &mut stop, progress, &mut report).await?;
            report.answers = Some(Answers::compare(&healthy.payloads, &run.payloads, &run.invocations));
            report.take(run.figures, run.invocations, request.calls);
        }
    } else {
        let run = under_plan(&request, &tools, &mut stop, progress, &mut report).await?;
        report.take(run.figures, run.invocations, request.calls);
    }
    Ok(report)
}

/// Whether Lambda would take the events.
fn events_fit(events: &[Bytes]) -> Result<(), LabError> {
    match events.iter().enumerate().find(|(_, event)| event.len() > LARGEST_EVENT) {
        Some((index, event)) => {
            let (number, size) = (index + 1, event.len());
            Err(LabError::new(format!("event {number}: is {size} bytes, the most is {LARGEST_EVENT}")))
        }
        None => Ok(()),
    }
}

/// What one side brought.
struct Done {
    figures: Side,
    invocations: Vec<Invocation>,
    /// The answers of those that were answered.
    payloads: Vec<Option<Bytes>>,
}

async fn under_plan(
    request: &Request,
    tools: &Arc<Tools>,
    stop: &mut watch::Receiver<bool>,
    progress: &mut (dyn FnMut(Progress<'_>) + Send),
    report: &mut Report,
) -> Result<Done, LabError> {
    let mut spec = request.spec.clone();
    let mut rates = Vec::new();
    let begun = match &request.plan {
        Some(plan) => {
            let begun = plan.begin(now())?;
            attach(&mut spec, &begun.text)?;
            report.plan = serde_json::from_str(&begun.text).ok();
            report.faults = begun.plan.faults.iter().map(FaultCount::new).collect();
            rates = vec![(0.0, 0.0); begun.plan.faults.len()];
            Some(begun.plan)
        }
        None => {
            request.source.iter().try_for_each(|source| attach(&mut spec, source))?;
            report.plan_source.clone_from(&request.source);
            None
        }
    };
    let mut counted = |_: &Invocation| {
        let (Some(plan), at) = (&begun, now()) else { return };
        let since = plan.starts_at.map_or(0, |start| at.micros_since(start));
        for (fault, (mean, variance)) in plan.faults.iter().zip(&mut rates) {
            let rate = if plan.is_open(at) { fault.rate.at(since) } else { 0.0 };
            *mean += rate;
            *variance += rate * (1.0 - rate);
        }
    };
    let mut both = |told: Progress<'_>| {
        counted(told.invocation);
        progress(told);
    };
    report.started_at = now().to_rfc3339();
    let done = side(request, spec, Which::Run, tools, stop, &mut both).await?;
    report.ended_at = now().to_rfc3339();
    for (count, (mean, variance)) in report.faults.iter_mut().zip(rates) {
        count.expect(mean, variance.sqrt());
    }
    Ok(done)
}

async fn side(
    request: &Request,
    spec: FunctionSpec,
    which: Which,
    tools: &Arc<Tools>,
    stop: &mut watch::Receiver<bool>,
    progress: &mut (dyn FnMut(Progress<'_>) + Send),
) -> Result<Done, LabError> {
    let figures = Side::of(&spec.runtime);
    let function = Function::new(spec, Arc::clone(tools)).await?;
    let mut done = Done { figures, invocations: Vec::new(), payloads: Vec::new() };
    let ids = RequestIds::new(request.id_seed);
    let begun = Instant::now();
    for (request_id, event) in ids.zip(request.events.iter().cycle()).take(usize::try_from(request.calls).unwrap_or(usize::MAX)) {
        let at_ms = begun.elapsed().as_secs_f64() * 1000.0;
        let call = Invoke { event: event.clone(), request_id: Some(request_id), ..Invoke::default() };
        let invoked = tokio::select! {
            biased;
            // Dropping the invocation ends its processes.
            _ = stop.wait_for(|stop| *stop) => break,
            invoked = function.invoke(call) => invoked?,
        };
        done.figures.count(&invoked);
        let mut invocation = Invocation::new(&invoked, at_ms);
        progress(Progress { side: which, invocation: &invocation, log: &invoked.log });
        if request.compare {
            done.payloads.push(match &invoked.outcome {
                InvokeOutcome::Ok { payload, .. } => Some(payload.clone()),
                InvokeOutcome::FunctionError { .. } => None,
            });
        }
        if request.logs {
            invocation.log = Some(invoked.log);
        }
        // Those of the other side are compared with the healthy ones, each with its own.
        if request.keeps_all || request.compare || !invocation.records.is_empty() {
            done.invocations.push(invocation);
        }
    }
    function.shutdown().await;
    done.figures.finish();
    Ok(done)
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_beyond_lambdas_limit_is_refused_by_its_number() {
        let event = |size: usize| Bytes::from(vec![b' '; size]);
        assert!(events_fit(&[event(LARGEST_EVENT)]).is_ok());
        let error = events_fit(&[event(2), event(LARGEST_EVENT + 1)]).unwrap_err();
        assert_eq!(error.to_string(), "event 2: is 6291457 bytes, the most is 6291456");
    }
}
