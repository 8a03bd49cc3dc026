//! What JSON cannot carry: looked for while a line is written, and looked at once more only where
//! there was a sign of it.

use std::{fmt::Display, io};

use serde::{
    Serialize,
    ser::{self, Serializer},
};
use serde_json::ser::Formatter;

/// The longest line that readers take into memory unless told otherwise, in bytes.
pub(crate) const MAX_LINE_BYTES: usize = 64 * 1024 * 1024;

/// How deep arrays and objects may stand in each other for `serde_json` to read them.
const MAX_DEPTH: usize = 127;

/// How deep a value is followed that is not going to be written.
const BOTTOM: usize = 1024;

/// Writes compact JSON, and notes what may not be read back as it was.
#[derive(Default)]
pub(super) struct Watch {
    depth: usize,
    deepest: usize,
    bottom: Option<usize>,
    has_null: bool,
    has_raw: bool,
}

impl Watch {
    /// Stops at a depth that might be more than the thread's stack holds.
    pub(super) fn stopping_at_bottomless_ones() -> Self {
        Self {
            bottom: Some(BOTTOM),
            ..Self::default()
        }
    }

    /// Whether it has stopped.
    pub(super) fn has_stopped(&self) -> bool {
        self.bottom.is_some_and(|bottom| self.deepest > bottom)
    }

    /// Whether the event brought JSON along.
    pub(super) fn has_raw(&self) -> bool {
        self.has_raw
    }

    fn open(&mut self) -> io::Result<()> {
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        if self.has_stopped() {
            return Err(io::Error::other("too deep"));
        }
        Ok(())
    }

    /// Why `event`, whose line was written with this watch, would not be read back as it is;
    /// `None` if it would, as far as its form in JSON tells.
    pub(super) fn verdict(&self, event: &impl Serialize, line: &[u8]) -> Option<String> {
        if line.len() > MAX_LINE_BYTES {
            return Some(format!(
                "its line has {} bytes, and readers take {MAX_LINE_BYTES}",
                line.len()
            ));
        }
        if self.deepest > MAX_DEPTH {
            return Some(format!(
                "it nests {}{} levels deep, and JSON is read up to {MAX_DEPTH}",
                if self.has_stopped() { "at least " } else { "" },
                self.deepest
            ));
        }
        if self.has_raw
            && let Err(error) = serde_json::from_slice::<serde_json::Value>(line)
        {
            return Some(format!("the JSON that it brings cannot be read ({error})"));
        }
        let looked_at = self
            .has_null
            .then(|| event.serialize(Check { in_some: false }));
        looked_at?.err().map(|NoForm(reason)| reason)
    }
}

/// The default methods write compact JSON.
impl Formatter for &mut Watch {
    fn write_null<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.has_null = true;
        writer.write_all(b"null")
    }

    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open()?;
        writer.write_all(b"[")
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth -= 1;
        writer.write_all(b"]")
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open()?;
        writer.write_all(b"{")
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth -= 1;
        writer.write_all(b"}")
    }

    fn write_raw_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        self.has_raw = true;
        writer.write_all(fragment.as_bytes())
    }
}

/// A value that JSON has no form for, so that another one would be read back.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct NoForm(String);

impl ser::Error for NoForm {
    fn custom<T: Display>(text: T) -> Self {
        Self(text.to_string())
    }
}

/// Walks through a value, and stops at what JSON writes as `null` although it is something else.
#[derive(Clone, Copy)]
struct Check {
    /// Whether the value stands in a `Some`, where `null` would be read as `None`.
    in_some: bool,
}

/// The parts of a compound value, each checked on its own.
struct Parts;

const PART: Check = Check { in_some: false };

impl Check {
    fn null(self) -> Result<(), NoForm> {
        if self.in_some {
            let reason = "`Some` of nothing is written as `null`, which is read as `None`";
            return Err(NoForm(reason.to_owned()));
        }
        Ok(())
    }
}

/// Values that are what they are.
macro_rules! plain {
    ($($method:ident: $type:ty),*) => {$(
        fn $method(self, _: $type) -> Result<(), NoForm> {
            Ok(())
        }
    )*};
}

impl Serializer for Check {
    type Ok = ();
    type Error = NoForm;
    type SerializeSeq = Parts;
    type SerializeTuple = Parts;
    type SerializeTupleStruct = Parts;
    type SerializeTupleVariant = Parts;
    type SerializeMap = Parts;
    type SerializeStruct = Parts;
    type SerializeStructVariant = Parts;

    plain! {
        serialize_bool: bool, serialize_char: char, serialize_str: &str, serialize_bytes: &[u8],
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_i128: i128, serialize_u8: u8, serialize_u16: u16, serialize_u32: u32,
        serialize_u64: u64, serialize_u128: u128
    }

