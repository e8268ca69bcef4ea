//! What is read of an answer, and what is refused.

use super::*;

fn shape() -> DecodeSet {
    let leaf = |name, key| DecodeField::new(name, key, None);
    let set = |number, fields| DecodeSet {
        number,
        keys_differ: true,
        fields,
    };
    let me = DecodeField::new("me", 1, Some(set(1, vec![leaf("id", 2), leaf("tags", 3)])));
    set(0, vec![me])
}

fn read(text: &[u8], share: bool, tree: &mut Tree) -> Result<Decoded, Malformed> {
    decode(text, &shape(), 0, share, tree)
}

#[test]
fn leaves_stay_text_and_what_was_not_asked_for_is_skipped() {
    let text = br#" {"data":{"more":[{"x":1.5e3}],"me":{"tags":["a\u00e9",null],"id":"7"}} ,"errors":[{}]} "#;
    let mut tree = Tree::default();
    let decoded = read(text, false, &mut tree).expect("an answer");
    let Some(Value::Object(data)) = decoded.data else {
        panic!("no data")
    };
    let Some(Value::Object(me)) = tree.get(data, 1) else {
        panic!("no me")
    };
    let Some(Value::Scalar(id)) = tree.get(me, 2) else {
        panic!("no id")
    };
    let mut sources = super::super::data::Sources::default();
    sources.add(bytes::Bytes::from_static(text));
    assert_eq!(sources.text(id), b"\"7\"");
    assert!(matches!(tree.get(me, 3), Some(Value::List(tags)) if tree.items(tags)[1] == Value::Null));
    assert_eq!(
        decoded.errors.map(|(start, end)| &text[start..end]),
        Some(&b"[{}]"[..])
    );
}

#[test]
fn objects_of_equal_text_are_one_where_that_is_wished() {
    let person = |id: &str| format!(r#"{{"id":"{id}","tags":["{}"]}}"#, "x".repeat(300));
    let (ada, eve) = (person("ada"), person("eve"));
    let text = format!(r#"{{"data":{{"me":[{ada},{eve},{ada},{ada}]}}}}"#);
    let objects = |share| {
        let mut tree = Tree::default();
        let Ok(Decoded {
            data: Some(Value::Object(data)),
            ..
        }) = read(text.as_bytes(), share, &mut tree)
        else {
            panic!("no data")
        };
        let Some(Value::List(list)) = tree.get(data, 1) else {
            panic!("no list")
        };
        let items = tree.items(list).iter();
        items
            .map(|item| match item {
                Value::Object(object) => (*object, tree.is_shared(*object)),
                _ => panic!("no object"),
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(objects(true), [(0, true), (1, false), (0, true), (0, true)]);
    assert_eq!(objects(false), [(0, false), (1, false), (2, false), (3, false)]);
}

#[test]
fn a_field_that_comes_twice_counts_once() {
    let text = br#"{"data":{"me":{"id":"7","tags":[],"id":"8","tags":null,"id":null}}}"#;
    let mut tree = Tree::default();
    read(text, false, &mut tree).expect("an answer");
    let fields = tree.fields(0);
    assert_eq!(fields.iter().map(|(key, _)| *key).collect::<Vec<_>>(), [2, 3]);
    assert!(matches!(fields, [(2, Value::Scalar(_)), (3, Value::List(_))]));
}

#[test]
fn rubbish_is_told_from_json() {
    let deep = format!("{{\"data\":{}1{}}}", "[".repeat(300), "]".repeat(300));
    for text in [
        "",
        "{",
        "[]",
        "{\"data\":{\"me\":{\"id\":\"a}}}",
        "{\"data\":{\"me\":{\"id\":01}}}",
        "{\"data\":nul}",
        "{} x",
        "{\"data\":{\"me\":{\"id\":\"\\x\"}}}",
        "{\"data\":{\"me\":{\"id\":\"\n\"}}}",
        "{\"data\":tru}",
        "{\"a\":-}",
        "{\"a\":1.}",
        "<html></html>",
        "{\"data\":{},}",
        &deep,
    ] {
        assert!(
            read(text.as_bytes(), false, &mut Tree::default()).is_err(),
            "{text}"
        );
    }
    let no_text = b"{\"data\":{\"me\":{\"id\":\"\xff\"}}}";
    assert!(read(no_text, false, &mut Tree::default()).is_err());
    let empty = read(b"{}", false, &mut Tree::default());
    assert!(empty.expect("an object").data.is_none());
}
