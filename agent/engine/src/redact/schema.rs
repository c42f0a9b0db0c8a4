//! What is known of Protocol Buffers' messages: names and types of fields, from descriptor sets
//! (<https://github.com/protocolbuffers/protobuf/blob/main/src/google/protobuf/descriptor.proto>).

use std::collections::{HashMap, HashSet};

use super::names::Names;
use super::wire::{Field, Value, field};

/// Messages and methods that are remembered; large companies' sets have some 50,000.
const MOST: usize = 100_000;
/// Messages within messages.
const DEPTH: usize = 32;

/// What a field holds, as far as it matters for secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A string or bytes.
    Text,
    /// A message of that name.
    Message(Box<str>),
    /// Anything else.
    Number,
}

/// A field of a message.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub kind: Kind,
    pub secret: bool,
}

/// A message.
#[derive(Clone, Debug, Default)]
pub(super) struct Message {
    pub fields: HashMap<u32, Known>,
    /// A key and a value of a map.
    pub is_entry: bool,
    /// A field of it, or of what it holds, is a secret.
    pub has_secrets: bool,
}

/// All that is known.
#[derive(Debug, Default)]
pub(super) struct Schema {
    /// By full name.
    messages: HashMap<Box<str>, Message>,
    /// By path (`/pkg.Service/Method`): names of what is asked with and what is answered with.
    methods: HashMap<Box<str>, [Box<str>; 2]>,
    /// Descriptors of files that were read, by their hash: servers are asked for them again and again.
    read: HashSet<u64, foldhash::fast::FixedState>,
}

/// The fields of a descriptor; what is behind a broken one is left out.
fn fields(mut bytes: &[u8]) -> impl Iterator<Item = Field<'_>> {
    std::iter::from_fn(move || {
        let (found, rest) = field(bytes)?;
        bytes = rest;
        Some(found)
    })
}

fn text<'a>(value: &Value<'a>) -> &'a str {
    match value {
        Value::Bytes(bytes) => std::str::from_utf8(bytes).unwrap_or_default(),
        _ => "",
    }
}

fn joined(scope: &str, name: &str) -> Box<str> {
    if scope.is_empty() { name.into() } else { format!("{scope}.{name}").into() }
}

/// A type's full name is written with a dot in front.
fn full(name: &str) -> Box<str> {
    name.strip_prefix('.').unwrap_or(name).into()
}

impl Schema {
    /// The message of that full name.
    pub fn message(&self, name: &str) -> Option<&Message> {
        self.messages.get(name)
    }

    /// The type of what that side of a method sends.
    pub fn of_method(&self, path: &[u8], request: bool) -> Option<&str> {
        if self.methods.is_empty() {
            return None;
        }
        self.methods.get(std::str::from_utf8(path).ok()?).map(|types| &*types[usize::from(!request)])
    }

    /// Reads a `FileDescriptorSet`. What is known already stays.
    pub fn add_set(&mut self, bytes: &[u8], names: &Names) {
        for found in fields(bytes) {
            if let (1, Value::Bytes(file)) = (found.number, found.value) {
                self.add_file(file, names);
            }
        }
        self.mark_secrets();
    }

    /// Reads the file descriptors in an answer of server reflection, of either version (field 4 of
    /// `ServerReflectionResponse`, field 1 of `FileDescriptorResponse`).
    pub fn add_reflection(&mut self, answer: &[u8], names: &Names) {
        let before = self.messages.len() + self.methods.len();
        for found in fields(answer) {
            if let (4, Value::Bytes(files)) = (found.number, found.value) {
                for file in fields(files) {
                    if let (1, Value::Bytes(file)) = (file.number, file.value) {
                        self.add_file(file, names);
                    }
                }
            }
        }
        if self.messages.len() + self.methods.len() > before {
            self.mark_secrets();
        }
    }

