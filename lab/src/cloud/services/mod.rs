//! The services, one folder each, called as botocore calls the service. They reach each other through the door alone.

pub mod cloudformation;
pub mod cloudwatch;
pub mod fis;
pub mod iam;
pub mod lambda;
pub mod logs;
pub mod members;
pub mod pattern;
pub mod resourcegroupstaggingapi;
pub mod s3;
pub mod service;
pub mod ssm;
pub mod sts;

use std::io;
use std::sync::Arc;

pub use service::{Answer, Done, Interrupt, Service, Tagged, now};

use super::lab::Home;

/// Opens a service, with what it kept in its folder.
pub type Open = fn(Home) -> io::Result<Arc<dyn Service>>;

/// Every service of the lab: its name and how it is opened.
pub const ALL: &[(&str, Open)] = &[
    ("cloudformation", cloudformation::open),
    ("cloudwatch", cloudwatch::open),
    ("fis", fis::open),
    ("iam", iam::open),
    ("lambda", lambda::open),
    ("logs", logs::open),
    ("resourcegroupstaggingapi", resourcegroupstaggingapi::open),
    ("s3", s3::open),
    ("ssm", ssm::open),
    ("sts", sts::open),
];
