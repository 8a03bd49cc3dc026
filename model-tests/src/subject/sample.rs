//! Events of every kind that a format has to carry.

use std::collections::BTreeMap;

use eventlog::Versioned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

/// A float that equals another one if it has the same bits: also NaN and the two zeros.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bits<T>(pub T);

impl PartialEq for Bits<f64> {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl PartialEq for Bits<f32> {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

/// An event for logs whose event type can be chosen: each kind of value that JSON has, in each form
/// that `serde` gives to enums. What JSON has no form for is in [`extreme`](Self::extreme).
///
/// ```
/// # use model_tests::{Sample, Versioned};
/// assert_eq!(Sample::new(7, 3).version(), 7);
/// assert!(Sample::extreme(7, 0).is_some() && Sample::extreme(7, 1_000).is_none());
/// ```
#[derive(Versioned, Clone, PartialEq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names say it")]
pub enum Sample {
    Float {
        version: u64,
        value: Bits<f64>,
    },
    Short {
        version: u64,
        value: Bits<f32>,
    },
    Whole {
        version: u64,
        least: i64,
        most: u64,
    },
    Text {
        version: u64,
        text: String,
    },
    Letter(#[version] u64, char, bool, ()),
    Perhaps {
        version: u64,
        some: Option<u8>,
        none: Option<String>,
    },
    Map {
        version: u64,
        map: BTreeMap<String, Vec<Option<i32>>>,
    },
    Numbers {
        version: u64,
        map: BTreeMap<u64, Bits<f64>>,
    },
    Any {
        version: u64,
        value: Value,
    },
    Deep {
        version: u64,
        nest: Nest,
    },
    Tagged {
        version: u64,
        inner: Tagged,
    },
    Untagged {
        version: u64,
        inner: Untagged,
    },
    Flat {
        version: u64,
        #[serde(flatten)]
        inner: Flat,
    },
    Bytes {
        version: u64,
        bytes: Vec<u8>,
    },
    Raw {
        version: u64,
        raw: Raw,
    },
    Twice {
        version: u64,
        value: Option<Option<u8>>,
    },
}

/// JSON as it is written, with its blanks and digits.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Raw(pub Box<RawValue>);

impl PartialEq for Raw {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

/// A value in a value in a value.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Nest {
    below: Vec<Nest>,
}

/// Told apart by a field.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Tagged {
    Point { x: Bits<f64>, y: Bits<f64> },
    Name { name: String },
}

/// Told apart by what it looks like.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Untagged {
    Point { x: Bits<f64>, y: Bits<f64> },
    List(Vec<u64>),
    Text(String),
}

/// Its fields stand among those of the event.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Flat {
    pub width: Bits<f64>,
    #[serde(flatten)]
    pub others: BTreeMap<String, Value>,
}

const FLOATS: [f64; 10] = [
    14.829_037_328_432_975,
    0.1 + 0.2,
    -0.0,
    5e-324,
    f64::MIN_POSITIVE,
    f64::MAX,
    f64::MIN,
    f64::EPSILON,
    1e21,
    -123_456_789.123_456_79,
];

