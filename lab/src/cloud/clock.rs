//! Time and ids in the forms that AWS writes.

use std::time::{SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::macros::format_description;

/// Milliseconds since 1970.
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Seconds since 1970 with milliseconds, as JSON services write timestamps.
pub fn seconds(ms: i64) -> serde_json::Value {
    // Exact for all times that fit the milliseconds of this century.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this era fit 53 bits")]
    let value = ms as f64 / 1000.0;
    serde_json::Value::from(value)
}

fn moment(ms: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// `2026-11-23T12:00:00.000+0000`, Lambda's own form.
pub fn lambda_time(ms: i64) -> String {
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]+0000");
    moment(ms).format(&form).unwrap_or_default()
}

/// RFC 3339 with milliseconds.
pub fn rfc3339(ms: i64) -> String {
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    moment(ms).format(&form).unwrap_or_default()
}

/// `2026-11-23` and `2026-11-23_12.00.00`: Automation's `global:DATE` and `global:DATE_TIME`.
pub fn automation_dates(ms: i64) -> (String, String) {
    let date = format_description!("[year]-[month]-[day]");
    let both = format_description!("[year]-[month]-[day]_[hour].[minute].[second]");
    (moment(ms).format(&date).unwrap_or_default(), moment(ms).format(&both).unwrap_or_default())
}

/// Milliseconds since 1970 of an RFC 3339 text.
pub fn parse_rfc3339(text: &str) -> Option<i64> {
    let moment = OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).ok()?;
    i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).ok()
}

/// Milliseconds since 1970 of seconds.
pub fn ms(seconds: f64) -> i64 {
    // Out of range ends at the ends.
    #[expect(clippy::cast_possible_truncation, reason = "saturates")]
    let ms = (seconds * 1000.0).round() as i64;
    ms
}

/// `Thu, 26 Nov 2026 12:00:00 GMT`, as HTTP headers write it.
pub fn http_date(ms: i64) -> String {
    let form = format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");
    moment(ms).format(&form).unwrap_or_default()
}

/// Milliseconds since 1970 of a date as HTTP headers write it.
pub fn parse_http_date(text: &str) -> Option<i64> {
    let moment = OffsetDateTime::parse(&text.replace("GMT", "+0000"), &time::format_description::well_known::Rfc2822).ok()?;
    i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).ok()
}

/// A new UUID.
pub fn id() -> String {
    uuid::Uuid::new_v4().to_string()
}
