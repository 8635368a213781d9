//! The events of all streams: in memory in the order of their times, and in a file a stream, to which each request adds a line.
//! Bounded both: what is beyond goes, the oldest first.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::cloud::call::ApiError;
use crate::cloud::state::{Appended, Folder};
use crate::whole::replace;

/// The most bytes of a stream; once it has more, it keeps the newer half.
const MOST_STREAM: u64 = 4 << 20;
/// The most bytes of all streams; once there are more, the stream that was written to longest ago is emptied.
const MOST_ALL: u64 = 64 << 20;
/// What an event costs beside its message.
const EACH: u64 = 26;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When it happened, in milliseconds since 1970.
    #[serde(rename = "t")]
    pub timestamp: i64,
    /// Its number among all events.
    #[serde(rename = "n")]
    pub number: u64,
    /// When it came.
    #[serde(rename = "i")]
    pub ingested: i64,
    /// What it says.
    #[serde(rename = "m")]
    pub message: String,
}

impl Event {
    /// Its bytes as Logs counts them.
    pub fn bytes(&self) -> u64 {
        self.message.len() as u64 + EACH
    }

    /// Its place in the order of all events.
    pub fn place(&self) -> (i64, u64) {
        (self.timestamp, self.number)
    }
}

/// One stream's.
#[derive(Debug, Default)]
struct Held {
    events: Vec<Event>,
    bytes: u64,
    written: i64,
}

impl Held {
    fn of(mut events: Vec<Event>) -> Held {
        events.sort_by_key(Event::place);
        let bytes = events.iter().map(Event::bytes).sum();
        let written = events.iter().map(|event| event.ingested).max().unwrap_or_default();
        Held { events, bytes, written }
    }
}

/// All of them.
#[derive(Debug)]
pub struct Events {
    folder: PathBuf,
    streams: HashMap<String, Held>,
    next: u64,
}

