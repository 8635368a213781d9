//! `network`: connections of the function are refused, cut off, reset or slowed down, or names do not resolve. Which
//! invocations it hits is decided as ever; which of their connections, its target and `calls` say. Doing it is
//! [`crate::boundary`]'s business.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::latency::{DELAY, Latency};
use super::target::{Target, calls};
use super::{Between, Kind, Read, Role, Spec, Written, boxed};
use crate::decision::{Act, Details, Effect, Moment, Reason, details};
use crate::matching::{Budget, Source, Walk};
use crate::plan::{Field, MAX_EXACT, Problem, ProblemCode, Shape, When, join};
use crate::sampling::Draws;

pub(super) static SPEC: Spec = Spec {
    name: "network",
    doc: "Refuses, cuts off, resets or slows down connections, or keeps names from being resolved.",
    fields: FIELDS,
    takes_when: false,
    role: Role::Calls,
    stands: When::Before,
    by_place: &["target", "effect"],
    instead: &[],
    between: &[
        only_when("delay_ms", "latency", true),
        only_when("kib_per_s", "bandwidth", true),
        only_when("after_bytes", "reset", false),
        only_when("answer", "dns", false),
    ],
    read,
};

static FIELDS: &[Field] = &[
    Field::required("target", Shape::Pattern, "An Amazon EventBridge pattern on `host` and `port` of a connection."),
    Field::required("effect", Shape::Choice(&["refuse", "blackhole", "reset", "latency", "bandwidth", "dns"]), "What happens."),
    Field::optional("delay_ms", DELAY, "With `latency`, which needs it: how much later bytes reach the host, as in `latency`."),
    Field::optional(
        "kib_per_s",
        Shape::Number { min: 0.0, max: 1_048_576.0, above: true },
        "With `bandwidth`, which needs it: KiB in a second, in each direction.",
    ),
    Field::optional(
        "after_bytes",
        Shape::Integer { min: 0, max: MAX_EXACT },
        "With `reset`: bytes from the host that still get through; by default 0, then it is reset once either side sends.",
    ),
    Field::optional(
        "answer",
        Shape::Choice(&["not_found", "timeout"]),
        "With `dns`: what resolving comes to, by default not_found.",
    ),
    calls("Which of the matching connections of an invocation are hit; with `dns`, of the names it resolves."),
];

/// A field that goes with an effect alone, and whether the effect needs it.
const fn only_when(field: &'static str, is: &'static str, needed: bool) -> Between {
    Between::OnlyWhen { field, choice: "effect", is, needed }
}

/// How long a resolver waits until it gives up: two attempts of five seconds, as the C library does.
const RESOLVER_US: u64 = 10_000_000;

/// What happens to connections, and to which.
#[derive(Debug)]
pub struct Network {
    target: Target,
    hosts: Hosts,
    name: &'static str,
    effect: faultlayer_network::Effect,
    latency: Option<Latency>,
}

/// What a target says of hosts.
#[derive(Debug, Default)]
struct Hosts {
    /// Names and addresses that stand in it as they are.
    literals: Vec<String>,
    /// Addresses can be meant though they have names.
    by_address: bool,
}

/// A connection, or a name to be resolved, as patterns see it.
#[derive(Debug)]
struct Facts(Value);

impl Source for Facts {
    fn read(&self, walk: &mut Walk<'_>) {
        walk.node(&&self.0);
    }
}

/// The other end of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer<'a> {
    /// The name that was resolved, if one was.
    pub name: Option<&'a str>,
    /// Its address, where it has one already.
    pub address: Option<IpAddr>,
    /// Its port, where it is known already.
    pub port: Option<u16>,
    /// Only a target that names it exactly is about it.
    pub exactly: bool,
}

impl Peer<'_> {
    /// As records name it.
    pub(crate) fn host(&self) -> String {
        self.name.map_or_else(|| self.address.map(|address| address.to_string()).unwrap_or_default(), str::to_owned)
    }
}

impl Kind for Network {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn details(&self, draws: &Draws) -> Details {
        let mut said = self.said();
        said.extend(self.latency.as_ref().map(|latency| latency.details(draws)).unwrap_or_default());
        said
    }

    /// On one connection.
    fn act(&self, moment: &mut Moment<'_>) -> Result<Act, Reason> {
        let mut act = Act::new(Effect::Hold(0), self.said());
        if let Some(latency) = &self.latency {
            let held = latency.act(moment)?;
            act.effect = held.effect;
            act.details.extend(held.details);
        }
        Ok(act)
    }

    fn target(&self) -> Option<&Target> {
        Some(&self.target)
    }

    fn network(&self) -> Option<&Network> {
        Some(self)
    }
}

