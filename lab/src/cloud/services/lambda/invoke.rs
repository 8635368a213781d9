//! Invoke: which configuration runs, its execution environments, and the answer's headers.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::{Mutex, OnceCell};

use super::function::{Config, Function as Owned};
use super::logs::{Writer, group};
use super::{Lambda, code, layers, metrics, naming};
use crate::cloud::call::{ApiError, Call, Reply};
use crate::cloud::clock;
use crate::cloud::lab::{Lab, Place};
use crate::cloud::services::members::{text, with};
use crate::runtime::spec::{LARGEST_ASYNCHRONOUS_EVENT, LARGEST_EVENT};
use crate::runtime::{Function, FunctionSpec, Invoke, InvokeOutcome, Invoked, Options, Tools};

/// The environments of every function and version that was invoked.
#[derive(Default)]
pub struct Environments {
    folder: PathBuf,
    tools: OnceLock<Arc<Tools>>,
    /// By name and version, with the revision of the configuration they have.
    running: Mutex<HashMap<(String, String), Current>>,
}

impl std::fmt::Debug for Environments {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Environments").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Environments {
    /// None yet.
    pub fn new(folder: &Path) -> Environments {
        Environments { folder: folder.to_owned(), ..Environments::default() }
    }

    fn tools(&self) -> Result<Arc<Tools>, ApiError> {
        if let Some(tools) = self.tools.get() {
            return Ok(Arc::clone(tools));
        }
        let options = Options::new().map_err(|error| ApiError::internal(error.to_string()))?;
        let tools = Tools::new(options).map_err(|error| ApiError::internal(error.to_string()))?;
        Ok(Arc::clone(self.tools.get_or_init(|| tools)))
    }

    /// The place of a configuration's environments. Those of an older one finish what they are at and end.
    async fn of(&self, name: &str, config: &Config) -> Slot {
        let mut running = self.running.lock().await;
        let key = (name.to_owned(), config.version.clone());
        if let Some(current) = running.get_mut(&key)
            && current.revision == config.revision
        {
            current.used = Instant::now();
            return Arc::clone(&current.slot);
        }
        let slot = Slot::default();
        let current = Current { revision: config.revision.clone(), slot: Arc::clone(&slot), used: Instant::now() };
        let old = running.insert(key, current);
        let idle = running.iter().filter(|(_, current)| Arc::strong_count(&current.slot) == 1);
        let oldest = idle.min_by_key(|(_, current)| current.used).map(|(key, _)| key.clone());
        let surplus = oldest.filter(|_| running.len() > KEPT).and_then(|key| running.remove(&key));
        drop(running);
        old.into_iter().chain(surplus).for_each(|current| retire(current.slot));
        slot
    }

    /// Ends the environments of a function that was deleted.
    pub async fn forget(&self, name: &str) {
        let mut running = self.running.lock().await;
        let keys: Vec<_> = running.keys().filter(|(of, _)| of == name).cloned().collect();
        for key in keys {
            if let Some(current) = running.remove(&key) {
                retire(current.slot);
            }
        }
    }

    /// Ends all environments as soon as they are idle.
    pub async fn clear(&self) {
        let all: Vec<_> = self.running.lock().await.drain().collect();
        for (_, current) in all {
            if let Some(function) = Arc::into_inner(current.slot).and_then(OnceCell::into_inner) {
                function.shutdown().await;
            }
        }
    }
}

/// Lets go of environments; whoever lets go last shuts them down.
fn retire(slot: Slot) {
    if let Some(function) = Arc::into_inner(slot).and_then(OnceCell::into_inner) {
        tokio::spawn(async move { function.shutdown().await });
    }
}

/// A configuration's environments.
struct Current {
    revision: String,
    slot: Slot,
    used: Instant,
}

/// Environments, made by whoever comes first while the others wait.
type Slot = Arc<OnceCell<Function>>;

/// Of so many functions and versions the environments stay when they are idle; a laptop holds no more.
const KEPT: usize = 24;

/// What an invocation runs.
struct Chosen {
    name: String,
    config: Config,
    layers: Vec<PathBuf>,
    arn: String,
}

