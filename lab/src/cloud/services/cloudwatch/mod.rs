//! CloudWatch: alarms and the metrics behind them.
//!
//! - [`alarms`]: what is kept of an alarm, and its operations.  [`metrics`]: values as they come.  [`data`]: values as they are asked for.
//!
//! An alarm is judged when somebody looks. A state that SetAlarmState gave stands until a value of its metric comes.

mod alarms;
mod data;
mod metrics;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Answer, Done, Service, Tagged, now};
use crate::cloud::call::rates::{Rate, rate};
use crate::cloud::call::{ApiError, Call, Request};
use crate::cloud::lab::{Home, Site};
use crate::cloud::services::members::{text, texts};
use crate::cloud::state::{Folder, Table};
use alarms::Alarm;
use metrics::Metric;

/// The service.
#[derive(Debug)]
struct CloudWatch {
    site: Arc<Site>,
    folder: Folder,
    tables: Mutex<Tables>,
}

/// What is kept.
#[derive(Debug)]
struct Tables {
    alarms: Table<Alarm>,
    metrics: Table<Metric>,
    /// What services count: it does not outlive the lab.
    own: BTreeMap<String, Metric>,
}

impl Tables {
    /// A metric, whoever puts it.
    fn metric(&self, key: &str) -> Option<&Metric> {
        self.metrics.get(key).or_else(|| self.own.get(key))
    }
}

/// Opens the service.
pub fn open(home: Home) -> io::Result<Arc<dyn Service>> {
    let Home { site, folder } = home;
    let tables = Tables { alarms: Table::open(&folder)?, metrics: Table::open(&folder)?, own: BTreeMap::new() };
    Ok(Arc::new(CloudWatch { site, folder, tables: Mutex::new(tables) }))
}

impl CloudWatch {
    /// Works on what is kept.
    fn tables<T>(&self, work: impl FnOnce(&mut Tables) -> T) -> T {
        work(&mut self.tables.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn arn(&self, name: &str) -> String {
        self.site.place.arn("cloudwatch", &format!("alarm:{name}"))
    }
}

impl Service for CloudWatch {
    fn model(&self) -> &'static str {
        include_str!("model.json")
    }

    fn operate(self: Arc<Self>, call: Call) -> Answer {
        let input = &call.request.input;
        let answer = match call.request.operation.as_str() {
            "PutMetricAlarm" => alarms::put(&self, input),
            "DescribeAlarms" => alarms::describe(&self, input),
            "DescribeAlarmHistory" => alarms::history(&self, input),
            "SetAlarmState" => alarms::set_state(&self, input),
            "DeleteAlarms" => alarms::delete(&self, input),
            "TagResource" => alarms::tag(&self, input),
            "UntagResource" => alarms::untag(&self, input),
            "ListTagsForResource" => alarms::tags_for(&self, input),
            "PutMetricData" => metrics::put(&self, input),
            "GetMetricData" => data::get(&self, input),
            // No client can call it: services do.
            "PutServiceMetricData" => metrics::put_own(&self, input),
            _ => Err(call.unknown()),
        };
        now(answer)
    }

    fn resources(&self, request: &Request) -> Vec<String> {
        let input = &request.input;
        match request.operation.as_str() {
            // These have no resource in policies.
            "DescribeAlarms" | "PutMetricData" | "PutServiceMetricData" | "GetMetricData" => vec!["*".to_owned()],
            "TagResource" | "UntagResource" | "ListTagsForResource" => {
                vec![text(input, "ResourceARN").unwrap_or("*").to_owned()]
            }
            _ => text(input, "AlarmName").into_iter().chain(texts(input, "AlarmNames")).map(|name| self.arn(name)).collect(),
        }
    }

    fn rate(&self, operation: &str) -> Option<Rate> {
        match operation {
            "DescribeAlarms" => rate("DescribeAlarms", 9.0),
            "DescribeAlarmHistory" => rate("DescribeAlarmHistory", 20.0),
            "GetMetricData" => rate("GetMetricData", 50.0),
            "PutMetricAlarm" => rate("PutMetricAlarm", 3.0),
            "SetAlarmState" => rate("SetAlarmState", 3.0),
            "DeleteAlarms" => rate("DeleteAlarms", 3.0),
            _ => None,
        }
    }

    fn denied(&self, message: String) -> ApiError {
        ApiError::new("AccessDenied", 403, message)
    }

    fn tagged(&self) -> Vec<Tagged> {
        self.tables(|tables| {
            let tagged =
                |alarm: &Alarm| Tagged { arn: self.arn(&alarm.name), kind: "cloudwatch:alarm", tags: alarm.tags.clone() };
            tables.alarms.values().map(tagged).collect()
        })
    }

    fn reset(self: Arc<Self>) -> Done {
        let forgotten = self.tables(|tables| {
            tables.alarms.clear()?;
            tables.metrics.clear()?;
            tables.own.clear();
            self.folder.remove()
        });
        Box::pin(std::future::ready(forgotten))
    }
}
