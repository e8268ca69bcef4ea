//! Why the demo's people do what they do: the hidden causes behind their check-ins, so that whoever analyses the
//! data can be judged by what it really came from.
//!
//! Whether somebody does a habit on a day on which it is asked for is drawn with the probability
//! σ(x) = 1 / (1 + e⁻ˣ), where x is the sum of:
//!
//! | cause | term | of whom |
//! |---|---|---|
//! | discipline | normal, mean 1.1, deviation 0.8 | the person |
//! | ease | normal, mean 0.3, deviation 0.6 | the habit |
//! | weekday | normal, deviation 0.6, on Saturday and Sunday; +0.2 on Monday, the day of good intentions | the habit |
//! | season | a · cos(2π (day of the year − peak) / 365.25), a uniform in 0…0.8 | the person |
//! | energy | eₜ = 0.8 eₜ₋₁ + normal, deviation 0.3: a good week follows a good week | the person |
//! | momentum | +0.35 ln(1 + days in a row that the habit was done), at most 1.4 | the habit |
//! | slip | −0.7 on the first asked day after a miss: one miss invites the next | the habit |
//! | fatigue | −0.15 for each thing done that day beyond the second, −0.4 × the decayed load of the last days above 4 a day | the person |
//! | company | +0.9 where the habit it is linked to was done that day, −0.3 where it was not | the habit |
//! | waning | −3 × the part of the record behind the day on which interest was lost; a fifth lose it | the person |
//!
//! The hour, from the beginning of the person's day on, is the habit's own (normal, deviation 2, around the person's:
//! early 7.5 or late 20, deviation 1), an hour later at weekends, and half an hour later for each unit of energy that
//! is lacking. Moods are 3 + energy + 0.4 where the goal was reached − 0.3 late
//! at night, rounded, 1 to 5. Amounts are the goal times a log-normal of deviation 0.25, more with energy, so that
//! some days are partial. What is to be kept below a value is exceeded where σ(x) says that the person fails.
//!
//! Nine in a thousand asked days are skipped; a miss is made up within three days by one in eight, within the
//! quota; one habit in six has a pause of one to three weeks, one person in five a holiday from everything; one
//! check-in in 150 is taken back; one habit in five buys a freeze.

use rand::RngExt as _;
use rand::rngs::StdRng;

/// What is hidden of a person.
#[derive(Debug, Clone)]
pub(super) struct Temperament {
    /// How much the person does what they mean to.
    pub(super) discipline: f64,
    /// The hour around which the person's habits lie.
    pub(super) hour: f64,
    season: f64,
    peak: f64,
    /// The part of the record after which interest wanes.
    loses_interest: Option<f64>,
}

/// What is hidden of a habit.
#[derive(Debug, Clone)]
pub(super) struct Bent {
    ease: f64,
    weekend: f64,
    /// When the habit is done, in hours after midnight.
    pub(super) hour: f64,
}

/// How a person is on a day.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Condition {
    /// The slow swing from good to bad.
    pub(super) energy: f64,
    /// Things done on the last days, decayed by a third a day.
    load: f64,
    /// Things done today.
    pub(super) done_today: u32,
}

/// How a habit stands on a day.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Standing {
    /// Days in a row that it was done.
    pub(super) run: u32,
    /// Whether it was missed on the last day it was asked for.
    pub(super) missed: bool,
}

/// A day as far as it decides anything.
#[derive(Debug, Clone, Copy)]
pub(super) struct When {
    /// ISO weekday.
    pub(super) weekday: i8,
    /// Of the year, from 1.
    pub(super) day_of_year: i16,
    /// The part of the person's record that lies before it.
    pub(super) part: f64,
}

impl When {
    /// Whether it is Saturday or Sunday.
    pub(super) fn is_weekend(&self) -> bool {
        self.weekday >= 6
    }
}

