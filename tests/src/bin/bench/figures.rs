//! Figures with their limits.

/// On which side of its limit a figure is to be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Limit {
    /// Not above.
    AtMost(f64),
    /// Not below.
    AtLeast(f64),
    /// For information.
    None,
}

/// Something that was measured.
#[derive(Debug)]
pub(crate) struct Figure {
    what: String,
    unit: &'static str,
    samples: Vec<f64>,
    limit: Limit,
}

impl Figure {
    /// A figure of some samples, at least one.
    pub(crate) fn new(
        what: impl Into<String>,
        unit: &'static str,
        mut samples: Vec<f64>,
        limit: Limit,
    ) -> Self {
        samples.sort_by(f64::total_cmp);
        Self {
            what: what.into(),
            unit,
            samples,
            limit,
        }
    }

    /// The same with where it was measured.
    pub(crate) fn on(mut self, place: &str) -> Self {
        self.what = format!("{place}: {}", self.what);
        self
    }

    /// The median.
    pub(crate) fn median(&self) -> f64 {
        self.samples
            .get(self.samples.len() / 2)
            .copied()
            .unwrap_or(f64::NAN)
    }

    /// Whether the median keeps the limit.
    pub(crate) fn is_ok(&self) -> bool {
        match self.limit {
            Limit::AtMost(limit) => self.median() <= limit,
            Limit::AtLeast(limit) => self.median() >= limit,
            Limit::None => true,
        }
    }

    fn row(&self) -> [String; 5] {
        let number = |number: f64| format!("{number:.2}{}", self.unit);
        let range = match (self.samples.first(), self.samples.last()) {
            (Some(least), Some(most)) => format!("{}–{}", number(*least), number(*most)),
            _ => String::new(),
        };
        let (limit, judged) = match self.limit {
            Limit::AtMost(limit) => (
                format!("≤ {}", number(limit)),
                if self.is_ok() { "ok" } else { "MISSED" },
            ),
            Limit::AtLeast(limit) => (
                format!("≥ {}", number(limit)),
                if self.is_ok() { "ok" } else { "MISSED" },
            ),
            Limit::None => (String::new(), ""),
        };
        [
            self.what.clone(),
            number(self.median()),
            range,
            limit,
            judged.to_owned(),
        ]
    }
}

/// Prints figures as a table.
pub(crate) fn print(figures: &[Figure]) {
    let head = ["figure", "measured", "min–max", "limit", "ok"].map(str::to_owned);
    let rows: Vec<[String; 5]> = std::iter::once(head)
        .chain(figures.iter().map(Figure::row))
        .collect();
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths = [0, 1, 2, 3, 4].map(width);
    for row in &rows {
        let cells = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:<width$}"));
        println!("| {} |", cells.collect::<Vec<_>>().join(" | "));
    }
}
