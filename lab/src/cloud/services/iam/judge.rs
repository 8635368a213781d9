//! Who may do what: asked for every need of every call, and for every session of a role that is begun.

use super::policy::{Asked, Caller, Decision, Facts, decide};
use super::roles::Role;
use super::{Iam, policies};
use crate::cloud::call::Principal;
use crate::cloud::call::access::{Authorizer, Need, Verdict};
use crate::cloud::clock;
use crate::cloud::lab::Permissions;

/// Beginning a session of a role: its trust policy decides.
const ASSUME: &str = "sts:AssumeRole";

/// What IAM knows of a role's ARN.
enum Found {
    /// The role, with its managed policies.
    Role(Box<Role>, Vec<policies::Managed>),
    /// It was deleted: its sessions may do nothing any more.
    Gone,
    /// There has never been one.
    Unknown,
}

impl Iam {
    fn found(&self, arn: &str) -> Found {
        let name = arn.rsplit('/').next().unwrap_or(arn);
        self.tables(|tables| match tables.roles.get(name) {
            Some(role) if role.arn(self) == arn => {
                let managed = role.attached.iter().filter_map(|arn| tables.managed.get(arn).cloned());
                Found::Role(Box::new(role.clone()), managed.collect())
            }
            _ if tables.gone.contains_key(arn) => Found::Gone,
            _ => Found::Unknown,
        })
    }

    /// Whether a role that IAM does not know may do everything.
    fn is_lenient(&self) -> bool {
        self.site.settings().permissions == Permissions::Known
    }

    fn facts(&self, who: &Principal, need: &Need, resource: &str) -> Facts {
        let mut facts = Facts::default();
        let mut put = |key: &str, value: &str| facts.put(key, vec![value.to_owned()]);
        let (now, place) = (clock::now_ms(), &self.site.place);
        put("aws:CurrentTime", &clock::rfc3339(now));
        put("aws:EpochTime", &(now / 1000).to_string());
        put("aws:RequestedRegion", &place.region);
        if let Some(account) = resource.split(':').nth(4).filter(|account| !account.is_empty()) {
            put("aws:ResourceAccount", account);
        }
        match (&who.service, &who.role) {
            (Some(service), _) => {
                put("aws:SourceAccount", &place.account);
                put("aws:SourceArn", &service.source);
            }
            (None, role) => {
                put("aws:PrincipalArn", role.as_deref().unwrap_or(&who.arn));
                put("aws:PrincipalAccount", &place.account);
                put("aws:PrincipalType", if role.is_some() { "AssumedRole" } else { "Account" });
            }
        }
        for (key, values) in &need.conditions {
            facts.put(key, values.clone());
        }
        facts
    }

    /// What a role's own policies say.
    fn may(&self, arn: &str, need: &Need, resource: &str, mut facts: Facts) -> Verdict {
        let Found::Role(role, managed) = self.found(arn) else {
            return Verdict { because: nothing("identity-based policy", &need.action), ..Verdict::default() };
        };
        for (key, value) in &role.tags {
            facts.put(&format!("aws:PrincipalTag/{key}"), vec![value.as_str().unwrap_or_default().to_owned()]);
        }
        let asked = Asked { action: &need.action, resource, facts: &facts, caller: None };
        let inline = role.inline.iter().map(|(name, policy)| (name.as_str(), policy));
        let attached = managed.iter().map(|managed| (managed.name.as_str(), &managed.policy));
        verdict(decide(inline.chain(attached), &asked), "an identity-based policy", "identity-based policy", &need.action)
    }

    /// What the trust policy of a role says; a role of the account must be allowed by its own policies as well, unless it is named.
    fn trusts(&self, who: &Principal, need: &Need, arn: &str, facts: Facts) -> Verdict {
        let role = match self.found(arn) {
            Found::Role(role, _) => role,
            Found::Unknown if self.is_lenient() => return Verdict { allowed: true, ..Verdict::default() },
            _ => return Verdict { because: nothing("role trust policy", ASSUME), ..Verdict::default() },
        };
        let caller = match (&who.service, &who.role) {
            (Some(service), _) => Caller::Service(&service.name),
            (None, role) => Caller::Aws(role.as_deref().unwrap_or(&who.arn)),
        };
        let asked = Asked { action: ASSUME, resource: arn, facts: &facts, caller: Some(caller) };
        let trust = decide([("trust", &role.trust)].into_iter(), &asked);
        let trust = verdict(trust, "the role trust policy", "role trust policy", ASSUME);
        match &who.role {
            Some(own) if trust.allowed && !role.trust.names(own) && self.judges(own) => {
                let own = self.may(own, need, arn, facts);
                if own.allowed { trust } else { own }
            }
            _ => trust,
        }
    }

    /// Whether a role's calls are decided on.
    fn judges(&self, role: &str) -> bool {
        !self.is_lenient() || !matches!(self.found(role), Found::Unknown)
    }
}

fn nothing(kind: &str, action: &str) -> String {
    format!("because no {kind} allows the {action} action")
}

fn verdict(decision: Decision, denier: &str, kind: &str, action: &str) -> Verdict {
    match decision {
        Decision::Allowed(statement) => Verdict { allowed: true, statement: Some(statement), ..Verdict::default() },
        Decision::Denied(statement) => {
            Verdict { statement: Some(statement), because: format!("with an explicit deny in {denier}"), ..Verdict::default() }
        }
        Decision::Nothing => Verdict { because: nothing(kind, action), ..Verdict::default() },
    }
}

impl Authorizer for Iam {
    fn asks(&self, who: &Principal, need: &Need) -> bool {
        need.action == ASSUME || who.role.as_deref().is_some_and(|role| self.judges(role))
    }

    fn decide(&self, who: &Principal, need: &Need, resource: &str) -> Verdict {
        let facts = self.facts(who, need, resource);
        match &who.role {
            _ if need.action == ASSUME => self.trusts(who, need, resource, facts),
            Some(role) => self.may(role, need, resource, facts),
            None => Verdict { allowed: true, ..Verdict::default() },
        }
    }
}
