//! What hostile input may reach, as functions of bytes: nothing must panic, overflow the stack or take for ever, and what
//! comes out must be right. Each function says what "right" is, and panics where it is not.
//!
//! `tests/` runs them over a corpus and mutations of it; libFuzzer drives them through the programs in `bins/`
//! (docs/fuzzing.md).

mod answer;
mod composition;
mod conform;
mod document;
mod http;
mod message;
mod rest;
mod world;

pub use answer::answer;
pub use composition::composition;
pub use document::document;
pub use http::http;
pub use rest::rest;

/// Takes an input, and panics where something is not right.
pub type Target = fn(&[u8]);

/// Every target by its name, which is that of its corpus, too.
pub const TARGETS: [(&str, Target); 5] = [
    ("answer", answer),
    ("composition", composition),
    ("document", document),
    ("http", http),
    ("rest", rest),
];

/// As large as the stacks of the threads that serve requests.
const STACK: usize = 2 << 20;

/// Runs on a thread with a stack as small as requests have.
fn on_a_small_stack(work: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK);
        let done = thread.spawn_scoped(scope, work).expect("a thread").join();
        if let Err(panic) = done {
            std::panic::resume_unwind(panic);
        }
    });
}

/// Runs a future there.
fn wait_for<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime.expect("a runtime").block_on(future)
}

/// A text that bytes hold, whatever they are.
fn text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
