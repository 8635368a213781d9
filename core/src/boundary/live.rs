//! A layer's plan from a place that is read again and again: beside the invocations, which never wait for it.
//!
//! A thread lives as long as one reading takes, so that nothing has to outlive a freeze or a fork, and a process that forks has
//! no more threads than without us. An invocation begins it where the last one was long ago, and goes on.

use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, TryLockError};
use std::time::{Duration, Instant};

use faultlayer_network::background;

use super::guard::guard;
use super::host::{Plans, put};
use super::pace::{REFRESH_S, pause_us, refresh_s, spread};
use super::side::Shared;
use crate::plan::{Expiry, Plan};
use crate::record::OwnReason;
use crate::rim::sleep::hold_us;
use crate::rim::source::Place;
use crate::rim::{clock, http};

/// How long init waits at most, from the first reading's start on.
const PATIENCE: Duration = Duration::from_millis(200);
/// How often who waits looks.
const LOOK_US: u64 = 500;
/// Room for reading a plan.
const STACK: usize = 1 << 20;

#[derive(Debug)]
pub(super) struct Live {
    place: Place,
    plans: Arc<Plans>,
    shared: Arc<Shared>,
    refresh_us: u64,
    /// When it was read last, by the wall clock, or is being read since.
    read_us: AtomicI64,
    /// How long that is enough.
    enough_us: AtomicU64,
    /// The process that reads it now; 0 for none. A fork takes this over, but not the thread.
    reading: AtomicU32,
    /// What came of it. Of who reads alone, so that nobody else has it locked, but a fork can leave it so.
    found: Mutex<Found>,
    opened: Instant,
}

/// What readings have come to.
#[derive(Clone, Debug, Default)]
struct Found {
    /// The text that was looked at last, and whether a plan that holds was in it.
    text: Option<(Arc<str>, bool)>,
    /// How often in a row it could not be read.
    failures: u32,
}

impl Found {
    fn is_well(&self) -> bool {
        self.failures == 0 && self.text.as_ref().is_none_or(|(_, holds)| *holds)
    }
}

impl Live {
    /// `refresh` is what `FAULTLAYER_PLAN_REFRESH_S` says.
    #[expect(clippy::disallowed_methods, reason = "patience goes by the monotonic clock")]
    pub(super) fn new(place: Place, refresh: Option<&str>, plans: Arc<Plans>, shared: Arc<Shared>) -> Self {
        let refresh_s = refresh.map_or(Ok(REFRESH_S), refresh_s).unwrap_or_else(|message| {
            shared.tell(OwnReason::RefreshInvalid, &message);
            REFRESH_S
        });
        Self {
            place,
            plans,
            shared,
            refresh_us: refresh_s * 1_000_000,
            read_us: AtomicI64::new(0),
            enough_us: AtomicU64::new(0),
            reading: AtomicU32::new(0),
            found: Mutex::default(),
            opened: Instant::now(),
        }
    }

    /// Begins the first reading, where there is somebody to be asked before an invocation.
    pub(super) fn open(self: &Arc<Self>) {
        if self.place.is_there_at_init() {
            self.begin(clock::now().0);
        }
    }

    /// An invocation is about to be decided: where the plan is too old, it is read anew, beside it.
    pub(super) fn look(self: &Arc<Self>, now_us: i64) {
        // A clock that was set back says a very long time.
        #[expect(clippy::cast_sign_loss, reason = "a time before the last reading is to count as a long one")]
        let since_us = now_us.wrapping_sub(self.read_us.load(Ordering::Relaxed)) as u64;
        if since_us >= self.enough_us.load(Ordering::Relaxed) {
            self.begin(now_us);
        }
    }

