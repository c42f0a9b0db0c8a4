//! Any text is redacted without a crash, and a password in the form of JSON never stays.
#![no_main]

use _engine::redact::Redactor;
use libfuzzer_sys::fuzz_target;

thread_local! {
    static REDACTOR: Redactor = Redactor::new([7; 16], &["x-internal".to_owned(), "q".to_owned()]);
}

const MEDIA_TYPES: [&[u8]; 6] = [
    b"application/json",
    b"",
    b"multipart/form-data",
    b"application/x-www-form-urlencoded",
    b"text/html",
    b"text/javascript",
];

fuzz_target!(|data: &[u8]| {
    let Some((&kind, text)) = data.split_first() else { return };
    REDACTOR.with(|redactor| {
        let mut out = Vec::new();
        redactor.body(MEDIA_TYPES[kind as usize % MEDIA_TYPES.len()], text, &mut out);
        assert!(out.len() <= 64 + 20 * text.len());
        redactor.target(text, &mut out);
        let (name, value) = text.split_at(text.len().min(kind as usize % 32));
        redactor.header(name, value, &mut out);
        for name in ["authorization", "cookie", "set-cookie", "link", "sec-websocket-protocol"] {
            redactor.header(name.as_bytes(), text, &mut out);
        }
        // Whatever follows.
        let line = [&b"{\"password\":\"canary-5c1\"}"[..], text].concat();
        out.clear();
        assert!(redactor.json(&line, &mut out));
        assert!(
            !out.windows(10).any(|part| part == b"canary-5c1") || text.windows(10).any(|part| part == b"canary-5c1")
        );
    });
});
