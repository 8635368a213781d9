//! The relay's thread: waits for events, looks at the connections they are about, and asks invocations with nothing locked.

use std::io::ErrorKind;
use std::os::fd::RawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};

use libc::c_int;

use super::connection::{Look, Next};
use super::{BELL, LISTENER, Relay};
use crate::Trouble;
use crate::linux::ask::{Meant, Whose, tell, whose};
use crate::linux::state::{Host, State, lock};
use crate::linux::sys::{now_us, spawn, wait};

/// A connection that an invocation has to be asked about.
struct Question {
    connection: u64,
    host: Host,
}

pub fn start(poll: RawFd) -> bool {
    spawn("faultlayer-net", move || {
        if catch_unwind(|| run(poll)).is_err() {
            // Better no connection than one that hangs.
            let relay = lock().relay.take();
            drop(relay);
        }
    })
}

fn run(poll: RawFd) {
    let (mut events, mut room, mut timeout_ms) = (Vec::new(), vec![0; 64 << 10], -1);
    loop {
        match wait(poll, &mut events, timeout_ms) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => events.clear(),
            Err(_) => return drop(lock().relay.take()),
        }
        let mut questions = Vec::new();
        let due_us = turn(&mut lock(), &events, &mut room, &mut questions);
        if questions.is_empty() {
            timeout_ms = due_us.map_or(-1, |due| milliseconds(due.saturating_sub(now_us())));
            continue;
        }
        let (whose, first) = {
            let state = lock();
            (whose(&state, None), state.armed.first().map(|entry| entry.number))
        };
        let answers: Vec<_> = questions.into_iter().map(|question| answer(question, &whose, first)).collect();
        let mut state = lock();
        let Some(relay) = &mut state.relay else { return };
        for (number, asked, meant) in answers {
            if let Some(connection) = relay.connections.get_mut(&number) {
                connection.answered(asked, meant);
            }
        }
        relay.wake();
        timeout_ms = -1;
    }
}

/// Rounded up: a turn before its time would be one for nothing.
fn milliseconds(micros: u64) -> c_int {
    micros.div_ceil(1000).try_into().unwrap_or(c_int::MAX)
}

/// Where it is unclear whose it is, it is asked about again when the `first` invocation has ended.
fn answer(question: Question, whose: &Whose, first: Option<u64>) -> (u64, Option<u64>, Option<Meant>) {
    let Question { connection, host } = question;
    let Whose::Ones(entry) = whose else {
        if matches!(whose, Whose::Unclear) {
            tell(Trouble::Unattributed);
        }
        return (connection, first, None);
    };
    let hit = catch_unwind(AssertUnwindSafe(|| entry.invocation.connection(&host.peer()))).ok().flatten();
    (connection, Some(entry.number), hit.map(|hit| Meant { invocation: entry.number, hit }))
}

/// One turn: when the next one is due.
fn turn(state: &mut State, events: &[(u64, u32)], room: &mut [u8], questions: &mut Vec<Question>) -> Option<u64> {
    let armed: Vec<u64> = state.armed.iter().map(|entry| entry.number).collect();
    let relay = state.relay.as_mut()?;
    let now = now_us();
    let mut looks: Vec<(u64, Option<(bool, u32)>)> = Vec::new();
    let mut is_rung = false;
    for (number, event) in events {
        match *number {
            LISTENER => relay.accept(),
            BELL => {
                relay.bell.silence();
                is_rung = true;
            }
            number => looks.push((number & !1, Some((number & 1 == 1, *event)))),
        }
    }
    relay.join(now);
    let due = |relay: &Relay| {
        relay.connections.iter().filter_map(|(number, connection)| Some((*number, connection.due_us()?))).collect::<Vec<_>>()
    };
    if is_rung {
        looks.extend(relay.connections.keys().map(|number| (*number, None)));
    } else {
        looks.extend(due(relay).into_iter().filter(|(_, due)| *due <= now).map(|(number, _)| (number, None)));
    }
    for (number, event) in looks {
        let Some(connection) = relay.connections.get_mut(&number) else { continue };
        let mut look = Look { poll: &relay.poll, now_us: now, armed: &armed, room: &mut *room };
        match connection.look(event, &mut look) {
            Next::Stays => {}
            Next::Ask => questions.push(Question { connection: number, host: connection.host().clone() }),
            Next::Closes => drop(relay.connections.remove(&number)),
            Next::Breaks => {
                if let Some(connection) = relay.connections.remove(&number) {
                    connection.break_up();
                }
            }
        }
    }
    due(relay).into_iter().map(|(_, due)| due).min()
}
