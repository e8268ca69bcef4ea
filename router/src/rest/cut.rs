//! Cuts the engine's answer without parsing it. The engine wrote the JSON itself, so that its form is known: no
//! white space between tokens, and members in the order of the document.

/// The nodes and the page information of a connection whose selection is `nodes`, then `pageInfo`.
pub(super) fn page(connection: &[u8]) -> Option<(std::ops::Range<usize>, &[u8])> {
    const START: &[u8] = b"{\"nodes\":";
    const MIDDLE: &[u8] = b",\"pageInfo\":";
    let connection_end = connection.len().checked_sub(1)?;
    if !connection.starts_with(START) || connection[connection_end] != b'}' {
        return None;
    }
    // Quotes within a string are escaped, and nothing follows but the page information itself: the last
    // occurrence is the member.
    let at = connection
        .windows(MIDDLE.len())
        .rposition(|window| window == MIDDLE)?;
    let nodes = START.len()..at;
    let info = connection.get(at + MIDDLE.len()..connection_end)?;
    (nodes.start <= nodes.end).then_some((nodes, info))
}

/// The JSON text of a member of an object. `None` where it has none.
pub(super) fn member<'j>(object: &'j [u8], name: &str) -> Option<&'j [u8]> {
    let mut at = 1;
    if object.first() != Some(&b'{') {
        return None;
    }
    while object.get(at) == Some(&b'"') {
        let name_end = string_end(object, at)?;
        let value_start = name_end + 1;
        let value_end = value_end(object, value_start)?;
        if object.get(at + 1..name_end - 1)? == name.as_bytes() {
            return object.get(value_start..value_end);
        }
        at = value_end + 1;
    }
    None
}

/// Just after the string that starts at a quote.
fn string_end(json: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match json.get(at)? {
            b'\\' => at += 2,
            b'"' => return Some(at + 1),
            _ => at += 1,
        }
    }
}

/// Just after the value.
fn value_end(json: &[u8], start: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = start;
    loop {
        match json.get(at)? {
            b'"' => at = string_end(json, at)?,
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            b'}' | b']' if depth > 0 => {
                depth -= 1;
                at += 1;
            }
            // The end of the object around it, or of a value without brackets.
            b'}' | b',' if depth == 0 => return Some(at),
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_cut_into_its_nodes_and_its_information() {
        let tricky = br#"{"nodes":[{"title":"a,\"pageInfo\":{}"},{"pageInfo":1,"pageInfo":2}],"pageInfo":{"hasNextPage":true,"endCursor":"x"}}"#;
        let (nodes, info) = page(tricky).expect("a page");
        assert_eq!(
            &tricky[nodes],
            br#"[{"title":"a,\"pageInfo\":{}"},{"pageInfo":1,"pageInfo":2}]"#
        );
        assert_eq!(info, br#"{"hasNextPage":true,"endCursor":"x"}"#);
        for strange in [&b""[..], b"{}", b"null", b"{\"nodes\":", br#"{"pageInfo":{}}"#] {
            assert!(page(strange).is_none());
        }
    }

    #[test]
    fn a_member_is_found_whatever_stands_before_it() {
        let object =
            br#"{"a":"version\"}","b":{"version":1,"c":["}",{"version":2}]},"d":-1.5e3,"version":7,"e":[]}"#;
        assert_eq!(member(object, "version"), Some(&b"7"[..]));
        assert_eq!(member(object, "d"), Some(&b"-1.5e3"[..]));
        assert_eq!(member(object, "e"), Some(&b"[]"[..]));
        assert_eq!(member(object, "c"), None);
        for strange in [
            &b""[..],
            b"{}",
            b"null",
            b"{\"a",
            b"{\"a\":",
            br#"{"a":[}"#,
            br#"{"a":"\"#,
        ] {
            assert_eq!(member(strange, "version"), None);
        }
    }
}
