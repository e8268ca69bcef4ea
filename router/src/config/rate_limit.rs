//! How much each caller may ask for in a time.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::ByCaller;

/// How much each caller may ask for in a time, in units of cost: a token bucket for each app, person or address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RateLimitConfig {
    /// Whether there are limits. Unset: the platform has them, a router that stands alone has none.
    pub enabled: Option<bool>,
    /// How much each may ask for.
    pub allowance: ByCaller<Allowance>,
    /// What a request costs that is refused before it runs, credentials that are not good included.
    pub refusal_cost: u64,
    /// What it costs to have a document prepared that is not ready yet.
    pub preparation_cost: u64,
    /// Addresses and networks of the proxies that may say for whom they ask.
    pub trusted_proxies: Vec<Network>,
    /// In which header they say so.
    pub forwarded_header: ForwardedHeader,
}

/// A token bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawAllowance")]
pub struct Allowance {
    /// What a full bucket holds: as much may be asked for at once. 0: no limit.
    pub capacity: u64,
    /// What comes back each minute.
    pub per_minute: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAllowance {
    capacity: u64,
    per_minute: u64,
}

/// In which header proxies say for whom they ask. Only one is believed: a proxy that writes one passes the other on as the
/// client wrote it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// An address, or a network such as `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network(IpNet);

impl RateLimitConfig {
    /// Whether there are limits.
    pub fn is_enabled(&self) -> bool {
        self.enabled.unwrap_or_default()
    }
}

impl Network {
    /// Whether the address lies in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }
}

impl TryFrom<RawAllowance> for Allowance {
    type Error = &'static str;

    fn try_from(raw: RawAllowance) -> Result<Self, Self::Error> {
        if raw.capacity > 0 && raw.per_minute == 0 {
            return Err("`per_minute` must be above 0, or `capacity` 0 for no limit");
        }
        Ok(Self {
            capacity: raw.capacity,
            per_minute: raw.per_minute,
        })
    }
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let network = text
            .parse()
            .or_else(|_| text.parse().map(|address: IpAddr| address.into()));
        let network: IpNet = network
            .map_err(|_| format!("`{text}` in `trusted_proxies` is neither an address nor a network"))?;
        Ok(Self(network))
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.0.to_string()
    }
}

impl Default for RateLimitConfig {
    fn default() -> Self {
        let allowance = |thousands: u64| Allowance {
            capacity: thousands * 1_000,
            per_minute: thousands * 1_000,
        };
        Self {
            enabled: None,
            allowance: ByCaller {
                anonymous: allowance(50),
                people: allowance(100),
                apps: allowance(50),
                staff: allowance(500),
            },
            refusal_cost: 10,
            preparation_cost: 100,
            trusted_proxies: Vec::new(),
            forwarded_header: ForwardedHeader::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_that_never_fills_again_is_refused() {
        let read = |text: &str| serde_json::from_str::<Allowance>(text).map_err(|error| error.to_string());
        assert!(read(r#"{"capacity": 5, "per_minute": 0}"#).is_err_and(|error| error.contains("per_minute")));
        assert!(read(r#"{"capacity": 0, "per_minute": 0}"#).is_ok());
        assert!(read(r#"{"capacity": 5, "per_minute": 1, "per_hour": 1}"#).is_err());
    }

    #[test]
    fn proxies_are_addresses_or_networks() {
        let network = |text: &str| Network::try_from(text.to_owned());
        let within = |text: &str, address: &str| {
            network(text).is_ok_and(|network| address.parse().is_ok_and(|address| network.contains(address)))
        };
        assert!(within("10.0.0.0/8", "10.1.2.3"));
        assert!(!within("10.0.0.0/8", "11.1.2.3"));
        assert!(within("::1", "::1"));
        assert!(network("everybody").is_err_and(|error| error.contains("trusted_proxies")));
    }
}
