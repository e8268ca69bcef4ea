//! Measures the router as federated gateways are measured: four subgraphs, nested queries over all of them, 50
//! connections. Router, subgraphs and load are processes, on cores of their own where the machine has them; contestants
//! take turns, medians decide, every answer is checked. `cargo xtask bench router` builds and runs it;
//! `docs/performance.md` tells of it.

#[path = "router_bench/cases.rs"]
mod cases;
#[path = "router_bench/contestants.rs"]
mod contestants;
#[path = "router_bench/load.rs"]
mod load;
#[path = "router_bench/process.rs"]
mod process;
#[path = "router_bench/proxy.rs"]
mod proxy;
#[path = "router_bench/report.rs"]
mod report;
#[path = "router_bench/subgraphs.rs"]
mod subgraphs;
#[path = "router_bench/world.rs"]
mod world;

use std::collections::HashMap;
use std::process::{ExitCode, Stdio};

use cases::Case;
use contestants::Contestant;
use load::{Load, Outcome};
use process::{Cores, Process, free_address, this};
use report::{Round, Row};
use world::World;

/// What went wrong, as a text for the terminal.
type Failure = Box<dyn std::error::Error + Send + Sync>;

const CONNECTIONS: usize = 50;
/// Seconds of one round.
const SECONDS: f64 = 3.0;
/// Seconds before the first round that do not count.
const WARM_UP: f64 = 2.0;
const ROUNDS: usize = 5;

/// The most microseconds of CPU that a tiny query may take beyond what a bare proxy takes.
const BEYOND_PROXY: f64 = 40.0;
/// The most memory of the router, in MB.
const MEMORY: f64 = 50.0;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match take_part(&arguments).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("router_bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Takes the role that the first argument names; without one, measures the cases that are named. Whether all limits are
/// kept.
async fn take_part(arguments: &[String]) -> Result<bool, Failure> {
    let texts: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match texts.as_slice() {
        ["subgraphs", world, ..] => {
            let world = if *world == "distinct" {
                World::Distinct
            } else {
                World::Repeated
            };
            subgraphs::serve(world, &arguments[2..]).await?;
        }
        ["proxy", address, to] => proxy::serve(address, to).await?,
        ["load", load] => {
            let outcome = load::run(serde_json::from_str(load)?).await?;
            println!("{}", serde_json::to_string(&outcome)?);
        }
        ["supergraph", ..] => print!("{}", subgraphs::supergraph(&arguments[1..])?),
        ["body", name] => print!("{}", case(name)?.body()),
        names => return measure(names).await,
    }
    Ok(true)
}

fn case(name: &str) -> Result<&'static Case, Failure> {
    let found = cases::ALL.iter().find(|case| case.name == name);
    let known = cases::ALL.iter().map(|case| case.name).collect::<Vec<_>>();
    found.ok_or_else(|| format!("there is no case {name}; there are {}", known.join(", ")).into())
}

async fn measure(names: &[&str]) -> Result<bool, Failure> {
    let named: Vec<&Case> = match names {
        [] => cases::ALL.iter().collect(),
        names => names.iter().map(|name| case(name)).collect::<Result<_, _>>()?,
    };
    let cores = Cores::share();
    println!("{CONNECTIONS} connections; {ROUNDS} rounds of {SECONDS} s each in turns; medians");
    println!(
        "{}",
        cores.as_ref().map_or("nothing is pinned", |cores| &cores.told)
    );
    let mut rows = Vec::new();
    for case in named {
        println!("{}: {}", case.name, case.what);
        rows.extend(measured(case, cores.as_ref()).await?);
    }
    report::print(&rows);
    Ok(judged(&rows))
}

