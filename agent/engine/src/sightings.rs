//! Where the packets of a flow are seen. One that a machine forwards passes several of its interfaces (in at a veth, out
//! at another, through their bridge), and each shows it, one right after the other. It counts once: a segment from
//! another place than the last is a copy if all of it was seen just before, a datagram if the same was.
//!
//! Which way the first packets went tells whose machine captured them.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::config::SECOND;
use crate::packet::{Datagram, Direction, Endpoint, Nanos, Segment, Sight, flags};

/// How much later a copy comes at most. What is sent again comes later: Linux waits 200 ms at least (TCP_RTO_MIN).
const DELAY: Nanos = SECOND / 10;

/// Holes of a direction that are kept apart; beyond, the last ones are one with what lies between, and what falls into
/// it is no copy.
const HOLES: usize = 8;

/// Datagrams of a direction that are remembered: bursts are forwarded together.
const DATAGRAMS: usize = 16;

/// Bytes at the front of a datagram that it is known by.
const FRONT: usize = 128;

/// Where the two directions of a flow are seen.
#[derive(Clone, Debug, Default)]
pub struct Sightings {
    /// Of packets from the lower end, and from the higher.
    sides: [Seen; 2],
}

#[derive(Clone, Debug, Default)]
struct Seen {
    place: Option<Sight>,
    /// Which way the first packet went.
    first: Direction,
    /// Sequence number of a SYN.
    syn: Option<u32>,
    /// The lowest sequence number, the highest behind a payload, and the highest acknowledgement.
    start: u32,
    end: u32,
    ack: u32,
    /// Between start and end, what was not seen: begin and end of each, in the order of the stream.
    holes: Vec<(u32, u32)>,
    /// Of the last that was no copy.
    time: Nanos,
    datagrams: VecDeque<(u64, Sight, Nanos)>,
}

/// Whether a sequence number comes after another (RFC 9293 section 3.4).
fn ahead(new: u32, old: u32) -> bool {
    (new.wrapping_sub(old) as i32) > 0
}

impl Seen {
    /// Whether anything of this part of the stream was not seen yet.
    fn is_new(&self, seq: u32, end: u32) -> bool {
        ahead(end, self.end)
            || ahead(self.start, seq)
            || self.holes.iter().any(|&(from, to)| ahead(end, from) && ahead(to, seq))
    }

    fn take(&mut self, seq: u32, end: u32) {
        if !self.holes.is_empty() {
            let before = |(from, to): (u32, u32)| (from, if ahead(to, seq) { seq } else { to });
            let after = |(from, to): (u32, u32)| (if ahead(end, from) { end } else { from }, to);
            let whole = |(from, to): (u32, u32)| !ahead(to, seq) || !ahead(end, from);
            let parts = self.holes.iter().flat_map(|&hole| {
                if whole(hole) { [Some(hole), None] } else { [Some(before(hole)), Some(after(hole))] }
            });
            self.holes = parts.flatten().filter(|&(from, to)| ahead(to, from)).collect();
        }
        if ahead(self.start, end) {
            self.holes.insert(0, (end, self.start));
        }
        if ahead(seq, self.end) {
            self.holes.push((self.end, seq));
        }
        while self.holes.len() > HOLES
            && let Some((_, to)) = self.holes.pop()
            && let Some(last) = self.holes.last_mut()
        {
            last.1 = to;
        }
        if ahead(end, self.end) {
            self.end = end;
        }
        if ahead(self.start, seq) {
            self.start = seq;
        }
    }
}

impl Sightings {
    /// Whether the segment was seen elsewhere before.
    #[inline]
    pub fn is_copy(&mut self, segment: &Segment<'_>, time: Nanos) -> bool {
        let seen = &mut self.sides[usize::from(segment.src > segment.dst)];
        let (syn, fin) = (segment.flags & flags::SYN != 0, segment.flags & flags::FIN != 0);
        let len = segment.payload.len() as u32 + segment.cut + u32::from(syn) + u32::from(fin);
        let (seq, end) = (segment.seq, segment.seq.wrapping_add(len));
        let Some(place) = seen.place else {
            let (place, first) = (Some(segment.sight), segment.sight.direction);
            let syn = syn.then_some(seq);
            *seen = Seen { place, first, syn, start: seq, end, ack: segment.ack, time, ..Seen::default() };
            return false;
        };
        let later_ack = segment.flags & flags::ACK != 0 && ahead(segment.ack, seen.ack);
        if place != segment.sight && time - seen.time < DELAY && segment.flags & flags::RST == 0 {
            // A reset ends the connection wherever it is seen, and does so once.
            let news = if syn { seen.syn != Some(seq) } else { later_ack || seen.is_new(seq, end) };
            if !news {
                return true;
            }
        }
        if syn && seen.syn != Some(seq) {
            seen.holes.clear();
            (seen.syn, seen.start, seen.end) = (Some(seq), seq, end);
        } else {
            seen.take(seq, end);
        }
        if later_ack || syn {
            seen.ack = segment.ack;
        }
        (seen.place, seen.time) = (Some(segment.sight), time);
        false
    }

