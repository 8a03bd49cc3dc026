//! The number among the fields of the payload.
//!
//! serde's own flattening writes the fields, through a serializer that refuses a second `version`.

use std::{
    fmt::{self, Display, Write},
    marker::PhantomData,
};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    ser::{Error, Impossible, SerializeMap},
};

use super::{Inside, Numbered, rest};

/// The key of the number.
pub(super) const KEY: &str = "version";

#[derive(Serialize)]
struct Fields<'a, T> {
    version: u64,
    #[serde(flatten)]
    payload: &'a T,
}

impl<T: Serialize> Serialize for Numbered<T, Inside> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Fields {
            version: self.version,
            payload: &self.payload,
        }
        .serialize(OneVersion(serializer))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Numbered<T, Inside> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (version, payload) = deserializer.deserialize_map(rest::Fields(PhantomData))?;
        Ok(Self::new(version, payload))
    }
}

/// Passes a map on, as long as only its first key is that of the number.
struct OneVersion<S>(S);

/// The entries of that map.
struct Entries<M> {
    map: M,
    has_number: bool,
}

impl<M: SerializeMap> Entries<M> {
    fn check<K: ?Sized + Serialize>(&mut self, key: &K) -> Result<(), M::Error> {
        if self.has_number && is_number(key) {
            return Err(M::Error::custom(
                "the payload has a field `version` of its own; keep the number beside it, in a \
                 `Numbered<T>`",
            ));
        }
        self.has_number = true;
        Ok(())
    }
}

impl<M: SerializeMap> SerializeMap for Entries<M> {
    type Ok = M::Ok;
    type Error = M::Error;

    fn serialize_key<K: ?Sized + Serialize>(&mut self, key: &K) -> Result<(), M::Error> {
        self.check(key)?;
        self.map.serialize_key(key)
    }

    fn serialize_value<V: ?Sized + Serialize>(&mut self, value: &V) -> Result<(), M::Error> {
        self.map.serialize_value(value)
    }

    fn serialize_entry<K: ?Sized + Serialize, V: ?Sized + Serialize>(
        &mut self,
        key: &K,
        value: &V,
    ) -> Result<(), M::Error> {
        self.check(key)?;
        self.map.serialize_entry(key, value)
    }

    fn end(self) -> Result<M::Ok, M::Error> {
        self.map.end()
    }
}

/// Whether a key, in whatever type, is the text that the number has.
fn is_number<K: ?Sized + Serialize>(key: &K) -> bool {
    struct Shown<'a, K: ?Sized>(&'a K);
    impl<K: ?Sized + Serialize> Display for Shown<'_, K> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.serialize(f)
        }
    }
    /// What is left of the key that it is compared with.
    struct Left(&'static str);
    impl Write for Left {
        fn write_str(&mut self, part: &str) -> fmt::Result {
            self.0 = self.0.strip_prefix(part).ok_or(fmt::Error)?;
            Ok(())
        }
    }
    let mut left = Left(KEY);
    write!(left, "{}", Shown(key)).is_ok() && left.0.is_empty()
}

/// What a struct with a flattened field never is.
macro_rules! only_a_map {
    ($($method:ident($($argument:ty),*) $(-> $parts:ident)?;)*) => {$(
        fn $method(self, $(_: $argument),*) -> Result<only_a_map!(@ $($parts)?), S::Error> {
            Err(S::Error::custom("a struct with a flattened field is a map"))
        }
    )*};
    (@) => { S::Ok };
    (@ $parts:ident) => { Self::$parts };
}

impl<S: Serializer> Serializer for OneVersion<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeMap = Entries<S::SerializeMap>;
    type SerializeSeq = Impossible<S::Ok, S::Error>;
    type SerializeTuple = Impossible<S::Ok, S::Error>;
    type SerializeTupleStruct = Impossible<S::Ok, S::Error>;
    type SerializeTupleVariant = Impossible<S::Ok, S::Error>;
    type SerializeStruct = Impossible<S::Ok, S::Error>;
    type SerializeStructVariant = Impossible<S::Ok, S::Error>;

    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        Ok(Entries {
            map: self.0.serialize_map(len)?,
            has_number: false,
        })
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<S::Ok, S::Error> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        value.serialize(self)
    }

    only_a_map! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_f32(f32);
        serialize_f64(f64);
        serialize_char(char);
        serialize_str(&str);
        serialize_bytes(&[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(&'static str);
        serialize_unit_variant(&'static str, u32, &'static str);
        serialize_seq(Option<usize>) -> SerializeSeq;
        serialize_tuple(usize) -> SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> SerializeTupleVariant;
        serialize_struct(&'static str, usize) -> SerializeStruct;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> SerializeStructVariant;
    }
}
