//! The number beside the payload: a struct of two fields.

use std::marker::PhantomData;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Beside, Numbered};

#[derive(Serialize, Deserialize)]
#[serde(rename = "Numbered")]
struct Pair<T> {
    version: u64,
    payload: T,
}

impl<T: Serialize> Serialize for Numbered<T, Beside> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Pair {
            version: self.version,
            payload: &self.payload,
        }
        .serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Numbered<T, Beside> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Pair { version, payload } = Pair::deserialize(deserializer)?;
        Ok(Self {
            version,
            payload,
            layout: PhantomData,
        })
    }
}
