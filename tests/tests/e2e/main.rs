//! The platform from its outside: every scenario runs against the real program in each of its shapes.

/// Makes of each scenario a test in every shape.
macro_rules! scenarios {
    ($($name:ident),* $(,)?) => {
        mod embedded {
            $(#[test] fn $name() { tests::run(tests::Shape::Embedded, super::$name); })*
        }
        mod distributed {
            $(#[test] fn $name() { tests::run(tests::Shape::Distributed, super::$name); })*
        }
    };
}

mod access;
mod community;
mod conventions;
mod days;
mod errors;
mod first_run;
mod foreign_tokens;
mod generated;
mod inbox;
mod kept;
mod limits;
mod load;
mod logging_in;
mod lone_router;
mod metrics;
mod outage;
mod persisted;
mod reload;
mod rest;
mod shutdown;
mod staff;
mod subscriptions;
mod traces;
mod travel;
mod trouble;
