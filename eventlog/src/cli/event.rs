//! What a line says, for whoever knows nothing of the program that wrote it.

use std::borrow::Cow;
use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// How many fields are kept of an event. More are counted.
const MAX_FIELDS: usize = 64;

/// Fields in which programs keep it, the likeliest first.
const TYPES: [&str; 7] = ["type", "kind", "event", "tag", "op", "action", "t"];
const VERSIONS: [&str; 5] = ["version", "revision", "rev", "seq", "v"];
pub(crate) const TIMES: [&str; 4] = ["time", "timestamp", "ts", "at"];

/// What the fields are called, where it is not what they are usually called.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    pub(crate) type_field: Option<String>,
    pub(crate) version_field: Option<String>,
}

/// An event of any program.
#[derive(Debug)]
pub(crate) struct Event<'a> {
    /// Its type, if it has one: a field, or the only key of an object, or a text.
    pub(crate) kind: Option<Cow<'a, str>>,
    pub(crate) version: Option<u64>,
    /// What else it holds.
    pub(crate) fields: Vec<Field<'a>>,
    /// How many fields there are beyond those.
    pub(crate) more: usize,
}

pub(crate) type Field<'a> = (Cow<'a, str>, &'a RawValue);

impl<'a> Event<'a> {
    /// Reads a line.
    ///
    /// # Errors
    /// If it is no JSON.
    pub(crate) fn parse(line: &'a [u8], names: &Names) -> Result<Self, serde_json::Error> {
        let mut event = Self {
            kind: None,
            version: None,
            fields: Vec::new(),
            more: 0,
        };
        if !line.trim_ascii_start().starts_with(b"{") {
            event.take_bare(serde_json::from_slice(line)?);
            return Ok(event);
        }
        let object = serde_json::from_slice(line)?;
        let object = event.unwrap_tag(object, names);
        event.take_fields(object, names);
        Ok(event)
    }

    /// The value of a field, by its path: `user.name`.
    pub(crate) fn field(&self, path: &str) -> Option<&'a RawValue> {
        let (first, rest) = path
            .split_once('.')
            .map_or((path, None), |(a, b)| (a, Some(b)));
        let value = |name: &str| {
            let found = self.fields.iter().find(|(field, _)| field == name);
            found.map(|(_, value)| *value)
        };
        match rest {
            None => value(first),
            Some(rest) => value(path).or_else(|| {
                let inner = object(value(first)?)?;
                let inner = Self {
                    kind: None,
                    version: None,
                    fields: inner.fields,
                    more: 0,
                };
                inner.field(rest)
            }),
        }
    }

    /// What is no object: a text is a type, anything else a value.
    fn take_bare(&mut self, value: &'a RawValue) {
        if let Some(text) = text(value) {
            self.kind = Some(text);
            return;
        }
        self.version = number(value);
        if self.version.is_none() {
            self.fields.push(("".into(), value));
        }
    }

    /// `{"Started":{"pid":7}}` is of type `Started`.
    fn unwrap_tag(&mut self, outer: Fields<'a>, names: &Names) -> Fields<'a> {
        let is_plain = |name: &str| {
            VERSIONS.contains(&name)
                || names.version_field.as_deref() == Some(name)
                || TYPES.contains(&name)
                || TIMES.contains(&name)
                || names.type_field.as_deref() == Some(name)
        };
        match &outer.fields[..] {
            [(name, value)] if outer.more == 0 && !is_plain(name) => {
                self.kind = Some(name.clone());
                object(value).unwrap_or_else(|| Fields {
                    fields: vec![("".into(), *value)],
                    more: 0,
                })
            }
            _ => outer,
        }
    }

    fn take_fields(&mut self, object: Fields<'a>, names: &Names) {
        self.fields = object.fields;
        self.more = object.more;
        if self.kind.is_none() {
            self.kind = self.take(names.type_field.as_deref(), &TYPES, text);
        }
        self.version = self.take(names.version_field.as_deref(), &VERSIONS, number);
        if self.version.is_none() {
            self.version = self.inner_version(names);
        }
    }

    /// Takes the first of these fields that is what it should be out of the others.
    fn take<T>(
        &mut self,
        given: Option<&str>,
        usual: &[&str],
        read: impl Fn(&'a RawValue) -> Option<T>,
    ) -> Option<T> {
        let given = given.into_iter();
        let usual = usual.iter().copied().filter(|_| given.len() == 0);
        for name in given.clone().chain(usual) {
            let at = self.fields.iter().position(|(field, _)| field == name);
            if let Some(at) = at
                && let Some(value) = read(self.fields[at].1)
            {
                self.fields.remove(at);
                return Some(value);
            }
            if let Some(value) = self.field(name).and_then(&read) {
                return Some(value);
            }
        }
        None
    }

    /// `{"type":"Started","data":{"pid":7,"version":3}}`.
    fn inner_version(&self, names: &Names) -> Option<u64> {
        let name = names.version_field.as_deref().unwrap_or(VERSIONS[0]);
        let mut inner = self.fields.iter().filter_map(|(_, value)| object(value));
        inner.find_map(|inner| {
            let mut fields = inner.fields.iter();
            fields
                .find(|(field, _)| field == name)
                .and_then(|(_, value)| number(value))
        })
    }
}

/// The text of a JSON string.
pub(crate) fn text(value: &RawValue) -> Option<Cow<'_, str>> {
    let json = value.get();
    let inner = json.strip_prefix('"')?;
    if !inner.contains('\\') {
        return Some(inner.strip_suffix('"')?.into());
    }
    serde_json::from_str::<String>(json).ok().map(Into::into)
}

