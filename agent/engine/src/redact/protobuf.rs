//! Secrets in Protocol Buffers (<https://protobuf.dev/programming-guides/encoding/>): by the names of fields where a
//! schema is known, by what stands in the strings elsewhere. What is around a changed string is written anew, so that
//! the message can still be read.

use super::Rules;
use super::schema::{Kind, Schema};
use super::text::Style;
use super::wire::{Value, field, push_varint};

/// Messages within messages (the libraries' own bound is 100).
const DEPTH: usize = 64;

/// Whether bytes are a message by their form.
fn is_message(mut bytes: &[u8]) -> bool {
    while !bytes.is_empty() {
        let Some((_, rest)) = field(bytes) else { return false };
        bytes = rest;
    }
    true
}

impl Rules {
    /// A message of that type (`None`: of an unknown one), whole or cut: the changed message, if anything in it changes.
    pub(super) fn protobuf(&self, schema: &Schema, name: Option<&str>, body: &[u8], out: &mut Vec<u8>) -> bool {
        let start = out.len();
        if name.and_then(|name| schema.message(name)).is_none() {
            // Nearly all bodies hold no secret: they are searched as text before they are taken apart.
            if !self.text(body, Style::Data, out) {
                return false;
            }
            let raw = out.split_off(start);
            // As text it must hold no more of them, for its fields may be read wrongly.
            let mut again = Vec::new();
            if self.message(schema, None, body, out, 0)
                && (!self.text(&out[start..], Style::Data, &mut again) || again == out[start..])
            {
                return true;
            }
            out.truncate(start);
            out.extend_from_slice(&raw);
            return true;
        }
        let changed = self.message(schema, name, body, out, 0);
        if !changed {
            out.truncate(start);
        }
        changed
    }

    /// Copies a message with its secrets replaced; says whether anything was. What can't be read is text.
    fn message(&self, schema: &Schema, name: Option<&str>, mut bytes: &[u8], out: &mut Vec<u8>, depth: usize) -> bool {
        let message = name.and_then(|name| schema.message(name));
        let mut changed = false;
        let mut secret_entry = false;
        while !bytes.is_empty() {
            let Some((field, rest)) = field(bytes) else {
                changed |= self.rest(bytes, message.is_some_and(|message| message.has_secrets), out);
                break;
            };
            bytes = rest;
            let known = message.and_then(|message| message.fields.get(&field.number));
            let is_entry = message.is_some_and(|message| message.is_entry);
            let secret = known.is_some_and(|known| known.secret) || (is_entry && field.number == 2 && secret_entry);
            match field.value {
                Value::Bytes(value) if secret && known.is_none_or(|known| !matches!(known.kind, Kind::Message(_))) => {
                    changed |= !value.is_empty();
                    let mark = self.mark(value);
                    self.replaced(field.number, if value.is_empty() { value } else { mark.as_bytes() }, out);
                }
                Value::Bytes(value) => {
                    if is_entry && field.number == 1 {
                        secret_entry = self.names.is_secret(value);
                    }
                    let kind = known.map(|known| &known.kind);
                    let within = out.len();
                    if self.value(schema, kind, value, out, depth) {
                        changed = true;
                        let made = out.split_off(within);
                        self.replaced(field.number, &made, out);
                    } else {
                        out.truncate(within);
                        out.extend_from_slice(field.raw);
                    }
                }
                // A number that is a secret (a PIN) has no room for a mark: the field is left out.
                Value::Varint(_) | Value::Other if secret => changed = true,
                Value::Varint(_) | Value::Other => out.extend_from_slice(field.raw),
            }
        }
        changed
    }

    /// A value of bytes: a message, a text, or nobody knows.
    fn value(&self, schema: &Schema, kind: Option<&Kind>, value: &[u8], out: &mut Vec<u8>, depth: usize) -> bool {
        match kind {
            Some(Kind::Message(name)) if depth < DEPTH => self.message(schema, Some(name), value, out, depth + 1),
            Some(Kind::Number) => false,
            Some(Kind::Text | Kind::Message(_)) => self.text(value, Style::Data, out),
            None => {
                let start = out.len();
                if !self.text(value, Style::Data, out) {
                    return false;
                }
                let binary = std::str::from_utf8(value).is_err() || value.iter().any(|b| *b < b'\t');
                if binary && depth < DEPTH && is_message(value) {
                    let text = out.split_off(start);
                    if self.message(schema, None, value, out, depth + 1) {
                        return true;
                    }
                    out.truncate(start);
                    out.extend_from_slice(&text);
                }
                true
            }
        }
    }

    /// What is left of a message that was cut, or is none. Where a secret may stand in it, it is left out.
    fn rest(&self, bytes: &[u8], has_secrets: bool, out: &mut Vec<u8>) -> bool {
        if has_secrets {
            return true;
        }
        let start = out.len();
        if self.text(bytes, Style::Data, out) {
            return true;
        }
        out.truncate(start);
        out.extend_from_slice(bytes);
        false
    }

    fn replaced(&self, number: u32, value: &[u8], out: &mut Vec<u8>) {
        push_varint(out, u64::from(number) << 3 | 2);
        push_varint(out, value.len() as u64);
        out.extend_from_slice(value);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Redactor;
    use super::*;

    fn text(number: u32, value: &[u8]) -> Vec<u8> {
        let mut made = Vec::new();
        push_varint(&mut made, u64::from(number) << 3 | 2);
        push_varint(&mut made, value.len() as u64);
        made.extend_from_slice(value);
        made
    }

    #[test]
    fn a_secret_in_an_unknown_message_leaves_it_readable() {
        let mut redactor = Redactor::new([0; 16], &[]);
        let inner = [text(1, b"x"), text(2, br#"{"password":"hunter2"}"#), vec![0x18, 1]].concat();
        let message = [vec![0x08, 17], text(3, &inner), text(4, b"behind")].concat();
        let mut out = Vec::new();
        assert!(redactor.grpc(b"/a.B/C", true, &message, &mut out));
        assert!(is_message(&out));
        assert!(!out.windows(7).any(|window| window == b"hunter2"));
        assert!(out.ends_with(&text(4, b"behind")));
    }

    proptest! {
        #[test]
        fn any_bytes(bytes: Vec<u8>) {
            let mut redactor = Redactor::new([0; 16], &[]);
            let mut out = Vec::new();
            redactor.grpc(b"/a.B/C", true, &bytes, &mut out);
        }
    }
}