    /// Reads it, on a thread of its own, unless that is done already.
    #[cold]
    pub(super) fn begin(self: &Arc<Self>, now_us: i64) {
        self.read_us.store(now_us, Ordering::Relaxed);
        self.enough_us.store(self.refresh_us, Ordering::Relaxed);
        let process = std::process::id();
        if self.reading.swap(process, Ordering::AcqRel) == process {
            return;
        }
        let live = Arc::clone(self);
        if !background("faultlayer-plan", STACK, Box::new(move || live.run())) {
            self.reading.store(0, Ordering::Release);
            self.shared.report("no thread can be started to read the plan, the last one stands");
        }
    }

    fn run(&self) {
        if guard(|| self.refresh()).is_none() {
            self.shared.report("the engine panicked over a plan, the last one stands");
        }
        self.reading.store(0, Ordering::Release);
    }

    /// Waits for the first reading, but not for long: for the end of init.
    pub(super) fn settle(&self) {
        self.wait(self.opened);
    }

    /// Reads it where no invocation is under way, and waits for that as at init.
    #[expect(clippy::disallowed_methods, reason = "patience goes by the monotonic clock")]
    pub(super) fn again(self: &Arc<Self>) {
        self.begin(clock::now().0);
        self.wait(Instant::now());
    }

    fn wait(&self, since: Instant) {
        // It takes some time in any case, and whoever waits does so once.
        while self.reading.load(Ordering::Acquire) != 0 && since.elapsed() < PATIENCE {
            hold_us(LOOK_US);
        }
    }

    fn refresh(&self) {
        let read = self.read();
        let mut kept = match self.found.try_lock() {
            Ok(kept) => Some(kept),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        };
        let before = kept.as_deref().cloned().unwrap_or_default();
        let after = match read {
            Ok(text) => Found { text: Some(self.look_at(text.trim(), &before)), failures: 0 },
            Err(message) => {
                if before.failures == 0 {
                    let message = format!("cannot read the plan from `{}`: {message}; {}", self.place.name(), self.stands());
                    self.shared.tell_again(OwnReason::PlanUnreadable, &message);
                }
                Found { text: before.text.clone(), failures: before.failures.saturating_add(1) }
            }
        };
        if after.is_well() && !before.is_well() {
            let message = format!("the plan from `{}` can be read again, it is in force", self.place.name());
            self.shared.tell_again(OwnReason::PlanReadable, &message);
        }
        let now = clock::now();
        let pause_us = pause_us(after.failures, spread(now.0, std::process::id())).unwrap_or(self.refresh_us);
        self.read_us.store(now.0, Ordering::Relaxed);
        self.enough_us.store(pause_us, Ordering::Relaxed);
        if let Some(kept) = &mut kept {
            **kept = after;
        }
    }

    /// What is there. A reading that a freeze came between is no failure of the other side's.
    #[expect(clippy::disallowed_methods, reason = "patience goes by the monotonic clock")]
    fn read(&self) -> Result<String, String> {
        let began = Instant::now();
        let read = self.place.read();
        if read.is_err() && began.elapsed() > http::PATIENCE * 3 { self.place.read() } else { read }
    }

    /// Puts a text in force that is another one than the last. The same text replaces nothing.
    fn look_at(&self, text: &str, before: &Found) -> (Arc<str>, bool) {
        if let Some(known) = before.text.as_ref().filter(|(known, _)| **known == *text) {
            return known.clone();
        }
        let holds = match Plan::parse_to_run(text) {
            Ok(plan) => {
                if let Expiry::At(end) = plan.expires
                    && end <= clock::now()
                {
                    let message = format!("the plan expired at {}, nothing happens until another one comes", end.to_rfc3339());
                    self.shared.tell(OwnReason::PlanExpired, &message);
                }
                put(&self.plans, plan, &self.shared);
                true
            }
            Err(error) => {
                let message = format!("{error}; {}", self.stands());
                self.shared.tell_again(OwnReason::of(&error), &message);
                false
            }
        };
        (text.into(), holds)
    }

