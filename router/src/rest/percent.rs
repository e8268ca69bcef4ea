//! Percent-encoding of path segments and query strings (RFC 3986 §2.1, and `+` for a space in a query string
//! as the WHATWG URL standard has it for forms).

use std::borrow::Cow;

/// A path segment, decoded. `None` where it is no UTF-8 or the encoding is broken.
pub(super) fn decode_segment(text: &str) -> Option<Cow<'_, str>> {
    decode(text, false)
}

/// The pairs of a query string in their order, decoded. `None` in place of what cannot be decoded.
pub(super) fn pairs(query: &str) -> impl Iterator<Item = Option<(Cow<'_, str>, Cow<'_, str>)>> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Some((decode(name, true)?, decode(value, true)?))
    })
}

/// Appends a text, encoded so that it may stand in a path segment and in a query string.
pub(super) fn encode_into(text: &str, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

fn decode(text: &str, plus_is_space: bool) -> Option<Cow<'_, str>> {
    if !text
        .bytes()
        .any(|byte| byte == b'%' || (plus_is_space && byte == b'+'))
    {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => hex(bytes.next()?)? << 4 | hex(bytes.next()?)?,
            b'+' if plus_is_space => b' ',
            other => other,
        });
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_as_it_was_written() {
        for text in ["", "plain", "a b+c&d=e/f", "打卡", "100%", "\u{0}\n"] {
            let mut encoded = String::new();
            encode_into(text, &mut encoded);
            assert_eq!(decode_segment(&encoded).as_deref(), Some(text));
        }
    }

    #[test]
    fn broken_encodings_are_refused() {
        for text in ["%", "%4", "%zz", "%ff"] {
            assert_eq!(decode_segment(text), None, "{text}");
        }
    }

    #[test]
    fn a_plus_is_a_space_in_queries_only() {
        assert_eq!(decode_segment("a+b").as_deref(), Some("a+b"));
        let read: Vec<_> = pairs("q=a+b&&flag").flatten().collect();
        assert_eq!(read, [("q".into(), "a b".into()), ("flag".into(), "".into())]);
    }
}
