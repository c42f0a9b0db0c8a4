//! Whether the order of replies is certain, and what that is judged by; [`super::sync`] says how.

use crate::config::SECOND;
use crate::packet::Nanos;
use crate::stream::{Gap, Mark, Side, View};

/// Silence after which a client's command is the only one under way.
pub(super) const QUIET: Nanos = SECOND;
/// The worth of a pause before a flight, much longer than the server took for the one before: had something been under
/// way, the server would have answered it in the meantime.
const PAUSE: u32 = 16;
/// Silence that is shorter than this is no pause.
const SHORTEST: Nanos = 200_000;

/// Whether the order is certain, and what that is judged by.
pub(super) struct Trust {
    pub order: Order,
    /// Behind the last byte that the server sent; `None`: not known yet.
    pub server_end: Option<u64>,
    /// How much of the client's stream the server had received when it sent that; `None`: not known.
    pub server_ack: Option<u64>,
    pub last_time: Nanos,
    /// How often a flight seemed to begin, and nothing was under way, or something was.
    pub right: u32,
    pub wrong: u32,
    /// Flights in a row, weighted.
    pub score: u32,
    /// Bit n: that each reply is that to the command n + 1 places earlier is refuted by their types.
    pub refuted: u16,
    /// Commands and replies since the last.
    pub round: [u32; 2],
    /// When the last began, and how long after it the first reply came.
    pub flight: Nanos,
    pub latency: Option<Nanos>,
    pub lossy: bool,
}

/// How certain it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// The next reply answers the first command that waits.
    Certain,
    /// The same, but commands were lost behind those.
    Ending,
    Lost,
}

impl Default for Trust {
    fn default() -> Self {
        Self {
            order: Order::Certain,
            server_end: Some(0),
            server_ack: Some(0),
            last_time: 0,
            right: 0,
            wrong: 0,
            score: 0,
            refuted: 0,
            round: [0; 2],
            flight: 0,
            latency: None,
            lossy: false,
        }
    }
}

impl Trust {
    /// Of a connection whose beginning was not seen.
    pub fn joined() -> Self {
        Self { order: Order::Lost, server_end: None, server_ack: None, ..Self::default() }
    }

    pub fn is_known(&self) -> bool {
        self.order != Order::Lost
    }

    /// Whether anything was lost since the beginning, or since it was joined.
    pub fn has_lost(&self) -> bool {
        self.lossy
    }

    pub fn server_sent(&mut self, view: View<'_>) {
        let last = view.mark(view.bytes.len());
        self.server_end = Some(view.offset + view.bytes.len() as u64);
        self.server_ack = Some(last.ack);
        self.last_time = last.time;
    }

    pub fn client_sent(&mut self, view: View<'_>) {
        self.last_time = self.last_time.max(view.mark(view.bytes.len()).time);
    }

    pub fn lost(&mut self, side: Side, gap: Gap) {
        if side == Side::Server {
            self.server_end = Some(gap.offset + gap.len);
            self.server_ack = None;
        }
        self.last_time = self.last_time.max(gap.time);
    }

    /// Whether the client has waited for its replies before each flight, and often enough to rely on it.
    pub fn always_waits(&self) -> bool {
        self.right >= 16 && self.wrong == 0
    }

    /// The score that makes the order certain; `None`: only silence does.
    pub fn needed(&self) -> Option<u32> {
        match (self.right, self.wrong) {
            (16.., 0) => Some(3),
            (4.., 0) => Some(16),
            (_, 0) => Some(3 * PAUSE),
            (right, wrong) if wrong < right / 32 => Some(3 * PAUSE),
            _ => None,
        }
    }

    /// What a flight adds to the score that begins after this silence and follows a round that fits.
    pub fn weight(&self, silence: Nanos) -> u32 {
        let is_pause = self.latency.is_some_and(|latency| silence >= SHORTEST.max(4 * latency));
        match (is_pause, self.right, self.wrong) {
            (true, ..) => PAUSE,
            (false, 4.., 0) => 1,
            // A client that always has something under way may look like this.
            (false, ..) => 0,
        }
    }

    pub fn restart(&mut self, mark: Mark) {
        self.round = [0; 2];
        self.flight = mark.time;
        self.latency = None;
    }
}
