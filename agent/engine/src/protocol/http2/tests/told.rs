//! What was really said on a stream, beside what a record says of it.

use std::collections::{BTreeMap, HashMap};

use super::wire::*;
use crate::message::notes;
use crate::stream::Side;

/// What was really said on a stream.
#[derive(Debug, Default)]
pub struct Told {
    fields: [Vec<(String, String)>; 2],
    trailers: [Vec<(String, String)>; 2],
    /// By side, all data.
    data: [Vec<u8>; 2],
    /// Messages of gRPC of which some was sent.
    messages: [Vec<String>; 2],
    /// How many of them are whole.
    whole: [usize; 2],
    pub hints: bool,
    pub ended: [bool; 2],
    pub reset: bool,
}

const SIDES: [(Side, &str, &str); 2] = [(Client, "request", "sent"), (Server, "response", "received")];

fn text<'a>(row: &'a Row, column: &str) -> &'a str {
    row.get(column).map_or("", String::as_str)
}

fn lines(fields: &[(String, String)]) -> Vec<String> {
    fields.iter().filter(|(name, _)| !name.starts_with(':')).map(|(name, value)| format!("{name}: {value}")).collect()
}

impl Told {
    pub fn head(&mut self, side: Side, fields: &[(String, String)]) {
        self.fields[side as usize] = fields.to_vec();
    }

    pub fn trailers(&mut self, side: Side, fields: &[(String, String)]) {
        self.trailers[side as usize] = fields.to_vec();
    }

    /// A frame's data; the messages it is of.
    pub fn data(&mut self, side: Side, data: &[u8], messages: Option<Vec<String>>) {
        let at = side as usize;
        self.data[at].extend(data);
        let (mut start, sent) = (0, self.data[at].len());
        for (number, message) in messages.into_iter().flatten().enumerate() {
            if number == self.messages[at].len() && start + 5 <= sent {
                self.messages[at].push(message.clone());
            }
            start += 5 + message.len();
            self.whole[at] += usize::from(number == self.whole[at] && start <= sent);
        }
    }

    fn field(&self, side: Side, name: &str) -> &str {
        let listed = self.trailers[side as usize].iter().chain(&self.fields[side as usize]);
        listed.clone().find(|(n, _)| n == name).map_or("", |(_, value)| value)
    }

    fn is_streaming(&self) -> bool {
        self.messages.iter().any(|begun| begun.len() > 1)
    }

    /// Columns as they must be if it is that protocol's.
    fn columns(&self, as_grpc: bool) -> [(&'static str, &str); 4] {
        let path = self.field(Client, ":path");
        let operation = if as_grpc { path.rsplit('/').next().unwrap_or("") } else { self.field(Client, ":method") };
        let status = self.field(Server, if as_grpc { "grpc-status" } else { ":status" });
        [
            ("operation", operation),
            ("target", path),
            ("authority", self.field(Client, ":authority")),
            ("status", status),
        ]
    }

    fn outcome(&self, as_grpc: bool) -> &'static str {
        let answered = self.ended[1];
        match (self.field(Server, "grpc-status"), self.field(Server, ":status").as_bytes().first()) {
            _ if self.reset && !answered => "reset",
            _ if !answered => "open",
            ("0", _) if as_grpc => "ok",
            ("5", _) if as_grpc => "client_error",
            ("13", _) if as_grpc => "server_error",
            ("4", _) if as_grpc => "timeout",
            (_, Some(b'2')) => "ok",
            (_, Some(b'4')) => "client_error",
            _ => "server_error",
        }
    }

