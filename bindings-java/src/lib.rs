//! Faultlayer for Java: the native half of the agent and of the library.
//!
//! [`exports`] names the methods as the JVM looks for them, once for each of the two jars; [`host`] and [`session`] do
//! what they say; [`event`] reads the JVM's strings and arrays, [`answer`] finds the text in an answer's bytes, [`error`]
//! hands out what a refused plan and a caught panic become.

#![expect(unsafe_code, reason = "the JVM hands out raw pointers, and handles come back as numbers")]

mod answer;
mod error;
mod event;
mod exports;
mod host;
mod session;
