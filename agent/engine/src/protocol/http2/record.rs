//! From streams to records: how each ended, in the words of the columns.

use std::borrow::Cow;

use super::frame::{code, error_name, who};
use super::grpc::{self, Kind};
use super::stream::Stream;
use crate::message::notes;
use crate::output::{Exchange, Outcome};
use crate::packet::Nanos;
use crate::protocol::{Context, End};
use crate::stream::Side;

/// Why nothing more of a stream is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finish {
    /// Both sides have ended it, or the server has and the client sends no more.
    Complete,
    /// RST_STREAM, with its error code, at that time.
    Reset(Side, u32, Nanos),
    /// The server said, with that error code, that it did not look at it.
    NotProcessed(u32),
    /// The connection ended.
    Connection(End),
    /// There were too many.
    Evicted,
    /// Its end seems to be lost.
    Lost,
}

/// What the server closed the connection with, and who closed it first.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Closing {
    pub goaway: Option<u32>,
    pub first_fin: Option<Side>,
}

/// Puts out the stream as it is now.
pub(super) fn put(stream: &mut Stream, outcome: Outcome, error: &str, cx: &mut Context<'_>) {
    let request = stream.request.as_deref();
    let text = |span: (u32, u32)| request.map_or(&b""[..], |request| request.span(span));
    let is_grpc = stream.kind == Kind::Grpc;
    let target = text(stream.target);
    let operation = match memchr::memrchr(b'/', target) {
        Some(slash) if is_grpc => &target[slash + 1..],
        _ if is_grpc => target,
        _ => text(stream.method),
    };
    let status = if is_grpc { stream.grpc_status } else { stream.status.map(i32::from) };
    let streaming = stream.is_streaming();
    let exchange = Exchange {
        id: stream.exchange,
        revision: stream.revision,
        protocol: if is_grpc { "grpc" } else { "http" },
        version: if is_grpc { "" } else { "2" },
        operation,
        target,
        authority: text(stream.authority),
        status,
        status_text: stream.grpc_status.filter(|_| is_grpc).map_or(b"", |code| grpc::status(code).0.as_bytes()),
        outcome,
        error,
        request,
        response: stream.response.as_deref(),
        reason: b"",
        interim: &stream.interim,
        ended: stream.ended[Side::Server as usize] && !stream.end_lost,
        stream: Some(u64::from(stream.id)),
        messages: (is_grpc || streaming).then_some(stream.counts),
        notes: stream.notes,
    };
    cx.out.exchange(cx.conn, &exchange);
    stream.revision = stream.revision.saturating_add(1);
    stream.reported = stream.counts.sent + stream.counts.received;
}

/// How a stream ended.
pub(super) fn outcome(stream: &Stream, finish: Finish, closing: Closing) -> (Outcome, Cow<'static, str>) {
    let is_lost = stream.lost.contains(&true);
    let answered = stream.response.is_some();
    match finish {
        Finish::Complete => complete(stream),
        Finish::Reset(_, code::NO_ERROR, _) if stream.ended[Side::Server as usize] => complete(stream),
        // The response may have been complete, and the rest of the request no longer wanted.
        Finish::Reset(_, code::NO_ERROR | code::CANCEL, _)
            if stream.lost[Side::Server as usize] && stream.ended == [false, false] =>
        {
            (Outcome::Incomplete, lost(answered))
        }
        Finish::Reset(side, code, time) => reset(stream, side, code, time),
        Finish::NotProcessed(code) => (
            Outcome::Reset,
            format!("the server went away without looking at the request (GOAWAY, {})", error_name(code)).into(),
        ),
        Finish::Evicted => (Outcome::Incomplete, "too many requests of its connection waited".into()),
        Finish::Lost => (Outcome::Incomplete, lost(answered)),
        Finish::Connection(_) if is_lost => (Outcome::Incomplete, lost(answered)),
        Finish::Connection(how) => connection(answered, how, closing),
    }
}

fn lost(answered: bool) -> Cow<'static, str> {
    if answered { "the end of its response was not captured" } else { "its response was not captured" }.into()
}

