//! Bodies: content coding removed, secrets replaced, cut at the limit.

use super::Output;
use super::head::Said;
use crate::counters::Counter;
use crate::message::{Message, notes};

impl Output {
    /// Content coding removed, secrets replaced, cut at the limit.
    pub(super) fn body(
        &mut self,
        side: usize,
        message: &Message,
        said: &Said,
        (method, media_type): (&[u8], &[u8]),
        bits: &mut u32,
    ) {
        let limit = self.config.body_limit;
        let c = &mut self.exchanges.half[side];
        let body = &message.body;
        let coding = message.coding.or(said.content_encoding);
        let coding_name = coding.map_or(&b""[..], |span| message.span(span)).trim_ascii();
        let unknown = message.coding.is_some() && coding_name.is_empty();
        let coded = body.bytes > 0 && !body.withheld && (unknown || is_coded(coding_name));
        let mut cut = body.bytes > body.data.len() as u64 && !body.withheld && !body.shown;
        let mut kept = Some(body.data.as_slice()).filter(|_| !body.withheld);
        // Some protocols have no body on the wire but show their content as one.
        let mut content_bytes = Some(body.bytes.max(body.data.len() as u64));
        if coded && limit > 0 {
            self.decoded.clear();
            match self.content.decode(
                coding_name,
                &body.data,
                body.is_whole(),
                limit,
                self.config.limits.inflated,
                &mut self.decoded,
            ) {
                Ok(decoded) => {
                    content_bytes = decoded.content_bytes;
                    cut = decoded.cut || !body.is_whole();
                    kept = Some(&self.decoded);
                }
                Err(_) => {
                    *bits |= notes::UNDECODABLE;
                    self.counters.add(Counter::Undecodable, 1);
                    content_bytes = None;
                    // What can't be read can't be searched for secrets.
                    if self.redactor.is_enabled() {
                        kept = None;
                    }
                }
            }
        } else if coded || (body.withheld && message.coding.is_some()) {
            content_bytes = None;
        }
        c.content_bytes.push_option(content_bytes);
        if limit > 0 && cut && body.lost == 0 {
            *bits |= if side == 0 { notes::REQUEST_CUT } else { notes::RESPONSE_CUT };
            self.counters.add(Counter::BodiesCut, 1);
        }
        if !self.config.heads {
            return;
        }
        match kept {
            Some(bytes) if limit > 0 && !bytes.is_empty() => {
                self.redacted.clear();
                let changed = if method.is_empty() {
                    self.redactor.body(media_type, bytes, &mut self.redacted)
                } else {
                    self.redactor.grpc(method, side == 0, bytes, &mut self.redacted)
                };
                if changed {
                    *bits |= notes::REDACTED;
                    c.body.push(&self.redacted);
                } else {
                    c.body.push(bytes);
                }
            }
            _ => c.body.push_null(),
        }
    }
}

/// Whether a content coding changes anything.
pub(super) fn is_coded(coding: &[u8]) -> bool {
    !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity")
}
