//! Lookups over TCP in any pieces and with any loss, and bounds of what waits.

use proptest::prelude::*;

use super::questions::PENDING;
use super::tests::{header, question, record};
use crate::counters::Counter;
use crate::protocol::http2::tests::capture::{any_fates, captured};
use crate::protocol::http2::tests::wire::{Client, Records, Server, Wire, timeless};

/// A lookup: its name's length, how many addresses it has, the code, and whether it is answered.
#[derive(Clone, Debug)]
struct Lookup {
    name: usize,
    answers: u8,
    code: u16,
    answered: bool,
}

fn any_lookups() -> impl Strategy<Value = Vec<Vec<Lookup>>> {
    let lookup = (1usize..30, 0u8..12, prop::sample::select(vec![0u16, 0, 0, 2, 3]), prop::bool::weighted(0.9));
    let lookup = lookup.prop_map(|(name, answers, code, answered)| Lookup { name, answers, code, answered });
    prop::collection::vec(prop::collection::vec(lookup, 1..5), 1..8)
}

/// Over TCP, a length stands in front.
fn framed(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u16).to_be_bytes()[..], message].concat()
}

impl Lookup {
    /// No other lookup's.
    fn target(&self, number: u16) -> String {
        format!("n{number}{}.shop", "x".repeat(self.name))
    }

    fn address(number: u16, at: u8) -> [u8; 4] {
        [10, number as u8, (number >> 8) as u8, at]
    }

    fn query(&self, number: u16) -> Vec<u8> {
        framed(&[header(number, 0x0100, [1, 0, 0, 0]), question(&self.target(number), 1)].concat())
    }

    fn answer(&self, number: u16) -> Vec<u8> {
        let count = u16::from(self.answers);
        let head = [header(number, 0x8180 | self.code, [1, count, 0, 0]), question(&self.target(number), 1)].concat();
        let records = (0..self.answers).flat_map(|at| record(&[0xc0, 12], 1, 1, 60, &Self::address(number, at)));
        framed(&[head, records.collect()].concat())
    }
}

/// Rounds of lookups, those of a round asked at once and answered in the other order.
fn asked(wire: &mut Wire, rounds: &[Vec<Lookup>], sizes: &[usize]) {
    let mut sizes = sizes.iter().copied().cycle();
    let mut number = 0;
    for round in rounds {
        let numbered = || round.iter().zip(number..);
        let queries: Vec<u8> = numbered().flat_map(|(lookup, number)| lookup.query(number)).collect();
        wire.send_split(Client, &queries, &mut sizes);
        let answered: Vec<_> = numbered().filter(|(lookup, _)| lookup.answered).collect();
        let answers: Vec<u8> = answered.iter().rev().flat_map(|(lookup, number)| lookup.answer(*number)).collect();
        wire.send_split(Server, &answers, &mut sizes);
        number += round.len() as u16;
    }
}

fn split(rounds: &[Vec<Lookup>], sizes: &[usize]) -> Records {
    let mut wire = Wire::opened();
    wire.step = 1000;
    asked(&mut wire, rounds, sizes);
    wire.end()
}

/// What is not so in the records.
fn wrong(records: &Records, rounds: &[Vec<Lookup>]) -> Vec<String> {
    let lookups: Vec<(&Lookup, u16)> = rounds.iter().flatten().zip(0..).collect();
    let is_wrong = |row: &&crate::protocol::http2::tests::wire::Row| {
        let Some((lookup, number)) = lookups.iter().find(|(lookup, number)| lookup.target(*number) == row["target"])
        else {
            return true;
        };
        let body = row.get("response_body").map_or("", String::as_str);
        let addresses =
            (0..lookup.answers).map(|at| Lookup::address(*number, at).map(|byte| byte.to_string()).join("."));
        let complete =
            !lookup.answered || addresses.into_iter().all(|address| body.contains(&format!("\"{address}\"")));
        let status = row.get("status").is_none_or(|status| lookup.answered && *status == lookup.code.to_string());
        let outcome = match (lookup.answered, lookup.code) {
            (false, _) => "open",
            (true, 0) => "ok",
            (true, 3) => "client_error",
            (true, _) => "server_error",
        };
        let outcome = [outcome, "incomplete", "open"].contains(&row["outcome"].as_str());
        !status || !outcome || (row.contains_key("status") && !complete)
    };
    records.exchanges.iter().filter(is_wrong).map(|row| format!("{row:?}")).collect()
}

proptest! {
    #[test]
    fn any_split_gives_the_same_records(
        rounds in any_lookups(),
        sizes in prop::collection::vec(1usize..60, 1..40),
    ) {
        let whole = split(&rounds, &[usize::MAX]);
        let pieces = split(&rounds, &sizes);
        prop_assert_eq!(timeless(&whole.exchanges), timeless(&pieces.exchanges));
        prop_assert_eq!(wrong(&whole, &rounds), Vec::<String>::new());
        let answered = rounds.iter().flatten().filter(|lookup| lookup.answered).count();
        let said = whole.exchanges.iter().filter(|row| row.contains_key("status")).count();
        prop_assert_eq!((whole.exchanges.len(), said), (rounds.iter().flatten().count(), answered));
    }

    #[test]
    fn loss_and_disorder_give_no_wrong_record(
        rounds in any_lookups(),
        sizes in prop::collection::vec(1usize..300, 1..40),
        fates in any_fates(),
    ) {
        let mut wire = Wire::taped();
        asked(&mut wire, &rounds, &sizes);
        prop_assert_eq!(wrong(&captured(wire.tape(), &fates), &rounds), Vec::<String>::new());
    }
}

#[test]
fn questions_without_answers_are_bounded() {
    let mut wire = Wire::opened();
    wire.step = 1000;
    let lookup = Lookup { name: 1, answers: 1, code: 0, answered: true };
    for number in 0..PENDING as u16 + 40 {
        wire.send(Client, &lookup.query(number));
    }
    assert_eq!(wire.out.counters.get(Counter::PendingDropped), 40);
    let dropped = wire.records().exchanges;
    assert_eq!(dropped.len(), 40);
    assert_eq!((&*dropped[0]["target"], &*dropped[0]["error"]), ("n0x.shop", "too many questions of its flow waited"));
    // Those that still wait have their answers.
    for number in 40..PENDING as u16 + 40 {
        wire.send(Server, &lookup.answer(number));
    }
    assert_eq!(wire.out.counters.get(Counter::PendingDropped), 40);
    let outcomes = wire.end().exchanges;
    assert_eq!((outcomes.len(), outcomes.iter().all(|row| row["outcome"] == "ok")), (PENDING, true));
}
