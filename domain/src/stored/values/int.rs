//! Values that are whole numbers in documents.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::unless;
use crate::{event::EventPosition, lifecycle::Version, tax::Priority, tenancy::PerSecond, time::Timestamp};

/// A value that is a whole number in documents.
pub(in crate::stored) trait AsInt: Copy {
    fn int(self) -> i64;

    fn of_int(number: i64) -> Option<Self>;
}

/// A whole number in a document.
pub(in crate::stored) struct Int<T>(pub(in crate::stored) T);

impl<T: AsInt> Serialize for Int<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0.int())
    }
}

impl<'de, T: AsInt> Deserialize<'de> for Int<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        T::of_int(number).map(Self).ok_or_else(|| de::Error::custom("not a number of this member"))
    }
}

impl AsInt for Timestamp {
    fn int(self) -> i64 {
        self.micros()
    }

    fn of_int(number: i64) -> Option<Self> {
        Self::from_micros(number).ok()
    }
}

impl AsInt for Version {
    fn int(self) -> i64 {
        // No aggregate has 2^63 changes.
        i64::try_from(self.get()).unwrap_or(i64::MAX)
    }

    fn of_int(number: i64) -> Option<Self> {
        Self::from_stored(number)
    }
}

impl AsInt for Priority {
    fn int(self) -> i64 {
        self.get().into()
    }

    fn of_int(number: i64) -> Option<Self> {
        Self::new(number).ok()
    }
}

impl AsInt for PerSecond {
    fn int(self) -> i64 {
        self.get().into()
    }

    fn of_int(number: i64) -> Option<Self> {
        Self::new(number).ok()
    }
}

impl AsInt for EventPosition {
    fn int(self) -> i64 {
        self.stored()
    }

    fn of_int(number: i64) -> Option<Self> {
        Self::from_stored(number)
    }
}

/// The number, or `None` if it is the default that an absent member stands for.
pub(in crate::stored) fn int_unless<T: AsInt + PartialEq>(default: T, value: T) -> Option<Int<T>> {
    unless(&default, value).map(Int)
}
