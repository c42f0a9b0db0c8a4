//! Ids: made of what was captured, so that the same packets give the same ids again.

use crate::packet::Nanos;

/// Mixes numbers into 64 well-spread bits (the finaliser of SplitMix64, chained).
pub fn mix(parts: &[u64]) -> u64 {
    let mut hash = 0x9e37_79b9_7f4a_7c15u64;
    for &part in parts {
        hash = (hash ^ part).wrapping_add(0x9e37_79b9_7f4a_7c15);
        hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        hash ^= hash >> 31;
    }
    hash
}

/// A UUIDv7 (RFC 9562 section 5.7): milliseconds, then the fraction of the millisecond in 12 bits (section 6.2,
/// method 3), then 62 bits that tell records of the same moment apart.
pub fn uuid(time: Nanos, distinct: u64) -> [u8; 16] {
    let nanos = time.max(0) as u64;
    let millis = nanos / 1_000_000;
    let fraction = (nanos % 1_000_000) * 4096 / 1_000_000;
    let high = (millis << 16) | 0x7000 | fraction;
    let low = (distinct >> 2) | (0b10 << 62);
    ((u128::from(high) << 64) | u128::from(low)).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_sort_by_time_and_carry_version_and_variant() {
        let early = uuid(1_700_000_000_000_000_000, u64::MAX);
        let late = uuid(1_700_000_000_000_001_000, 0);
        assert!(early < late);
        assert_eq!(early[6] >> 4, 7);
        assert_eq!(early[8] >> 6, 0b10);
    }
}
