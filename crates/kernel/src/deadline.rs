//! How the time that is left for a request travels between processes.

use std::time::Duration;

/// The header that tells how many milliseconds are left for a request, under the name that Envoy gave it
/// (<https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter#x-envoy-expected-rq-timeout-ms>):
/// whoever gets it may stop working when they are over, since nobody waits any more.
pub const TIME_LEFT_HEADER: &str = "x-envoy-expected-rq-timeout-ms";

/// What a value of [`TIME_LEFT_HEADER`] says; `None` for anything but a number.
pub fn time_left(value: &[u8]) -> Option<Duration> {
    let text = std::str::from_utf8(value).ok()?;
    text.trim().parse().ok().map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_tell_a_time() {
        assert_eq!(time_left(b"250"), Some(Duration::from_millis(250)));
        assert_eq!(time_left(b"0"), Some(Duration::ZERO));
        for other in [
            &b""[..],
            b"-1",
            b"1.5",
            b"soon",
            b"99999999999999999999999",
            b"\xff",
        ] {
            assert_eq!(time_left(other), None);
        }
    }
}
