//! Any text is survived.
#![no_main]

use _engine::redact::Redactor;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let redactor = Redactor::new([7; 16], &[]);
    let mut out = Vec::new();
    redactor.target(data, &mut out);
    redactor.header(b"cookie", data, &mut out);
    for media_type in ["", "application/json", "application/x-www-form-urlencoded", "multipart/form-data", "text/xml"] {
        out.clear();
        redactor.body(media_type.as_bytes(), data, &mut out);
    }
});
