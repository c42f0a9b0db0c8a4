//! Field blocks as heads and trailers of messages (RFC 9113 section 8.2).

use super::grpc;
use super::hpack::{Class, Decoder};
use crate::counters::{Counter, Counters};
use crate::message::{Message, notes};
use crate::packet::Nanos;
use crate::protocol::http1::is_prober;

/// Text of one message's fields that is kept: servers allow 8 to 64 KiB.
const TEXT: usize = 64 << 10;

type Span = (u32, u32);

/// What a content type says about the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Grpc,
    /// Server-sent events.
    Events,
    Other,
}

/// What a field block says that matters here; spans are of its message's text.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Head {
    pub method: Option<Span>,
    pub path: Option<Span>,
    pub authority: Option<Span>,
    pub host: Option<Span>,
    pub status: Option<u16>,
    /// It has fields of a first line.
    pub pseudo: bool,
    /// Some field is unknown.
    pub unknown: bool,
    pub content: Option<Content>,
    /// It has a field that only gRPC has.
    pub grpc: bool,
    pub grpc_status: Option<i32>,
    pub grpc_message: Option<Span>,
    pub grpc_encoding: Option<Span>,
    pub timeout: Option<Nanos>,
    /// Its body has a content coding.
    pub coded: bool,
}

/// Reads a block into the headers, or the trailers, of a message.
pub(super) fn read(
    decoder: &mut Decoder,
    block: &[u8],
    message: &mut Message,
    trailers: bool,
    max_headers: usize,
    counters: &mut Counters,
) -> Head {
    let mut head = Head::default();
    let Message { text, headers, trailers: trailing, notes: bits, .. } = message;
    let fields = if trailers { trailing } else { headers };
    let mut full = false;
    let result = decoder.block(block, text, |text, class, header| {
        let (Some(_), Some(value)) = (header.name, header.value) else {
            head.unknown = true;
            fields.push(header);
            full = fields.len() >= max_headers;
            return !full;
        };
        let said = &text[value.0 as usize..value.1 as usize];
        match class {
            Class::Plain | Class::Unknown | Class::Scheme | Class::Pseudo | Class::Grpc => {}
            Class::Method => head.method = Some(value),
            Class::Path => head.path = Some(value),
            Class::Authority => head.authority = Some(value),
            Class::Status => head.status = grpc::status_code(said).and_then(|code| u16::try_from(code).ok()),
            Class::Host => head.host = Some(value),
            Class::ContentType => {
                head.content = Some(if grpc::is_grpc(said) {
                    Content::Grpc
                } else if said.get(..17).is_some_and(|start| start.eq_ignore_ascii_case(b"text/event-stream")) {
                    Content::Events
                } else {
                    Content::Other
                });
            }
            Class::ContentEncoding => head.coded = said != b"identity",
            Class::UserAgent if is_prober(said) => *bits |= notes::HEALTH,
            Class::UserAgent => {}
            Class::GrpcStatus => head.grpc_status = grpc::status_code(said),
            Class::GrpcMessage => head.grpc_message = Some(value),
            Class::GrpcEncoding => head.grpc_encoding = Some(value),
            Class::GrpcTimeout => head.timeout = grpc::timeout(said),
        }
        head.grpc |= matches!(
            class,
            Class::GrpcStatus | Class::GrpcMessage | Class::GrpcEncoding | Class::GrpcTimeout | Class::Grpc
        );
        if class.is_pseudo() {
            // They are columns of their own; a path may hold secrets that are known by its syntax only.
            head.pseudo = true;
            full = text.len() > TEXT;
            return !full;
        }
        fields.push(header);
        full = fields.len() >= max_headers || text.len() > TEXT;
        !full
    });
    if full {
        *bits |= notes::HEADERS_CUT;
        counters.add(Counter::HeadersDropped, 1);
    }
    if head.unknown {
        *bits |= notes::PARTIAL;
        counters.add(Counter::UnknownFields, 1);
    }
    if result.is_err() {
        *bits |= notes::MALFORMED;
        counters.add(Counter::Malformed, 1);
        // What follows in it is not read.
        head.unknown = true;
    }
    head
}
