//! Reads a subgraph's JSON answer by the shape that was asked for.
//!
//! One pass over the bytes: what was not asked for is skipped, leaves stay text. The whole text is checked: it is
//! UTF-8, it is one JSON value, it is not nested too deep. So every span that comes out is valid JSON and may be
//! copied into the client's answer as it is.
//!
//! Answers repeat themselves: a hundred reviews have ten authors. An object whose text was read before at the same place
//! of the shape is not read again, but is the same object ([`Known`]).

mod known;
#[cfg(test)]
mod tests;

use super::data::{Key, Span};
use super::shape::{DecodeField, DecodeSet};
use super::tree::{Field, ObjectId, Tree, Value};
use known::{Known, Read};

/// Deeper nesting than any sensible answer has; guards the stack.
const MAX_DEPTH: usize = 200;

/// A text that is not a GraphQL answer.
#[derive(Debug, thiserror::Error)]
#[error("{what} at byte {at}")]
pub(crate) struct Malformed {
    what: &'static str,
    at: usize,
}

/// What a subgraph answered.
#[derive(Debug)]
pub(crate) struct Decoded {
    /// `data`, if there is such an entry: an object, or null.
    pub(crate) data: Option<Value>,
    /// The text of `errors`.
    pub(crate) errors: Option<(usize, usize)>,
}

/// Reads a whole answer into the tree: `{"data": …, "errors": […]}`. Its leaves refer to the source of that number. With
/// `share`, objects of equal text at the same place of the shape become one.
pub(crate) fn decode(
    text: &[u8],
    shape: &DecodeSet,
    source: u32,
    share: bool,
    tree: &mut Tree,
) -> Result<Decoded, Malformed> {
    let text = std::str::from_utf8(text).map_err(|error| Malformed {
        what: "text that is not UTF-8",
        at: error.valid_up_to(),
    })?;
    if u32::try_from(text.len()).is_err() {
        return Err(Malformed {
            what: "more than 4 GiB",
            at: 0,
        });
    }
    let mut reader = Reader {
        text: text.as_bytes(),
        at: 0,
        depth: 0,
        source,
        tree,
        fields: Vec::with_capacity(16),
        items: Vec::new(),
        known: Known::new(share, text.len()),
    };
    let mut decoded = Decoded {
        data: None,
        errors: None,
    };
    reader.object(|reader, name| {
        match name {
            b"data" => decoded.data = Some(reader.composite(shape)?),
            b"errors" => decoded.errors = Some(reader.skip()?),
            _ => {
                reader.skip()?;
            }
        }
        Ok(())
    })?;
    reader.space();
    if reader.at != reader.text.len() {
        return reader.fail("text after the end");
    }
    Ok(decoded)
}

struct Reader<'t, 'd> {
    text: &'t [u8],
    at: usize,
    depth: usize,
    source: u32,
    tree: &'d mut Tree,
    /// Fields of the objects, and items of the lists, that are being read.
    fields: Vec<Field>,
    items: Vec<Value>,
    known: Known,
}