    /// Whether the datagram was seen elsewhere before.
    pub fn is_copy_of_datagram(&mut self, datagram: &Datagram<'_>, time: Nanos) -> bool {
        let seen = &mut self.sides[usize::from(datagram.src > datagram.dst)];
        if seen.place.is_none() {
            (seen.place, seen.first) = (Some(datagram.sight), datagram.sight.direction);
        }
        let mut hasher = DefaultHasher::new();
        datagram.payload.len().hash(&mut hasher);
        datagram.payload[..datagram.payload.len().min(FRONT)].hash(&mut hasher);
        let hash = hasher.finish();
        let same = |&(known, sight, then): &(u64, Sight, Nanos)| {
            known == hash && sight != datagram.sight && time - then < DELAY
        };
        if seen.datagrams.iter().any(same) {
            return true;
        }
        if seen.datagrams.len() == DATAGRAMS {
            seen.datagrams.pop_front();
        }
        seen.datagrams.push_back((hash, datagram.sight, time));
        false
    }

    /// Whose machine captured the flow, as the `view` column has it. A machine that only forwards sees both directions
    /// come in first.
    pub fn view(&self, client: Endpoint, server: Endpoint) -> &'static str {
        if client.addr == server.addr || (client.addr.is_loopback() && server.addr.is_loopback()) {
            return "loopback";
        }
        let low = usize::from(client > server);
        match (self.sides[low].first, self.sides[1 - low].first) {
            (Direction::Out, Direction::In | Direction::Unknown) => "client",
            (Direction::In | Direction::Unknown, Direction::Out) => "server",
            _ => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::MILLISECOND;
    use crate::packet::Addr;

    const VETH: Sight = Sight { interface: 3, direction: Direction::In };
    const BRIDGE: Sight = Sight { interface: 2, direction: Direction::In };
    const OTHER: Sight = Sight { interface: 4, direction: Direction::Out };

    fn end(host: u8, port: u16) -> Endpoint {
        Endpoint { addr: Addr::v4([10, 0, 0, host]), port }
    }

    fn segment(sight: Sight, flags: u8, seq: u32, payload: &[u8]) -> Segment<'_> {
        let (src, dst) = (end(1, 4000), end(2, 80));
        Segment { src, dst, seq, ack: 7, flags: flags | flags::ACK, window: 0, payload, cut: 0, sight }
    }

    #[test]
    fn a_forwarded_segment_counts_once() {
        let mut seen = Sightings::default();
        for (seq, payload) in [(u32::MAX - 1, &b"GET / "[..]), (4, b"HTTP/1.1\r\n\r\n"), (16, b"")] {
            assert!(!seen.is_copy(&segment(VETH, 0, seq, payload), 0));
            assert!(!seen.is_copy(&segment(VETH, 0, seq, payload), 0), "again at the same place: sent again");
            assert!(seen.is_copy(&segment(BRIDGE, 0, seq, payload), 0));
            assert!(seen.is_copy(&segment(OTHER, 0, seq, payload), 0));
        }
    }

    #[test]
    fn pieces_of_a_large_frame_are_copies_too() {
        let mut seen = Sightings::default();
        assert!(!seen.is_copy(&segment(VETH, 0, 100, &[0; 300]), 0));
        for seq in [100, 200, 300] {
            assert!(seen.is_copy(&segment(OTHER, 0, seq, &[0; 100]), 0));
        }
    }

    #[test]
    fn a_route_that_moves_is_followed() {
        let mut seen = Sightings::default();
        assert!(!seen.is_copy(&segment(VETH, 0, 100, b"abc"), 0));
        assert!(!seen.is_copy(&segment(OTHER, 0, 103, b"def"), 0));
        assert!(seen.is_copy(&segment(VETH, 0, 103, b"def"), 0));
    }

    #[test]
    fn a_new_connection_of_the_same_ports_is_no_copy() {
        let mut seen = Sightings::default();
        assert!(!seen.is_copy(&segment(VETH, flags::SYN, 5_000, b""), 0));
        assert!(seen.is_copy(&segment(BRIDGE, flags::SYN, 5_000, b""), 0));
        assert!(!seen.is_copy(&segment(BRIDGE, flags::SYN, 100, b""), 0));
    }

