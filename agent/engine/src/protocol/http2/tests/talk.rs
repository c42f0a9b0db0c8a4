//! Whole conversations made at random: streams of HTTP and of gRPC interleaved, with all that frames may do.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::told::Told;
use super::wire::*;
use crate::protocol::http2::frame::{PREFACE, flag, kind};
use crate::stream::Side;

/// What one side says on a stream.
#[derive(Clone, Debug)]
struct Half {
    /// Headers, of few names so that the table is used: which name, and how long a value.
    fields: Vec<(u8, u8)>,
    /// Where the block is cut into HEADERS and CONTINUATION, of 256.
    cuts: Vec<u8>,
    pad: Option<u8>,
    priority: bool,
    /// Lengths of messages; of plain HTTP they are the body together.
    body: Vec<usize>,
    /// Sizes of the DATA frames, by turns.
    frames: Vec<usize>,
    trailers: bool,
    /// The sender's table becomes this share of what it may be, of 255.
    resize: Option<u8>,
}

/// A stream.
#[derive(Clone, Debug)]
struct Call {
    grpc: bool,
    request: Half,
    response: Option<Half>,
    /// 103 comes first.
    hints: bool,
    /// The response's head does not wait for the end of the request.
    early: bool,
    /// After so many steps, by the server or not, with this code.
    reset: Option<(usize, bool, u32)>,
    code: u8,
}

/// A conversation.
#[derive(Clone, Debug)]
pub struct Talk {
    calls: Vec<Call>,
    /// Which of the streams that are open goes on next.
    order: Vec<u8>,
    /// Largest tables that the sides allow each other.
    tables: [u16; 2],
    huffman: bool,
}

/// What each side sent, in order, and what it means by stream.
pub struct Spoken {
    pub sent: Vec<(Side, Vec<u8>)>,
    pub told: BTreeMap<u32, Told>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Hints,
    Head,
    Data(usize),
    Trailers,
    Reset(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    side: Side,
    what: What,
    end: bool,
}

/// A stream that is under way.
struct Open<'a> {
    id: u32,
    call: &'a Call,
    /// The data of both sides, in frames.
    data: [Vec<Vec<u8>>; 2],
    steps: std::vec::IntoIter<Step>,
}

impl Half {
    /// The messages' texts: none is like another stream's, side's or place's.
    fn texts(&self, id: u32, side: Side) -> Vec<String> {
        let of = |(at, len): (usize, &usize)| format!("<{id}{side:?}{at}>").chars().cycle().take(*len).collect();
        self.body.iter().enumerate().map(of).collect()
    }

    /// What is sent as data, in frames.
    fn data(&self, id: u32, side: Side, is_grpc: bool) -> Vec<Vec<u8>> {
        let of = |text: &String| if is_grpc { grpc(text) } else { text.as_bytes().to_vec() };
        let mut bytes: Vec<u8> = self.texts(id, side).iter().flat_map(of).collect();
        let (mut made, mut sizes) = (Vec::new(), self.frames.iter().cycle());
        while !bytes.is_empty() {
            let size = (*sizes.next().unwrap()).min(bytes.len());
            made.push(bytes.drain(..size).collect());
        }
        made
    }

    fn steps(&self, side: Side, data: usize, trailers: bool) -> Vec<Step> {
        let whats =
            std::iter::once(What::Head).chain((0..data).map(What::Data)).chain(trailers.then_some(What::Trailers));
        let mut steps: Vec<Step> = whats.map(|what| Step { side, what, end: false }).collect();
        steps.last_mut().unwrap().end = true;
        steps
    }

    /// Their names and values.
    fn headers(&self) -> Vec<(String, String)> {
        self.fields
            .iter()
            .map(|(name, len)| (format!("x-{}", name % 6), format!("{len}{}", "-".repeat(usize::from(*len % 50)))))
            .collect()
    }
}

impl Call {
    fn half(&self, side: Side) -> &Half {
        self.response.as_ref().filter(|_| side == Server).unwrap_or(&self.request)
    }

    fn steps(&self, data: [usize; 2]) -> Vec<Step> {
        let mut steps = self.request.steps(Client, data[0], self.request.trailers && !self.grpc);
        if let Some(response) = &self.response {
            // Without data and trailers the head says the status of gRPC, too.
            let mut answer = response.steps(Server, data[1], response.trailers || (self.grpc && data[1] > 0));
            if self.hints {
                answer.insert(0, Step { side: Server, what: What::Hints, end: false });
            }
            let rest = answer.split_off(1 + usize::from(self.hints));
            let at = if self.early { 1 } else { steps.len() };
            steps.splice(at..at, answer);
            steps.extend(rest);
        }
        if let Some((after, server, code)) = self.reset
            && after + 1 < steps.len()
        {
            steps.truncate(after + 1);
            // Behind all of the response a reset only says that the rest of the request is not wanted, or not coming.
            let answered = steps.iter().any(|step| step.side == Server && step.end);
            let code = if answered { code / 8 * 8 } else { code };
            steps.push(Step { side: if server { Server } else { Client }, what: What::Reset(code), end: false });
        }
        steps
    }

