//! Flows: from segments and datagrams to the bytes of connections, in order, with what is lost said.

mod tcp;
mod udp;

use std::collections::HashMap;

use crate::config::MILLISECOND;
use crate::conn::Conn;
use crate::counters::Counter;
use crate::output::Output;
use crate::packet::{Datagram, Decoded, Endpoint, Nanos, Segment, Unreachable, flags};
use crate::protocol::End;
use crate::sightings::Sightings;
use tcp::TcpFlow;
use udp::UdpFlow;

/// A flow by its two ends, the lower one first, so that both directions find it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    low: Endpoint,
    high: Endpoint,
    tcp: bool,
}

impl Key {
    #[inline]
    fn new(a: Endpoint, b: Endpoint, tcp: bool) -> Self {
        if a <= b { Self { low: a, high: b, tcp } } else { Self { low: b, high: a, tcp } }
    }
}

enum Flow {
    Tcp(Box<TcpFlow>),
    Udp(Box<UdpFlow>),
}

impl Flow {
    fn last_time(&self) -> Nanos {
        match self {
            Self::Tcp(flow) => flow.last_time,
            Self::Udp(flow) => flow.last_time,
        }
    }

    fn end(&mut self, how: End, out: &mut Output) {
        match self {
            Self::Tcp(flow) => flow.finish(how, out),
            Self::Udp(flow) => flow.finish(how, out),
        }
    }

    /// Bytes held when last counted.
    fn counted(&self) -> usize {
        match self {
            Self::Tcp(flow) => flow.counted(),
            Self::Udp(flow) => flow.counted(),
        }
    }
}

/// How often flows are looked at for what time alone changes.
const TICK: Nanos = 100 * MILLISECOND;

/// The table of flows.
#[derive(Default)]
pub struct Flows {
    table: HashMap<Key, Flow, foldhash::fast::RandomState>,
    /// Bytes held by all flows.
    held: usize,
    last_tick: Nanos,
    packets_since_tick: usize,
}

impl Flows {
    /// Takes a decoded packet.
    #[inline]
    pub fn packet(&mut self, decoded: &Decoded<'_>, time: Nanos, out: &mut Output) {
        match decoded {
            Decoded::Tcp(segment) => self.segment(segment, time, out),
            Decoded::Udp(datagram) => self.datagram(datagram, time, out),
            Decoded::Unreachable(about) => self.unreachable(about, time, out),
            Decoded::Fragment | Decoded::Other | Decoded::Malformed => {}
        }
        self.packets_since_tick += 1;
        // Looking at all flows costs a little for each: not more often than packets pay for it.
        if time - self.last_tick >= TICK && self.packets_since_tick >= self.table.len() / 2 {
            self.tick(time, out);
        }
    }

    fn segment(&mut self, segment: &Segment<'_>, time: Nanos, out: &mut Output) {
        out.counters.add(Counter::Segments, 1);
        let key = Key::new(segment.src, segment.dst, true);
        if let Some(Flow::Tcp(flow)) = self.table.get_mut(&key) {
            if !flow.is_replaced_by(segment) {
                let before = flow.counted();
                flow.segment(segment, time, out);
                self.held = self.held + flow.count() - before;
                if self.held > out.config.limits.held {
                    self.evict(out);
                }
                return;
            }
            // The same pair of ports is used again.
            let before = flow.counted();
            flow.finish(End::Closed, out);
            self.held -= before;
            self.table.remove(&key);
        }
        if segment.flags & flags::RST != 0 {
            return; // the end of a connection of which nothing else was seen
        }
        self.make_room(out);
        out.counters.add(Counter::Connections, 1);
        let mut flow = Box::new(TcpFlow::new(segment, time, out));
        flow.segment(segment, time, out);
        self.held += flow.count();
        self.table.insert(key, Flow::Tcp(flow));
    }

    fn datagram(&mut self, datagram: &Datagram<'_>, time: Nanos, out: &mut Output) {
        out.counters.add(Counter::Datagrams, 1);
        let key = Key::new(datagram.src, datagram.dst, false);
        if let Some(Flow::Udp(flow)) = self.table.get_mut(&key) {
            if time - flow.last_time < out.config.limits.udp_idle {
                let before = flow.counted();
                flow.datagram(datagram, time, out);
                self.held = self.held + flow.count() - before;
                if self.held > out.config.limits.held {
                    self.evict(out);
                }
                return;
            }
            self.held -= flow.counted();
            flow.finish(End::Idle, out);
            self.table.remove(&key);
        }
        self.make_room(out);
        out.counters.add(Counter::UdpFlows, 1);
        let mut flow = Box::new(UdpFlow::new(datagram, time, out));
        flow.datagram(datagram, time, out);
        self.held += flow.count();
        self.table.insert(key, Flow::Udp(flow));
    }

