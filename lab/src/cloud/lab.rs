//! The lab: the registry of its services, its settings, and the reset. How a call goes is said in [`call`](super::call), what
//! operations do in [`services`](super::services).

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::call::hooks::Board;
use super::call::log::CallLog;
use super::call::principal::Keys;
use super::call::rates::Rates;
use super::gateway::models::Models;
use super::services::{ALL, Open, Service, Tagged};
use super::state::Folder;
use crate::whole::replace;

/// Whose calls policies decide on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Permissions {
    /// Sessions of roles that IAM knows; a role that was never made there may do everything.
    #[default]
    Known,
    /// Sessions of all roles; one that was never made may do nothing.
    Enforced,
}

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
    /// Whose calls policies decide on.
    pub permissions: Permissions,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            update_ms: 300,
            speed: 1.0,
            rates: 1.0,
            cancel_limit_s: 120.0,
            poll_ms: 500,
            permissions: Permissions::default(),
        }
    }
}

/// An account and a region.
#[derive(Debug, Clone)]
pub struct Place {
    /// The account, twelve digits.
    pub account: String,
    /// The region.
    pub region: String,
}

impl Place {
    /// The ARN of a resource of a service: `arn:aws:SERVICE:REGION:ACCOUNT:REST`.
    pub fn arn(&self, service: &str, rest: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{rest}", self.region, self.account)
    }
}

/// Where a lab stands: what every service may know.
#[derive(Debug)]
pub struct Site {
    /// The account and region.
    pub place: Place,
    folder: Folder,
    settings: Mutex<Settings>,
    endpoint: OnceLock<String>,
}

/// What a service is opened with: the site, and a folder of its own.
#[derive(Debug, Clone)]
pub struct Home {
    /// Where the lab stands.
    pub site: Arc<Site>,
    /// The service's folder.
    pub folder: Folder,
}

impl Site {
    fn open(folder: Folder, place: Place, speed: Option<f64>) -> Site {
        let path = folder.within("settings").file("settings");
        let mut settings = match std::fs::read(&path) {
            Err(_) => Settings::default(),
            Ok(text) => serde_json::from_slice(&text).unwrap_or_else(|error| {
                folder.set_aside(&path, &error.to_string());
                Settings::default()
            }),
        };
        if let Some(speed) = speed {
            settings.speed = speed;
        }
        Site { place, folder, settings: Mutex::new(settings), endpoint: OnceLock::new() }
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
        replace(&self.folder.within("settings").file("settings"), &serde_json::to_vec(&settings)?)?;
        *self.settings.lock().unwrap_or_else(PoisonError::into_inner) = settings;
        Ok(())
    }

    /// The state folder.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }
}

/// The whole lab.
#[derive(Debug)]
pub struct Lab {
    /// Where it stands.
    pub site: Arc<Site>,
    /// The call log.
    pub log: CallLog,
    /// What tests want done to calls.
    pub hooks: Board,
    /// The access keys given out.
    pub keys: Keys,
    /// The request rates.
    pub rates: Rates,
    models: Models,
    services: BTreeMap<&'static str, Arc<dyn Service>>,
    /// One more with each reset: a call from before it has no effect any more.
    era: AtomicU64,
}

impl Lab {
    /// Opens a lab on a state folder.
    pub fn open(folder: &Path, place: Place, speed: Option<f64>) -> io::Result<Lab> {
        Lab::with(folder, place, speed, ALL)
    }

    /// Opens a lab of these services.
    pub fn with(folder: &Path, place: Place, speed: Option<f64>, all: &[(&'static str, Open)]) -> io::Result<Lab> {
        let folder = Folder::open(folder)?;
        let log = CallLog::open(folder.path())?;
        let site = Arc::new(Site::open(folder.clone(), place, speed));
        let mut models = Models::default();
        let mut services = BTreeMap::new();
        for (name, open) in all {
            let service = open(Home { site: Arc::clone(&site), folder: folder.within(name) })?;
            models.add(name, service.model()).map_err(|error| io::Error::other(format!("the model of {name}: {error}")))?;
            services.insert(*name, service);
        }
        Ok(Lab {
            site,
            log,
            hooks: Board::default(),
            keys: Keys::default(),
            rates: Rates::default(),
            models,
            services,
            era: AtomicU64::new(0),
        })
    }

    /// Goes on with what was interrupted, once the port is open.
    pub fn start(self: &Arc<Self>, endpoint: String) {
        self.site.set_endpoint(endpoint);
        self.services().for_each(|service| Arc::clone(service).start(self));
    }

    /// The models of the services.
    pub fn models(&self) -> &Models {
        &self.models
    }

    /// The services.
    pub fn services(&self) -> impl Iterator<Item = &Arc<dyn Service>> {
        self.services.values()
    }

    /// One service by botocore's name for it.
    pub fn service(&self, name: &str) -> Option<Arc<dyn Service>> {
        self.services.get(name).map(Arc::clone)
    }

    /// Everything that has tags.
    pub fn tagged(&self) -> Vec<Tagged> {
        self.services().flat_map(|service| service.tagged()).collect()
    }

    /// The tags of one resource.
    pub fn tags_of(&self, arn: &str) -> Map<String, Value> {
        self.services().find_map(|service| service.tags_of(arn)).unwrap_or_default()
    }

    /// How many resets there were.
    pub fn era(&self) -> u64 {
        self.era.load(Ordering::SeqCst)
    }

    /// Forgets everything but the settings.
    pub async fn reset(&self) -> io::Result<()> {
        self.era.fetch_add(1, Ordering::SeqCst);
        self.hooks.clear();
        self.keys.clear();
        // What one service runs must not call another that is empty already.
        self.stop().await;
        for service in self.services() {
            Arc::clone(service).reset().await?;
        }
        self.rates.clear();
        self.log.clear();
        Ok(())
    }

    /// Ends every process that the lab started. What was under way goes on when the lab is opened again.
    pub async fn stop(&self) {
        for service in self.services() {
            if let Err(error) = Arc::clone(service).stop().await {
                eprintln!("faultlayer lab: {error}");
            }
        }
    }
}
