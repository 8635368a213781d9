//! Where the world comes in and goes out: the clock, the environment, files, standard output. Nothing here decides.

pub mod clock;
pub mod effects;
pub mod environment;
mod log;
pub mod sink;
pub mod sleep;
pub mod source;
