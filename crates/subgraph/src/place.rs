//! Places that people name.

use async_graphql::{InputObject, SimpleObject};
use serde::{Deserialize, Serialize};

use crate::directives::kept_as_parent;
use crate::input::Checker;

/// A place, as it is stored and shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase")]
#[graphql(shareable, directive = kept_as_parent::apply(true))]
pub struct Location {
    /// Degrees, -180 to 180.
    pub longitude: f64,
    /// Degrees, -90 to 90.
    pub latitude: f64,
    /// What people call it.
    pub name: String,
}

/// A place.
#[derive(Debug, InputObject)]
pub struct LocationInput {
    /// Degrees, -180 to 180.
    pub longitude: f64,
    /// Degrees, -90 to 90.
    pub latitude: f64,
    /// What people call it, up to 100 characters.
    pub name: Option<String>,
}

impl LocationInput {
    /// The judged place.
    pub fn judged(&self, check: &mut Checker) -> Option<Location> {
        check.at("location", |check| {
            let longitude = check.at("longitude", |check| check.number(self.longitude, -180.0, 180.0));
            let latitude = check.at("latitude", |check| check.number(self.latitude, -90.0, 90.0));
            let name = self.name.as_deref().unwrap_or_default();
            let name = check.at("name", |check| check.text(name, 0, 100));
            Some(Location {
                longitude: longitude?,
                latitude: latitude?,
                name: name?,
            })
        })
    }
}
