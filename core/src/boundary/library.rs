//! The engine in a library, where silence would be the harm: every problem is the caller's to see.

use super::guard::guard;
use super::host::Host;
use super::language::Language;
use super::network;
use super::side::{Failed, Refused, Shared, Side};
use crate::plan::{Plan, PlanError};
use crate::rim::environment::Identity;
use crate::rim::sink::Sink;

/// One for each scope of a plan. Safe under any number of threads.
#[derive(Debug)]
pub struct Library(Host);

impl Library {
    /// Puts a plan in force.
    ///
    /// # Errors
    /// All problems of the plan; a plan without `expires_at` among them.
    pub fn open(plan_json: &str, language: Language, identity: Identity, sink: Sink) -> Result<Self, Refused> {
        Ok(Self(Host::new(parsed(plan_json)?, Shared::new(Side::Library, language, sink, identity))))
    }

    /// Puts another plan in force, atomically, under running invocations.
    ///
    /// # Errors
    /// All problems of the plan; the old one stays in force.
    pub fn replace(&self, plan_json: &str) -> Result<(), Refused> {
        self.0.replace(parsed(plan_json)?);
        Ok(())
    }

    /// Asks the engine.
    ///
    /// # Errors
    /// The engine, or what `question` reads of the language's objects, panicked.
    pub fn ask<T: Default>(&self, question: impl FnOnce(&Host) -> T) -> Result<T, Failed> {
        self.0.guarded(question)
    }
}

fn parsed(plan_json: &str) -> Result<Plan, Refused> {
    let plan = guard(|| Plan::parse_to_run(plan_json)).ok_or(Refused::Failed(Failed))?.map_err(Refused::Plan)?;
    let problems = network::not_here(&plan, faultlayer_network::IS_AVAILABLE);
    if problems.is_empty() { Ok(plan) } else { Err(Refused::Plan(PlanError::invalid(problems))) }
}

#[cfg(test)]
mod tests {
    use super::{Failed, Library};
    use crate::boundary::{Identity, Language, Session, Sink};

    #[test]
    fn a_panic_is_an_error() {
        let plan = r#"{"version":1,"expires_at":"never","faults":[]}"#;
        let library = Library::open(plan, Language::Node, Identity::default(), Sink::callback(|_| {})).unwrap();
        let asked = library.ask(|_| if std::hint::black_box(true) { panic!("boom") } else { None::<Session> });
        assert_eq!(asked.unwrap_err(), Failed);
    }
}
