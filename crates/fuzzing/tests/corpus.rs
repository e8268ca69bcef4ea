//! Every target over its corpus, and over mutations of it: the short run of fuzzing.
//!
//! `FUZZ_SEED` gives the seed of the run that is different each time, `FUZZ_CASES` the number of its mutations.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// Mutations with a fixed seed, and as many with a new one.
const CASES: u32 = 250;

/// Longer inputs than this are cut.
const LONGEST: usize = 8 << 10;

/// What mutations put in, beside pieces of the corpus.
const WORDS: [&str; 48] = [
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    ":",
    ",",
    "\"",
    "\\",
    "!",
    "@",
    "...",
    "$",
    "null",
    "true",
    "-1",
    "1e400",
    "2147483648",
    "\\ud800",
    "\\u0000",
    "\u{e9}",
    "\n",
    "\"\"\"",
    "#",
    "fragment F on Query ",
    "... on ",
    "@skip(if: true)",
    "@include(if: false)",
    "@defer",
    "query A",
    "mutation",
    "__typename",
    "__schema",
    "id",
    "name",
    "errors",
    "data",
    "type ",
    "extend ",
    "interface ",
    "union ",
    "input ",
    "@key(fields: \"id\")",
    "@shareable",
    "%zz",
    "&",
    "=",
];

/// Runs a target over its corpus and mutations of it; tells the input that it does not stand.
fn run(target: &str) {
    let (_, check) = fuzzing::TARGETS
        .into_iter()
        .find(|(name, _)| *name == target)
        .expect("a target");
    let corpus = corpus(target);
    assert!(!corpus.is_empty(), "{target} has no corpus");
    for (path, input) in &corpus {
        assert_stands(check, input, &path.display().to_string());
    }
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let fresh = number("FUZZ_SEED").unwrap_or_else(rand_seed);
    let cases = number("FUZZ_CASES").unwrap_or(CASES.into());
    println!("FUZZ_SEED={fresh}");
    for (seed, cases) in [(1, u64::from(CASES)), (fresh, cases)] {
        let mut dice = StdRng::seed_from_u64(seed);
        for case in 0..cases {
            let input = mutated(&corpus, &mut dice);
            assert_stands(check, &input, &format!("case {case} of FUZZ_SEED={seed}"));
        }
    }
}

fn assert_stands(check: fn(&[u8]), input: &[u8], name: &str) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| check(input))) {
        eprintln!(
            "{name}: {:?}\n{}",
            input.escape_ascii().to_string(),
            String::from_utf8_lossy(input)
        );
        std::panic::resume_unwind(panic);
    }
}

/// A number that is another one each time.
fn rand_seed() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(0)
}

fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let files = fs::read_dir(&folder).expect("the corpus");
    let mut paths: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let input = fs::read(&path).expect("an input");
        (path, input)
    };
    paths.into_iter().map(read).collect()
}

fn mutated(corpus: &[(PathBuf, Vec<u8>)], dice: &mut StdRng) -> Vec<u8> {
    let pick = |dice: &mut StdRng| corpus[dice.random_range(0..corpus.len())].1.clone();
    let mut input = pick(dice);
    for _ in 0..dice.random_range(1..=4) {
        let (from, to) = range(input.len(), dice);
        match dice.random_range(0..6) {
            0 if from < input.len() => input[from] ^= 1 << dice.random_range(0..8),
            1 => drop(input.drain(from..to)),
            2 => {
                let piece = input[from..to].repeat(dice.random_range(1..=3));
                input.splice(to..to, piece);
            }
            3 => {
                let other = pick(dice);
                let (start, end) = range(other.len(), dice);
                input.splice(from..to, other[start..end].iter().copied());
            }
            _ => {
                let word = WORDS[dice.random_range(0..WORDS.len())];
                let word = word.repeat(if dice.random_ratio(1, 20) { 300 } else { 1 });
                input.splice(from..from, word.bytes());
            }
        }
    }
    input.truncate(LONGEST);
    input
}

/// A range in a text of that length; most are short.
fn range(length: usize, dice: &mut StdRng) -> (usize, usize) {
    let from = dice.random_range(0..=length);
    let longest = if dice.random_ratio(1, 4) { length } else { 16 };
    let to = (from + dice.random_range(0..=longest)).min(length);
    (from, to)
}

#[test]
fn what_subgraphs_answer_is_read_or_refused() {
    run("answer");
}

#[test]
fn schemas_compose_to_what_can_be_served_or_are_refused() {
    run("composition");
}

#[test]
fn documents_are_answered_rightly_or_refused() {
    run("document");
}

#[test]
fn requests_are_answered_or_refused() {
    run("http");
}

#[test]
fn rest_requests_become_variables_or_issues() {
    run("rest");
}