fn complete(stream: &Stream) -> (Outcome, Cow<'static, str>) {
    if stream.request.is_none() {
        return (Outcome::Incomplete, "its request was not captured".into());
    }
    if stream.kind == Kind::Grpc {
        return grpc_outcome(stream);
    }
    match stream.status {
        Some(0..400) => (Outcome::Ok, "".into()),
        Some(400..500) => (Outcome::ClientError, "".into()),
        Some(_) => (Outcome::ServerError, "".into()),
        None => (Outcome::Incomplete, "its status was not captured".into()),
    }
}

fn grpc_outcome(stream: &Stream) -> (Outcome, Cow<'static, str>) {
    let response = stream.response.as_deref();
    if let Some(code) = stream.grpc_status {
        let said = response.zip(stream.grpc_message).map_or(&b""[..], |(response, span)| response.span(span));
        let error = if said.is_empty() { "".into() } else { Cow::from(grpc::message(said)) };
        return (grpc::status(code).1, error);
    }
    const UNREAD: u32 = notes::PARTIAL | notes::GAP | notes::HEADERS_CUT | notes::MALFORMED;
    let known = response.is_none_or(|response| response.notes & UNREAD == 0);
    match stream.status {
        // A proxy answered, or a server that knows no gRPC.
        Some(status @ 400..500) => (Outcome::ClientError, format!("HTTP status {status}, no gRPC status").into()),
        Some(status @ (300..400 | 500..)) => {
            (Outcome::ServerError, format!("HTTP status {status}, no gRPC status").into())
        }
        _ if known => (Outcome::ServerError, "the response ended without a gRPC status".into()),
        _ if response.is_some_and(|response| response.notes & notes::PARTIAL != 0) => {
            (Outcome::Incomplete, "its gRPC status repeats an earlier one that was not captured".into())
        }
        _ => (Outcome::Incomplete, "its gRPC status was not captured".into()),
    }
}

fn reset(stream: &Stream, side: Side, code: u32, time: Nanos) -> (Outcome, Cow<'static, str>) {
    let when = if stream.ended[Side::Server as usize] {
        return complete(stream);
    } else if stream.response.is_some() {
        " during the response"
    } else {
        ""
    };
    let first = stream.request.as_ref().map_or(time, |request| request.first.time);
    match (side, code, stream.timeout) {
        // The clock of a deadline starts a little before the request is sent.
        (Side::Client, code::CANCEL, Some(timeout)) if time - first >= timeout - timeout / 20 => {
            let millis = timeout as f64 / 1e6;
            (Outcome::Timeout, format!("the client cancelled{when}: its deadline of {millis} ms had passed").into())
        }
        (Side::Client, code::CANCEL | code::NO_ERROR, _) => {
            (Outcome::Reset, format!("the client cancelled{when}").into())
        }
        (Side::Server, code::REFUSED_STREAM, _) => {
            (Outcome::Reset, "the server refused the stream (REFUSED_STREAM): it did not look at the request".into())
        }
        _ => (Outcome::Reset, format!("{} reset the stream{when} ({})", who(side), error_name(code)).into()),
    }
}

fn connection(answered: bool, how: End, closing: Closing) -> (Outcome, Cow<'static, str>) {
    let when = if answered { "during the response" } else { "before a response" };
    if let (Some(code @ 1..), End::Closed | End::Reset(_)) = (closing.goaway, how) {
        let error = format!("the server closed the connection {when} (GOAWAY, {})", error_name(code));
        return (Outcome::Reset, error.into());
    }
    match how {
        End::Reset(side) => (Outcome::Reset, format!("{} reset the connection {when}", who(side)).into()),
        End::Closed if answered => {
            (Outcome::Reset, "the connection was closed before the response was complete".into())
        }
        End::Closed if closing.first_fin == Some(Side::Server) => {
            (Outcome::Reset, "the server closed the connection without a response".into())
        }
        End::Closed => (Outcome::Timeout, "the client closed the connection before a response".into()),
        End::Idle if !answered => (Outcome::Timeout, "no response came".into()),
        End::Idle | End::Unseen => (Outcome::Open, "".into()),
    }
}