/// Takes as long as unpacking the code takes.
fn spec(folder: &Path, place: &Place, chosen: Chosen) -> Result<FunctionSpec, ApiError> {
    let Chosen { name, config, layers, .. } = chosen;
    let (Some(runtime), Some(handler)) = (&config.runtime, &config.handler) else {
        return Err(ApiError::bad("InvalidRuntimeException", "the lab does not run container images"));
    };
    let code =
        code::unpacked(folder, &config.code).map_err(|error| ApiError::internal(format!("cannot unpack the code: {error}")))?;
    let mut spec = FunctionSpec::new(&name, runtime, handler, code);
    let variables = config.variables.iter().map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()));
    spec.variables = variables.collect::<BTreeMap<_, _>>();
    spec.layers = layers;
    spec.timeout = Duration::from_secs(config.timeout);
    spec.memory_mb = u32::try_from(config.memory).unwrap_or(u32::MAX);
    let ephemeral = config.rest.get("EphemeralStorage").and_then(|storage| storage.get("Size")).and_then(Value::as_u64);
    spec.ephemeral_mb = ephemeral.and_then(|size| u32::try_from(size).ok()).unwrap_or(512);
    spec.log_group = group(&name, &config);
    spec.version = config.version;
    spec.region.clone_from(&place.region);
    spec.account.clone_from(&place.account);
    Ok(spec)
}

/// The version behind a qualifier; of an alias with weights, one by chance.
fn routed(function: &Owned, qualifier: Option<&str>) -> String {
    let Some(alias) = qualifier.and_then(|name| function.aliases.get(name)) else {
        return qualifier.unwrap_or("$LATEST").to_owned();
    };
    let (high, _) = uuid::Uuid::new_v4().as_u64_pair();
    // The upper half of a random id as a fraction; its fixed bits lie in the lower half of the word.
    #[expect(clippy::cast_precision_loss, reason = "32 bits")]
    let mut chance = (high >> 32) as f64 / 4_294_967_296.0;
    for (version, weight) in &alias.weights {
        if chance < *weight {
            return version.clone();
        }
        chance -= weight;
    }
    alias.version.clone()
}

fn choose(lambda: &Lambda, input: &Value) -> Result<Chosen, ApiError> {
    naming::read(lambda, input, |tables, function, named| {
        let qualifier = named.qualifier.as_deref();
        let version = routed(function, qualifier);
        let config = match (version.as_str(), &function.running) {
            ("$LATEST", None) => {
                return Err(ApiError::conflict(
                    "The operation cannot be performed at this time. The function is currently in the following state: Pending",
                ));
            }
            // What the last finished update left, not what an update in progress will bring.
            ("$LATEST", Some(running)) => running,
            (version, _) => function.qualified(&lambda.site.place, Some(version))?.config,
        };
        if function.reserved == Some(0) {
            return Err(ApiError::new("TooManyRequestsException", 429, "Rate Exceeded."));
        }
        let mut arn = function.arn(&lambda.site.place);
        if let Some(qualifier) = qualifier {
            arn = format!("{arn}:{qualifier}");
        }
        let layers = config.layers.iter().filter_map(|arn| layers::find(tables, arn));
        let layers = layers.map(|layer| code::path(lambda.folder.path(), &layer.code.sha256)).collect();
        Ok(Chosen { name: function.name.clone(), config: config.clone(), layers, arn })
    })
}

