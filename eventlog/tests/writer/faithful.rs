//! W13, W15: what is acknowledged is read back equal, whatever kind of value it has.

use std::{collections::BTreeMap, fs, path::PathBuf};

use eventlog::disk::{self, DiskConfig, DiskWriter, Gap, GapReason, NotStored, Record, Unfaithful};
use eventlog::{EventLog, Seq, Versioned};
use proptest::{collection::vec, num::f64::ANY, prelude::*};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tempfile::TempDir;

use crate::account::{PATIENCE, listening};

/// An event with a value of any kind that JSON has, or has not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Versioned)]
struct Any<T> {
    version: u64,
    value: T,
}

fn config() -> (TempDir, PathBuf, DiskConfig) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.log");
    let config = DiskConfig::new(&path).max_bytes(1 << 40);
    (directory, path, config)
}

/// Writes one event of each value, and gives back the lines.
fn write<T>(values: &[T], unfaithful: Unfaithful) -> (Vec<Result<(), NotStored>>, Vec<String>)
where
    T: Clone + Serialize + Send + Sync + 'static,
{
    let (_directory, path, config) = config();
    let log = EventLog::builder().capacity(values.len()).build().unwrap();
    let writer = DiskWriter::spawn(&log, config.unfaithful(unfaithful)).unwrap();
    for (version, value) in (1..).zip(values.iter().cloned()) {
        log.append(Any { version, value });
    }
    let answers = (1..=values.len() as u64)
        .map(|seq| writer.blocking_durable(Seq::new(seq)).map(drop))
        .collect();
    writer.blocking_shutdown(PATIENCE).ok();
    let text = fs::read_to_string(path).unwrap_or_default();
    (
        answers,
        text.split_inclusive('\n').map(str::to_owned).collect(),
    )
}

/// What is acknowledged is read back equal, and the rest is a gap that says why.
fn is_faithful<T>(values: &[T])
where
    T: Clone + PartialEq + std::fmt::Debug + Serialize + for<'de> Deserialize<'de>,
    T: Send + Sync + 'static,
{
    let (answers, lines) = write(values, Unfaithful::Refuse);
    assert_eq!(lines.len(), values.len());
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.log");
    fs::write(&path, lines.concat()).unwrap();
    let records = disk::read::<Any<T>>(&path).map(Result::unwrap);
    for ((record, answer), value) in records.zip(answers).zip(values) {
        match (record, answer) {
            (Record::Event(event), Ok(())) => assert_eq!(event.value, *value),
            (Record::Gap(gap), Err(NotStored::Lost { .. })) => {
                assert_eq!(
                    (gap.count, gap.reason),
                    (1, GapReason::Unfaithful),
                    "{value:?}"
                );
            }
            other => panic!("{other:?} for {value:?}"),
        }
    }
}

