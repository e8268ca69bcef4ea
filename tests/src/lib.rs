//! The harness of the end-to-end tests: the real program in each of its shapes, and clients of it.

mod client;
mod daka;
mod lone_router;
mod process;
mod subgraph;

use std::sync::OnceLock;

use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

pub use client::{Answer, Caller, Request, Response, Subscribed};
pub use daka::{Daka, Shape};
pub use lone_router::{LoneRouter, Ran, run_in};
pub use subgraph::{Subgraph, supergraph};

/// Runs a scenario against the platform in a shape. All scenarios of a test process share one platform of each
/// shape, so each takes people of its own ([`Daka::someone`]).
pub fn run(shape: Shape, scenario: impl AsyncFnOnce(&Daka)) {
    static EMBEDDED: OnceCell<Daka> = OnceCell::const_new();
    static DISTRIBUTED: OnceCell<Daka> = OnceCell::const_new();
    let shared = match shape {
        Shape::Embedded => &EMBEDDED,
        Shape::Distributed => &DISTRIBUTED,
    };
    block_on(async {
        let daka = shared.get_or_init(|| Daka::start(shape)).await;
        let _teller = Teller(daka);
        scenario(daka).await;
    });
}

/// Says how the logs of a platform that goes on end, when a test of it fails.
struct Teller<'d>(&'d Daka);

impl Drop for Teller<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.tell();
        }
    }
}

/// Runs a future on the runtime of all tests: connections of one test are good for the next one.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME
        .get_or_init(|| Runtime::new().expect("a runtime starts"))
        .block_on(future)
}