    /// `FileDescriptorProto`: package 2, messages 4, services 6.
    fn add_file(&mut self, file: &[u8], names: &Names) {
        if self.read.len() >= MOST || !self.read.insert(hash(file)) {
            return;
        }
        let package = fields(file).filter(|f| f.number == 2).map(|f| text(&f.value)).last().unwrap_or_default();
        for found in fields(file) {
            match (found.number, found.value) {
                (4, Value::Bytes(message)) => self.add_message(package, message, names, 0),
                (6, Value::Bytes(service)) => self.add_service(package, service),
                _ => {}
            }
        }
    }

    /// `DescriptorProto`: name 1, fields 2, nested messages 3, options 7 (of which 7 says that it is of a map).
    fn add_message(&mut self, scope: &str, bytes: &[u8], names: &Names, depth: usize) {
        let name = fields(bytes).filter(|f| f.number == 1).map(|f| text(&f.value)).last().unwrap_or_default();
        let name = joined(scope, name);
        let mut message = Message::default();
        for found in fields(bytes) {
            match (found.number, found.value) {
                (2, Value::Bytes(field)) => {
                    let (number, known) = known(field, names);
                    message.fields.insert(number, known);
                }
                (3, Value::Bytes(nested)) if depth < DEPTH => self.add_message(&name, nested, names, depth + 1),
                (7, Value::Bytes(options)) => {
                    message.is_entry = fields(options).any(|f| f.number == 7 && matches!(f.value, Value::Varint(1)));
                }
                _ => {}
            }
        }
        if self.messages.len() < MOST {
            self.messages.entry(name).or_insert(message);
        }
    }

    /// `ServiceDescriptorProto`: name 1, methods 2, each with name 1, input 2, output 3.
    fn add_service(&mut self, package: &str, bytes: &[u8]) {
        let name = fields(bytes).filter(|f| f.number == 1).map(|f| text(&f.value)).last().unwrap_or_default();
        let service = joined(package, name);
        for found in fields(bytes) {
            let (2, Value::Bytes(method)) = (found.number, found.value) else { continue };
            let (mut name, mut types) = ("", [Box::<str>::default(), Box::default()]);
            for part in fields(method) {
                match part.number {
                    1 => name = text(&part.value),
                    2 => types[0] = full(text(&part.value)),
                    3 => types[1] = full(text(&part.value)),
                    _ => {}
                }
            }
            if self.methods.len() < MOST {
                self.methods.entry(format!("/{service}/{name}").into()).or_insert(types);
            }
        }
    }

    /// Finds the messages that hold secrets, also by what they hold.
    fn mark_secrets(&mut self) {
        loop {
            let holds: Vec<Box<str>> = self
                .messages
                .iter()
                .filter(|(_, message)| !message.has_secrets && self.holds_secrets(message))
                .map(|(name, _)| name.clone())
                .collect();
            if holds.is_empty() {
                return;
            }
            for name in holds {
                if let Some(message) = self.messages.get_mut(&name) {
                    message.has_secrets = true;
                }
            }
        }
    }

    fn holds_secrets(&self, message: &Message) -> bool {
        // What is in a map is named by its keys, which only the messages have.
        message.is_entry
            || message.fields.values().any(|known| {
                known.secret
                    || matches!(&known.kind, Kind::Message(name) if self.message(name).is_some_and(|m| m.has_secrets))
            })
    }
}

/// `FieldDescriptorProto`: name 1, number 3, type 5 (9: string, 11: message, 12: bytes), type's name 6.
fn known(bytes: &[u8], names: &Names) -> (u32, Known) {
    let (mut number, mut kind, mut type_name, mut secret) = (0, 0, "", false);
    for found in fields(bytes) {
        match (found.number, &found.value) {
            (1, value) => secret = names.is_secret(text(value).as_bytes()),
            (3, Value::Varint(value)) => number = *value as u32,
            (5, Value::Varint(value)) => kind = *value,
            (6, value) => type_name = text(value),
            _ => {}
        }
    }
    let kind = match kind {
        9 | 12 => Kind::Text,
        11 => Kind::Message(full(type_name)),
        _ => Kind::Number,
    };
    (number, Known { kind, secret })
}

fn hash(bytes: &[u8]) -> u64 {
    use std::hash::BuildHasher;
    foldhash::fast::FixedState::default().hash_one(bytes)
}
