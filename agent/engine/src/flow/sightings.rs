//! Where the packets of a flow are seen. One that a machine forwards passes several of its interfaces (in at a veth, out
//! at another, through their bridge), and each shows it. It counts once: where its direction was seen first; another
//! place takes over only with what is new, for a copy never brings news.
//!
//! Which way the first packets went tells whose machine captured them.

use crate::config::SECOND;
use crate::packet::{Datagram, Direction, Endpoint, Nanos, Segment, Sight, flags};

/// How long a place that has fallen silent keeps its datagrams: they have no numbers that would tell news from copies.
const SILENCE: Nanos = SECOND;

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
    /// The highest sequence number behind a payload, and the highest acknowledgement.
    end: u32,
    ack: u32,
    time: Nanos,
}

impl Sightings {
    /// Whether the segment was seen elsewhere before.
    #[inline]
    pub fn is_copy(&mut self, segment: &Segment<'_>) -> bool {
        let seen = &mut self.sides[usize::from(segment.src > segment.dst)];
        let (syn, fin) = (segment.flags & flags::SYN != 0, segment.flags & flags::FIN != 0);
        let len = segment.payload.len() as u32 + segment.cut + u32::from(syn) + u32::from(fin);
        let end = segment.seq.wrapping_add(len);
        if let Some(place) = seen.place {
            let ahead = |new: u32, old: u32| (new.wrapping_sub(old) as i32) > 0;
            let later_ack = segment.flags & flags::ACK != 0 && ahead(segment.ack, seen.ack);
            if place != segment.sight {
                if segment.flags & flags::RST != 0 {
                    return false; // it ends the connection wherever it is seen, and does so once
                }
                let news = if syn { seen.syn != Some(segment.seq) } else { ahead(end, seen.end) || later_ack };
                if !news {
                    return true;
                }
            }
            if ahead(end, seen.end) || syn {
                seen.end = end;
            }
            if later_ack {
                seen.ack = segment.ack;
            }
        } else {
            (seen.end, seen.ack, seen.first) = (end, segment.ack, segment.sight.direction);
        }
        seen.place = Some(segment.sight);
        if syn {
            seen.syn = Some(segment.seq);
        }
        false
    }

    /// Whether the datagram was seen elsewhere before.
    pub fn is_copy_of_datagram(&mut self, datagram: &Datagram<'_>, time: Nanos) -> bool {
        let seen = &mut self.sides[usize::from(datagram.src > datagram.dst)];
        if seen.place.is_some_and(|place| place != datagram.sight) && time - seen.time < SILENCE {
            return true;
        }
        if seen.place.is_none() {
            seen.first = datagram.sight.direction;
        }
        (seen.place, seen.time) = (Some(datagram.sight), time);
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
            assert!(!seen.is_copy(&segment(VETH, 0, seq, payload)));
            assert!(!seen.is_copy(&segment(VETH, 0, seq, payload)), "again at the same place: sent again");
            assert!(seen.is_copy(&segment(BRIDGE, 0, seq, payload)));
            assert!(seen.is_copy(&segment(OTHER, 0, seq, payload)));
        }
    }

    #[test]
    fn pieces_of_a_large_frame_are_copies_too() {
        let mut seen = Sightings::default();
        assert!(!seen.is_copy(&segment(VETH, 0, 100, &[0; 300])));
        for seq in [100, 200, 300] {
            assert!(seen.is_copy(&segment(OTHER, 0, seq, &[0; 100])));
        }
    }

    #[test]
    fn a_route_that_moves_is_followed() {
        let mut seen = Sightings::default();
        assert!(!seen.is_copy(&segment(VETH, 0, 100, b"abc")));
        assert!(!seen.is_copy(&segment(OTHER, 0, 103, b"def")));
        assert!(seen.is_copy(&segment(VETH, 0, 103, b"def")));
    }

    #[test]
    fn a_new_connection_of_the_same_ports_is_no_copy() {
        let mut seen = Sightings::default();
        assert!(!seen.is_copy(&segment(VETH, flags::SYN, 5_000, b"")));
        assert!(seen.is_copy(&segment(BRIDGE, flags::SYN, 5_000, b"")));
        assert!(!seen.is_copy(&segment(BRIDGE, flags::SYN, 100, b"")));
    }

    #[test]
    fn datagrams_have_one_place_until_it_is_silent() {
        let mut seen = Sightings::default();
        let datagram = |sight| Datagram { src: end(1, 4000), dst: end(2, 53), payload: b"", cut: 0, sight };
        assert!(!seen.is_copy_of_datagram(&datagram(VETH), 0));
        assert!(seen.is_copy_of_datagram(&datagram(BRIDGE), 1000));
        assert!(!seen.is_copy_of_datagram(&datagram(VETH), 2000), "asked again");
        assert!(!seen.is_copy_of_datagram(&datagram(BRIDGE), 2 * SECOND));
    }

    #[test]
    fn the_first_packets_tell_whose_machine_it_is() {
        let view = |request: Option<Direction>, response: Option<Direction>| {
            let mut seen = Sightings::default();
            let sight = |direction| Sight { interface: 2, direction };
            request.map(|direction| seen.is_copy(&segment(sight(direction), 0, 1, b"x")));
            if let Some(direction) = response {
                let there = segment(sight(direction), 0, 1, b"x");
                seen.is_copy(&Segment { src: there.dst, dst: there.src, ..there });
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