    fn unreachable(&mut self, about: &Unreachable, time: Nanos, out: &mut Output) {
        match self.table.get_mut(&Key::new(about.src, about.dst, about.protocol == 6)) {
            Some(Flow::Tcp(flow)) => flow.unreachable(about, time, out),
            Some(Flow::Udp(flow)) => flow.unreachable(about, time, out),
            None => {}
        }
    }

    fn make_room(&mut self, out: &mut Output) {
        if self.table.len() >= out.config.limits.flows || self.held > out.config.limits.held {
            self.evict(out);
        }
    }

    /// Ends the sixteenth of the flows that were idle longest; seldom, so that finding them costs little for each.
    fn evict(&mut self, out: &mut Output) {
        let mut times: Vec<Nanos> = self.table.values().map(Flow::last_time).collect();
        if times.is_empty() {
            return;
        }
        let nth = times.len() / 16;
        let (longer, &mut bound, _) = times.select_nth_unstable(nth);
        // Of those idle for the same time, no more go.
        let mut others = nth + 1 - longer.iter().filter(|&&time| time < bound).count();
        let held = &mut self.held;
        self.table.retain(|_, flow| {
            let time = flow.last_time();
            let stays = time > bound || time == bound && others == 0;
            if !stays {
                others -= usize::from(time == bound);
                *held -= flow.counted();
                flow.end(End::Unseen, out);
                out.counters.add(Counter::Evicted, 1);
            }
            stays
        });
    }

    /// Looks at all flows for what time alone changes.
    pub fn tick(&mut self, now: Nanos, out: &mut Output) {
        self.last_tick = now;
        self.packets_since_tick = 0;
        let held = &mut self.held;
        self.table.retain(|_, flow| match flow {
            Flow::Tcp(flow) => {
                let before = flow.counted();
                let stays = flow.tick(now, out);
                *held = *held + if stays { flow.count() } else { 0 } - before;
                stays
            }
            Flow::Udp(flow) => {
                let before = flow.counted();
                let stays = flow.tick(now, out);
                *held = *held + if stays { flow.count() } else { 0 } - before;
                stays
            }
        });
    }

    /// Puts out what live viewers should know of flows that go on.
    pub fn report(&mut self, now: Nanos, out: &mut Output) {
        for flow in self.table.values_mut() {
            match flow {
                Flow::Tcp(flow) => flow.report(now, out),
                Flow::Udp(flow) => flow.report(out),
            }
        }
    }

    /// Ends the flows between ends that are not to be kept.
    pub fn keep(&mut self, keeps: impl Fn(Endpoint, Endpoint) -> bool, out: &mut Output) {
        let held = &mut self.held;
        self.table.retain(|key, flow| {
            let stays = keeps(key.low, key.high);
            if !stays {
                *held -= flow.counted();
                flow.end(End::Unseen, out);
            }
            stays
        });
    }

    /// The capture ended: every flow becomes a record now.
    pub fn end(&mut self, out: &mut Output) {
        let mut flows: Vec<(Key, Flow)> = self.table.drain().collect();
        // In the order in which they were last active, so that the same packets give the same order of records.
        flows.sort_by_key(|(key, flow)| (flow.last_time(), key.low, key.high));
        for (_, flow) in &mut flows {
            flow.end(End::Unseen, out);
        }
        self.held = 0;
    }

    /// Flows in the table.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Bytes held for all flows.
    pub fn held(&self) -> usize {
        self.held
    }
}

/// A connection that begins with a packet from `client` to `server`.
fn conn(client: Endpoint, server: Endpoint, time: Nanos, tcp: bool, origin: u64) -> Conn {
    let halves = |e: Endpoint| [(e.addr.0 >> 64) as u64, e.addr.0 as u64, u64::from(e.port)];
    let ([a, b, c], [d, e, f]) = (halves(client), halves(server));
    Conn {
        id: crate::id::mix(&[origin, time as u64, a, b, c, d, e, f, u64::from(tcp)]),
        client,
        server,
        tcp,
        seq_base: [0; 2],
        midstream: false,
        sni: None,
        alpn: None,
        exchanges: 0,
        retransmitted_to: [0; 2],
        sightings: Sightings::default(),
    }
}

#[cfg(test)]
mod tests;