fn number(value: &RawValue) -> Option<u64> {
    // Numbers that JavaScript reads are written as texts.
    value.get().trim_matches('"').parse().ok()
}

/// The fields of an object, in their order.
struct Fields<'a> {
    fields: Vec<Field<'a>>,
    more: usize,
}

fn object(value: &RawValue) -> Option<Fields<'_>> {
    value
        .get()
        .starts_with('{')
        .then(|| serde_json::from_str(value.get()).ok())?
}

/// A key, without a copy where it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                let mut more = 0;
                while let Some(Key(name)) = map.next_key()? {
                    let value: &RawValue = map.next_value()?;
                    // What a line is, is kept wherever it stands.
                    let matters = TYPES.contains(&&*name) || VERSIONS.contains(&&*name);
                    if fields.len() < MAX_FIELDS || (matters && fields.len() < 2 * MAX_FIELDS) {
                        fields.push((name, value));
                    } else {
                        more += 1;
                    }
                }
                Ok(Fields { fields, more })
            }
        }
        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(line: &str) -> (Option<String>, Option<u64>, Vec<String>) {
        let event = Event::parse(line.as_bytes(), &Names::default()).unwrap();
        let fields = event.fields.iter();
        let fields = fields.map(|(name, value)| format!("{name}={}", value.get()));
        (
            event.kind.map(Cow::into_owned),
            event.version,
            fields.collect(),
        )
    }

    #[test]
    fn type_and_version_are_found_in_every_form_that_serde_writes() {
        let (kind, version) = (Some("Up".to_owned()), Some(7));
        for line in [
            r#"{"type":"Up","pid":1,"version":7}"#,
            r#"{"Up":{"pid":1,"version":7}}"#,
            r#" { "kind" : "Up" , "version" : "7", "pid":1 } "#,
            r#"{"pid":1,"\u0074ype":"\u0055p","rev":7}"#,
        ] {
            assert_eq!(
                shape(line),
                (kind.clone(), version, vec!["pid=1".into()]),
                "{line}"
            );
        }
        let adjacent = r#"{"type":"Up","data":{"version":7}}"#;
        assert_eq!(
            shape(adjacent),
            (kind.clone(), version, vec![r#"data={"version":7}"#.into()])
        );
        assert_eq!(shape(r#"{"version":7}"#), (None, version, vec![]));
        assert_eq!(shape(r#""Up""#), (kind.clone(), None, vec![]));
        assert_eq!(shape("7"), (None, version, vec![]));
        assert_eq!(
            shape(r#"{"Up":[1,2]}"#),
            (kind, None, vec!["=[1,2]".into()])
        );
        assert_eq!(shape("[1]"), (None, None, vec!["=[1]".into()]));
        assert_eq!(
            shape(r#"{"type":3,"version":-1}"#).0,
            None,
            "a type is a text"
        );
    }

    #[test]
    fn fields_have_other_names_where_one_says_so() {
        let names = Names {
            type_field: Some("what".into()),
            version_field: Some("meta.n".into()),
        };
        let line = br#"{"type":"x","what":"Up","meta":{"n":7}}"#;
        let event = Event::parse(line, &names).unwrap();
        assert_eq!(
            (event.kind.as_deref(), event.version),
            (Some("Up"), Some(7))
        );
        assert_eq!(event.field("meta.n").unwrap().get(), "7");
        assert!(event.field("meta.m").is_none());
    }

    #[test]
    fn a_line_of_endless_fields_takes_no_memory() {
        let many: Vec<_> = (0..1_000).map(|n| format!("\"f{n}\":{n}")).collect();
        let line = format!("{{{},\"version\":9,\"type\":\"Up\"}}", many.join(","));
        let event = Event::parse(line.as_bytes(), &Names::default()).unwrap();
        assert_eq!(
            (event.kind.as_deref(), event.fields.len()),
            (Some("Up"), MAX_FIELDS)
        );
        assert_eq!((event.version, event.more), (Some(9), 1_000 - MAX_FIELDS));
    }
}
