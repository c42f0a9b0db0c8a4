//! Redis, by connections made by hand.

mod hostile;
mod order;
mod values;
mod windows;

use crate::protocol::http2::tests::wire::{Records, Row, Wire};
use crate::stream::Side::{Client, Server};

/// Commands as a client sends them, words separated by spaces.
fn commands(listed: &[&str]) -> Vec<u8> {
    let mut made = Vec::new();
    for command in listed {
        let words: Vec<Vec<u8>> = command.split(' ').map(|word| word.as_bytes().to_vec()).collect();
        super::inline::write_command(&mut made, &words);
    }
    made
}

/// The reply to an ECHO.
fn string(text: &str) -> Vec<u8> {
    format!("${}\r\n{text}\r\n", text.len()).into_bytes()
}

fn text<'a>(row: &'a Row, column: &str) -> &'a str {
    row.get(column).map_or("?", String::as_str)
}

/// One line for each exchange: command, reply, outcome.
fn lines(records: &Records) -> Vec<String> {
    let of = |row: &Row| ["request_body", "response_body", "outcome"].map(|column| text(row, column)).join(" | ");
    records.exchanges.iter().map(of).collect()
}

/// Exchanges whose reply is not that to their command: `ECHO x` gives x.
fn wrong(records: &Records) -> Vec<String> {
    let is_wrong = |row: &&Row| match (row.get("request_body"), row.get("response_body")) {
        (Some(asked), Some(answered)) => {
            asked.strip_prefix("ECHO ").is_some_and(|word| word.trim_matches('\'') != answered)
        }
        _ => false,
    };
    let rows = records.exchanges.iter().filter(is_wrong);
    rows.map(|row| format!("{} <- {}", text(row, "request_body"), text(row, "response_body"))).collect()
}

fn paired(records: &Records) -> usize {
    let both = |row: &&Row| row.contains_key("request_body") && row.contains_key("response_body");
    records.exchanges.iter().filter(both).count()
}
