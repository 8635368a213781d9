//! Faultlayer for Java: the native half of the agent and of the library.
//!
//! [`exports`] names the methods as the JVM looks for them, once for each of the two jars; [`layer`] and [`library`] open
//! the engine's two sides, [`host`] and [`session`] ask them, [`calls`] for a handler's calls; [`event`] reads the JVM's
//! strings and arrays, [`answer`] finds the text in an answer's bytes, [`error`] hands out what a refused plan becomes,
//! [`redefine`] changes a class that is loaded, [`watching`] waits for the SDK's first, both by the JVM's [`tools`].

#![expect(unsafe_code, reason = "the JVM hands out raw pointers, and handles come back as numbers")]

mod answer;
mod calls;
mod error;
mod event;
mod exports;
mod host;
mod layer;
mod library;
mod redefine;
mod session;
mod tools;
mod watching;
