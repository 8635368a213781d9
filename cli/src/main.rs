//! The `faultlayer` command.

fn main() {}
