//! Plausible people with habits and years of check-ins. [`causes`] says what is hidden in the data.
//!
//! Everything follows from the seed and from today's date in UTC, at whose beginning the record ends: the same
//! seed on the same day makes the same documents. They are written straight into the domains' collections with
//! every figure computed; no events are told. Who has an account already is left alone, whatever made it, and each
//! account is written last of all that belongs to it: so the command can be repeated, and goes on where it was
//! stopped.

mod causes;
mod life;
mod people;
mod words;

use std::collections::HashSet;
use std::num::NonZero;

use clap::Args;
use docstore::DocStore;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::tz::TimeZone;
use kernel::{Clock, Random};
use user::UserDoc;
use wechat::{Mode, Sandbox, SandboxConfig, Wechat};

use crate::cli::Failure;
use crate::config::Config;
use crate::stores::{self, Stores};
use people::{Account, Setting};

/// People whose accounts are looked up at once.
const LOOKED_UP: usize = 500;

/// How many of what.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// How many people.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    users: u32,
    /// How many days back they began at the most: up to ten years.
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: u32,
    /// The same seed makes the same people.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// What was made.
#[derive(Debug, Default, Clone, Copy)]
struct Made {
    people: usize,
    habits: usize,
    check_ins: usize,
}

/// Fills the store.
///
/// # Errors
/// Where a store is not ready, or logging in as these people would not work because WeChat is the real one.
pub async fn run(config: Config, args: &DemoArgs) -> Result<(), Failure> {
    if config.wechat.mode != Mode::Sandbox {
        return Err(
            "the demo's people log in through WeChat's sandbox, but wechat.mode is not \"sandbox\"".into(),
        );
    }
    let clock = Clock::system();
    let stores = stores::open(&config, clock.clone(), Random::from_os()).await?;
    for collections in [
        &user::seed::COLLECTIONS[..],
        &habit::seed::COLLECTIONS,
        &checkin::seed::COLLECTIONS,
    ] {
        stores.documents.ensure(collections).await?;
    }
    let today = TimeZone::UTC.to_datetime(clock.now()).date();
    let now = today.to_zoned(TimeZone::UTC)?.timestamp();
    let setting = Setting {
        seed: args.seed,
        days: args.days,
        now,
        policy: config.checkin.policy(),
    };
    let accounts = missing(&stores, accounts(&config, &stores, args.users).await?).await?;
    let there = args.users as usize - accounts.len();
    let made = fill(&stores.documents, setting, accounts).await?;
    println!(
        "{} people with {} habits and {} check-ins were added",
        made.people, made.habits, made.check_ins
    );
    if there > 0 {
        println!("{there} of these accounts were there already and were left as they are");
    }
    println!("Log in as sandbox:demo-1 to sandbox:demo-{}", args.users);
    Ok(())
}

/// The accounts of `demo-1` and so on, as the sandbox knows them.
async fn accounts(config: &Config, stores: &Stores, users: u32) -> Result<Vec<Account>, Failure> {
    let sandbox = Sandbox::new(
        stores.clock.clone(),
        stores.random.fork(),
        SandboxConfig::default(),
    );
    let wechat = Wechat::in_process(
        &sandbox,
        &config.wechat,
        stores.cache.clone(),
        stores.clock.clone(),
    );
    let mut accounts = Vec::new();
    for number in 1..=users {
        let known = wechat.code_to_session(&format!("sandbox:demo-{number}")).await?;
        accounts.push(Account {
            number,
            openid: known.openid,
            unionid: known.unionid,
        });
    }
    Ok(accounts)
}

/// The accounts that there are not yet.
async fn missing(stores: &Stores, accounts: Vec<Account>) -> Result<Vec<Account>, Failure> {
    let users = stores.documents.collection::<UserDoc>();
    let mut there = HashSet::new();
    for some in accounts.chunks(LOOKED_UP) {
        let found = users
            .find(user::seed::by_openid(some.iter().map(|account| &account.openid)))
            .await?;
        there.extend(found.into_iter().map(|user| user.openid));
    }
    Ok(accounts
        .into_iter()
        .filter(|account| !there.contains(&account.openid))
        .collect())
}

/// Makes the people, a few at once, and writes them.
async fn fill(store: &DocStore, setting: Setting, accounts: Vec<Account>) -> Result<Made, Failure> {
    let bar = ProgressBar::new(accounts.len() as u64);
    bar.set_style(ProgressStyle::with_template(
        "{bar:40} {pos} of {len} people, {eta} left",
    )?);
    let at_once = std::thread::available_parallelism().map_or(1, NonZero::get) * 2;
    let made = stream::iter(accounts)
        .map(|account| one(store, setting, account))
        .buffer_unordered(at_once)
        .try_fold(Made::default(), |sum, one| {
            bar.inc(1);
            std::future::ready(Ok(sum.and(one)))
        })
        .await?;
    bar.finish_and_clear();
    Ok(made)
}

async fn one(store: &DocStore, setting: Setting, account: Account) -> Result<Made, Failure> {
    let work = move || {
        let somebody = people::somebody(&setting, account)?;
        let check_ins = somebody
            .record
            .habits
            .iter()
            .map(|history| history.entries.len())
            .sum();
        let made = Made {
            people: 1,
            habits: somebody.habits.len(),
            check_ins,
        };
        Ok::<_, kernel::Error>((made, somebody.batches(setting.now)?))
    };
    let (made, batches) = tokio::task::spawn_blocking(work).await??;
    for batch in batches {
        store.commit(batch).await?;
    }
    Ok(made)
}

impl Made {
    fn and(self, other: Self) -> Self {
        Self {
            people: self.people + other.people,
            habits: self.habits + other.habits,
            check_ins: self.check_ins + other.check_ins,
        }
    }
}

#[cfg(test)]
mod tests;
