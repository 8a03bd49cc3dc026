//! How the log's own types look in `serde`'s formats.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    coverage::Coverage,
    cursor::{Cursor, Epoch},
    page::Page,
    replay::Replay,
};

/// A number as text, because a browser rounds numbers above 2⁵³. A plain number is read too.
pub(crate) mod text {
    use serde::{Deserialize, Deserializer, Serializer, de};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Number {
        Plain(u64),
        Text(String),
    }

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "the signature that serde calls"
    )]
    pub(crate) fn serialize<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        match Number::deserialize(deserializer)? {
            Number::Plain(number) => Ok(number),
            Number::Text(text) => text.parse().map_err(de::Error::custom),
        }
    }
}

/// As [`text`], for a number that may be missing.
pub(crate) mod opt_text {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Text(#[serde(with = "super::text")] u64);

    #[expect(clippy::ref_option, reason = "the signature that serde calls")]
    pub(crate) fn serialize<S: Serializer>(
        number: &Option<u64>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        number.map(Text).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<u64>, D::Error> {
        Ok(Option::<Text>::deserialize(deserializer)?.map(|text| text.0))
    }
}

/// Types whose printed form is their form in every format.
macro_rules! as_printed {
    ($($type:ty),*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    )*};
}
as_printed!(Cursor, Epoch);
#[cfg(feature = "disk")]
as_printed!(crate::disk::Position);

impl<E: Serialize> Serialize for Replay<E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Answer {
            events: Events(self),
            coverage: self.coverage(),
            newest: Newest::beside(self.coverage(), self.newest()),
            cursor: self.cursor(),
            has_more: None,
        }
        .serialize(serializer)
    }
}

impl<E: Serialize> Serialize for Page<E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Answer {
            events: Events(self.replay()),
            coverage: self.coverage(),
            newest: Newest::beside(self.coverage(), self.newest()),
            cursor: self.cursor(),
            has_more: Some(self.has_more()),
        }
        .serialize(serializer)
    }
}

#[derive(Serialize)]
struct Answer<'a, E: Serialize> {
    events: Events<'a, E>,
    #[serde(flatten)]
    coverage: Coverage,
    #[serde(skip_serializing_if = "Option::is_none")]
    newest: Option<Newest>,
    cursor: Cursor,
    #[serde(skip_serializing_if = "Option::is_none")]
    has_more: Option<bool>,
}

#[derive(Serialize)]
struct Newest(#[serde(with = "opt_text")] Option<u64>);

impl Newest {
    /// Not where the coverage has it under the same name: JSON would have it twice.
    fn beside(coverage: Coverage, newest: Option<u64>) -> Option<Self> {
        (!matches!(coverage, Coverage::Ahead { .. })).then_some(Self(newest))
    }
}

struct Events<'a, E>(&'a Replay<E>);

impl<E: Serialize> Serialize for Events<'_, E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serde_uses_the_printed_form_of_a_cursor() {
        let cursor = Cursor::new(Epoch::new(0xabc), 3, 9);
        let json = serde_json::to_string(&cursor).unwrap();
        assert_eq!(json, format!("\"{cursor}\""));
        assert_eq!(serde_json::from_str::<Cursor>(&json).unwrap(), cursor);
        assert!(serde_json::from_str::<Cursor>("\"nonsense\"").is_err());
        let epoch = serde_json::to_string(&cursor.epoch()).unwrap();
        assert_eq!(
            serde_json::from_str::<Epoch>(&epoch).unwrap(),
            cursor.epoch()
        );
    }

    #[test]
    fn coverage_has_its_name_beside_its_fields() {
        let truncated = Coverage::Truncated {
            missed_through: 4100,
            missed: Some(17),
        };
        let json = r#"{"coverage":"truncated","missed_through":"4100","missed":"17"}"#;
        assert_eq!(serde_json::to_string(&truncated).unwrap(), json);
        for same in [
            json,
            r#"{"coverage":"truncated","missed_through":4100,"missed":17,"later":1}"#,
        ] {
            assert_eq!(serde_json::from_str::<Coverage>(same).unwrap(), truncated);
        }
        let unknown = Coverage::Truncated {
            missed_through: u64::MAX,
            missed: None,
        };
        for coverage in [
            unknown,
            Coverage::Complete,
            Coverage::Foreign,
            Coverage::Ahead { newest: 3 },
        ] {
            let json = serde_json::to_string(&coverage).unwrap();
            assert_eq!(
                serde_json::from_str::<Coverage>(&json).unwrap(),
                coverage,
                "{json}"
            );
        }
    }

    /// Of one that was ahead the newest version was told twice, under one name.
    #[test]
    fn no_name_is_there_twice_in_a_replay() {
        let log = crate::log::EventLog::<Tick>::new(None);
        log.append(Tick(3));
        let json = |since: u64| serde_json::to_string(&log.replay(since)).unwrap();
        let cursor = log.cursor();
        let ahead = format!(
            "{{\"events\":[],\"coverage\":\"ahead\",\"newest\":\"3\",\"cursor\":\"{cursor}\"}}"
        );
        assert_eq!(json(9), ahead);
        assert_eq!(json(3), ahead.replace("ahead", "complete"));
        let empty = crate::log::EventLog::<Tick>::new(None);
        let empty = serde_json::to_string(&empty.replay(0)).unwrap();
        assert!(empty.contains("\"newest\":null"), "{empty}");
    }

    #[derive(Serialize)]
    struct Tick(u64);

    impl crate::versioned::Versioned for Tick {
        fn version(&self) -> u64 {
            self.0
        }
    }

    #[test]
    fn a_coverage_of_a_later_version_is_never_complete() {
        let later = r#"{"coverage":"complete_but","missing":"3"}"#;
        assert_eq!(
            serde_json::from_str::<Coverage>(later).unwrap(),
            Coverage::Foreign
        );
    }
}
