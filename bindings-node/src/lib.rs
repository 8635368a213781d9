//! Faultlayer for Node: the addon under the layer and under the npm package. Native code asks and answers; what touches
//! the function's own objects is JavaScript (`lib/`).

mod asking;
mod calls;
mod error;
mod event;
mod host;
mod layer;
mod library;
mod operations;
mod process;
mod session;
