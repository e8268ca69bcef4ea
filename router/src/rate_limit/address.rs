//! Which address a request comes from, through proxies that are trusted.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::ConnectInfo;
use http::{Extensions, HeaderMap};

use crate::config::{ForwardedHeader, Network, RateLimitConfig};

/// So many hops are looked at; whoever is behind more is who the last of them says.
const MAX_HOPS: usize = 32;

/// The address of the client: the peer's, or where that is a trusted proxy, the nearest one that is none, as the proxies
/// say. `None` where not even the peer's is known.
pub fn client_address(
    headers: &HeaderMap,
    extensions: &Extensions,
    config: &RateLimitConfig,
) -> Option<IpAddr> {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip().to_canonical();
    let is_trusted = |address: IpAddr| {
        config
            .trusted_proxies
            .iter()
            .any(|it: &Network| it.contains(address))
    };
    if !is_trusted(peer) {
        return Some(peer);
    }
    let name = match config.forwarded_header {
        ForwardedHeader::XForwardedFor => "x-forwarded-for",
        ForwardedHeader::Forwarded => "forwarded",
    };
    let values = headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let hops: Vec<&str> = values.flat_map(|value| value.split(',')).collect();
    let mut client = peer;
    for hop in hops.iter().rev().take(MAX_HOPS) {
        let address = match config.forwarded_header {
            ForwardedHeader::XForwardedFor => parse(hop),
            ForwardedHeader::Forwarded => forwarded_for(hop),
        };
        // What a trusted proxy does not name is as good as the proxy itself.
        let Some(address) = address else { break };
        client = address;
        if !is_trusted(client) {
            break;
        }
    }
    Some(client)
}

/// Who an address stands for: networks of IPv6 are given out as a whole, down to /64 (RFC 6177).
pub(super) fn owner(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

/// The `for` of an element of `Forwarded`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let mut pairs = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
    parse(pairs.next()?.1.trim().trim_matches('"'))
}

/// An address, with or without a port, of IPv6 in brackets or not.
fn parse(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let address = text
        .parse::<IpAddr>()
        .or_else(|_| text.parse::<SocketAddr>().map(|it| it.ip()));
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    address
        .ok()
        .or_else(bracketed)
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(peer: &str, header: &str, values: &[&str]) -> String {
        let mut config = RateLimitConfig::default();
        if header == "forwarded" {
            config.forwarded_header = ForwardedHeader::Forwarded;
        }
        config.trusted_proxies = ["10.0.0.0/8", "::1"]
            .map(|it| Network::try_from(it.to_owned()).expect(it))
            .into();
        let mut request = http::Request::new(());
        let peer: SocketAddr = peer.parse().expect("an address");
        request.extensions_mut().insert(ConnectInfo(peer));
        for value in values {
            let name: http::HeaderName = header.parse().expect("a name");
            request
                .headers_mut()
                .append(name, value.parse().expect("a value"));
        }
        let address = client_address(request.headers(), request.extensions(), &config);
        address.expect("a peer").to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let name = "x-forwarded-for";
        assert_eq!(from("192.0.2.1:5", name, &["203.0.113.9"]), "192.0.2.1");
        assert_eq!(from("10.0.0.1:5", name, &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(from("10.0.0.1:5", name, &[]), "10.0.0.1");
        // What the client wrote itself stands before what the proxies wrote.
        assert_eq!(
            from("10.0.0.1:5", name, &["198.51.100.7, 203.0.113.9, 10.0.0.2"]),
            "203.0.113.9"
        );
        assert_eq!(
            from("10.0.0.1:5", name, &["198.51.100.7", "203.0.113.9:8080"]),
            "203.0.113.9"
        );
        assert_eq!(from("10.0.0.1:5", name, &["203.0.113.9, nonsense"]), "10.0.0.1");
        assert_eq!(
            from("[::ffff:10.0.0.1]:5", name, &["[2001:db8::1]"]),
            "2001:db8::1"
        );
    }

    #[test]
    fn the_standard_header_is_read_where_it_is_the_one_that_counts() {
        let name = "forwarded";
        let value = r#"for=198.51.100.7, for="[2001:db8::9]:4711";proto=https;by=10.0.0.2, For=10.0.0.3"#;
        assert_eq!(from("10.0.0.1:5", name, &[value]), "2001:db8::9");
        assert_eq!(from("10.0.0.1:5", name, &["for=_hidden"]), "10.0.0.1");
        assert_eq!(from("10.0.0.1:5", "x-real-ip", &["198.51.100.7"]), "10.0.0.1");
    }

    #[test]
    fn a_network_of_ipv6_is_one_caller() {
        let owner = |text: &str| owner(text.parse().expect("an address")).to_string();
        assert_eq!(owner("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(owner("192.0.2.1"), "192.0.2.1");
    }
}
