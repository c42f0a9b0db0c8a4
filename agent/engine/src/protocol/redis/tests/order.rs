//! Whatever is lost, no command gets another's reply.

use proptest::prelude::*;

use super::*;
use crate::config::MILLISECOND;
use crate::protocol::http2::tests::capture::{any_fates, captured};

/// Flights of so many commands, each answered before the next; what is lost of each: its command's segments, replies'.
fn flights(wire: &mut Wire, sizes: &[(usize, usize)], lost: &[bool]) {
    let mut number = 0;
    let mut lost = lost.iter().cycle();
    for &(size, pieces) in sizes {
        let words: Vec<String> = (0..size).map(|at| format!("{}", number + at)).collect();
        number += size;
        for side in [Client, Server] {
            for part in words.chunks(size.div_ceil(pieces)) {
                let bytes: Vec<u8> = part
                    .iter()
                    .flat_map(|word| if side == Client { commands(&[&format!("ECHO {word}")]) } else { string(word) })
                    .collect();
                if *lost.next().unwrap() {
                    wire.lose(side, &bytes);
                } else {
                    wire.send(side, &bytes);
                }
            }
        }
    }
}

#[test]
fn a_loss_costs_its_own_flight_only() {
    let mut wire = Wire::opened();
    let mut lost = vec![false; 400];
    lost[120] = true; // the command's segment of the 61st flight
    lost[301] = true; // the reply's of the 151st
    flights(&mut wire, &[(10, 1); 200], &lost);
    let records = wire.end();
    assert_eq!(wrong(&records), Vec::<String>::new());
    assert_eq!(paired(&records), 1980);
}

#[test]
fn part_of_a_flight_is_lost() {
    let mut wire = Wire::opened();
    let mut lost = vec![false; 400];
    lost[160] = true; // the first half of the 41st flight's commands
    flights(&mut wire, &[(10, 2); 100], &lost);
    let records = wire.end();
    assert_eq!(wrong(&records), Vec::<String>::new());
    assert_eq!(paired(&records), 995);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn flights_with_losses(
        sizes in prop::collection::vec((1usize..20, 1usize..4), 1..120),
        lost in prop::collection::vec(prop::bool::weighted(0.03), 1..500),
        joined in any::<bool>(),
    ) {
        let mut wire = if joined { Wire::joined() } else { Wire::opened() };
        flights(&mut wire, &sizes, &lost);
        prop_assert_eq!(wrong(&wire.end()), Vec::<String>::new());
    }

    #[test]
    fn loss_and_disorder(sizes in prop::collection::vec((1usize..20, 1usize..4), 1..80), fates in any_fates()) {
        let mut wire = Wire::taped();
        flights(&mut wire, &sizes, &[false]);
        prop_assert_eq!(wrong(&captured(wire.tape(), &fates)), Vec::<String>::new());
    }

    #[test]
    fn nothing_lost_is_all_paired(sizes in prop::collection::vec((1usize..20, 1usize..4), 1..60)) {
        let mut wire = Wire::opened();
        flights(&mut wire, &sizes, &[false]);
        let records = wire.end();
        prop_assert_eq!(wrong(&records), Vec::<String>::new());
        prop_assert_eq!(paired(&records), sizes.iter().map(|(size, _)| size).sum::<usize>());
    }
}

#[test]
fn joined_all_is_paired_once_it_is_certain() {
    let mut wire = Wire::joined();
    for number in 0..6 {
        wire.pause(20 * MILLISECOND);
        wire.send(Client, &commands(&[&format!("ECHO {number}"), "ECHO more"]));
        wire.send(Server, &[string(&number.to_string()), string("more")].concat());
    }
    let records = wire.end();
    assert_eq!((wrong(&records), paired(&records)), (vec![], 12));
}

#[test]
fn joined_silence_makes_it_certain() {
    let mut wire = Wire::joined();
    wire.send(Server, &string("before"));
    flights(&mut wire, &[(2, 1), (1, 1)], &[false]);
    wire.pause(1500 * MILLISECOND);
    wire.send(Client, &commands(&["ECHO after"])).send(Server, &string("after"));
    let records = wire.end();
    assert_eq!(lines(&records), ["ECHO 0 | 0 | ok", "ECHO 1 | 1 | ok", "ECHO 2 | 2 | ok", "ECHO after | after | ok"]);
}
