//! Quantities as whole thousandths, so that ten times 0.1 is 1 and the order of adding does not matter.

use std::iter::Sum;
use std::ops::{Add, Sub};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A quantity that is not negative, in whole thousandths of its unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(i64);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest that may be entered at once: a thousand million.
    pub const MAX_ENTERED: Self = Self(1_000_000_000_000);

    /// The amount nearest to `value`; none if it is negative, not finite or over [`Self::MAX_ENTERED`].
    pub fn new(value: f64) -> Option<Self> {
        let thousandths = (value * 1000.0).round();
        // Not a number fails both comparisons.
        (value >= 0.0 && thousandths <= Self::MAX_ENTERED.0 as f64).then_some(Self(thousandths as i64))
    }

    /// A whole number of units.
    pub const fn whole(units: u32) -> Self {
        Self(units as i64 * 1000)
    }

    /// In its unit.
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// In thousandths of its unit.
    pub const fn thousandths(self) -> i64 {
        self.0
    }

    pub(crate) const fn from_thousandths(thousandths: i64) -> Option<Self> {
        if thousandths >= 0 {
            Some(Self(thousandths))
        } else {
            None
        }
    }

    pub(crate) const fn times(self, factor: i64) -> Self {
        Self(self.0.saturating_mul(factor))
    }
}

impl Add for Amount {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Amount {
    type Output = Self;

    /// Nothing, where the other is larger.
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0).max(0))
    }
}

impl Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 % 1000 == 0 {
            serializer.serialize_i64(self.0 / 1000)
        } else {
            serializer.serialize_f64(self.to_f64())
        }
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = f64::deserialize(deserializer)?;
        let thousandths = (value * 1000.0).round();
        // A sum may be larger than what can be entered at once.
        if value >= 0.0 && thousandths < 9e18 {
            Ok(Self(thousandths as i64))
        } else {
            Err(serde::de::Error::custom("an amount is finite and not negative"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_tenths_are_one() {
        let tenth = Amount::new(0.1).unwrap();
        assert_eq!((0..10).map(|_| tenth).sum::<Amount>(), Amount::whole(1));
    }

    #[test]
    fn impossible_amounts_are_refused() {
        for value in [-0.001, f64::NAN, f64::INFINITY, 1e9 + 1.0] {
            assert_eq!(Amount::new(value), None, "{value}");
        }
        assert_eq!(Amount::new(1e9), Some(Amount::MAX_ENTERED));
    }

    #[test]
    fn an_amount_is_a_plain_number_outside() {
        assert_eq!(serde_json::to_string(&Amount::whole(30)).unwrap(), "30");
        assert_eq!(
            serde_json::to_string(&Amount::new(1.25).unwrap()).unwrap(),
            "1.25"
        );
        assert_eq!(serde_json::from_str::<Amount>("30.0").unwrap(), Amount::whole(30));
        assert!(serde_json::from_str::<Amount>("-1").is_err());
    }
}
