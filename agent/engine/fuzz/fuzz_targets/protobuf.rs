//! Secrets in gRPC messages: the first half says what its fields are called, the second is a message.
#![no_main]

use _engine::redact::Redactor;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let (schema, message) = data.split_at(data.len() / 2);
    let mut redactor = Redactor::new([0; 16], &[]);
    redactor.know(schema);
    for method in [&b"/a.B/C"[..], b"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"] {
        let mut once = Vec::new();
        if redactor.grpc(method, true, message, &mut once) {
            redactor.grpc(method, true, &once, &mut Vec::new());
        }
        redactor.grpc(method, false, message, &mut Vec::new());
    }
});
