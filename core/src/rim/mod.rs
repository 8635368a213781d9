//! Where the world comes in and goes out: the clock, the environment, files, standard output. Nothing here decides.

#[cfg(faultlayer_layer)]
mod backtrace;
pub mod clock;
pub mod daemon;
pub mod effects;
pub mod environment;
pub mod http;
mod log;
pub mod sink;
pub mod sleep;
pub mod source;
