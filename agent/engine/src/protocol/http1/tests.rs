//! Conversations in any pieces: the same records come of them, however the bytes were split into segments.

use proptest::prelude::*;

use crate::counters::Counter;
use crate::message::notes;
use crate::protocol::http2::tests::wire::{Client, Records, Server, Wire, timeless};

/// A request.
#[derive(Clone, Copy, Debug)]
enum Ask {
    Get,
    Head,
    Post(usize),
    Chunked(usize, usize),
}

/// What answers it.
#[derive(Clone, Copy, Debug)]
enum Answer {
    Length(usize),
    Chunked(usize, usize),
    Nothing,
    Continued(usize),
    Hinted(usize),
    Events(usize, usize),
}

/// How the connection goes on behind the last answer.
#[derive(Clone, Debug)]
enum Then {
    Closes,
    /// A body that the end of the connection ends.
    UntilClose(usize),
    /// A WebSocket: kind, payload and direction of each frame.
    WebSocket(Vec<(u8, Vec<u8>, bool)>),
}

fn text(len: usize) -> Vec<u8> {
    b"HTTP/1.1 200 OK\r\n\r\nGET / HTTP/1.1\r\n".iter().copied().cycle().take(len).collect()
}

fn chunks(body: &[u8], size: usize, trailer: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for chunk in body.chunks(size) {
        out.extend(format!("{:x};x=y\r\n", chunk.len()).bytes());
        out.extend(chunk);
        out.extend(b"\r\n");
    }
    out.extend(format!("0\r\n{trailer}\r\n").bytes());
    out
}

fn request(number: usize, ask: Ask) -> Vec<u8> {
    let head = |method: &str, more: &str| {
        format!("{method} /{number}?q=1 HTTP/1.1\r\nHost: shop.example\r\nX-Number: {number}\r\n{more}\r\n")
            .into_bytes()
    };
    match ask {
        Ask::Get => head("GET", ""),
        Ask::Head => head("HEAD", ""),
        Ask::Post(len) => [head("POST", &format!("Content-Length: {len}\r\n")), text(len)].concat(),
        Ask::Chunked(len, size) => {
            [head("PUT", "Transfer-Encoding: chunked\r\n"), chunks(&text(len), size, "X-Sum: 1\r\n")].concat()
        }
    }
}