    fn serialize_f32(self, value: f32) -> Result<(), NoForm> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<(), NoForm> {
        if value.is_finite() {
            return Ok(());
        }
        Err(NoForm(format!("JSON has no {value}, and writes `null`")))
    }

    fn serialize_none(self) -> Result<(), NoForm> {
        self.null()
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<(), NoForm> {
        value.serialize(Check { in_some: true })
    }

    fn serialize_unit(self) -> Result<(), NoForm> {
        self.null()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), NoForm> {
        self.null()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
    ) -> Result<(), NoForm> {
        Ok(())
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), NoForm> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), NoForm> {
        value.serialize(PART)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Parts, NoForm> {
        Ok(Parts)
    }

    fn serialize_tuple(self, _: usize) -> Result<Parts, NoForm> {
        Ok(Parts)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Parts, NoForm> {
        Ok(Parts)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Parts, NoForm> {
        Ok(Parts)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Parts, NoForm> {
        Ok(Parts)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parts, NoForm> {
        Ok(Parts)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Parts, NoForm> {
        Ok(Parts)
    }
}

/// Compound values whose parts come one by one.
macro_rules! parts {
    ($($trait:ident::$method:ident),*) => {$(
        impl ser::$trait for Parts {
            type Ok = ();
            type Error = NoForm;

            fn $method<T: ?Sized + Serialize>(&mut self, part: &T) -> Result<(), NoForm> {
                part.serialize(PART)
            }

            fn end(self) -> Result<(), NoForm> {
                Ok(())
            }
        }
    )*};
}
parts!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

/// Compound values whose parts have names.
macro_rules! fields {
    ($($trait:ident),*) => {$(
        impl ser::$trait for Parts {
            type Ok = ();
            type Error = NoForm;

            fn serialize_field<T: ?Sized + Serialize>(
                &mut self,
                _: &'static str,
                part: &T,
            ) -> Result<(), NoForm> {
                part.serialize(PART)
            }

            fn end(self) -> Result<(), NoForm> {
                Ok(())
            }
        }
    )*};
}
fields!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for Parts {
    type Ok = ();
    type Error = NoForm;

    fn serialize_key<T: ?Sized + Serialize>(&mut self, _: &T) -> Result<(), NoForm> {
        Ok(())
    }

    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), NoForm> {
        value.serialize(PART)
    }

    fn end(self) -> Result<(), NoForm> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(event: &impl Serialize) -> Option<String> {
        let mut line = Vec::new();
        let mut watch = Watch::default();
        let mut serializer = serde_json::Serializer::with_formatter(&mut line, &mut watch);
        event.serialize(&mut serializer).unwrap();
        assert_eq!(line, serde_json::to_vec(event).unwrap(), "the same bytes");
        watch.verdict(event, &line)
    }

    #[test]
    fn what_json_has_a_form_for_is_faithful() {
        #[derive(Serialize)]
        struct Event<'a> {
            none: Option<u8>,
            unit: (),
            some: Option<&'a str>,
            list: Vec<Option<f64>>,
        }
        let event = Event {
            none: None,
            unit: (),
            some: Some("null"),
            list: vec![None, Some(-0.5)],
        };
        assert_eq!(verdict(&event), None);
    }

    #[test]
    fn what_becomes_null_and_was_not_is_found_wherever_it_stands() {
        let nan = [("x", vec![Some((1, f32::NAN))])];
        assert!(verdict(&nan).unwrap().contains("NaN"));
        let infinite = std::collections::BTreeMap::from([("k", f64::INFINITY)]);
        assert!(verdict(&infinite).unwrap().contains("inf"));
        assert!(verdict(&Some(None::<u8>)).unwrap().contains("`None`"));
        assert!(verdict(&Some(())).unwrap().contains("`None`"));
        assert_eq!(verdict(&Some([None::<u8>])), None, "a list is not null");
    }

    #[test]
    fn what_is_too_deep_or_too_long_to_be_read_is_found() {
        let nested = |depth| {
            (0..depth).fold(serde_json::Value::Bool(true), |inner, _| {
                serde_json::Value::Array(vec![inner])
            })
        };
        for (depth, is_faithful) in [(MAX_DEPTH, true), (MAX_DEPTH + 1, false)] {
            let value = nested(depth);
            assert_eq!(verdict(&value).is_none(), is_faithful, "{depth}");
            let text = value.to_string();
            let read = serde_json::from_str::<serde_json::Value>(&text);
            assert_eq!(read.is_ok(), is_faithful, "what is read back: {depth}");
        }
    }
}