    fn status(&self) -> &'static str {
        if self.grpc { "200" } else { ["200", "201", "404", "503"][usize::from(self.code) % 4] }
    }

    fn grpc_status(&self) -> &'static str {
        ["0", "5", "13", "4"][usize::from(self.code) % 4]
    }

    fn path(&self) -> String {
        let at = self.code % 7;
        if self.grpc { format!("/pb.Shop/Do{at}") } else { format!("/p{at}") }
    }

    /// The fields of a head.
    fn fields(&self, side: Side, is_all: bool) -> Vec<(String, String)> {
        let content = self.grpc.then_some(("content-type", "application/grpc".to_string()));
        let first: Vec<(&str, String)> = match side {
            Client => vec![
                (":method", if self.grpc || !self.request.body.is_empty() { "POST" } else { "GET" }.into()),
                (":scheme", "http".into()),
                (":path", self.path()),
                (":authority", "shop:80".into()),
            ],
            Server => vec![(":status", self.status().into())],
        };
        let status = (is_all && self.grpc && side == Server).then(|| ("grpc-status", self.grpc_status().into()));
        let first = first.into_iter().chain(content).chain(status).map(|(name, value)| (name.to_string(), value));
        first.chain(self.half(side).headers()).collect()
    }

    fn trailers(&self, id: u32, side: Side) -> Vec<(String, String)> {
        let status = (self.grpc && side == Server).then(|| ("grpc-status".to_string(), self.grpc_status().to_string()));
        status.into_iter().chain([("x-sum".to_string(), format!("{id}"))]).collect()
    }
}

/// A field block in HEADERS and as many CONTINUATION as there are cuts.
fn head(half: &Half, stream: u32, block: &[u8], end: bool) -> Vec<u8> {
    let mut cuts: Vec<usize> = half.cuts.iter().map(|cut| usize::from(*cut) * block.len() / 256).collect();
    cuts.sort_unstable();
    let from = std::iter::once(0).chain(cuts.iter().copied());
    let pieces: Vec<&[u8]> = from.zip(cuts.iter().copied().chain([block.len()])).map(|(a, b)| &block[a..b]).collect();
    let mut out = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        let flags = if at + 1 == pieces.len() { flag::END_HEADERS } else { 0 };
        if at > 0 {
            out.extend(frame(kind::CONTINUATION, flags, stream, piece));
            continue;
        }
        let flags = flags | if end { flag::END_STREAM } else { 0 } | if half.priority { flag::PRIORITY } else { 0 };
        let fields: &[u8] = if half.priority { &[0, 0, 0, 0, 15] } else { &[] };
        out.extend(padded(kind::HEADERS, flags, stream, half.pad, &[fields, piece].concat()));
    }
    out
}

fn padded(kind: u8, flags: u8, stream: u32, pad: Option<u8>, payload: &[u8]) -> Vec<u8> {
    match pad {
        None => frame(kind, flags, stream, payload),
        Some(pad) => {
            frame(kind, flags | flag::PADDED, stream, &[&[pad], payload, &vec![0; usize::from(pad)][..]].concat())
        }
    }
}

impl Talk {
    /// Says it all.
    pub fn speak(&self) -> Spoken {
        let table = |side: Side| [&[0, 1, 0, 0][..], &self.tables[side as usize].to_be_bytes()].concat();
        let settings = |side| frame(kind::SETTINGS, 0, 0, &table(side));
        let mut spoken = Spoken {
            sent: vec![(Client, [PREFACE, &settings(Client)].concat()), (Server, settings(Server))],
            told: BTreeMap::new(),
        };
        for side in [Client, Server] {
            spoken.sent.push((side, frame(kind::SETTINGS, flag::ACK, 0, &[])));
        }
        let mut encoders = [Encoder::default(), Encoder::default()];
        let mut updates = [Vec::new(), Vec::new()];
        for side in [0, 1] {
            encoders[side].huffman = self.huffman;
            if self.tables[1 - side] < 4096 {
                updates[side] = encoders[side].resize(self.tables[1 - side].into());
            }
        }
        let (mut calls, mut open) = (self.calls.iter().zip((1..).step_by(2)), Vec::<Open<'_>>::new());
        for turn in self.order.iter().cycle() {
            let at = usize::from(*turn) % (open.len() + 1);
            if at == open.len() {
                match calls.next() {
                    Some((call, id)) => open.push(Open::new(id, call)),
                    None if open.is_empty() => break,
                    None => {}
                }
            }
            let at = at.min(open.len() - 1);
            let Some(step) = open[at].steps.next() else {
                open.remove(at);
                continue;
            };
            let index = step.side as usize;
            let told = spoken.told.entry(open[at].id).or_default();
            let bytes = open[at].say(step, &mut encoders[index], &mut updates[index], self.tables[1 - index], told);
            spoken.sent.push((step.side, bytes));
            let between = match turn % 16 {
                7 => frame(kind::PING, 0, 0, b"12345678"),
                8 => frame(kind::WINDOW_UPDATE, 0, open[at].id, &[0, 0, 1, 0]),
                9 => frame(kind::PRIORITY, 0, open[at].id, &[0, 0, 0, 0, 1]),
                _ => continue,
            };
            spoken.sent.push((Client, between));
        }
        spoken
    }
}

impl<'a> Open<'a> {
    fn new(id: u32, call: &'a Call) -> Self {
        let response = call.response.as_ref().map_or(Vec::new(), |half| half.data(id, Server, call.grpc));
        let data = [call.request.data(id, Client, call.grpc), response];
        let steps = call.steps([data[0].len(), data[1].len()]).into_iter();
        Self { id, call, data, steps }
    }