impl<'t> Reader<'t, '_> {
    fn fail<T>(&self, what: &'static str) -> Result<T, Malformed> {
        Err(Malformed { what, at: self.at })
    }

    fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    fn space(&mut self) {
        while matches!(self.peek(), b' ' | b'\n' | b'\r' | b'\t') {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), Malformed> {
        self.space();
        if self.peek() != byte || self.at >= self.text.len() {
            return self.fail(what);
        }
        self.at += 1;
        Ok(())
    }

    fn enter(&mut self) -> Result<(), Malformed> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            self.fail("nesting too deep")
        } else {
            Ok(())
        }
    }

    /// Reads an object; `field` gets each name (as it stands, escapes and all) and must read the value.
    fn object(
        &mut self,
        mut field: impl FnMut(&mut Self, &'t [u8]) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        self.members(|reader| {
            let (start, end) = reader.string()?;
            let name = reader.text.get(start + 1..end - 1).unwrap_or_default();
            reader.expect(b':', "no colon")?;
            field(reader, name)
        })
    }

    /// Reads an object; `member` must read a name, a colon and a value.
    fn members(
        &mut self,
        mut member: impl FnMut(&mut Self) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        self.expect(b'{', "no object")?;
        self.enter()?;
        self.space();
        if self.peek() == b'}' {
            self.at += 1;
        } else {
            loop {
                self.space();
                member(self)?;
                self.space();
                match self.peek() {
                    b',' => self.at += 1,
                    b'}' => break self.at += 1,
                    _ => return self.fail("no end of an object"),
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// Reads a name and a colon, and gives the field of that name: subgraphs answer in the order of the question, so the
    /// expected one is tried first.
    fn name<'s>(
        &mut self,
        shape: &'s DecodeSet,
        expected: usize,
    ) -> Result<Option<(usize, &'s DecodeField)>, Malformed> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if let Some(field) = shape.fields.get(expected)
            && rest.starts_with(&field.prefix)
        {
            self.at += field.prefix.len();
            return Ok(Some((expected, field)));
        }
        let (start, end) = self.string()?;
        let name = self.text.get(start + 1..end - 1).unwrap_or_default();
        self.expect(b':', "no colon")?;
        let mut fields = shape.fields.iter().enumerate();
        Ok(fields.find(|(_, field)| field.name.as_bytes() == name))
    }

    fn array(&mut self, mut item: impl FnMut(&mut Self) -> Result<(), Malformed>) -> Result<(), Malformed> {
        self.expect(b'[', "no array")?;
        self.enter()?;
        self.space();
        if self.peek() == b']' {
            self.at += 1;
        } else {
            loop {
                self.space();
                item(self)?;
                self.space();
                match self.peek() {
                    b',' => self.at += 1,
                    b']' => break self.at += 1,
                    _ => return self.fail("no end of an array"),
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn composite(&mut self, shape: &DecodeSet) -> Result<Value, Malformed> {
        self.space();
        match self.peek() {
            b'{' => self.shaped(shape).map(Value::Object),
            b'[' => self.list(|reader| reader.composite(shape)),
            _ => self.scalar(),
        }
    }

    fn list(&mut self, item: impl Fn(&mut Self) -> Result<Value, Malformed>) -> Result<Value, Malformed> {
        let base = self.items.len();
        self.array(|reader| {
            let item = item(reader)?;
            reader.items.push(item);
            Ok(())
        })?;
        Ok(Value::List(self.tree.list(self.items.drain(base..))))
    }

    fn shaped(&mut self, shape: &DecodeSet) -> Result<ObjectId, Malformed> {
        let start = self.at;
        if let Some(Some(read)) = self.known.place(self.text, start, shape.number)
            && read.set == shape.number
            && let Some(earlier) = self.text.get(read.start..read.end)
            && self
                .text
                .get(start..)
                .is_some_and(|rest| rest.starts_with(earlier))
        {
            self.at += earlier.len();
            self.tree.share(read.object);
            return Ok(read.object);
        }
        let base = self.fields.len();
        let (mut expected, mut furthest) = (0, 0);
        self.members(|reader| {
            let Some((position, field)) = reader.name(shape, expected)? else {
                reader.skip()?;
                return Ok(());
            };
            let is_new = position >= furthest && shape.keys_differ;
            expected = position + 1;
            furthest = furthest.max(expected);
            let value = match &field.set {
                Some(set) => reader.composite(set)?,
                None => reader.leaf()?,
            };
            if is_new {
                reader.fields.push((field.key, value));
            } else {
                reader.put(base, field.key, value);
            }
            Ok(())
        })?;
        let object = self.tree.object(self.fields.drain(base..));
        let (text, end) = (self.text, self.at);
        if let Some(place) = self.known.place(text, start, shape.number) {
            let set = shape.number;
            *place = Some(Read {
                set,
                start,
                end,
                object,
            });
        }
        Ok(object)
    }

    /// Sets a field of the object that is being read: of two with the same key the later counts, unless it is null.
    fn put(&mut self, base: usize, key: Key, value: Value) {
        let mut fields = self.fields.iter_mut().skip(base);
        match fields.find(|(known, _)| *known == key) {
            None => self.fields.push((key, value)),
            Some(_) if value == Value::Null => {}
            Some((_, known)) => *known = value,
        }
    }

    fn leaf(&mut self) -> Result<Value, Malformed> {
        self.space();
        match self.peek() {
            b'[' => self.list(Self::leaf),
            _ => self.scalar(),
        }
    }

    fn scalar(&mut self) -> Result<Value, Malformed> {
        let (start, end) = self.skip()?;
        if self.text.get(start..end) == Some(b"null") {
            return Ok(Value::Null);
        }
        Ok(Value::Scalar(Span::new(self.source, start, end)))
    }

    /// Reads one value of any kind and gives its place.
    fn skip(&mut self) -> Result<(usize, usize), Malformed> {
        self.space();
        let start = self.at;
        match self.peek() {
            b'"' => {
                self.string()?;
            }
            b'{' => self.object(|reader, _| reader.skip().map(|_| ()))?,
            b'[' => self.array(|reader| reader.skip().map(|_| ()))?,
            b't' => self.word(b"true")?,
            b'f' => self.word(b"false")?,
            b'n' => self.word(b"null")?,
            _ => self.number()?,
        }
        Ok((start, self.at))
    }

    fn word(&mut self, word: &'static [u8]) -> Result<(), Malformed> {
        if !self
            .text
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(word))
        {
            return self.fail("no value");
        }
        self.at += word.len();
        Ok(())
    }

    fn string(&mut self) -> Result<(usize, usize), Malformed> {
        let start = self.at;
        self.expect(b'"', "no string")?;
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let Some(plain) = memchr::memchr2(b'"', b'\\', rest) else {
                return self.fail("no end of a string");
            };
            // Without a way out of the loop, so that many bytes are looked at in one step.
            let controls = |found, byte: &u8| found | (*byte < 0x20);
            if rest.iter().take(plain).fold(false, controls) {
                return self.fail("a control character in a string");
            }
            self.at += plain;
            if self.peek() == b'"' {
                self.at += 1;
                return Ok((start, self.at));
            }
            self.escape()?;
        }
    }

    fn escape(&mut self) -> Result<(), Malformed> {
        self.at += 1;
        match self.peek() {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 1,
            b'u' => {
                let digits = self.text.get(self.at + 1..self.at + 5);
                if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                    return self.fail("no escape");
                }
                self.at += 5;
            }
            _ => return self.fail("no escape"),
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), Malformed> {
        if self.peek() == b'-' {
            self.at += 1;
        }
        match self.peek() {
            b'0' => self.at += 1,
            b'1'..=b'9' => self.digits()?,
            _ => return self.fail("no value"),
        }
        if self.peek() == b'.' {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            if matches!(self.peek(), b'+' | b'-') {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        let start = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        if self.at == start {
            self.fail("no digits")
        } else {
            Ok(())
        }
    }
}