impl Temperament {
    /// Somebody.
    pub(super) fn draw(random: &mut StdRng) -> Self {
        let early = random.random_bool(0.55);
        Self {
            discipline: normal(random, 1.1, 0.8),
            hour: if early {
                normal(random, 7.5, 1.0)
            } else {
                normal(random, 20.0, 1.0)
            },
            season: random.random_range(0.0..0.8),
            peak: random.random_range(0.0..365.0),
            loses_interest: random.random_bool(0.2).then(|| random.random_range(0.2..0.9)),
        }
    }
}

impl Bent {
    /// A habit of somebody.
    pub(super) fn draw(random: &mut StdRng, person: &Temperament) -> Self {
        Self {
            ease: normal(random, 0.3, 0.6),
            weekend: normal(random, 0.0, 0.6),
            hour: normal(random, person.hour, 2.0).clamp(5.5, 23.0),
        }
    }

    /// How probable it is that the habit is done. `company` is whether the habit it is linked to was done.
    pub(super) fn probability(
        &self,
        person: &Temperament,
        condition: &Condition,
        standing: Standing,
        when: When,
        company: Option<bool>,
    ) -> f64 {
        let weekday = match when.weekday {
            1 => 0.2,
            6 | 7 => self.weekend,
            _ => 0.0,
        };
        let turn = std::f64::consts::TAU * (f64::from(when.day_of_year) - person.peak) / 365.25;
        let momentum = (0.35 * f64::from(standing.run).ln_1p()).min(1.4);
        let slip = if standing.missed { -0.7 } else { 0.0 };
        let fatigue =
            0.15 * f64::from(condition.done_today.saturating_sub(2)) + 0.4 * (condition.load - 4.0).max(0.0);
        let company = match company {
            None => 0.0,
            Some(true) => 0.9,
            Some(false) => -0.3,
        };
        let waning = person
            .loses_interest
            .map_or(0.0, |from| 3.0 * ((when.part - from) / (1.0 - from)).max(0.0));
        let sum = person.discipline
            + self.ease
            + weekday
            + person.season * turn.cos()
            + condition.energy
            + momentum
            + slip
            - fatigue
            + company
            - waning;
        1.0 / (1.0 + (-sum).exp())
    }
}

impl Condition {
    /// The next day.
    pub(super) fn sleep(&mut self, random: &mut StdRng) {
        self.energy = 0.8 * self.energy + normal(random, 0.0, 0.3);
        self.load = self.load * (2.0 / 3.0) + f64::from(self.done_today) / 3.0;
        self.done_today = 0;
    }

    /// How one feels, 1 to 5.
    pub(super) fn mood(&self, random: &mut StdRng, reached: bool, hour: f64) -> i32 {
        let late = if hour >= 22.5 { -0.3 } else { 0.0 };
        let mood = 3.0 + self.energy + if reached { 0.4 } else { 0.0 } + late + normal(random, 0.0, 0.6);
        mood.round().clamp(1.0, 5.0) as i32
    }
}

/// A normally distributed number, by Box and Muller.
pub(super) fn normal(random: &mut StdRng, mean: f64, deviation: f64) -> f64 {
    let radius = (-2.0 * (1.0 - random.random::<f64>()).ln()).sqrt();
    mean + deviation * radius * (std::f64::consts::TAU * random.random::<f64>()).cos()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    #[test]
    fn a_streak_carries_and_a_slip_drags() {
        let mut random = StdRng::seed_from_u64(1);
        let person = Temperament::draw(&mut random);
        let habit = Bent::draw(&mut random, &person);
        let when = When {
            weekday: 3,
            day_of_year: 100,
            part: 0.1,
        };
        let chance = |run, missed| {
            habit.probability(
                &person,
                &Condition::default(),
                Standing { run, missed },
                when,
                None,
            )
        };
        assert!(chance(10, false) > chance(1, false));
        assert!(chance(0, true) < chance(0, false));
    }
}