impl Events {
    /// Reads the events of these streams; the files of others are removed.
    pub fn open<'a>(folder: &Folder, ids: impl Iterator<Item = &'a str>) -> io::Result<Events> {
        let folder = folder.within("events").path().to_owned();
        let mut events = Events { folder, streams: HashMap::new(), next: 1 };
        for id in ids {
            let text = fs::read_to_string(events.file(id)).unwrap_or_default();
            // A line that a kill cut off was never answered.
            let read = text.lines().filter_map(|line| serde_json::from_str::<Vec<Event>>(line).ok()).flatten();
            let held = Held::of(read.collect());
            events.next = held.events.iter().map(|event| event.number + 1).max().unwrap_or(1).max(events.next);
            events.streams.insert(id.to_owned(), held);
        }
        if let Ok(entries) = fs::read_dir(&events.folder) {
            for entry in entries {
                let path = entry?.path();
                let id = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
                if !events.streams.contains_key(id) {
                    fs::remove_file(path)?;
                }
            }
        }
        Ok(events)
    }

    fn file(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.jsonl"))
    }

    /// A stream's events, in the order of their times.
    pub fn of(&self, id: &str) -> &[Event] {
        self.streams.get(id).map(|held| held.events.as_slice()).unwrap_or_default()
    }

    /// A stream's bytes.
    pub fn bytes(&self, id: &str) -> u64 {
        self.streams.get(id).map_or(0, |held| held.bytes)
    }

    /// When a stream was last written to, if ever.
    pub fn written(&self, id: &str) -> Option<i64> {
        self.streams.get(id).map(|held| held.written).filter(|written| *written > 0)
    }

    /// Adds events, given by time and message: all of them or none.
    pub fn add(&mut self, id: &str, now: i64, given: Vec<(i64, String)>) -> Result<(), ApiError> {
        let first = self.next;
        let numbered = (first..).zip(given);
        let new: Vec<Event> =
            numbered.map(|(number, (timestamp, message))| Event { timestamp, number, ingested: now, message }).collect();
        let failed = |error: io::Error| ApiError::internal(format!("cannot keep the events: {error}"));
        let line = serde_json::to_string(&new).map_err(|error| failed(error.into()))?;
        fs::create_dir_all(&self.folder).map_err(failed)?;
        Appended::open(&self.file(id)).and_then(|mut file| file.line(&line)).map_err(failed)?;
        self.next += new.len() as u64;
        let held = self.streams.entry(id.to_owned()).or_default();
        held.bytes += new.iter().map(Event::bytes).sum::<u64>();
        held.written = now;
        held.events.extend(new);
        // Nearly sorted: what comes is mostly the latest.
        held.events.sort_by_key(Event::place);
        if held.bytes > MOST_STREAM {
            self.halve(id);
        }
        while self.streams.values().map(|held| held.bytes).sum::<u64>() > MOST_ALL {
            let oldest =
                self.streams.iter().filter(|(other, held)| held.bytes > 0 && *other != id).min_by_key(|(_, held)| held.written);
            let Some(oldest) = oldest.map(|(id, _)| id.clone()) else { break };
            self.forget(&oldest);
        }
        Ok(())
    }

    /// Keeps the newer half of a stream.
    fn halve(&mut self, id: &str) {
        let path = self.file(id);
        let Some(held) = self.streams.get_mut(id) else { return };
        while held.bytes > MOST_STREAM / 2 && held.events.len() > 1 {
            let first = held.events.len().div_ceil(8).min(held.events.len() - 1);
            held.bytes -= held.events.drain(..first).map(|event| event.bytes()).sum::<u64>();
        }
        // A file that stays long is read again, and halved again.
        let text = serde_json::to_string(&held.events).unwrap_or_default();
        let _long = replace(&path, format!("{text}\n").as_bytes()).is_err();
    }

    /// Forgets a stream's events.
    pub fn forget(&mut self, id: &str) {
        self.streams.remove(id);
        let _left = fs::remove_file(self.file(id)).is_err();
    }

    /// Forgets everything in memory.
    pub fn clear(&mut self) {
        self.streams.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::state::folder::tests::{names, within};

    fn open(folder: &std::path::Path, ids: &[&str]) -> Events {
        Events::open(&Folder::open(folder).unwrap().within("logs"), ids.iter().copied()).unwrap()
    }

    #[test]
    fn events_are_there_again_in_the_order_of_their_times() {
        within(|folder| {
            let mut events = open(folder, &["a"]);
            events.add("a", 10, vec![(3, "three".into()), (4, "four".into())]).unwrap();
            events.add("a", 11, vec![(1, "one".into())]).unwrap();
            events.add("b", 11, vec![(1, "gone".into())]).unwrap();
            let before = events.of("a").to_vec();
            assert_eq!(before.iter().map(|event| event.message.as_str()).collect::<Vec<_>>(), ["one", "three", "four"]);
            fs::write(
                folder.join("logs/events/a.jsonl"),
                fs::read_to_string(folder.join("logs/events/a.jsonl")).unwrap() + "[{\"t\":1",
            )
            .unwrap();
            drop(events);
            let mut again = open(folder, &["a"]);
            assert_eq!((again.of("a"), names(&folder.join("logs/events")).len()), (before.as_slice(), 1));
            again.add("a", 12, vec![(2, "two".into())]).unwrap();
            assert_eq!(again.of("a")[1].number, 4, "numbers go on");
        });
    }

    #[test]
    fn a_stream_and_all_of_them_stay_within_their_bounds() {
        within(|folder| {
            let mut events = open(folder, &[]);
            let message = "x".repeat(1 << 19);
            for round in 0..40 {
                events.add("a", round, vec![(round, message.clone())]).unwrap();
                assert!(events.bytes("a") <= MOST_STREAM);
            }
            assert_eq!(events.of("a").last().unwrap().timestamp, 39, "the newest stays");
            assert!(fs::metadata(folder.join("logs/events/a.jsonl")).unwrap().len() <= MOST_STREAM + 4096);
            for stream in 0..20 {
                for round in 0..7 {
                    events.add(&format!("s{stream}"), 100 + stream, vec![(round, message.clone())]).unwrap();
                }
            }
            let all: u64 = events.streams.values().map(|held| held.bytes).sum();
            assert!(all <= MOST_ALL, "{all}");
            assert_eq!((events.bytes("a"), events.of("s19").len()), (0, 7), "what was written to longest ago goes first");
        });
    }
}
