//! Values in any pieces, and what they are shown as.

use proptest::prelude::*;

use super::*;
use crate::protocol::redis::inline;
use crate::protocol::redis::render::push_word;
use crate::protocol::redis::scan::{Fed, Scan};

const SESSION: [(bool, &str); 14] = [
    (false, "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$5\r\nhello\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n"),
    (true, "+OK\r\n$5\r\nhello\r\n"),
    (false, "PING\r\n\r\nset b \"x y\"\r\n*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n"),
    (true, "+PONG\r\n+OK\r\n%2\r\n+proto\r\n:3\r\n$1\r\na\r\n*2\r\n:1\r\n#t\r\n"),
    (false, "*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\nc\r\n"),
    (true, ">3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n>3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n"),
    (false, "*1\r\n$5\r\nMULTI\r\n*2\r\n$4\r\nINCR\r\n$1\r\na\r\n*1\r\n$4\r\nEXEC\r\n"),
    (true, "+OK\r\n>2\r\n+invalidate\r\n*1\r\n$1\r\na\r\n+QUEUED\r\n*1\r\n-ERR value is not an integer\r\n"),
    (false, "*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$4\r\nSKIP\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n*1\r\n$4\r\nTIME\r\n"),
    (true, "|1\r\n+ttl\r\n:3\r\n*2\r\n$10\r\n1700000000\r\n$1\r\n7\r\n"),
    (false, "*3\r\n$4\r\nEVAL\r\n$1\r\nx\r\n$1\r\n0\r\n"),
    (true, "*?\r\n$?\r\n;2\r\nab\r\n;1\r\nc\r\n;0\r\n~1\r\n,1.5\r\n(123\r\n_\r\n.\r\n"),
    (false, "*1\r\n$7\r\nMONITOR\r\n"),
    (true, "+OK\r\n+1339518083.107412 [0 127.0.0.1:60866] \"get\" \"a\"\r\n"),
];

fn session(mss: impl Fn(usize) -> usize) -> (Vec<Row>, Vec<Row>) {
    let mut wire = Wire::opened();
    for (at, (server, bytes)) in SESSION.iter().enumerate() {
        wire.mss = mss(at);
        wire.send(if *server { Server } else { Client }, bytes.as_bytes());
    }
    let mut records = wire.end();
    for row in records.exchanges.iter_mut().chain(&mut records.messages) {
        row.retain(|name, _| {
            !(name.ends_with("_ns") || name.contains("time") || name.ends_with("message") || name.ends_with("id"))
                && name != "exchange"
        });
    }
    (records.exchanges, records.messages)
}

#[test]
fn the_session_is_understood() {
    let (exchanges, messages) = session(|_| 1448);
    assert_eq!((exchanges.len(), messages.len()), (15, 4));
    assert!(exchanges.iter().all(|row| matches!(text(row, "outcome"), "ok" | "client_error" | "open")));
}

proptest! {
    #[test]
    fn any_pieces_give_the_same(sizes in prop::collection::vec(1usize..40, SESSION.len())) {
        prop_assert_eq!(session(|at| sizes[at]), session(|_| 1448));
    }

    /// Where a value ends does not depend on how it comes.
    #[test]
    fn any_bytes_in_any_pieces(bytes in prop::collection::vec(prop::sample::select(b"*$%+:;.|?0123\r\na".to_vec()), 0..80), size in 1usize..7) {
        let whole = Scan::default().feed(&bytes, false);
        let (mut scan, mut taken, mut fed) = (Scan::default(), 0, Fed::More(0));
        for end in (0..=bytes.len()).step_by(size).chain([bytes.len()]) {
            fed = match scan.feed(&bytes[taken..end], false) {
                Fed::Done(n) => Fed::Done(taken + n),
                Fed::Bad(n) => Fed::Bad(taken + n),
                Fed::More(n) => Fed::More(taken + n),
            };
            match fed {
                Fed::More(n) => taken = n,
                _ => break,
            }
        }
        prop_assert_eq!(fed, whole);
    }

    /// What is shown can be typed again.
    #[test]
    fn words_are_read_back(words in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..12), 1..5)) {
        let mut line = Vec::new();
        for word in &words {
            line.push(b' ');
            push_word(&mut line, word);
        }
        prop_assert_eq!(inline::words(&line), Some(words));
    }
}