    #[test]
    fn what_fills_a_hole_is_no_copy_wherever_it_is_seen() {
        let mut seen = Sightings::default();
        assert!(!seen.is_copy(&segment(VETH, 0, 100, b"abc"), 0));
        assert!(!seen.is_copy(&segment(VETH, 0, 109, b"jkl"), 0));
        assert!(seen.is_copy(&segment(OTHER, 0, 109, b"jkl"), 0));
        assert!(!seen.is_copy(&segment(OTHER, 0, 105, b"f"), 0), "within the hole");
        assert!(!seen.is_copy(&segment(VETH, 0, 103, b"de"), 0), "its front");
        assert!(!seen.is_copy(&segment(OTHER, 0, 106, b"ghi"), 0), "its end");
        assert!(seen.is_copy(&segment(VETH, 0, 100, b"abcdefghijkl"), 0), "all of it is there");
        assert!(!seen.is_copy(&segment(VETH, 0, 90, b"0123456789"), 0), "before all that was seen");
    }

    #[test]
    fn holes_beyond_the_bound_are_one() {
        let mut seen = Sightings::default();
        for number in 0..2 * HOLES as u32 {
            assert!(!seen.is_copy(&segment(VETH, 0, 10 * number, b"abc"), 0));
        }
        assert_eq!(seen.sides[0].holes.len(), HOLES);
        for number in 0..2 * HOLES as u32 - 1 {
            assert!(!seen.is_copy(&segment(OTHER, 0, 10 * number + 3, b"defghij"), 0));
        }
    }

    #[test]
    fn holes_within_holes_and_before_all_have_the_same_bound() {
        let mut seen = Sightings::default();
        assert!(!seen.is_copy(&segment(VETH, 0, 100_000, b"x"), 0));
        assert!(!seen.is_copy(&segment(VETH, 0, 200_000, b"x"), 0));
        for number in 0..1000 {
            for seq in [199_000 - 7 * number, 101_000 + 7 * number, 99_000 - 7 * number] {
                assert!(!seen.is_copy(&segment(VETH, 0, seq, b"x"), 0));
                assert!(seen.sides[0].holes.len() <= HOLES);
            }
        }
        assert!(!seen.is_copy(&segment(OTHER, 0, 98_994, b"x"), 0), "between two that came before all");
        assert!(!seen.is_copy(&segment(OTHER, 0, 150_000, b"x"), 0));
        assert!(seen.is_copy(&segment(BRIDGE, 0, 92_007, b"x"), 0), "the foremost of all");
    }

    #[test]
    fn what_is_sent_again_after_a_timeout_is_no_copy() {
        let mut seen = Sightings::default();
        assert!(!seen.is_copy(&segment(VETH, 0, 100, b"abc"), 0));
        assert!(seen.is_copy(&segment(OTHER, 0, 100, b"abc"), MILLISECOND));
        assert!(!seen.is_copy(&segment(OTHER, 0, 100, b"abc"), 200 * MILLISECOND));
    }

    #[test]
    fn a_datagram_counts_once_within_the_delay() {
        let mut seen = Sightings::default();
        let datagram = |sight, payload| Datagram { src: end(1, 4000), dst: end(2, 53), payload, cut: 0, sight };
        assert!(!seen.is_copy_of_datagram(&datagram(VETH, b"ask"), 0));
        assert!(!seen.is_copy_of_datagram(&datagram(VETH, b"more"), 0));
        assert!(seen.is_copy_of_datagram(&datagram(BRIDGE, b"ask"), 1000));
        assert!(seen.is_copy_of_datagram(&datagram(BRIDGE, b"more"), 1000));
        assert!(!seen.is_copy_of_datagram(&datagram(BRIDGE, b"other"), 1500), "it was not seen before");
        assert!(!seen.is_copy_of_datagram(&datagram(VETH, b"ask"), 2000), "asked again");
        assert!(!seen.is_copy_of_datagram(&datagram(BRIDGE, b"ask"), 2 * SECOND));
    }

    #[test]
    fn the_first_packets_tell_whose_machine_it_is() {
        let view = |request: Option<Direction>, response: Option<Direction>| {
            let mut seen = Sightings::default();
            let sight = |direction| Sight { interface: 2, direction };
            request.map(|direction| seen.is_copy(&segment(sight(direction), 0, 1, b"x"), 0));
            if let Some(direction) = response {
                let there = segment(sight(direction), 0, 1, b"x");
                seen.is_copy(&Segment { src: there.dst, dst: there.src, ..there }, 0);
            }
            seen.view(end(1, 4000), end(2, 80))
        };
        assert_eq!(view(Some(Direction::Out), Some(Direction::In)), "client");
        assert_eq!(view(Some(Direction::Out), None), "client");
        assert_eq!(view(Some(Direction::In), Some(Direction::Out)), "server");
        assert_eq!(view(None, Some(Direction::Out)), "server");
        assert_eq!(view(Some(Direction::In), Some(Direction::In)), "", "forwarded");
        assert_eq!(view(Some(Direction::In), None), "", "forwarded, perhaps");
        assert_eq!(view(Some(Direction::Unknown), Some(Direction::Unknown)), "");
    }
}
