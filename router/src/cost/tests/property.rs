//! Whoever asks for more never pays less.

use proptest::prelude::*;
use serde_json::json;

use super::{SHOP, Shop};

/// A selection of an `Item` or of a `Page`; response keys are given out by place, so that none meets another.
#[derive(Debug, Clone)]
enum Asked {
    Leaf(bool),
    Parts(Vec<Asked>),
}

fn item() -> impl Strategy<Value = Asked> {
    let leaf = any::<bool>().prop_map(Asked::Leaf);
    leaf.prop_recursive(6, 40, 4, |inner| {
        prop::collection::vec(inner, 1..4).prop_map(Asked::Parts)
    })
}

fn text(selection: &[Asked], out: &mut String) {
    out.push('{');
    out.push_str("__typename ");
    for (place, asked) in selection.iter().enumerate() {
        match asked {
            Asked::Leaf(dear) => out.push_str(&format!("l{place}: {} ", if *dear { "hash" } else { "id" })),
            Asked::Parts(inner) => {
                out.push_str(&format!("l{place}: parts "));
                text(inner, out);
            }
        }
    }
    out.push('}');
}

fn query(selection: &[Asked]) -> String {
    let mut query = "query($n: Int, $m: Int) { page(first: $n, last: $m) { items ".to_owned();
    text(selection, &mut query);
    query.push_str("} things { ... on Item ");
    text(selection, &mut query);
    query.push_str("} }");
    query
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_smaller_selection_never_costs_more(selection in prop::collection::vec(item(), 1..5), without in any::<prop::sample::Index>()) {
        let shop = Shop::of(SHOP);
        let whole = shop.priced(&query(&selection), json!({"n": 3})).estimate;
        let mut less = selection.clone();
        less.remove(without.index(less.len()));
        let less = shop.priced(&query(&less), json!({"n": 3})).estimate;
        prop_assert!(less <= whole, "{less} > {whole}");
    }

    #[test]
    fn a_longer_list_never_costs_less(selection in prop::collection::vec(item(), 1..5), n in 0..=i32::MAX, more in 0..=i32::MAX, m in any::<i32>()) {
        let shop = Shop::of(SHOP);
        let query = query(&selection);
        let short = shop.priced(&query, json!({"n": n, "m": m})).estimate;
        let long = shop.priced(&query, json!({"n": n.saturating_add(more), "m": m})).estimate;
        prop_assert!(short <= long, "{short} > {long}");
    }
}
