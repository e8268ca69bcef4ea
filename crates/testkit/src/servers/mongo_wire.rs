//! Just enough of MongoDB's wire protocol to found a replica set and to ask whether it takes writes: `OP_MSG` with one
//! BSON document (<https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/>, <https://bsonspec.org/spec.html>).
//! A driver would be the largest dependency of everything that is tested.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// Founds the replica set `rs0` with this server as its one member. Doing it again is no error.
pub(crate) fn found_replica_set(port: u16) -> io::Result<()> {
    let member = Document::default()
        .int("_id", 0)
        .text("host", &format!("127.0.0.1:{port}"));
    let members = Document::default().document("0", &member);
    let config = Document::default().text("_id", "rs0").array("members", &members);
    let command = Document::default()
        .document("replSetInitiate", &config)
        .text("$db", "admin");
    let answer = call(port, &command)?;
    if answer.has_true("ok") || answer.contains(b"AlreadyInitialized") {
        Ok(())
    } else {
        Err(io::Error::other(format!(
            "replSetInitiate: {}",
            String::from_utf8_lossy(&answer.0)
        )))
    }
}

/// Whether the server is the primary member of its replica set.
pub(crate) fn takes_writes(port: u16) -> io::Result<bool> {
    let answer = call(port, &Document::default().int("hello", 1).text("$db", "admin"))?;
    Ok(answer.has_true("isWritablePrimary"))
}

/// Whether the server answers at all.
pub(crate) fn answers(port: u16) -> bool {
    takes_writes(port).is_ok()
}

/// Writes a document into the collection `daka.habits`; journaled when it returns.
#[cfg(test)]
pub(crate) fn insert(port: u16, title: &str) -> io::Result<()> {
    let documents = Document::default().document("0", &Document::default().text("title", title));
    let insert = Document::default()
        .text("insert", "habits")
        .array("documents", &documents)
        .text("$db", "daka");
    assert!(call(port, &insert)?.has_true("ok"));
    Ok(())
}

/// Whether the collection `daka.habits` holds a document of that title.
#[cfg(test)]
pub(crate) fn holds(port: u16, title: &str) -> io::Result<bool> {
    let filter = Document::default().text("title", title);
    let find = Document::default()
        .text("find", "habits")
        .document("filter", &filter)
        .text("$db", "daka");
    Ok(call(port, &find)?.contains(title.as_bytes()))
}

fn call(port: u16, command: &Document) -> io::Result<Answer> {
    const OP_MSG: i32 = 2013;
    let mut body = vec![0, 0, 0, 0, 0]; // no flags; one section of kind 0, a document
    body.extend(command.encoded());
    let mut message = Vec::new();
    for number in [size(body.len() + 16), 1, 0, OP_MSG] {
        message.extend(number.to_le_bytes());
    }
    message.extend(body);

    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(&message)?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let rest = u64::from(u32::from_le_bytes(length)).saturating_sub(4);
    let mut answer = Vec::new();
    stream.take(rest).read_to_end(&mut answer)?;
    Ok(Answer(answer))
}

/// A BSON document under construction: its elements without the frame around them.
#[derive(Default)]
struct Document(Vec<u8>);

impl Document {
    fn int(self, name: &str, value: i32) -> Self {
        self.element(0x10, name, &value.to_le_bytes())
    }

    fn text(self, name: &str, value: &str) -> Self {
        let mut bytes = size(value.len() + 1).to_le_bytes().to_vec();
        bytes.extend(value.as_bytes());
        bytes.push(0);
        self.element(0x02, name, &bytes)
    }

    fn document(self, name: &str, value: &Self) -> Self {
        self.element(0x03, name, &value.encoded())
    }

    fn array(self, name: &str, items: &Self) -> Self {
        self.element(0x04, name, &items.encoded())
    }

    fn element(mut self, kind: u8, name: &str, value: &[u8]) -> Self {
        self.0.push(kind);
        self.0.extend(name.as_bytes());
        self.0.push(0);
        self.0.extend(value);
        self
    }

    fn encoded(&self) -> Vec<u8> {
        let mut bytes = size(self.0.len() + 5).to_le_bytes().to_vec();
        bytes.extend(&self.0);
        bytes.push(0);
        bytes
    }
}

/// The bytes of an answer. They are searched, not parsed: the few names that are asked for occur once.
struct Answer(Vec<u8>);

impl Answer {
    /// Whether the field `name` is the boolean true or the double 1.0.
    fn has_true(&self, name: &str) -> bool {
        let boolean = [&[0x08], name.as_bytes(), &[0, 1]].concat();
        let double = [&[0x01], name.as_bytes(), &[0], &1f64.to_le_bytes()].concat();
        self.contains(&boolean) || self.contains(&double)
    }

    fn contains(&self, part: &[u8]) -> bool {
        self.0.windows(part.len()).any(|window| window == part)
    }
}

/// A length as BSON writes it. Our documents are a few hundred bytes.
fn size(bytes: usize) -> i32 {
    i32::try_from(bytes).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_encoded_as_the_bson_specification_shows() {
        let hello = Document::default().text("hello", "world");
        assert_eq!(hello.encoded(), b"\x16\0\0\0\x02hello\0\x06\0\0\0world\0\0");
    }

    #[test]
    fn a_field_is_true_as_a_boolean_or_as_a_one() {
        let yes = Answer(
            Document::default()
                .element(0x08, "isWritablePrimary", &[1])
                .encoded(),
        );
        let no = Answer(
            Document::default()
                .element(0x08, "isWritablePrimary", &[0])
                .encoded(),
        );
        let one = Answer(
            Document::default()
                .element(0x01, "ok", &1f64.to_le_bytes())
                .encoded(),
        );
        assert!(yes.has_true("isWritablePrimary") && one.has_true("ok"));
        assert!(!no.has_true("isWritablePrimary") && !no.has_true("ok"));
    }
}
