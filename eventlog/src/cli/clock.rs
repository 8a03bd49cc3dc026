//! When a line was written, as far as it can be known.

use std::cell::RefCell;
use std::time::{Duration, SystemTime};

use eventlog::disk::{Time, Timeline};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::value::RawValue;

use crate::at::Line;
use crate::event::{Event, TIMES, text};

/// Marks come once per second while events come. Two that lie further apart have only the first
/// second and the last moment of what is between them.
pub(crate) const MARKED_EVERY: Duration = Duration::from_secs(2);

/// When something was written.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Moment {
    At(SystemTime),
    About(SystemTime),
    /// At some time between, mostly right before the second.
    Between(SystemTime, SystemTime),
    After(SystemTime),
}

impl Moment {
    /// Whether it may have been at this time or after it.
    pub(crate) fn may_be_since(self, time: SystemTime) -> bool {
        match self {
            Self::At(at) | Self::About(at) | Self::Between(_, at) => at >= time,
            Self::After(_) => true,
        }
    }

    /// Whether it may have been at this time or before it.
    pub(crate) fn may_be_until(self, time: SystemTime) -> bool {
        match self {
            Self::At(at) | Self::About(at) | Self::Between(at, _) | Self::After(at) => at <= time,
        }
    }

    /// The one time that tells it best.
    pub(crate) fn best(self) -> SystemTime {
        match self {
            Self::At(at) | Self::About(at) | Self::Between(_, at) | Self::After(at) => at,
        }
    }

    /// What stands before the time for a person.
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::At(_) => "",
            Self::About(_) => "~",
            Self::Between(..) => "≤",
            Self::After(_) => ">",
        }
    }

    /// The same for a program.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::At(_) => "exact",
            Self::About(_) => "about",
            Self::Between(..) => "until",
            Self::After(_) => "after",
        }
    }
}

/// What tells the times of lines, and how they are shown.
pub(crate) struct Clock {
    timeline: Option<Timeline>,
    pub(crate) has_marks: bool,
    /// The field that tells it, where one was named.
    field: Option<String>,
    zone: TimeZone,
    /// The last second that was asked for, its day and its time of day.
    second: RefCell<Option<(i64, String, String)>>,
}

impl Clock {
    pub(crate) fn new(timeline: Option<Timeline>, field: Option<String>, is_utc: bool) -> Self {
        let has_marks = timeline
            .as_ref()
            .is_some_and(|timeline| timeline.marks().next().is_some());
        Self {
            timeline,
            has_marks,
            field,
            zone: if is_utc {
                TimeZone::UTC
            } else {
                TimeZone::system()
            },
            second: RefCell::new(None),
        }
    }

    /// Whether a field was named that counts more than the marks.
    pub(crate) fn has_field(&self) -> bool {
        self.field.is_some()
    }

    /// Takes what newer marks tell.
    pub(crate) fn renew(&mut self, timeline: Timeline) {
        self.has_marks = timeline.marks().next().is_some();
        self.timeline = Some(timeline);
    }

    /// When a line was written: the named field, or what the marks say, or else a field with a usual
    /// name.
    pub(crate) fn moment(&self, line: &Line<'_>, event: Option<&Event<'_>>) -> Option<Moment> {
        if let Some(name) = &self.field
            && let Some(time) = event.and_then(|event| field_time(event.field(name)?))
        {
            return Some(Moment::At(time));
        }
        if let Some(moment) = self.marked(line) {
            return Some(moment);
        }
        let mut fields = TIMES.iter().filter_map(|name| event?.field(name));
        fields.find_map(field_time).map(Moment::At)
    }

    fn marked(&self, line: &Line<'_>) -> Option<Moment> {
        let stamp = self.timeline.as_ref()?.stamp(&line.at.place()?)?;
        Some(match stamp.time {
            Time::Exact(time) => Moment::At(time),
            Time::About {
                time,
                between: (from, to),
            } => {
                if to
                    .duration_since(from)
                    .is_ok_and(|span| span <= MARKED_EVERY)
                {
                    Moment::About(time)
                } else {
                    Moment::Between(from, to)
                }
            }
            Time::After(time) => Moment::After(time),
            other => Moment::About(other.best()),
        })
    }

