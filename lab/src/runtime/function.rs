//! A function: as many environments as invocations run at once, each used again and again.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::clients::{Client, Place};
use super::environment::Environment;
use super::error::LabError;
use super::layers;
use super::spec::{FunctionSpec, Invoke, Invoked};
use super::tools::Tools;

/// A function that can be invoked. Dropping it ends its processes; [`Function::shutdown`] also waits until they are gone.
pub struct Function {
    setup: Arc<Setup>,
    /// Those that nobody uses, the last one used at the end: it is the next one used.
    idle: Mutex<Vec<Environment>>,
}

/// What all environments of a function have in common.
pub(super) struct Setup {
    pub spec: FunctionSpec,
    pub tools: Arc<Tools>,
    pub client: Arc<dyn Client>,
    pub code: PathBuf,
    /// The unpacked layers.
    pub opt: PathBuf,
    pub place: Option<Place>,
}

impl Function {
    /// Unpacks the layers and makes the client ready. No process is started before the first invocation.
    pub async fn new(spec: FunctionSpec, tools: Arc<Tools>) -> Result<Function, LabError> {
        let prepared = tokio::task::spawn_blocking(move || {
            let code =
                spec.code_dir.canonicalize().map_err(|error| LabError::file("read the code in", &spec.code_dir, &error))?;
            if !code.is_dir() {
                return Err(LabError::new(format!("cannot read the code in `{}`: it is not a folder", code.display())));
            }
            let client = tools.client(&spec.runtime)?;
            let opt = tools.folder("opt")?;
            layers::unpack(&spec.layers, &opt)?;
            let place = tools.not_isolated().is_none().then(Place::lambda);
            Ok(Setup { spec, tools, client, code, opt, place })
        });
        let setup = prepared.await.map_err(|error| LabError::new(format!("the set-up broke off: {error}")))??;
        Ok(Function { setup: Arc::new(setup), idle: Mutex::default() })
    }

    /// Invokes the function in an idle environment or a new one, and says what its caller got.
    ///
    /// An error is the lab's own: a process could not be started at all. What the function does is in [`Invoked`].
    pub async fn invoke(&self, call: Invoke) -> Result<Invoked, LabError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut environment = match idle {
            Some(environment) => environment,
            None => Environment::new(Arc::clone(&self.setup)).await?,
        };
        let invoked = environment.invoke(call).await?;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(environment);
        Ok(invoked)
    }

    /// What the function was made of.
    pub fn spec(&self) -> &FunctionSpec {
        &self.setup.spec
    }

    /// Ends all processes and waits until they are gone. Invocations on their way end theirs when they are dropped.
    pub async fn shutdown(self) {
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        for environment in idle {
            environment.end().await;
        }
    }
}
