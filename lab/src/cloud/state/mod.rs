//! What the lab keeps: memory and disk together. Whatever was answered is on disk, and comes back at the next start.
//!
//! - [`table`]: rows by name, one file each.  [`folder`]: where its files are, and the lock against a second lab.
//! - [`appended`]: a file that only grows.

pub mod appended;
pub mod folder;
pub mod table;

pub use appended::Appended;
pub use folder::Folder;
pub use table::{Row, Table};