    /// The number of the line's event, where the marks tell it, or the cursor of a feed.
    pub(crate) fn seq(&self, line: &Line<'_>) -> Option<u64> {
        if let Some(cursor) = line.at.cursor() {
            return Some(cursor.seq().get());
        }
        let stamp = self.timeline.as_ref()?.stamp(&line.at.place()?)?;
        stamp.seq.map(eventlog::Seq::get)
    }

    /// `2026-11-26` and `14:03:07.123`
    pub(crate) fn day_and_time(&self, time: SystemTime) -> (String, String) {
        let Ok(time) = Timestamp::try_from(time) else {
            return ("?".to_owned(), "?".to_owned());
        };
        let mut known = self.second.borrow_mut();
        let (second, nanos) = match (time.as_second(), time.subsec_nanosecond()) {
            // Before 1970 a part of a second counts the other way.
            (second, nanos) if nanos < 0 => (second - 1, nanos + 1_000_000_000),
            parts => parts,
        };
        let (_, day, minute) = match known.take() {
            Some(known) if known.0 == second => known,
            _ => {
                let zoned = time.to_zoned_datetime(self.zone.clone());
                let text = |format| zoned.strftime(format).to_string();
                (second, text("%Y-%m-%d"), text("%H:%M:%S"))
            }
        };
        let shown = (day.clone(), format!("{minute}.{:03}", nanos / 1_000_000));
        *known = Some((second, day, minute));
        shown
    }

    /// `2026-11-26T14:03:07.123+01:00`, or with a `Z`.
    pub(crate) fn full(&self, time: SystemTime) -> String {
        if self.zone == TimeZone::UTC {
            return self.format(time, "%Y-%m-%dT%H:%M:%S%.3fZ");
        }
        self.format(time, "%Y-%m-%dT%H:%M:%S%.3f%:z")
    }

    fn format(&self, time: SystemTime, format: &str) -> String {
        match Timestamp::try_from(time) {
            Ok(time) => time
                .to_zoned_datetime(self.zone.clone())
                .strftime(format)
                .to_string(),
            Err(_) => "?".to_owned(),
        }
    }
}

/// RFC 3339, or a number of seconds or smaller units since 1970.
fn field_time(value: &RawValue) -> Option<SystemTime> {
    let written = text(value);
    let written = written.as_deref().unwrap_or(value.get());
    if let Ok(time) = written.parse::<Timestamp>() {
        return SystemTime::try_from(time).ok();
    }
    let number: f64 = written.parse().ok()?;
    // The unit is told by the size: no log is of before 1973, or of after 5138.
    let unit = match number {
        1e8..1e11 => 1.0,
        1e11..1e14 => 1e3,
        1e14..1e17 => 1e6,
        1e17..1e20 => 1e9,
        _ => return None,
    };
    let since_1970 = Duration::try_from_secs_f64(number / unit).ok()?;
    // So many digits have no more than microseconds, and what is a little less than a millisecond
    // would be shown as the one before.
    let micros = (since_1970.as_nanos() + 500) / 1_000;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_micros(u64::try_from(micros).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Names;

    #[test]
    fn a_field_tells_the_time_in_every_usual_form() {
        let clock = Clock::new(None, None, true);
        let at = |line: &str| {
            let event = Event::parse(line.as_bytes(), &Names::default()).unwrap();
            let line = Line {
                at: crate::at::At::Input {
                    number: 1,
                    offset: 0,
                },
                bytes: line.as_bytes(),
            };
            clock
                .moment(&line, Some(&event))
                .map(|moment| clock.full(moment.best()))
        };
        let expected = Some("2026-11-26T13:03:07.125Z".to_owned());
        assert_eq!(at(r#"{"time":"2026-11-26T14:03:07.125+01:00"}"#), expected);
        assert_eq!(at(r#"{"ts":1795698187.125}"#), expected);
        assert_eq!(at(r#"{"at":1795698187125}"#), expected);
        assert_eq!(at(r#"{"at":"1795698187125000"}"#), expected);
        let odd = Some("2026-11-26T13:03:07.123Z".to_owned());
        assert_eq!(at(r#"{"ts":1795698187.123}"#), odd);
        assert_eq!(at(r#"{"ts":1795698187123}"#), odd);
        assert_eq!(at(r#"{"ts":1795698187123000000}"#), odd);
        for none in [
            r#"{"time":null}"#,
            r#"{"time":"noon"}"#,
            r#"{"at":7}"#,
            "{}",
            "7",
        ] {
            assert_eq!(at(none), None, "{none}");
        }
    }
}
