//! Whatever is said on a connection, in whatever pieces, and whatever becomes of its packets.

use proptest::prelude::*;

use super::capture::{any_fates, captured};
use super::talk::{Spoken, Talk, any_talk};
use super::told::{contradictions, differences};
use super::wire::*;

fn split(talk: &Talk, sizes: &[usize]) -> (Spoken, Records) {
    let spoken = talk.speak();
    let mut wire = Wire::opened();
    wire.step = 1000;
    let mut sizes = sizes.iter().copied().cycle();
    for (side, bytes) in &spoken.sent {
        wire.send_split(*side, bytes, &mut sizes);
    }
    let records = wire.end().newest();
    (spoken, records)
}

fn same_in_any_split(talk: &Talk, sizes: &[usize]) -> Result<(), TestCaseError> {
    let (spoken, whole) = split(talk, &[usize::MAX]);
    let (_, pieces) = split(talk, sizes);
    prop_assert_eq!(differences(&whole, &spoken.told), Vec::<String>::new());
    prop_assert_eq!(timeless(&whole.exchanges), timeless(&pieces.exchanges));
    prop_assert_eq!(timeless(&whole.messages), timeless(&pieces.messages));
    Ok(())
}

fn nothing_wrong(talk: &Talk, sizes: &[usize], fates: &[super::capture::Fate]) -> Result<(), TestCaseError> {
    let spoken = talk.speak();
    let mut wire = Wire::taped();
    let mut sizes = sizes.iter().copied().cycle();
    for (side, bytes) in &spoken.sent {
        wire.send_split(*side, bytes, &mut sizes);
    }
    prop_assert_eq!(contradictions(&captured(wire.tape(), fates), &spoken.told), Vec::<String>::new());
    Ok(())
}

proptest! {
    #[test]
    fn any_split_gives_the_same_records(talk in any_talk(0.0), sizes in prop::collection::vec(1usize..60, 1..40)) {
        same_in_any_split(&talk, &sizes)?;
    }

    #[test]
    fn any_split_gives_the_same_calls(talk in any_talk(1.0), sizes in prop::collection::vec(1usize..60, 1..40)) {
        same_in_any_split(&talk, &sizes)?;
    }

    #[test]
    fn loss_and_disorder_give_no_wrong_record(
        talk in any_talk(0.0),
        sizes in prop::collection::vec(1usize..300, 1..40),
        fates in any_fates(),
    ) {
        nothing_wrong(&talk, &sizes, &fates)?;
    }

    #[test]
    fn loss_and_disorder_give_no_wrong_call(
        talk in any_talk(1.0),
        sizes in prop::collection::vec(1usize..300, 1..40),
        fates in any_fates(),
    ) {
        nothing_wrong(&talk, &sizes, &fates)?;
    }
}
