//! Fragments in any order, repeated, overlapping, hostile.

use proptest::prelude::*;

use super::*;

fn key(id: u32) -> Key {
    Key { src: Addr::v4([10, 0, 0, 1]), dst: Addr::v4([10, 0, 0, 2]), id, protocol: Some(17) }
}

fn piece(offset: usize, more: bool, bytes: &[u8]) -> Piece<'_> {
    Piece { protocol: 17, offset, more, bytes }
}

#[test]
fn the_first_bytes_stay_where_fragments_overlap() {
    let mut fragments = Fragments::default();
    assert_eq!(fragments.add(key(1), piece(8, true, b"BBBBBBBB"), 0), None);
    assert_eq!(fragments.add(key(1), piece(0, true, b"aaaaaaaaaaaaaaaaaaaaaaaa"), 0), None);
    let whole = fragments.add(key(1), piece(16, false, b"cccccccccc"), 0).unwrap();
    assert_eq!(whole.bytes, b"aaaaaaaaBBBBBBBBaaaaaaaacc");
    assert_eq!((fragments.counters.overlapping, fragments.held), (2, 0));
}

#[test]
fn fragments_that_cannot_be_are_refused() {
    let mut fragments = Fragments::default();
    let table = [
        piece(0, true, b""),
        piece(0, true, b"odd"),
        piece(65_528, false, b"too far "),
        piece(8, false, b"the end"),
        piece(16, false, b"another end"),
        piece(16, true, b"beyond the end.."),
        piece(0, false, b"end"),
    ];
    let refused: Vec<u64> = table
        .iter()
        .map(|piece| {
            assert_eq!(fragments.add(key(1), *piece, 0), None);
            fragments.counters.malformed
        })
        .collect();
    assert_eq!(refused, [1, 2, 3, 3, 4, 5, 6]);
    assert!(fragments.add(key(1), piece(0, true, b"begin..."), 0).is_some());
}

#[test]
fn what_waits_too_long_is_given_up() {
    let mut fragments = Fragments::default();
    fragments.add(key(1), piece(0, true, &[0; 8]), 0);
    fragments.add(key(2), piece(0, true, &[0; 8]), MAX_AGE);
    assert!(fragments.add(key(1), piece(8, false, &[0; 8]), MAX_AGE + 1).is_none(), "its begin is gone");
    assert!(fragments.add(key(2), piece(8, false, &[0; 8]), MAX_AGE + 1).is_some());
    assert_eq!(fragments.counters.expired, 1);
}

#[test]
fn memory_is_bounded() {
    let mut fragments = Fragments::default();
    for id in 0..1000 {
        fragments.add(key(id), piece(65_000, true, &[0; 8]), 0);
        assert!(fragments.held <= MAX_HELD);
    }
    assert!(fragments.counters.evicted > 700);
    for id in 1000..20_000 {
        fragments.add(key(id), piece(0, true, &[0; 8]), 0);
    }
    assert!(fragments.waiting.len() <= MAX_DATAGRAMS);
    for offset in (0..65_000).step_by(16) {
        fragments.add(key(1), piece(offset, true, &[0; 8]), 0);
        assert!(fragments.waiting.values().all(|datagram| datagram.runs.len() <= MAX_RUNS));
    }
    for id in 0..50_000 {
        fragments.add(key(1 << 20 | id), piece(0, true, &[0; 8]), 0);
        fragments.add(key(1 << 20 | id), piece(8, false, &[0; 8]), 0);
    }
    assert!(fragments.order.len() <= 2 * MAX_DATAGRAMS + 65);
}

proptest! {
    #[test]
    fn any_order_and_repetition_give_the_same_datagram(
        bytes in prop::collection::vec(any::<u8>(), 1..2000),
        size in 1usize..40,
        picks in prop::collection::vec(any::<prop::sample::Index>(), 0..60),
        seed in any::<u64>(),
    ) {
        let size = size * 8;
        let pieces: Vec<Piece<'_>> = bytes
            .chunks(size)
            .enumerate()
            .map(|(i, chunk)| piece(i * size, (i + 1) * size < bytes.len(), chunk))
            .collect();
        // Shuffled, and some of them once more before it is whole.
        let mut order: Vec<usize> = (0..pieces.len()).collect();
        order.sort_by_key(|i| (*i as u64 + 1).wrapping_mul(seed | 1).rotate_left(17));
        prop_assume!(pieces.len() <= 2 * MAX_RUNS);
        let mut fragments = Fragments::default();
        let (last, before) = order.split_last().unwrap();
        for i in before.iter().copied().chain(picks.iter().filter_map(|p| before.get(p.index(before.len().max(1))).copied())) {
            prop_assert_eq!(fragments.add(key(1), pieces[i], 0), None);
        }
        let whole = fragments.add(key(1), pieces[*last], 0).unwrap();
        prop_assert_eq!(whole.bytes, bytes);
        prop_assert_eq!(fragments.held, 0);
    }

    #[test]
    fn no_pieces_break_it(pieces in prop::collection::vec((0u32..4, 0usize..8200, any::<bool>(), 0usize..100), 0..200)) {
        let mut fragments = Fragments::default();
        for (id, offset, more, len) in pieces {
            if let Some(whole) = fragments.add(key(id), piece(offset * 8, more, &vec![1; len]), 0) {
                prop_assert!(whole.bytes.iter().all(|byte| *byte == 1), "a hole was taken for bytes");
            }
            prop_assert_eq!(fragments.held, fragments.waiting.values().map(|d| d.bytes.len()).sum::<usize>());
        }
    }
}
