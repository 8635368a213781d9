//! Faultlayer.