    /// What happens meanwhile.
    fn stands(&self) -> &'static str {
        if self.plans.standing().number() == 0 {
            "until it can be, nothing is injected"
        } else {
            "the last plan stands until it ends"
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test makes files and waits")]
mod tests {
    use std::path::PathBuf;
    use std::sync::atomic::Ordering;
    use std::sync::{Arc, Mutex};

    use super::{Live, PATIENCE};
    use crate::boundary::host::Host;
    use crate::boundary::side::{Shared, Side};
    use crate::boundary::{Call, Identity, Language, Sink};
    use crate::rim::source::{Place, Source};

    /// A host whose plan comes from a file of the test's own, and the lines that it writes.
    struct Case {
        file: PathBuf,
        host: Host,
        lines: Arc<Mutex<Vec<String>>>,
    }

    fn place(value: &str) -> Place {
        let Ok(Source::Place(place)) = Source::of(value, |_| None) else { panic!("{value}") };
        place
    }

    impl Case {
        fn of(name: &str, first: Option<&str>) -> Self {
            let file = std::env::temp_dir().join(format!("faultlayer-live-{name}-{}", std::process::id()));
            let _ = std::fs::remove_file(&file);
            first.into_iter().for_each(|text| std::fs::write(&file, text).unwrap());
            let lines = Arc::new(Mutex::new(Vec::new()));
            let taken = Arc::clone(&lines);
            let sink = Sink::callback(move |line| taken.lock().unwrap().push(line.to_owned()));
            let shared = Shared::new(Side::Layer, Language::Python, sink, Identity::default());
            let place = place(&format!("file:{}", file.display()));
            let host = Host::live(shared, |plans, shared| Live::new(place, Some("3600"), plans, shared));
            host.source().unwrap().settle();
            Self { file, host, lines }
        }

        /// Reads again, and waits for it.
        fn read(&self) {
            let live = self.host.source().unwrap();
            live.begin(0);
            while live.reading.load(Ordering::Acquire) != 0 {
                std::thread::yield_now();
            }
        }

        fn write(&self, text: &str) {
            std::fs::write(&self.file, text).unwrap();
            self.read();
        }

        fn draws(&self) -> bool {
            self.host.decide(&Call::of("one")).is_some()
        }

        /// The reasons of the records since it was last asked.
        fn told(&self) -> Vec<String> {
            let lines = std::mem::take(&mut *self.lines.lock().unwrap());
            let reason = |line: &String| serde_json::from_str::<serde_json::Value>(line).unwrap()["reason"].to_string();
            lines.iter().map(reason).collect()
        }
    }

    impl Drop for Case {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.file);
        }
    }

