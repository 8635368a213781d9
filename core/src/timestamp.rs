//! Points in time as the engine sees them: whole microseconds since the Unix epoch, given by the caller.
//! Reading a clock is the rim's business.

use std::time::{SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Microseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Reads RFC 3339, with any offset. `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let parsed = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        i64::try_from(parsed.unix_timestamp_nanos() / 1000).ok().map(Self)
    }

    /// From milliseconds since the epoch, the unit of Lambda's deadline header.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1000))
    }

    /// Microseconds from `earlier` to this; negative if `earlier` is later.
    #[must_use]
    pub const fn micros_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// RFC 3339 in UTC with milliseconds, as Lambda's own JSON log lines have it.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        let nanos = i128::from(self.0) * 1000;
        let at = OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            at.year(),
            u8::from(at.month()),
            at.day(),
            at.hour(),
            at.minute(),
            at.second(),
            at.millisecond()
        )
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros());
        Self(i64::try_from(since).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn an_offset_is_honoured_and_written_as_utc() {
        let at = Timestamp::parse("2026-11-23T13:00:00.25+01:00").unwrap();
        assert_eq!(at, Timestamp(1_795_435_200_250_000));
        assert_eq!(at.to_rfc3339(), "2026-11-23T12:00:00.250Z");
    }

    #[test]
    fn what_is_not_rfc_3339_is_refused() {
        for text in ["", "2026-11-23", "2026-11-23T12:00:00", "12:00", "2026-13-01T00:00:00Z", "never"] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }
}