fn response(ask: Ask, answer: Answer) -> Vec<u8> {
    let head = |status: &str, more: &str| format!("HTTP/1.1 {status}\r\nServer: test\r\n{more}\r\n").into_bytes();
    let plain = |len: usize| {
        let body = if matches!(ask, Ask::Head) { 0 } else { len };
        [head("200 OK", &format!("Content-Length: {len}\r\n")), text(body)].concat()
    };
    match answer {
        Answer::Length(len) => plain(len),
        Answer::Nothing => head("304 Not Modified", ""),
        _ if matches!(ask, Ask::Head) => plain(7),
        Answer::Chunked(len, size) => {
            [head("404 Not Found", "Transfer-Encoding: chunked\r\n"), chunks(&text(len), size, "")].concat()
        }
        Answer::Continued(len) => [b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(), plain(len)].concat(),
        Answer::Hinted(len) => {
            [b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n".to_vec(), plain(len)].concat()
        }
        Answer::Events(count, size) => {
            let events: String =
                (0..count).map(|n| format!("event: e{n}\ndata: {{\"n\": {n}}}\ndata: two\n\n")).collect();
            let more = "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n";
            [head("200 OK", more), chunks(events.as_bytes(), size, "")].concat()
        }
    }
}

fn frame(kind: u8, payload: &[u8], masked: bool) -> Vec<u8> {
    let bit = if masked { 0x80 } else { 0 };
    let mut out = vec![0x80 | kind];
    match payload.len() {
        len @ 0..=125 => out.push(bit | len as u8),
        len => {
            out.push(bit | 126);
            out.extend((len as u16).to_be_bytes());
        }
    }
    if masked {
        let mask = [7, 77, 177, 27];
        out.extend(mask);
        out.extend(payload.iter().zip(mask.iter().cycle()).map(|(a, b)| a ^ b));
    } else {
        out.extend(payload);
    }
    out
}

/// Says it all in segments of these sizes, by turns.
fn said(rounds: &[Vec<(Ask, Answer)>], then: &Then, sizes: &[usize]) -> Records {
    let mut wire = Wire::opened();
    let mut sizes = sizes.iter().copied().cycle();
    let mut send = |wire: &mut Wire, side, bytes: &[u8]| wire.send_split(side, bytes, &mut sizes);
    let mut number = 0;
    for round in rounds {
        let mut asked = Vec::new();
        for (ask, _) in round {
            asked.extend(request(number, *ask));
            number += 1;
        }
        send(&mut wire, Client, &asked);
        let answers: Vec<u8> = round.iter().flat_map(|(ask, answer)| response(*ask, *answer)).collect();
        send(&mut wire, Server, &answers);
    }
    match then {
        Then::Closes => {}
        Then::UntilClose(len) => {
            send(&mut wire, Client, b"GET /last HTTP/1.0\r\n\r\n");
            send(&mut wire, Server, &[b"HTTP/1.0 200 OK\r\n\r\n".to_vec(), text(*len)].concat());
        }
        Then::WebSocket(frames) => {
            let asks = "GET /live HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
            send(&mut wire, Client, asks.as_bytes());
            let grants = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
            send(&mut wire, Server, grants.as_bytes());
            for (kind, payload, client) in frames {
                let side = if *client { Client } else { Server };
                send(&mut wire, side, &frame(*kind, payload, *client));
            }
        }
    }
    wire.close(Server);
    wire.end()
}

fn any_ask() -> impl Strategy<Value = Ask> {
    prop_oneof![
        Just(Ask::Get),
        Just(Ask::Head),
        (0usize..300).prop_map(Ask::Post),
        (0usize..300, 1usize..100).prop_map(|(len, size)| Ask::Chunked(len, size)),
    ]
}

fn any_answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        (0usize..400).prop_map(Answer::Length),
        (0usize..400, 1usize..120).prop_map(|(len, size)| Answer::Chunked(len, size)),
        Just(Answer::Nothing),
        (0usize..50).prop_map(Answer::Continued),
        (0usize..50).prop_map(Answer::Hinted),
        (0usize..6, 1usize..60).prop_map(|(count, size)| Answer::Events(count, size)),
    ]
}

fn any_end() -> impl Strategy<Value = Then> {
    let payload = prop::collection::vec(32u8..127, 0..200);
    let frames = prop::collection::vec((1u8..3, payload, any::<bool>()), 0..20);
    prop_oneof![Just(Then::Closes), (0usize..300).prop_map(Then::UntilClose), frames.prop_map(Then::WebSocket)]
}

proptest! {
    #[test]
    fn any_split_gives_the_same_records(
        rounds in prop::collection::vec(prop::collection::vec((any_ask(), any_answer()), 1..4), 1..4),
        then in any_end(),
        sizes in prop::collection::vec(1usize..60, 1..40),
    ) {
        let whole = said(&rounds, &then, &[usize::MAX]);
        let pieces = said(&rounds, &then, &sizes);
        prop_assert_eq!(timeless(&whole.exchanges), timeless(&pieces.exchanges));
        prop_assert_eq!(timeless(&whole.messages), timeless(&pieces.messages));
        // What came of it is also what was said.
        let asked: usize = rounds.iter().map(Vec::len).sum();
        let more = usize::from(!matches!(then, Then::Closes));
        prop_assert_eq!(whole.exchanges.len(), asked + more);
        for row in &whole.exchanges {
            let bits = row["notes"].parse::<u32>().unwrap();
            prop_assert_eq!(bits & (notes::GAP | notes::PARTIAL | notes::MALFORMED), 0, "{:?}", row);
        }
    }
}

#[test]
fn requests_without_answers_are_bounded() {
    let mut wire = Wire::opened();
    wire.step = 1000;
    let limit = wire.out.config.limits.pending;
    for number in 0..limit + 30 {
        wire.send(Client, &request(number, Ask::Get));
    }
    assert_eq!(wire.out.counters.get(Counter::PendingDropped), 30);
    let dropped = wire.records().exchanges;
    let first = ["target", "outcome", "error"].map(|column| dropped[0][column].as_str());
    assert_eq!(dropped.len(), 30);
    assert_eq!(first, ["/0?q=1", "incomplete", "too many requests of its connection waited"]);
}
