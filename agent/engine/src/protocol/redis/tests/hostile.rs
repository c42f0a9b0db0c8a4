//! Peers that mean harm, and bytes that mean nothing: bounded, and counted.

use proptest::prelude::*;

use super::*;
use crate::counters::Counter;

#[test]
fn commands_without_replies_are_bounded() {
    let mut wire = Wire::opened();
    for n in 0..40_000 {
        wire.send(Client, &commands(&[&format!("ECHO {n}")]));
    }
    assert_eq!(wire.out.counters.get(Counter::PendingDropped), 40_000 - 16_384);
    assert!(wire.held() < 16_384 * 1024, "{}", wire.held());
    // Their order is still known.
    for n in 0..40_000 {
        wire.send(Server, &string(&n.to_string()));
    }
    let records = wire.end();
    assert_eq!(wrong(&records), Vec::<String>::new());
    assert_eq!(paired(&records), 16_384);
}

#[test]
fn what_is_not_certain_is_bounded() {
    let mut wire = Wire::joined();
    for n in 0..20_000 {
        wire.send(Client, &commands(&[&format!("ECHO {n}"), "ECHO more"]));
        wire.send(Server, &string(&n.to_string()));
    }
    assert!(wire.held() < 8 << 20, "{}", wire.held());
    assert_eq!(paired(&wire.end()), 0);
}

#[test]
fn lengths_that_never_end_hold_nothing() {
    for begin in ["*1000000\r\n", "*2\r\n$2000000000\r\n", "*1\r\n$3\r\nGET"] {
        let mut wire = Wire::opened();
        wire.send(Client, &commands(&["GET a"]));
        wire.send(Client, begin.as_bytes());
        for _ in 0..1000 {
            wire.send(Client, &[b'x'; 1400]);
        }
        assert!(wire.held() < 300_000, "{begin:?}: {}", wire.held());
    }
}

#[test]
fn a_line_that_never_ends_is_given_up() {
    let mut wire = Wire::opened();
    wire.send(Client, &commands(&["GET a"]));
    for _ in 0..200 {
        wire.send(Client, &[b'x'; 1400]);
    }
    assert!(wire.held() < 200_000, "{}", wire.held());
    assert!(wire.out.counters.get(Counter::Unconsumed) > 0);
}

#[test]
fn depth_costs_no_stack() {
    for piece in ["*1\r\n", "|0\r\n", "|1\r\n", "%1\r\n", "*?\r\n", "%?\r\n", "~1\r\n"] {
        let mut wire = Wire::opened();
        wire.send(Client, &commands(&["EVAL x 0"]));
        wire.send(Server, piece.repeat(100_000).as_bytes());
        wire.send(Server, b":1\r\n");
        wire.end();
    }
}

#[test]
fn subscriptions_and_channels_are_bounded() {
    let mut wire = Wire::opened();
    wire.send(Client, &commands(&["HELLO 3"]));
    wire.send(Server, b"%1\r\n+proto\r\n:3\r\n");
    for n in 0..10_000 {
        wire.send(Client, &commands(&[&format!("SUBSCRIBE channel:{n}")]));
        wire.send(Server, format!(">3\r\n$9\r\nsubscribe\r\n$12\r\nchannel:{n:04}\r\n:1\r\n").as_bytes());
    }
    assert!(wire.held() < 2 << 20, "{}", wire.held());
}

#[test]
fn an_idle_connection_holds_little() {
    let mut wire = Wire::opened();
    wire.send(Client, &commands(&["SET a b"; 500]));
    wire.send(Server, &b"+OK\r\n".repeat(500));
    assert!(wire.held() < 12 << 10, "{}", wire.held());
}

proptest! {
    #[test]
    fn any_bytes_behind_a_command(pieces in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..60)), 0..40)) {
        let mut wire = Wire::opened();
        wire.send(Client, &commands(&["GET a"]));
        for (server, bytes) in pieces {
            wire.send(if server { Server } else { Client }, &bytes);
        }
        wire.end();
    }

    #[test]
    fn any_tokens(
        pieces in prop::collection::vec(
            (0..6u8, prop::sample::select(vec![
                "*1\r\n", "*2\r\n", "$3\r\nGET\r\n", "$1\r\na\r\n", "+OK\r\n", "-ERR x\r\n", ":1\r\n", ">3\r\n", "%1\r\n",
                "|1\r\n", "*?\r\n", ".\r\n", "$?\r\n", ";1\r\na\r\n", ";0\r\n", "$7\r\nmessage\r\n", "$9\r\nsubscribe\r\n",
                "*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n", "*1\r\n$7\r\nMONITOR\r\n", "*1\r\n$5\r\nMULTI\r\n", "PING\r\n",
                "*1\r\n$4\r\nEXEC\r\n", "*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$3\r\nOFF\r\n", "+1.1 [0 a] \"get\" \"x\"\r\n", "\r\n",
            ])),
            0..80,
        ),
        joined in any::<bool>(),
    ) {
        let mut wire = if joined { Wire::joined() } else { Wire::opened() };
        wire.send(Client, &commands(&["GET a"]));
        for (how, bytes) in pieces {
            let side = if how % 2 == 0 { Client } else { Server };
            if how >= 4 {
                wire.lose(side, bytes.as_bytes());
            } else {
                wire.send(side, bytes.as_bytes());
            }
        }
        wire.report();
        wire.end();
    }
}