    /// The bytes of a step; what they say is noted.
    fn say(&self, step: Step, encoder: &mut Encoder, update: &mut Vec<u8>, max: u16, told: &mut Told) -> Vec<u8> {
        let (id, call, side) = (self.id, self.call, step.side);
        let half = call.half(side);
        let mut block = |listed: &[(String, String)], resize: Option<u8>| {
            let mut made = std::mem::take(update);
            if let Some(share) = resize {
                made.extend(encoder.resize(usize::from(max) * usize::from(share) / 255));
            }
            let fields: Vec<Field<'_>> = listed.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            made.extend(encoder.block(&fields));
            made
        };
        told.ended[side as usize] |= step.end;
        match step.what {
            What::Hints => {
                told.hints = true;
                head(half, id, &block(&[(":status".into(), "103".into())], None), false)
            }
            What::Head => {
                let fields = call.fields(side, step.end);
                told.head(side, &fields);
                head(half, id, &block(&fields, half.resize), step.end)
            }
            What::Data(at) => {
                let data = &self.data[side as usize][at];
                told.data(side, data, call.grpc.then(|| half.texts(id, side)));
                padded(kind::DATA, if step.end { flag::END_STREAM } else { 0 }, id, half.pad, data)
            }
            What::Trailers => {
                let fields = call.trailers(id, side);
                told.trailers(side, &fields);
                head(half, id, &block(&fields, None), true)
            }
            What::Reset(code) => {
                told.reset = true;
                rst(id, code)
            }
        }
    }
}

fn any_half() -> impl Strategy<Value = Half> {
    let head = (
        prop::collection::vec((0u8..8, 0u8..80), 0..5),
        prop_oneof![3 => Just(vec![]), 1 => prop::collection::vec(any::<u8>(), 1..4)],
        prop::option::weighted(0.2, 0u8..20),
        prop::bool::weighted(0.1),
        prop::option::weighted(0.1, any::<u8>()),
    );
    let body = (
        prop_oneof![2 => Just(vec![]), 3 => prop::collection::vec(0usize..127, 1..2), 2 => prop::collection::vec(0usize..127, 2..6)],
        prop::collection::vec(1usize..160, 1..6),
        prop::bool::weighted(0.2),
    );
    (head, body).prop_map(|((fields, cuts, pad, priority, resize), (body, frames, trailers))| Half {
        fields,
        cuts,
        pad,
        priority,
        body,
        frames,
        trailers,
        resize,
    })
}

fn any_call(grpc: f64) -> impl Strategy<Value = Call> {
    let reset = (0usize..8, any::<bool>(), prop::sample::select(vec![0u32, 2, 7, 8]));
    (
        prop::bool::weighted(grpc),
        any_half(),
        prop::option::weighted(0.95, any_half()),
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.2),
        prop::option::weighted(0.1, reset),
        any::<u8>(),
    )
        .prop_map(|(grpc, request, response, hints, early, reset, code)| Call {
            grpc,
            request,
            response,
            hints,
            early,
            reset,
            code,
        })
}

/// A conversation in which this share of the streams is gRPC.
pub fn any_talk(grpc: f64) -> impl Strategy<Value = Talk> {
    let tables = prop::sample::select(vec![0u16, 100, 4096, 20_000]);
    let tables = [tables.clone(), tables];
    (prop::collection::vec(any_call(grpc), 1..12), prop::collection::vec(any::<u8>(), 1..40), tables, any::<bool>())
        .prop_map(|(calls, order, tables, huffman)| Talk { calls, order, tables, huffman })
}