impl Sample {
    /// An event that JSON can carry; `pick` chooses its kind and value.
    ///
    /// ```
    /// # use model_tests::Sample;
    /// let kinds = (0..100).map(|pick| Sample::new(7, pick));
    /// assert!(kinds.clone().any(|event| event != Sample::new(7, 0)));
    /// ```
    #[must_use]
    pub fn new(version: u64, pick: u32) -> Self {
        let (kind, turn) = (pick % 16, pick as usize / 16);
        let value = Bits(FLOATS[(pick as usize / 3) % FLOATS.len()] / f64::from(1 + pick / 200));
        let text = "\u{1f980} \"quoted\" \\ \u{0}\u{1b}\r\n\u{2028}\u{feff}".to_owned();
        match kind {
            0 => Self::Float { version, value },
            1 => Self::Short {
                version,
                value: Bits(value.0.clamp(-1e38, 1e38) as f32),
            },
            2 => Self::Whole {
                version,
                least: i64::MIN + i64::from(pick),
                most: u64::MAX - u64::from(pick),
            },
            3 => Self::Text { version, text },
            4 => Self::Letter(version, '\u{10ffff}', turn.is_multiple_of(2), ()),
            5 => Self::Perhaps {
                version,
                some: Some(turn as u8),
                none: None,
            },
            6 => Self::Map {
                version,
                map: [(text, vec![None, Some(-1)]), (String::new(), Vec::new())].into(),
            },
            7 => Self::Numbers {
                version,
                map: [(0, value), (u64::MAX, value)].into(),
            },
            8 => Self::Any {
                version,
                value: serde_json::json!({"null": null, "list": [1, -2, 3.5, "four", {}], "": value}),
            },
            9 => Self::Deep {
                version,
                nest: Nest::of(1 + turn % 50),
            },
            10 => Self::Tagged {
                version,
                inner: match turn % 2 {
                    0 => Tagged::Point {
                        x: value,
                        y: Bits(-0.0),
                    },
                    _ => Tagged::Name { name: text },
                },
            },
            11 => Self::Untagged {
                version,
                inner: match turn % 3 {
                    0 => Untagged::Point { x: value, y: value },
                    1 => Untagged::List(vec![0, u64::MAX]),
                    _ => Untagged::Text(text),
                },
            },
            12 => Self::Flat {
                version,
                inner: Flat {
                    width: value,
                    others: [("height".to_owned(), serde_json::json!([value]))].into(),
                },
            },
            13 => Self::Bytes {
                version,
                bytes: (0..=255).collect(),
            },
            14 => Self::Raw {
                version,
                raw: Raw(raw(turn)),
            },
            _ => Self::Text {
                version,
                text: text.repeat(1 + turn % 4 * 40),
            },
        }
    }

    /// An event that JSON cannot carry, or that readers refuse; `None` past the last of them.
    ///
    /// ```
    /// # use model_tests::Sample;
    /// assert!(Sample::extreme(7, 0).is_some());
    /// ```
    #[must_use]
    pub fn extreme(version: u64, pick: u32) -> Option<Self> {
        let float = |value| Self::Float {
            version,
            value: Bits(value),
        };
        Some(match pick {
            0 => float(f64::NAN),
            1 => float(f64::INFINITY),
            2 => float(f64::NEG_INFINITY),
            3 => Self::Short {
                version,
                value: Bits(f32::NAN),
            },
            4 => Self::Twice {
                version,
                value: Some(None),
            },
            5 => Self::Deep {
                version,
                nest: Nest::of(70),
            },
            6 => Self::Deep {
                version,
                nest: Nest::of(400),
            },
            7 => Self::Flat {
                version,
                inner: Flat {
                    width: Bits(f64::NAN),
                    others: BTreeMap::new(),
                },
            },
            8 => Self::Untagged {
                version,
                inner: Untagged::Point {
                    x: Bits(f64::INFINITY),
                    y: Bits(0.0),
                },
            },
            9 => Self::Text {
                version,
                text: "long ".repeat(400_000),
            },
            _ => return None,
        })
    }
}

/// Nothing but blanks and digits tells some of them apart.
fn raw(turn: usize) -> Box<RawValue> {
    let texts = [
        "1.0",
        "1.00",
        "{ \"a\" : [ 1, 2 ] }",
        "\"\\u0041\"",
        "-0",
        "1e2",
    ];
    let raw = RawValue::from_string(texts[turn % texts.len()].to_owned());
    raw.unwrap_or_else(|error| panic!("this is JSON: {error}"))
}

impl Nest {
    fn of(depth: usize) -> Self {
        let innermost = Self { below: Vec::new() };
        (1..depth).fold(innermost, |nest, _| Self { below: vec![nest] })
    }
}
