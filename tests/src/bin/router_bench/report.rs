//! The table.

use crate::load::Outcome;

/// What one contestant did in one case.
pub(crate) struct Row {
    pub(crate) case: &'static str,
    pub(crate) contestant: &'static str,
    pub(crate) bytes: usize,
    pub(crate) rounds: Vec<Round>,
    pub(crate) peak_megabytes: f64,
}

/// One round of it.
pub(crate) struct Round {
    per_second: f64,
    latencies: [f64; 3],
    cpu_per_thousand: f64,
}

const HEAD: [&str; 9] = [
    "case",
    "who",
    "answer, bytes",
    "requests/s",
    "p50 ms",
    "p99 ms",
    "p99.9 ms",
    "CPU s per 1,000 (min–max)",
    "peak MB",
];

impl Round {
    /// What the load found, with the seconds of CPU that the contestant took for it.
    pub(crate) fn new(outcome: &Outcome, cpu_seconds: f64) -> Self {
        let requests = outcome.requests.max(1) as f64;
        Self {
            per_second: requests / outcome.seconds,
            latencies: [0.5, 0.99, 0.999].map(|share| percentile(&outcome.latencies, share)),
            cpu_per_thousand: cpu_seconds / requests * 1_000.0,
        }
    }
}

impl Row {
    /// The median seconds of CPU for a thousand requests.
    pub(crate) fn cpu_per_thousand(&self) -> f64 {
        median(self.rounds.iter().map(|round| round.cpu_per_thousand)).1
    }

    fn cells(&self) -> [String; 9] {
        let rounds = || self.rounds.iter();
        let (least, cpu, most) = median(rounds().map(|round| round.cpu_per_thousand));
        let latency = |which: usize| format!("{:.2}", median(rounds().map(|round| round.latencies[which])).1);
        [
            self.case.to_owned(),
            self.contestant.to_owned(),
            self.bytes.to_string(),
            format!("{:.0}", median(rounds().map(|round| round.per_second)).1),
            latency(0),
            latency(1),
            latency(2),
            format!("{cpu:.3} ({least:.3}–{most:.3})"),
            format!("{:.1}", self.peak_megabytes),
        ]
    }
}

/// Prints rows as a table.
pub(crate) fn print(rows: &[Row]) {
    let lines: Vec<[String; 9]> = std::iter::once(HEAD.map(str::to_owned))
        .chain(rows.iter().map(Row::cells))
        .collect();
    for (number, line) in lines.iter().enumerate() {
        let cells = line.iter().enumerate().map(|(column, cell)| {
            let width = lines
                .iter()
                .map(|line| line[column].chars().count())
                .max()
                .unwrap_or(0);
            format!("{cell:<width$}")
        });
        println!("| {} |", cells.collect::<Vec<_>>().join(" | "));
        if number == 0 {
            println!("|{}", "---|".repeat(HEAD.len()));
        }
    }
}

/// Milliseconds within which that share of the answers was there; exact, since all are known.
fn percentile(sorted: &[u32], share: f64) -> f64 {
    let position = (sorted.len() as f64 * share).ceil() as usize;
    let found = sorted.get(position.saturating_sub(1).min(sorted.len().saturating_sub(1)));
    found.map_or(f64::NAN, |micros| f64::from(*micros) / 1_000.0)
}

/// The least, the median and the most.
fn median(values: impl Iterator<Item = f64>) -> (f64, f64, f64) {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let at = |position: usize| values.get(position).copied().unwrap_or(f64::NAN);
    (at(0), at(values.len() / 2), at(values.len().saturating_sub(1)))
}
