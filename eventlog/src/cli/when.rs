//! `--since` and `--until`: a time, a version or a cursor.

use std::str::FromStr;
use std::time::SystemTime;

use eventlog::Cursor;
use jiff::civil::{Date, DateTime, Time};
use jiff::{Span, Timestamp, ToSpan, ZonedDateTime};

/// Where a range begins or ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Bound {
    Time(SystemTime),
    Version(u64),
    Cursor(Cursor),
}

impl FromStr for Bound {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse(text, &ZonedDateTime::now()).ok_or_else(|| {
            format!(
                "`{text}` is neither a time (`14:03`, `2026-11-26 14:03:07`, `5 min ago`, \
                 `yesterday`, `@1795646400`), nor a version (`4711`), nor a cursor"
            )
        })
    }
}

fn parse(text: &str, now: &ZonedDateTime) -> Option<Bound> {
    let text = text.trim();
    if let Ok(version) = text.parse() {
        return Some(Bound::Version(version));
    }
    if let Ok(cursor) = text.parse() {
        return Some(Bound::Cursor(cursor));
    }
    let time = SystemTime::try_from(time(text, now)?);
    time.ok().map(Bound::Time)
}

fn time(text: &str, now: &ZonedDateTime) -> Option<Timestamp> {
    let zone = now.time_zone();
    let in_zone = |time: DateTime| Some(time.to_zoned_datetime(zone.clone()).ok()?.timestamp());
    let midnight = |days: i64| in_zone(now.date().checked_add(days.days()).ok()?.at(0, 0, 0, 0));
    match text {
        "now" => return Some(now.timestamp()),
        "today" => return midnight(0),
        "yesterday" => return midnight(-1),
        _ => {}
    }
    if let Some(seconds) = text.strip_prefix('@') {
        return Timestamp::from_second(seconds.parse().ok()?).ok();
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    if let Ok(time) = text.parse::<ZonedDateTime>() {
        return Some(time.timestamp());
    }
    if text.contains("ago") || text.starts_with('-') {
        let span: Span = text.parse().ok()?;
        return Some(now.checked_add(span).ok()?.timestamp());
    }
    // The parser of times takes a date before it, and forgets it.
    let has_date = text.contains('-');
    if !has_date
        && let Ok(time) = text
            .parse::<Time>()
            .or_else(|_| Time::strptime("%H:%M", text))
    {
        return in_zone(now.date().to_datetime(time));
    }
    let date_and_minute = || DateTime::strptime("%Y-%m-%d %H:%M", text).ok();
    if let Some(time) = text.parse().ok().or_else(date_and_minute) {
        return in_zone(time);
    }
    in_zone(text.parse::<Date>().ok()?.at(0, 0, 0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let now: ZonedDateTime = "2026-11-26T14:30:00+01:00[+01:00]".parse().unwrap();
        let at = |text: &str| {
            let Some(Bound::Time(time)) = parse(text, &now) else {
                panic!("{text} is no time");
            };
            Timestamp::try_from(time).unwrap().to_string()
        };
        assert_eq!(at("14:03"), "2026-11-26T13:03:00Z");
        assert_eq!(at("14:03:07.5"), "2026-11-26T13:03:07.5Z");
        assert_eq!(at("2026-11-25"), "2026-11-24T23:00:00Z");
        assert_eq!(at("2026-11-25 09:00"), "2026-11-25T08:00:00Z");
        assert_eq!(at("2026-11-25 09:00:01"), "2026-11-25T08:00:01Z");
        assert_eq!(at("2026-11-25T09:00:01Z"), "2026-11-25T09:00:01Z");
        assert_eq!(at("5 min ago"), "2026-11-26T13:25:00Z");
        assert_eq!(at("1h 30m ago"), "2026-11-26T12:00:00Z");
        assert_eq!(at("2 days ago"), "2026-11-24T13:30:00Z");
        assert_eq!(at("-10s"), "2026-11-26T13:29:50Z");
        assert_eq!(at("yesterday"), "2026-11-24T23:00:00Z");
        assert_eq!(at("today"), "2026-11-25T23:00:00Z");
        assert_eq!(at("@60"), "1970-01-01T00:01:00Z");
    }

    #[test]
    fn versions_and_cursors_are_told_from_times() {
        assert_eq!("4711".parse(), Ok(Bound::Version(4711)));
        let cursor = "9f86d081884c7d65.12.340".parse::<Cursor>().unwrap();
        assert_eq!("9f86d081884c7d65.12.340".parse(), Ok(Bound::Cursor(cursor)));
        for other in ["", "soon", "25:00", "-1", "2026-13-01", "ago"] {
            assert!(other.parse::<Bound>().is_err(), "{other}");
        }
    }
}
