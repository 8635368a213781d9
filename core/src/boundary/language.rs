//! The languages that have a shim.

/// Chooses, where the plan names an error's class by language, which of them stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// CPython.
    Python,
    /// Node.js.
    Node,
    /// The JVM.
    Java,
}
