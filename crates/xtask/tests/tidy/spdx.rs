//! Licence expressions, e.g. `(MIT OR Apache-2.0) AND Unicode-3.0`
//! (<https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/>).

/// Whether the expression can be met with licences that `allowed` says yes to. An expression that cannot be read is not met.
pub(crate) fn satisfied(expression: &str, allowed: &dyn Fn(&str) -> bool) -> bool {
    // Crates of old write `MIT/Apache-2.0` for a choice.
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let words: Vec<_> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    choice(&mut rest, allowed) == Some(true) && rest.is_empty()
}

fn choice(rest: &mut &[&str], allowed: &dyn Fn(&str) -> bool) -> Option<bool> {
    let mut met = all(rest, allowed)?;
    while take(rest, "OR") {
        met |= all(rest, allowed)?;
    }
    Some(met)
}

fn all(rest: &mut &[&str], allowed: &dyn Fn(&str) -> bool) -> Option<bool> {
    let mut met = one(rest, allowed)?;
    while take(rest, "AND") {
        met &= one(rest, allowed)?;
    }
    Some(met)
}

fn one(rest: &mut &[&str], allowed: &dyn Fn(&str) -> bool) -> Option<bool> {
    if take(rest, "(") {
        let met = choice(rest, allowed)?;
        return take(rest, ")").then_some(met);
    }
    let (licence, after) = rest.split_first()?;
    *rest = after;
    if take(rest, "WITH") {
        let (exception, after) = rest.split_first()?;
        *rest = after;
        return Some(allowed(&format!("{licence} WITH {exception}")));
    }
    Some(allowed(licence))
}

fn take(rest: &mut &[&str], word: &str) -> bool {
    match rest.split_first() {
        Some((first, after)) if *first == word => {
            *rest = after;
            true
        }
        _ => false,
    }
}

#[test]
fn expressions_are_read_as_spdx_means_them() {
    let met = |expression: &str| {
        satisfied(expression, &|licence| {
            ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].contains(&licence)
        })
    };
    assert!(met("MIT"));
    assert!(met("GPL-3.0 OR MIT"));
    assert!(met("GPL-3.0/MIT"));
    assert!(met("(GPL-3.0 OR MIT) AND ISC"));
    assert!(met("GPL-3.0 AND GPL-2.0 OR MIT"), "AND binds closer than OR");
    assert!(met("Apache-2.0 WITH LLVM-exception OR GPL-3.0"));
    assert!(!met("GPL-3.0"));
    assert!(!met("MIT AND GPL-3.0"));
    assert!(!met("Apache-2.0"));
    assert!(!met("MIT MIT"));
    assert!(!met("(MIT"));
    assert!(!met(""));
}
