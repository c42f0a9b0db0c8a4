//! Clients that always have some commands under way: after a loss, nothing of theirs looks certain that is not.

use proptest::prelude::*;

use super::*;

/// `window` commands are under way, whenever one is answered the next is sent; each reply is so many commands late.
fn windowed(wire: &mut Wire, window: usize, count: usize, lost: &[bool]) {
    let mut lost = lost.iter().cycle();
    let mut put = |wire: &mut Wire, side, bytes: &[u8]| {
        if *lost.next().unwrap() {
            wire.lose(side, bytes);
        } else {
            wire.send(side, bytes);
        }
    };
    for number in 0..count + window {
        if number < count {
            put(wire, Client, &commands(&[&format!("ECHO {number}")]));
        }
        if let Some(answered) = number.checked_sub(window) {
            put(wire, Server, &string(&answered.to_string()));
        }
    }
}

#[test]
fn nothing_lost() {
    let mut wire = Wire::opened();
    windowed(&mut wire, 4, 500, &[false]);
    let records = wire.end();
    assert_eq!((wrong(&records), paired(&records)), (vec![], 500));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn losses(
        window in 1usize..8,
        lost in prop::collection::vec(prop::bool::weighted(0.03), 50..700),
    ) {
        let mut wire = Wire::opened();
        windowed(&mut wire, window, 300, &lost);
        prop_assert_eq!(wrong(&wire.end()), Vec::<String>::new());
    }
}