    fn plan(rate: u8, more: &str) -> String {
        let fault = format!(r#"{{"id":"slow","kind":"latency","rate":{rate},"delay_ms":5{more}}}"#);
        format!(r#"{{"version":1,"expires_at":"never","faults":[{fault}]}}"#)
    }

    #[test]
    fn a_plan_that_another_one_replaces_at_its_place_is_decided_by_from_then_on() {
        let case = Case::of("replaced", Some(&plan(1, "")));
        assert!(case.draws());
        case.write(&plan(0, ""));
        assert!(!case.draws());
        case.write(&plan(1, ""));
        assert!(case.draws());
        assert_eq!(case.told(), [""; 0]);
    }

    #[test]
    fn the_same_text_replaces_nothing() {
        let case = Case::of("same", Some(&plan(1, "")));
        let number = case.host.asked().number();
        case.read();
        case.write(&format!("  {}\n", plan(1, "")));
        assert_eq!(case.host.asked().number(), number);
        case.write(&plan(1, r#","limit":1"#));
        assert_eq!(case.host.asked().number(), number + 1);
    }

    #[test]
    fn what_a_limit_has_counted_stands_under_the_next_plan() {
        let case = Case::of("limits", Some(&plan(1, r#","limit":2"#)));
        let used = |case: &Case| case.host.decide(&Call::of("one")).map(|mut session| session.ask(|steps| steps.before(None)));
        assert!(used(&case).is_some());
        case.write(&plan(1, r#","limit":2,"sample_by":"attempt""#));
        assert!(used(&case).is_some());
        assert!(used(&case).is_none());
        case.write(&plan(1, r#","limit":3"#));
        assert!(used(&case).is_some());
        assert!(used(&case).is_none());
    }

    #[test]
    fn a_source_that_fails_is_told_once_and_once_when_it_is_well_and_the_last_plan_stands_meanwhile() {
        let case = Case::of("fails", Some(&plan(1, "")));
        std::fs::remove_file(&case.file).unwrap();
        case.read();
        case.read();
        assert!(case.draws());
        assert_eq!(case.told(), [r#""plan_unreadable""#]);
        case.write(&plan(1, ""));
        case.read();
        assert!(case.draws());
        assert_eq!(case.told(), [r#""plan_readable""#]);
    }

    #[test]
    fn a_text_without_a_plan_that_holds_is_told_once_each() {
        let case = Case::of("invalid", Some("not a plan"));
        case.read();
        assert!(!case.draws());
        assert_eq!(case.told(), [r#""plan_invalid""#]);
        case.write(r#"{"version":1,"faults":[]}"#);
        case.read();
        assert_eq!(case.told(), [r#""plan_without_expiry""#]);
        case.write(&plan(1, ""));
        assert!(case.draws());
        assert_eq!(case.told(), [r#""plan_readable""#]);
        case.write("not a plan");
        assert!(case.draws());
        let ended = r#"{"version":1,"expires_at":"2020-01-01T00:00:00Z","faults":[]}"#;
        case.write(ended);
        assert!(!case.draws());
        assert_eq!(case.told(), [r#""plan_invalid""#, r#""plan_expired""#, r#""plan_readable""#]);
    }

    #[test]
    fn nothing_is_there_before_the_first_plan_and_an_old_one_is_read_again_by_an_invocation() {
        let case = Case::of("missing", None);
        assert!(!case.draws());
        assert_eq!(case.told(), [r#""plan_unreadable""#]);
        std::fs::write(&case.file, plan(1, "")).unwrap();
        let live = case.host.source().unwrap();
        // An invocation long after the last reading, or before it, by a clock that was set back.
        live.read_us.fetch_add(10_000_000, Ordering::Relaxed);
        assert!(!case.draws());
        while live.reading.load(Ordering::Acquire) != 0 {
            std::thread::yield_now();
        }
        assert!(case.draws());
    }

    #[test]
    fn a_reading_that_a_fork_left_behind_keeps_nobody_from_reading() {
        let case = Case::of("forked", Some(&plan(0, "")));
        std::fs::write(&case.file, plan(1, "")).unwrap();
        case.host.source().unwrap().reading.store(std::process::id() + 1, Ordering::Relaxed);
        case.read();
        assert!(case.draws());
    }

    #[test]
    fn a_place_that_hangs_is_waited_for_briefly_at_init_and_never_by_an_invocation() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        let Ok(Source::Place(place)) = Source::of("appconfig:a/b/c", |_| Some(port.clone())) else { panic!() };
        let shared = Shared::new(Side::Layer, Language::Python, Sink::callback(|_| {}), Identity::default());
        let began = std::time::Instant::now();
        let host = Host::live(shared, |plans, shared| Live::new(place, Some("0"), plans, shared));
        host.source().unwrap().settle();
        assert!(began.elapsed() >= PATIENCE);
        let reading = || host.source().unwrap().reading.load(Ordering::Relaxed) != 0;
        for _ in 0..10_000 {
            assert!(host.decide(&Call::of("one")).is_none());
        }
        // Nobody has answered yet, and all of them have.
        assert!(reading());
        assert_eq!(host.asked().number(), 0);
        drop(listener);
    }
}
