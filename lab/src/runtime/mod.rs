//! Execution environments as Lambda has them: the Runtime API, the processes, timeouts, crashes, memory, `/tmp`.
//!
//! It runs a function and says what a caller would have got. It knows nothing of plans, of deployed functions or of other services.

pub mod launcher;
