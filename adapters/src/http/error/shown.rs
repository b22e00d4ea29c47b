//! An error as JSON: `{"code", "message", "http_status_code", "details"?}`.

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{ApiError, Detail};

impl Serialize for ApiError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Details<'a>(&'a ApiError);
        impl Serialize for Details<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(None)?;
                for detail in &self.0.details {
                    map.serialize_entry(&detail.path, detail)?;
                }
                if let Some((name, value)) = self.0.fact.as_deref() {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("code", self.code)?;
        map.serialize_entry("message", &self.message)?;
        map.serialize_entry("http_status_code", &self.status.code)?;
        if !self.details.is_empty() || self.fact.is_some() {
            map.serialize_entry("details", &Details(self))?;
        }
        map.end()
    }
}

impl Serialize for Detail {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("message", &self.message)?;
        if let Some(rule) = self.rule {
            map.serialize_entry("rule", rule)?;
        }
        if let Some(id) = &self.existing_id {
            map.serialize_entry("existing_id", id)?;
        }
        if let Some(version) = self.current_version {
            map.serialize_entry("current_version", &version)?;
        }
        map.end()
    }
}
