//! Faults in connections, which need no shim: an invocation arms them before its handler and ends them behind it.

use std::net::IpAddr;
use std::sync::Arc;

use faultlayer_network::{Armed, Hit, Invocation, Peer, Trouble, Watch, Watching, watch};
use serde_json::Value;

use super::guard::guard;
use super::language::Language;
use super::side::{Shared, Side};
use crate::decision;
use crate::faults::{self, Network};
use crate::matching::Budget;
use crate::plan::{Plan, Problem, ProblemCode};
use crate::record::OwnReason;
use crate::rim::clock;

/// The connections of this process, under a plan that names hosts.
#[derive(Debug)]
pub(super) struct Connections {
    watching: Watching,
    /// Invocations may run beside each other, so that those that hit nothing have to be known too.
    overlap: bool,
}

impl Connections {
    /// `None` where the plan names no hosts, and nothing is touched then; or not on this platform, which a record says.
    pub(super) fn of(plan: &Arc<Plan>, shared: &Arc<Shared>) -> Option<Self> {
        if !is_about_connections(plan) {
            return None;
        }
        let watched = Watched { plan: Arc::clone(plan), shared: Arc::clone(shared) };
        match watch(Arc::new(watched)) {
            Ok(watching) => Some(Self { watching, overlap: may_overlap(shared) }),
            Err(unavailable) => {
                shared.tell(OwnReason::NetworkUnavailable, &format!("connections cannot be hit: {unavailable}"));
                None
            }
        }
    }

    pub(super) const fn may_overlap(&self) -> bool {
        self.overlap
    }

    /// From now until it is dropped, connections are an invocation's, or in the `background` those that are no
    /// invocation's. Without `calls` they are those of one that hits none, so that what runs beside it does not hit them.
    pub(super) fn arm(&self, shared: &Arc<Shared>, calls: Option<Arc<decision::Calls>>, background: bool) -> Armed {
        self.watching.arm(Arc::new(Hitting { shared: Arc::clone(shared), calls }), background)
    }
}

/// In a layer one invocation follows the other, but where Lambda says otherwise; its Python has processes then.
fn may_overlap(shared: &Shared) -> bool {
    shared.side == Side::Library || (shared.language != Language::Python && shared.surroundings.several_at_once)
}

/// Whether any fault of a plan is about connections.
fn is_about_connections(plan: &Plan) -> bool {
    networks(plan).next().is_some()
}

/// What is wrong with a library's plan where connections cannot be hit: a layer says so by a record, a library at once.
pub(super) fn not_here(plan: &Plan, is_available: bool) -> Vec<Problem> {
    let expected = "a kind other than \"network\", which is not on this platform";
    let beyond = plan.faults.iter().enumerate().filter(|(_, fault)| !is_available && fault.kind.network().is_some());
    beyond
        .map(|(at, _)| {
            let path = format!("faults[{at}].kind");
            Problem::new(ProblemCode::NotSupported, &path, Some(&Value::from("network")), expected)
        })
        .collect()
}

fn networks(plan: &Plan) -> impl Iterator<Item = &Network> {
    plan.faults.iter().filter_map(|fault| fault.kind.network())
}

struct Watched {
    plan: Arc<Plan>,
    shared: Arc<Shared>,
}

impl Watch for Watched {
    fn names(&self, peer: &Peer<'_>) -> bool {
        let is_runtime_api = |api: &str| {
            let is = |host: IpAddr| api == format!("{host}:{}", peer.port) || api == format!("[{host}]:{}", peer.port);
            is(peer.address) || peer.name.is_some_and(|name| api == format!("{name}:{}", peer.port))
        };
        let surroundings = &self.shared.surroundings;
        let is_extension = peer.exactly && surroundings.extension_ports.contains(&peer.port);
        if is_extension || surroundings.runtime_api.as_deref().is_some_and(is_runtime_api) {
            return false;
        }
        let mut budget = Budget::default();
        guard(|| networks(&self.plan).any(|network| network.is_target(&seen(peer), &mut budget) == Some(true)))
            .unwrap_or_default()
    }

    fn literal_names(&self) -> Vec<String> {
        networks(&self.plan).flat_map(Network::names).cloned().collect()
    }

    fn trouble(&self, trouble: Trouble) {
        let (reason, message) = match trouble {
            Trouble::NothingToPatch => {
                (OwnReason::NetworkUnavailable, "no loaded library opens connections by the C library, none can be hit")
            }
            Trouble::Descriptors => {
                (OwnReason::NetworkUnavailable, "too few file descriptors are left to relay connections, some are not hit")
            }
            Trouble::Relay => (OwnReason::NetworkUnavailable, "the relay cannot be started, connections are not slowed down"),
            Trouble::Unattributed => {
                (OwnReason::UnattributedCall, "a connection belongs to none of several invocations that is known, it is not hit")
            }
        };
        guard(|| self.shared.tell_elsewhere(reason, message));
    }
}

/// One invocation, and what it does to connections; to none without `calls`.
struct Hitting {
    shared: Arc<Shared>,
    calls: Option<Arc<decision::Calls>>,
}

impl Hitting {
    fn reached(&self, peer: &faults::Peer<'_>) -> Option<Hit> {
        let calls = self.calls.as_ref()?;
        let reached = self.shared.run(|| Some(calls.reached(peer, clock::now()))).ok()??;
        if reached.budget_spent {
            self.shared.tell_budget_elsewhere();
        }
        reached.records.iter().for_each(|record| self.shared.write_elsewhere(Shared::line(record)));
        reached.hit.map(|(effect, lasts_us)| Hit { effect, lasts_us })
    }
}

impl Invocation for Hitting {
    fn connection(&self, peer: &Peer<'_>) -> Option<Hit> {
        self.reached(&seen(peer))
    }

    fn resolving(&self, name: &str) -> Option<Hit> {
        self.reached(&faults::Peer { name: Some(name), address: None, port: None, exactly: false })
    }
}

fn seen<'a>(peer: &Peer<'a>) -> faults::Peer<'a> {
    faults::Peer { name: peer.name, address: Some(peer.address), port: Some(peer.port), exactly: peer.exactly }
}

#[cfg(test)]
mod tests {
    use super::not_here;
    use crate::plan::{Plan, PlanError};

    #[test]
    fn where_connections_cannot_be_hit_a_library_refuses_the_plan() {
        let fault = |id: &str, more: &str| format!(r#"{{"id":"{id}","rate":1,{more}}}"#);
        let network = r#""kind":"network","target":{"host":["h"]},"effect":"refuse""#;
        let faults = [fault("a", r#""kind":"latency","delay_ms":1"#), fault("b", network)].join(",");
        let plan = Plan::parse_to_run(&format!(r#"{{"version":1,"expires_at":"never","faults":[{faults}]}}"#)).unwrap();
        assert_eq!(not_here(&plan, true), []);
        let said = PlanError::invalid(not_here(&plan, false)).to_string();
        assert!(said.contains("faults[1].kind: expected a kind other than \"network\", which is not on this platform"), "{said}");
    }
}
