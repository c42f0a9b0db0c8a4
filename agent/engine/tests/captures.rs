//! The captures in `tests/data`, made by scapy and read by tshark for comparison: what is in each, packet by packet.

use std::fmt::Write;
use std::path::Path;

use _engine::decode::Decoder;
use _engine::packet::{Decoded, Endpoint};
use _engine::source::Next;
use _engine::source::file::FileSource;

/// A line for each packet of a file.
fn lines(path: &Path) -> String {
    let mut source = FileSource::open(path).expect("the file is there");
    let mut decoder = Decoder::default();
    let mut lines = String::new();
    let ends =
        |src: Endpoint, dst: Endpoint| format!("{} {} > {} {}", src.addr.ip(), src.port, dst.addr.ip(), dst.port);
    while let Next::Packet(packet) = source.next().expect("the file is whole") {
        let line = match decoder.decode(&packet) {
            Decoded::Tcp(s) => {
                let (ends, flags, window) = (ends(s.src, s.dst), s.flags, s.window);
                let (seq, ack, len, cut) = (s.seq, s.ack, s.payload.len(), s.cut);
                format!("tcp {ends} flags 0x{flags:02x} seq {seq} ack {ack} window {window} len {len} cut {cut}")
            }
            Decoded::Udp(d) => format!("udp {} len {} cut {}", ends(d.src, d.dst), d.payload.len(), d.cut),
            Decoded::Unreachable(u) => format!("unreachable {} {}: {}", u.protocol, ends(u.src, u.dst), u.reason),
            other => format!("{other:?}").to_lowercase(),
        };
        writeln!(lines, "{line}").expect("into memory");
    }
    lines
}

#[test]
fn captures_hold_what_is_written_beside_them() {
    let mut seen = 0;
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data")).expect("the folder is there") {
        let path = entry.expect("it can be listed").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("names are plain");
        if let Some((stem, extension)) = name.split_once('.')
            && extension.starts_with("pcap")
        {
            let text = path.with_file_name(format!("{stem}.txt"));
            let expected = std::fs::read_to_string(text).expect("each capture has a text");
            let found = lines(&path);
            assert!(found == expected, "{} holds\n{found}", path.display());
            seen += 1;
        }
    }
    assert!(seen >= 9);
}
