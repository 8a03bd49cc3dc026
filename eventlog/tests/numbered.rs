//! Versions that the log gives: each once, in the order of the history, and above all that was
//! there before, also in the lives before.
#![cfg(all(feature = "disk", not(shuttle)))]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{collections::BTreeMap, fs, sync::Arc, thread, time::Duration};

use eventlog::{
    Beside, Coverage, Cursor, EventLog, Inside, Numbered, Start, Versioned,
    disk::{self, DiskConfig, DiskWriter},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

const PATIENCE: Duration = Duration::from_secs(30);

type Log = EventLog<Numbered<String>>;

fn versions<T>(log: &EventLog<Numbered<T>>) -> Vec<u64> {
    let replay = log.replay(Start::Oldest);
    replay.iter().map(Versioned::version).collect()
}

#[test]
fn numbers_begin_after_the_base_and_rise_by_one() {
    let log = EventLog::<Numbered<()>>::new(None);
    assert_eq!([log.push(()), log.push(()), log.push(())], [1, 2, 3]);

    let log = EventLog::<Numbered<()>>::builder();
    let log = log.base_version(100).build().unwrap();
    assert_eq!(log.push(()), 101);
    assert_eq!(log.replay(100).coverage(), Coverage::Complete);
    assert_eq!(log.newest_version(), Some(101));
}

/// A number that is given twice would be taken for an event that a subscriber has.
#[test]
fn numbers_are_above_all_that_was_appended_by_hand() {
    let log = EventLog::<Numbered<()>>::builder();
    let log = log.capacity(2).base_version(20).build().unwrap();
    let mut given = Vec::new();
    for by_hand in [30, 10, 5, 40, 7, 7, 50] {
        log.append(Numbered::new(by_hand, ()));
        given.push(log.push(()));
    }
    assert_eq!(given, [31, 32, 33, 41, 42, 43, 51]);
}

#[test]
fn nothing_wraps_at_the_top() {
    let log = EventLog::<Numbered<()>>::new(None);
    log.append(Numbered::new(u64::MAX - 1, ()));
    assert_eq!([log.push(()), log.push(())], [u64::MAX, u64::MAX]);
    let cursor = log.cursor();
    assert_eq!(log.push(()), u64::MAX);
    assert_eq!(log.replay(cursor).len(), 1, "a cursor tells them apart");
}

#[test]
fn threads_push_in_the_order_of_the_history() {
    const EACH: u64 = 2_000;
    let log = EventLog::<Numbered<usize>>::builder();
    let log = log.capacity(8 * 1024).build().unwrap();
    let given = thread::scope(|scope| {
        let pushers = [0, 1, 2].map(|pusher| {
            let log = &log;
            scope.spawn(move || (0..EACH).map(|_| log.push(pusher)).collect::<Vec<_>>())
        });
        pushers.map(|pusher| pusher.join().unwrap())
    });
    for numbers in &given {
        assert!(numbers.is_sorted_by(|a, b| a < b));
    }
    let expected: Vec<_> = (1..=3 * EACH).collect();
    assert_eq!(versions(&log), expected);
    for event in &log.replay(0) {
        assert!(given[*event.payload()].contains(&event.version()));
    }
}

fn same<T, L>(payload: T, json: &str)
where
    T: Clone + PartialEq + std::fmt::Debug,
    Numbered<T, L>: Serialize + DeserializeOwned,
{
    let event = Numbered::<T, L>::new(u64::MAX, payload);
    let written = serde_json::to_string(&event).unwrap();
    assert_eq!(written, json);
    let read: Numbered<T, L> = serde_json::from_str(&written).unwrap();
    assert_eq!(
        (read.version(), read.payload()),
        (u64::MAX, event.payload()),
        "{json}"
    );
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Fields {
    wide: u64,
    exact: f64,
    counts: BTreeMap<u64, i8>,
    none: Option<u8>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
enum Outside {
    Unit,
    New(u8),
    Tuple(u8, String),
    Struct { a: u8 },
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Within {
    Opened { window: u32 },
    Closed,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Empty {}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct Wrapper(Fields);

/// `u64::MAX` as `18446744073709551615`.
fn json(rest: &str) -> String {
    format!("{{\"version\":{}{rest}}}", u64::MAX)
}

fn fields() -> Fields {
    Fields {
        wide: u64::MAX,
        exact: 14.829_037_328_432_975,
        counts: [(u64::MAX, -1)].into(),
        none: None,
    }
}

const FIELDS: &str = r#""wide":18446744073709551615,"exact":14.829037328432975,"counts":{"18446744073709551615":-1},"none":null"#;

#[test]
fn a_number_inside_is_read_back_with_any_payload_of_fields() {
    same::<_, Inside>(fields(), &json(&format!(",{FIELDS}")));
    same::<_, Inside>(Wrapper(fields()), &json(&format!(",{FIELDS}")));
    same::<_, Inside>(Some(fields()), &json(&format!(",{FIELDS}")));
    same::<_, Inside>(Outside::Unit, &json(r#","Unit":null"#));
    same::<_, Inside>(Outside::New(3), &json(r#","New":3"#));
    let tuple = Outside::Tuple(3, "version".into());
    same::<_, Inside>(tuple, &json(r#","Tuple":[3,"version"]"#));
    same::<_, Inside>(Outside::Struct { a: 3 }, &json(r#","Struct":{"a":3}"#));
    let opened = Within::Opened { window: 3 };
    same::<_, Inside>(opened, &json(r#","kind":"opened","window":3"#));
    same::<_, Inside>(Within::Closed, &json(r#","kind":"closed""#));
    let map = BTreeMap::from([("versions".to_owned(), 1), ("versio".to_owned(), 2)]);
    same::<_, Inside>(map, &json(r#","versio":2,"versions":1"#));
    let numbers = BTreeMap::from([(u64::MAX, 1)]);
    same::<_, Inside>(numbers, &json(r#","18446744073709551615":1"#));
    same::<_, Inside>(Empty {}, &json(""));
    same::<_, Inside>((), &json(""));
    same::<_, Inside>(None::<Fields>, &json(""));
}

#[test]
fn a_number_beside_is_read_back_with_every_payload() {
    same::<_, Beside>(7, &json(r#","payload":7"#));
    same::<_, Beside>(vec![Some(1), None], &json(r#","payload":[1,null]"#));
    same::<_, Beside>(fields(), &json(&format!(",\"payload\":{{{FIELDS}}}")));
    let map = BTreeMap::from([("version".to_owned(), 1)]);
    same::<_, Beside>(map, &json(r#","payload":{"version":1}"#));
}

/// Has a form for people and one for machines.
struct Forms;

impl Serialize for Forms {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let for_people = serializer.is_human_readable();
        serializer.collect_map([("for_people", for_people)])
    }
}

#[test]
fn a_payload_is_told_that_people_read_it() {
    let written = serde_json::to_string(&Numbered::<_, Inside>::new(7, Forms)).unwrap();
    assert_eq!(written, r#"{"version":7,"for_people":true}"#);
}

#[test]
fn what_is_no_event_is_refused_with_what_was_expected() {
    type Event = Numbered<BTreeMap<String, u64>, Inside>;
    let error = serde_json::from_str::<Event>("3").unwrap_err();
    let expected = "the fields of a payload, and its number as `version`";
    assert!(error.to_string().contains(expected), "{error}");
    // JSON has no keys but texts.
    let map = serde::de::value::MapDeserializer::new([(1, 2)].into_iter());
    let error: serde::de::value::Error = Event::deserialize(map).unwrap_err();
    assert!(error.to_string().contains("expected a key"), "{error}");
}

#[test]
fn a_field_that_has_the_name_of_the_number_is_refused() {
    #[derive(Serialize)]
    struct Own {
        version: &'static str,
    }
    #[derive(Serialize)]
    enum Named {
        #[serde(rename = "version")]
        Version(u8),
    }
    #[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
    #[serde(rename_all = "snake_case")]
    enum Key {
        Version,
    }
    #[derive(Serialize)]
    struct Deep {
        #[serde(flatten)]
        own: Own,
    }
    fn refused(payload: impl Serialize) {
        let event = Numbered::<_, Inside>::new(7, payload);
        let error = serde_json::to_string(&event).unwrap_err().to_string();
        assert!(error.contains("`version` of its own"), "{error}");
        // In it, the name belongs to the payload alone.
        serde_json::to_string(&Numbered::<_, Inside>::new(
            7,
            [("payload", event.payload())]
                .into_iter()
                .collect::<BTreeMap<_, _>>(),
        ))
        .unwrap();
    }
    refused(Own { version: "mine" });
    refused(Named::Version(1));
    refused(BTreeMap::from([("version", 1)]));
    refused(BTreeMap::from([(Key::Version, 1)]));
    refused(BTreeMap::from([(String::from("version"), 1)]));
    refused(Deep {
        own: Own { version: "mine" },
    });
    let scalar = Numbered::<_, Inside>::new(7, 7);
    assert!(serde_json::to_string(&scalar).is_err());
}

#[test]
fn a_line_that_somebody_else_wrote_is_read_or_refused() {
    type Event = Numbered<Outside, Inside>;
    let read = serde_json::from_str::<Event>;
    let expected = Event::new(7, Outside::New(3));
    for line in [
        r#"{"New":3,"version":7}"#,
        r#"{"version":7,"New":3,"later":{"version":9}}"#,
        r#"{"\u0076ersion":7,"New":3}"#,
    ] {
        assert_eq!(read(line).unwrap(), expected, "{line}");
    }
    for line in [
        "{}",
        r#"{"New":3}"#,
        r#"{"version":7}"#,
        r#"{"version":-7,"New":3}"#,
        r#"{"version":"7","New":3}"#,
        r#"{"version":18446744073709551616,"New":3}"#,
        r#"{"version":7,"version":8,"New":3}"#,
        r#"{"version":7,"New":3,"version":8}"#,
        "[7,3]",
        "7",
    ] {
        assert!(read(line).is_err(), "{line}");
    }
}

struct Place {
    _dir: tempfile::TempDir,
    config: DiskConfig,
    path: std::path::PathBuf,
}

fn place() -> Place {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    Place {
        _dir: dir,
        config: DiskConfig::new(&path),
        path,
    }
}

fn live<T: Send + Sync + Serialize + DeserializeOwned + 'static>(
    place: &Place,
    life: impl FnOnce(&EventLog<Numbered<T>>),
) -> EventLog<Numbered<T>> {
    let (log, _) = EventLog::recover(&place.config).unwrap();
    let log = Arc::new(log);
    let writer = DiskWriter::spawn(&log, place.config.clone()).unwrap();
    life(&log);
    let _ = writer.blocking_shutdown(PATIENCE);
    drop(writer);
    Arc::into_inner(log).unwrap()
}

#[test]
fn a_recovered_log_goes_on_with_the_numbers() {
    let place = place();
    let mut cursor: Option<Cursor> = None;
    for lived in 0..3 {
        let log: Log = live(&place, |log: &Log| {
            for expected in 3 * lived + 1..=3 * lived + 3 {
                assert_eq!(log.push(format!("event {expected}")), expected);
            }
            if let Some(cursor) = cursor {
                let replay = log.replay(cursor);
                assert_eq!(replay.coverage(), Coverage::Complete);
                assert_eq!(replay.iter().next().unwrap().version(), 3 * lived + 1);
            }
        });
        cursor = Some(log.cursor());
    }
    let read: Vec<_> = disk::read::<Numbered<String>>(&place.path)
        .map(|record| record.unwrap().into_event().unwrap().version())
        .collect();
    assert_eq!(read, (1..=9).collect::<Vec<_>>());
}

/// What the disk never had keeps its numbers: somebody may have seen it.
#[test]
fn numbers_of_events_in_gaps_are_not_given_again() {
    #[derive(Serialize, Deserialize)]
    struct Weight(f64);
    let place = place();
    drop(live(&place, |log| {
        log.push(Weight(1.0));
        log.push(Weight(f64::NAN)); // nothing that JSON can carry
        log.push(Weight(f64::NAN));
    }));
    let text = fs::read_to_string(&place.path).unwrap();
    assert!(text.contains("\"gap\""), "{text}");
    drop(live(&place, |log: &EventLog<Numbered<Weight>>| {
        assert_eq!(log.push(Weight(4.0)), 4);
    }));
    // Also where the gap is all that is left.
    let text = fs::read_to_string(&place.path).unwrap();
    let gap = text.lines().rfind(|line| line.contains("\"gap\"")).unwrap();
    fs::write(&place.path, format!("{gap}\n")).unwrap();
    drop(live(&place, |log: &EventLog<Numbered<Weight>>| {
        assert_eq!(log.push(Weight(4.0)), 4);
    }));
}

/// Nobody knows what was in a line that cannot be read, but not how often.
#[test]
fn numbers_in_damaged_lines_are_not_given_again() {
    let line = |version| format!("{{\"version\":{version},\"payload\":\"p\"}}\n");
    for before in [0, 3] {
        let place = place();
        let mut text: String = (1..=before).map(line).collect();
        let damaged: String = (before + 1..=before + 9).map(line).collect();
        text += &damaged.replace(['{', '\n'], "\0");
        text += "\n";
        fs::write(&place.path, text).unwrap();
        let (log, _) = Log::recover(&place.config).unwrap();
        let next = log.push(String::new());
        assert!((before + 10..1_000).contains(&next), "{next}");
        assert_eq!(log.push(String::new()), next + 1);
    }
}

/// A payload that cannot be written with its number inside costs its place in the file, and the
/// file says so; it never poses as another number.
#[test]
fn a_payload_with_a_number_of_its_own_becomes_a_gap() {
    type Payload = BTreeMap<String, u64>;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    let log = EventLog::<Numbered<Payload, Inside>>::new(None);
    let writer = DiskWriter::spawn(&log, DiskConfig::new(&path)).unwrap();
    log.push([("version".to_owned(), 99)].into());
    log.push([("size".to_owned(), 5)].into());
    let _ = writer.blocking_shutdown(PATIENCE);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("unserializable"), "{text}");
    assert!(text.ends_with("{\"version\":2,\"size\":5}\n"), "{text}");
}