    /// What is not as it must be in the record of all of it.
    fn differs(&self, row: &Row, messages: &[&Row]) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut compare = |what: &str, said: &str, expected: &str| {
            if said != expected {
                wrong.push(format!("{what} is {said:?}, not {expected:?}"));
            }
        };
        let mut expect = |column: &str, expected: &str| compare(column, text(row, column), expected);
        for (column, expected) in self.columns(self.is_grpc()) {
            expect(column, expected);
        }
        expect("protocol", if self.is_grpc() { "grpc" } else { "http" });
        expect("outcome", self.outcome(self.is_grpc()));
        expect("interim", if self.hints { "103" } else { "" });
        for (side, half, direction) in SIDES {
            let at = side as usize;
            for (part, fields) in [("headers", &self.fields[at]), ("trailers", &self.trailers[at])] {
                let joined: String = lines(fields).iter().map(|line| format!("{line}\n")).collect();
                expect(&format!("{half}_{part}"), &joined);
            }
            let body = match self.is_grpc() {
                true if self.is_streaming() => "".into(),
                true => self.messages[at].first().cloned().unwrap_or_default(),
                false => String::from_utf8(self.data[at].clone()).unwrap(),
            };
            // Of a message that was cut off, what there is of it.
            if self.whole[at] == self.messages[at].len() {
                expect(&format!("{half}_body"), &body);
            }
            if self.is_grpc() {
                expect(&format!("messages_{direction}"), &self.whole[at].to_string());
            }
        }
        for (side, _, direction) in SIDES {
            let listed = messages.iter().filter(|row| row["direction"] == direction).map(|row| text(row, "body"));
            let sent = if self.is_streaming() { self.whole[side as usize] } else { 0 };
            let right = self.messages[side as usize][..sent].join("\n");
            compare(direction, &listed.collect::<Vec<_>>().join("\n"), &right);
        }
        let bad = notes::GAP | notes::PARTIAL | notes::MALFORMED | notes::NO_REQUEST;
        if noted(row, bad) {
            wrong.push(format!("notes are {}", row["notes"]));
        }
        wrong
    }

    fn is_grpc(&self) -> bool {
        self.field(Client, "content-type") == "application/grpc"
    }

    /// What a record says that is not so, however little it knows.
    fn contradicts(&self, row: &Row, messages: &[&Row]) -> Vec<String> {
        let mut wrong = Vec::new();
        let as_grpc = row["protocol"] == "grpc";
        if as_grpc && !self.is_grpc() {
            wrong.push("it is not gRPC".to_string());
        }
        for (column, right) in self.columns(as_grpc) {
            if row.get(column).is_some_and(|said| said != right) {
                wrong.push(format!("{column} is {:?}, was {right:?}", row[column]));
            }
        }
        if noted(row, notes::NO_REQUEST) && row.contains_key("operation") {
            wrong.push("there is a request".to_string());
        }
        let outcome = row["outcome"].as_str();
        if ![self.outcome(as_grpc), "incomplete", "open"].contains(&outcome) {
            wrong.push(format!("outcome is {outcome}, was {}", self.outcome(as_grpc)));
        }
        for (side, half, direction) in SIDES {
            let at = side as usize;
            for (part, fields) in [("headers", &self.fields[at]), ("trailers", &self.trailers[at])] {
                let right = lines(fields);
                let mut rest = right.iter();
                // Of a field of which nothing is known it is not known either whether it belongs to the first line.
                let said = text(row, &format!("{half}_{part}")).lines().filter(|line| *line != "?: ?");
                if said.clone().any(|line| !rest.any(|right| is_like(line, right))) {
                    wrong.push(format!("{half} {part} are {:?}, were {right:?}", said.collect::<Vec<_>>()));
                }
            }
            let body = text(row, &format!("{half}_body"));
            let mut bodies = self.messages[at].iter().map(String::as_bytes).chain([&self.data[at][..]]);
            if !bodies.any(|right| right.starts_with(body.as_bytes())) {
                wrong.push(format!("{half} body is {body:?}"));
            }
            let mut rest = self.messages[at].iter();
            for message in messages.iter().filter(|row| row["direction"] == direction) {
                let body = text(message, "body");
                let whole = !noted(message, notes::GAP | notes::PARTIAL);
                if !rest.any(|right| right == body || (!whole && right.starts_with(body))) {
                    wrong.push(format!("nobody {direction} {body:?} then, of {:?}", self.messages[at]));
                }
            }
        }
        wrong
    }
}

/// Whether a header is that one, as far as it is known.
fn is_like(said: &str, right: &str) -> bool {
    let ((name, value), (right_name, right_value)) = (said.split_once(": ").unwrap(), right.split_once(": ").unwrap());
    ["?", right_name].contains(&name) && ["?", right_value].contains(&value)
}

/// Looks at each exchange with its messages.
fn each(
    records: &Records,
    told: &BTreeMap<u32, Told>,
    look: impl Fn(&Told, &Row, &[&Row]) -> Vec<String>,
) -> Vec<String> {
    let mut seen: HashMap<u32, usize> = HashMap::new();
    let mut wrong = Vec::new();
    for row in &records.exchanges {
        let stream: u32 = row["stream"].parse().unwrap();
        *seen.entry(stream).or_default() += 1;
        let messages: Vec<&Row> = records.messages.iter().filter(|message| message["exchange"] == row["id"]).collect();
        let Some(told) = told.get(&stream) else {
            wrong.push(format!("stream {stream} never was: {row:?}"));
            continue;
        };
        wrong.extend(look(told, row, &messages).iter().map(|what| format!("stream {stream}: {what} in {row:?}")));
    }
    wrong.extend(seen.iter().filter(|(_, count)| **count > 1).map(|(stream, _)| format!("stream {stream} twice")));
    wrong
}

/// What is not as it must be where nothing was lost.
pub fn differences(records: &Records, told: &BTreeMap<u32, Told>) -> Vec<String> {
    let mut wrong = each(records, told, Told::differs);
    if records.exchanges.len() != told.len() {
        wrong.push(format!("{} exchanges of {}", records.exchanges.len(), told.len()));
    }
    wrong
}

/// What is not so, where something may be lost.
pub fn contradictions(records: &Records, told: &BTreeMap<u32, Told>) -> Vec<String> {
    each(records, told, Told::contradicts)
}