/// Of 4,000 floats 356 were read back as their neighbours.
#[test]
fn w15_a_float_is_read_back_to_its_last_bit() {
    is_faithful(&[
        14.829_037_328_432_975_f64,
        -0.0,
        f64::MIN_POSITIVE,
        5e-324,
        f64::MAX,
    ]);
    is_faithful(&[0.1_f32, f32::MIN_POSITIVE, f32::MAX, 16_777_217.0]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn w15_floats_of_all_kinds(values in vec(ANY, 1..200)) {
        // NaN is not equal to itself, so what is compared are the bits.
        #[derive(Clone, Debug, Serialize, Deserialize)]
        struct Bits(f64);
        impl PartialEq for Bits {
            fn eq(&self, other: &Self) -> bool {
                self.0.to_bits() == other.0.to_bits()
            }
        }
        is_faithful(&values.into_iter().map(Bits).collect::<Vec<_>>());
    }
}

#[test]
fn w15_what_json_has_no_form_for_is_a_gap_that_a_person_can_read() {
    let values = [1.5, f64::NAN, f64::INFINITY, 2.5];
    let (answers, lines) = write(&values, Unfaithful::Refuse);
    let seq = Seq::new;
    assert_eq!(
        answers,
        [
            Ok(()),
            Err(NotStored::Lost { seq: seq(2) }),
            Err(NotStored::Lost { seq: seq(3) }),
            Ok(())
        ]
    );
    let gap: Value = serde_json::from_str(&lines[1]).unwrap();
    let gap = &gap["eventlog"]["gap"];
    assert_eq!(gap["reason"], "unfaithful");
    assert_eq!(gap["text"], r#"{"version":2,"value":null}"#);
    let parsed = Gap::parse(lines[1].as_bytes()).unwrap();
    assert_eq!((parsed.first, parsed.min_version), (Some(seq(2)), 2));
}

/// The baseline's own line, which is not called stored.
#[test]
fn w15_told_to_write_it_writes_the_baselines_line_and_acknowledges_nothing() {
    let (answers, lines) = write(&[1.5, f64::NAN], Unfaithful::Write);
    let seq = Seq::new(2);
    assert_eq!(answers, [Ok(()), Err(NotStored::Unfaithful { seq })]);
    assert_eq!(lines[1], "{\"version\":2,\"value\":null}\n");
}

#[test]
fn what_is_not_written_as_it_is_or_not_at_all_is_counted() {
    for (unfaithful, counts) in [
        (Unfaithful::Write, (3, 2, 0)),
        (Unfaithful::Refuse, (1, 0, 2)),
    ] {
        let (_directory, _path, config) = config();
        let log = EventLog::builder().capacity(4).build().unwrap();
        let writer = DiskWriter::spawn(&log, config.unfaithful(unfaithful)).unwrap();
        let values = (1..).zip([1.5, f64::NAN, f64::INFINITY]);
        log.append_batch(values.map(|(version, value)| Any { version, value }));
        let _ = writer.blocking_shutdown(PATIENCE);
        let stats = writer.stats();
        assert_eq!((stats.events, stats.unacknowledged, stats.lost), counts);
    }
}

#[test]
fn w15_what_nests_deeper_than_readers_go_is_refused() {
    let nested = |depth: u32| {
        (0..depth).fold(Value::from(1), |inner, level| match level % 2 {
            0 => Value::Array(vec![inner]),
            _ => serde_json::json!({ "a": inner }),
        })
    };
    is_faithful(&[
        nested(1),
        nested(126),
        nested(127),
        nested(128),
        nested(1500),
        nested(2),
    ]);
    let (answers, lines) = write(&[nested(126), nested(127)], Unfaithful::Refuse);
    assert!(answers[0].is_ok() && answers[1].is_err(), "{answers:?}");
    assert!(lines[1].contains("unfaithful"), "{}", lines[1]);
}

/// Depth is not how many lists an event has.
#[test]
fn w15_what_is_wide_is_not_deep() {
    let lists = vec![vec![1]; 2000];
    let maps = vec![BTreeMap::from([("a".to_owned(), 1)]); 2000];
    assert!(write(&[lists], Unfaithful::Refuse).0[0].is_ok());
    assert!(write(&[maps], Unfaithful::Refuse).0[0].is_ok());
}

/// Nests as deep as somebody asks.
#[derive(Clone)]
struct Bottomless;

impl Serialize for Bottomless {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        [self].serialize(serializer)
    }
}

/// It would overflow the writer's stack, which nothing catches.
#[test]
fn w15_what_has_no_bottom_is_refused() {
    let (_directory, _path, config) = config();
    let (config, told) = listening(config);
    let log = EventLog::builder().capacity(4).build().unwrap();
    let writer = DiskWriter::spawn(&log, config).unwrap();
    log.append(Any {
        version: 1,
        value: Bottomless,
    });
    let answer = writer.blocking_durable(Seq::new(1)).map(drop);
    assert_eq!(answer, Err(NotStored::Lost { seq: Seq::new(1) }));
    let told = told.lock().unwrap()[0].to_string();
    assert!(told.contains("at least 1025 levels deep"), "{told}");
}

#[test]
fn w15_what_is_longer_than_readers_take_is_refused() {
    let long = "x".repeat(64 << 20);
    let (answers, lines) = write(&[long, "short".to_owned()], Unfaithful::Refuse);
    assert!(answers[0].is_err() && answers[1].is_ok(), "{answers:?}");
    assert!(
        lines[0].len() < 200,
        "and has no form that anyone could read"
    );
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Nothing;

#[test]
fn w15_nothing_in_some_is_not_none() {
    is_faithful(&[None, Some(None), Some(Some(1))]);
    is_faithful(&[None, Some(())]);
    is_faithful(&[None, Some(Nothing)]);
    let (answers, _) = write(&[None, Some(None), Some(Some(1))], Unfaithful::Refuse);
    assert_eq!(answers.iter().filter(|answer| answer.is_err()).count(), 1);
}

/// JSON that an event brings along is read only to a depth too.
#[test]
fn w15_raw_values_are_looked_at() {
    let raw = |text: String| serde_json::value::RawValue::from_string(text).unwrap();
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    let values = [raw("[1,  2]".to_owned()), raw(deep)];
    let (answers, _) = write(&values, Unfaithful::Refuse);
    assert!(answers[0].is_ok() && answers[1].is_err(), "{answers:?}");
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
enum Tagged {
    Unit,
    Float { x: f64 },
    Map { map: BTreeMap<String, Option<f32>> },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(f64),
    Text(String),
    Floats(Vec<f64>),
    Tagged(Tagged),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "content")]
enum Adjacent {
    Pair(f64, Tagged),
    Fields { x: Option<f32>, inner: Untagged },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Flat {
    #[serde(flatten)]
    inner: Tagged,
    large: u64,
    small: i64,
    letter: char,
}

/// With `serde_json/arbitrary_precision`, which `.ci/features` turns on, a float in any of these was
/// acknowledged and could never be read back.
#[test]
fn w15_enums_and_maps_of_every_form() {
    let key = |n: u64| n.to_string();
    let sound = BTreeMap::from([(key(1), Some(0.1)), (key(2), None)]);
    let mut map = sound.clone();
    map.insert(key(3), Some(f32::NAN));
    let tagged = [
        Tagged::Unit,
        Tagged::Float { x: 1.0 },
        Tagged::Float {
            x: f64::NEG_INFINITY,
        },
        Tagged::Map { map },
        Tagged::Map { map: sound },
    ];
    is_faithful(&tagged);
    is_faithful(&tagged.clone().map(Untagged::Tagged));
    is_faithful(&[
        Untagged::Number(2.5),
        Untagged::Number(f64::NAN),
        Untagged::Text("null".to_owned()),
        Untagged::Floats(vec![0.1, -1e300, 5e-324]),
    ]);
    is_faithful(&[
        Adjacent::Pair(0.1, Tagged::Float { x: 1e21 }),
        Adjacent::Fields {
            x: Some(0.1),
            inner: Untagged::Number(-0.0),
        },
    ]);
    is_faithful(&tagged.map(|inner| Flat {
        inner,
        large: u64::MAX,
        small: i64::MIN,
        letter: '\u{2028}',
    }));
}