/// Runs a case with everybody who takes part in it.
async fn measured(case: &Case, cores: Option<&Cores>) -> Result<Vec<Row>, Failure> {
    let addresses: Vec<String> = subgraphs::NAMES
        .iter()
        .map(|_| free_address())
        .collect::<Result<_, _>>()?;
    let mut command = this("subgraphs")?;
    command.arg(if case.world == World::Distinct {
        "distinct"
    } else {
        "repeated"
    });
    let others = cores.map(|cores| cores.others.as_str());
    let _subgraphs = Process::start(command_with(command, &addresses), others, &addresses[0]).await?;
    let folder = testkit::data_dir();
    let mut running = Vec::new();
    for (number, contestant) in Contestant::of(case).into_iter().enumerate() {
        let own = folder.path().join(number.to_string());
        std::fs::create_dir(&own)?;
        let address = free_address()?;
        let command = contestant.command(&address, &addresses, &own)?;
        let process = Process::start(command, cores.map(|cores| cores.router.as_str()), &address).await?;
        loaded(case, &contestant, &process, WARM_UP, others)?;
        running.push((contestant, process, Vec::new(), 0));
    }
    for _ in 0..ROUNDS {
        for (contestant, process, rounds, bytes) in &mut running {
            let before = process.cpu_seconds()?;
            let outcome = loaded(case, contestant, process, SECONDS, others)?;
            rounds.push(Round::new(&outcome, process.cpu_seconds()? - before));
            *bytes = outcome.length;
        }
    }
    running
        .into_iter()
        .map(|(contestant, process, rounds, bytes)| {
            Ok(Row {
                case: case.name,
                contestant: contestant.name(),
                bytes,
                rounds,
                peak_megabytes: process.peak_megabytes()?,
            })
        })
        .collect()
}

fn command_with(mut command: std::process::Command, arguments: &[String]) -> std::process::Command {
    command.args(arguments);
    command
}

/// Puts load on somebody from a process of its own; fails where an answer is not the right one.
fn loaded(
    case: &Case,
    contestant: &Contestant,
    process: &Process,
    seconds: f64,
    cores: Option<&str>,
) -> Result<Outcome, Failure> {
    let load = Load {
        address: process.address.clone(),
        body: case.body(),
        connections: CONNECTIONS,
        seconds,
        requests: None,
    };
    let mut command = this("load")?;
    command.arg(serde_json::to_string(&load)?);
    let command = process::pinned(command, cores);
    let output = { command }.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{}: the load on {} failed", case.name, contestant.name()).into());
    }
    let outcome: Outcome = serde_json::from_slice(&output.stdout)?;
    if outcome.hash != case.hash {
        return Err(format!(
            "{}: {} answers something else: {} with {} bytes",
            case.name,
            contestant.name(),
            outcome.hash,
            outcome.length
        )
        .into());
    }
    Ok(outcome)
}

/// Prints how rows stand to the limits.
fn judged(rows: &[Row]) -> bool {
    let cpu: HashMap<_, _> = rows
        .iter()
        .map(|row| ((row.case, row.contestant), row.cpu_per_thousand()))
        .collect();
    let mut all_kept = true;
    let mut judge = |what: String, measured: f64, limit: f64| {
        let kept = measured <= limit;
        all_kept &= kept;
        println!(
            "{what}: {measured:.2}, at most {limit} {}",
            if kept { "ok" } else { "MISSED" }
        );
    };
    let ours = |case| cpu.get(&(case, "daka")).copied();
    for (case, limit) in [("heavy", 0.6), ("distinct", 0.8)] {
        if let (Some(ours), Some(theirs)) = (ours(case), cpu.get(&(case, "Hive Router"))) {
            judge(
                format!("{case}: CPU, share of Hive Router's"),
                ours / theirs,
                limit,
            );
        }
    }
    if let (Some(ours), Some(proxy)) = (ours("tiny"), cpu.get(&("tiny", "bare hyper proxy"))) {
        judge(
            "tiny: µs of CPU beyond the proxy".to_owned(),
            (ours - proxy) * 1_000.0,
            BEYOND_PROXY,
        );
    }
    for row in rows.iter().filter(|row| row.contestant.starts_with("daka")) {
        judge(
            format!("{}, {}: peak MB", row.case, row.contestant),
            row.peak_megabytes,
            MEMORY,
        );
    }
    all_kept
}