/// Invoke.
pub async fn invoke(lambda: &Arc<Lambda>, call: &Call) -> Result<Reply, ApiError> {
    let (lab, request) = (&call.lab, &call.request);
    let input = &request.input;
    let kind = text(input, "InvocationType").unwrap_or("RequestResponse");
    let event = if request.raw.is_empty() { Bytes::from_static(b"{}") } else { request.raw.clone() };
    let most = if kind == "Event" { LARGEST_ASYNCHRONOUS_EVENT } else { LARGEST_EVENT };
    if event.len() > most {
        return Err(ApiError::new(
            "RequestTooLargeException",
            413,
            format!("Request must be smaller than {most} bytes for the InvokeFunction operation"),
        ));
    }
    serde_json::from_slice::<serde::de::IgnoredAny>(&event).map_err(|error| {
        ApiError::bad("InvalidRequestContentException", format!("Could not parse request body into json: {error}"))
    })?;
    let client_context = match text(input, "ClientContext") {
        None => None,
        Some(context) => {
            let bytes = STANDARD.decode(context).map_err(|_| {
                ApiError::bad("InvalidRequestContentException", "Client context must be a valid Base64-encoded JSON object.")
            })?;
            Some(String::from_utf8_lossy(&bytes).into_owned())
        }
    };
    let chosen = match choose(lambda, input) {
        Err(refused) if refused.status == 429 && kind != "DryRun" => {
            metrics::throttled(lab, &naming::of(&lambda.site.place, input)?.name).await;
            return Err(refused);
        }
        chosen => chosen?,
    };
    if kind == "DryRun" {
        return Ok(Reply { status: Some(204), ..Reply::default() });
    }
    let version = chosen.config.version.clone();
    let invocation = Invoke { event, request_id: Some(clock::id()), client_context, function_arn: Some(chosen.arn.clone()) };
    if kind == "Event" {
        let (lambda, lab) = (Arc::clone(lambda), Arc::clone(lab));
        let input = input.clone();
        tokio::spawn(async move { later(&lambda, &lab, &input, invocation).await });
        return Ok(Reply { status: Some(202), ..Reply::default() });
    }
    let invoked = run(lambda, lab, chosen, invocation).await?;
    Ok(reply(&invoked, version, text(input, "LogType") == Some("Tail")))
}

async fn run(lambda: &Lambda, lab: &Arc<Lab>, chosen: Chosen, call: Invoke) -> Result<Invoked, ApiError> {
    let (writer, name, era) = (Writer::of(lab, &chosen.name, &chosen.config), chosen.name.clone(), lab.era());
    let slot = lambda.environments.of(&chosen.name, &chosen.config).await;
    let invoked = match slot.get_or_try_init(|| make(lambda, chosen)).await {
        Ok(function) => function.invoke(call).await.map_err(|error| ApiError::bad("InvalidRuntimeException", error.to_string())),
        Err(error) => Err(error),
    };
    retire(slot);
    if let Ok(invoked) = &invoked {
        writer.write(lab, invoked).await;
        if lab.era() == era {
            metrics::invoked(lab, &name, invoked).await;
        }
    }
    invoked
}

async fn make(lambda: &Lambda, chosen: Chosen) -> Result<Function, ApiError> {
    let tools = lambda.environments.tools()?;
    let (folder, place) = (lambda.folder.path().to_owned(), lambda.site.place.clone());
    let spec = tokio::task::spawn_blocking(move || spec(&folder, &place, chosen)).await;
    let spec = spec.map_err(|error| ApiError::internal(error.to_string()))??;
    Function::new(spec, tools).await.map_err(|error| ApiError::bad("InvalidRuntimeException", error.to_string()))
}

/// An asynchronous call: tried again twice, with the same request id, as long as the function fails.
async fn later(lambda: &Lambda, lab: &Arc<Lab>, input: &Value, call: Invoke) {
    for wait_s in [60.0, 120.0, 0.0] {
        if let Ok(chosen) = choose(lambda, input)
            && let Ok(invoked) = run(lambda, lab, chosen, call.clone()).await
            && matches!(invoked.outcome, InvokeOutcome::Ok { .. })
        {
            return;
        }
        let speed = lambda.site.settings().speed.max(f64::MIN_POSITIVE);
        tokio::time::sleep(Duration::try_from_secs_f64(wait_s / speed).unwrap_or(Duration::MAX)).await;
    }
}

fn reply(invoked: &Invoked, version: String, tail: bool) -> Reply {
    let body = json!({"StatusCode": 200, "ExecutedVersion": version});
    let failed = matches!(invoked.outcome, InvokeOutcome::FunctionError { .. });
    let body = with(body, "FunctionError", failed.then(|| "Unhandled".to_owned()));
    let log = tail.then(|| {
        let log = invoked.log.iter().map(|line| format!("{line}\n")).collect::<String>();
        // The last 4 KB.
        let bytes = log.as_bytes();
        STANDARD.encode(bytes.get(bytes.len().saturating_sub(4096)..).unwrap_or_default())
    });
    let body = with(body, "LogResult", log);
    Reply { status: None, body, raw: Some(invoked.outcome.payload().clone()) }
}
