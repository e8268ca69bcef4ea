//! What operations may cost.

use serde::{Deserialize, Serialize};

use super::ByCaller;

/// What operations may cost, by the weights and list sizes of the schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DemandConfig {
    /// What is done with costs. Unset: the platform refuses what costs too much, a router that stands alone does nothing.
    pub mode: Option<DemandMode>,
    /// How long a list counts of which the schema says nothing.
    pub list_size: u32,
    /// What one operation may cost at most, as estimated before it runs. 0: no limit.
    pub max_cost: ByCaller<u64>,
    /// Whether answers say in `extensions.cost` what they cost.
    pub show: ShowCost,
}

/// What is done with costs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DemandMode {
    /// Nothing.
    #[default]
    Off,
    /// They are measured.
    Measure,
    /// They are measured, and what costs too much is refused before it runs.
    Enforce,
}

/// Whether answers say what they cost. An answer that does is put together anew instead of being sent as it was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShowCost {
    /// Never.
    Never,
    /// If the request has `"extensions": {"cost": true}`.
    #[default]
    Asked,
    /// Always.
    Always,
}

impl DemandConfig {
    /// What is done with costs.
    pub fn mode(&self) -> DemandMode {
        self.mode.unwrap_or_default()
    }
}

impl Default for DemandConfig {
    fn default() -> Self {
        Self {
            mode: None,
            list_size: 20,
            max_cost: ByCaller {
                anonymous: 10_000,
                people: 20_000,
                apps: 20_000,
                staff: 100_000,
            },
            show: ShowCost::Asked,
        }
    }
}