impl Network {
    /// Whether a connection is one of its; `None` where the budget was spent before that was known.
    pub(crate) fn is_target(&self, peer: &Peer<'_>, budget: &mut Budget) -> Option<bool> {
        let address = peer.address.map(|address| address.to_string());
        let named = [peer.name, address.as_deref()].into_iter().flatten();
        if peer.exactly && !named.clone().any(|host| self.hosts.literals.iter().any(|literal| literal == host)) {
            return Some(false);
        }
        // An address that has a name is asked for where the target is about addresses.
        for (at, host) in named.enumerate() {
            if at > 0 && !self.hosts.by_address {
                break;
            }
            let mut facts = json!({ "host": host });
            if let (Some(port), Some(facts)) = (peer.port, facts.as_object_mut()) {
                facts.insert("port".to_owned(), port.into());
            }
            if self.target.holds(&Facts(facts), budget)? {
                return Some(true);
            }
        }
        Some(false)
    }

    /// Whether it is about the resolving of names.
    pub(crate) const fn resolves(&self) -> bool {
        matches!(self.effect, faultlayer_network::Effect::NotFound | faultlayer_network::Effect::NoAnswer { .. })
    }

    /// The names that its target says as they are.
    pub(crate) fn names(&self) -> impl Iterator<Item = &String> {
        self.hosts.literals.iter().filter(|literal| literal.parse::<IpAddr>().is_err())
    }

    /// What happens, with the delay that was drawn and cut.
    pub(crate) fn effect(&self, delay_us: u64) -> faultlayer_network::Effect {
        match self.effect {
            faultlayer_network::Effect::Latency { .. } => faultlayer_network::Effect::Latency { delay_us },
            effect => effect,
        }
    }

    fn said(&self) -> Details {
        details([("effect", self.name.into())])
    }
}

fn read(fault: &Value, _: Written, path: &str, problems: &mut Vec<Problem>) -> Read {
    let effect = fault.get("effect").and_then(Value::as_str)?;
    let mut hosts = Hosts::default();
    hosts.gather(fault.get("target")?, &join(path, "target"), problems);
    let target = Target::read(fault, path, problems)?;
    let number = |name: &str| fault.get(name).and_then(Value::as_f64);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the table bounds them")]
    let (name, effect) = match effect {
        "refuse" => ("refuse", faultlayer_network::Effect::Refuse),
        "blackhole" => ("blackhole", faultlayer_network::Effect::Blackhole),
        "reset" => ("reset", faultlayer_network::Effect::Reset { after_bytes: number("after_bytes").unwrap_or_default() as u64 }),
        "latency" => ("latency", faultlayer_network::Effect::Latency { delay_us: 0 }),
        "bandwidth" => {
            let bytes_per_s = (number("kib_per_s")? * 1024.0).max(1.0) as u64;
            ("bandwidth", faultlayer_network::Effect::Bandwidth { bytes_per_s })
        }
        _ if fault.get("answer").and_then(Value::as_str) == Some("timeout") => {
            ("dns", faultlayer_network::Effect::NoAnswer { delay_us: RESOLVER_US })
        }
        _ => ("dns", faultlayer_network::Effect::NotFound),
    };
    let latency = match fault.get("delay_ms") {
        Some(delay) => Some(Latency::read(delay)?),
        None => None,
    };
    boxed(Network { target, hosts, name, effect, latency })
}

/// Where the execution environment's own addresses begin: credentials, metadata, the trace daemon, the Runtime API.
const ENVIRONMENTS_OWN: &str = "169.254.";
/// The ports of AWS's own extensions.
const EXTENSIONS: [u64; 2] = [2772, 2773];

impl Hosts {
    /// What stands under `host` and `port`, and what of it nobody may name.
    fn gather(&mut self, pattern: &Value, path: &str, problems: &mut Vec<Problem>) {
        for (name, value) in pattern.as_object().into_iter().flatten() {
            let here = join(path, name);
            for (at, alternative) in value.as_array().into_iter().flatten().enumerate() {
                let here = format!("{here}[{at}]");
                match (name.as_str(), alternative) {
                    ("host", Value::String(host)) if host.starts_with(ENVIRONMENTS_OWN) => {
                        let expected = "a host that is not the execution environment's own, which \"169.254.…\" are";
                        problems.push(Problem::new(ProblemCode::OutOfRange, &here, Some(alternative), expected));
                    }
                    ("host", Value::String(host)) => {
                        self.by_address |= host.parse::<IpAddr>().is_ok();
                        self.literals.push(host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase());
                    }
                    ("host", Value::Object(operator)) => self.by_address |= operator.contains_key("cidr"),
                    ("port", port) if port.as_u64().is_some_and(|port| EXTENSIONS.contains(&port)) => {
                        let expected = "a port that is not the extensions', which 2772 and 2773 are";
                        problems.push(Problem::new(ProblemCode::OutOfRange, &here, Some(alternative), expected));
                    }
                    // `$or` has patterns of its own.
                    (_, Value::Object(_)) if name == "$or" => self.gather(alternative, &here, problems),
                    _ => {}
                }
            }
        }
    }
}
