//! What reading and decoding one packet costs, beside the crates that could do it. Run: `cargo bench --bench packets`.

use std::fs::File;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use _engine::decode::Decoder;
use _engine::packet::{Decoded, LinkType, Packet, Sight};
use _engine::source::Next;
use _engine::source::file::FileSource;
use pcap_parser::traits::PcapReaderIterator;
use pcap_parser::{LegacyPcapReader, PcapBlockOwned, PcapError, PcapNGReader};

const PACKETS: usize = 1_000_000;

/// Payload bytes of one packet, as the segments of small requests and answers have them.
const PAYLOAD: usize = 200;

fn main() {
    let directory = std::env::temp_dir().join(format!("tapper-bench-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory for the files");
    let (pcap, pcapng) = (directory.join("x.pcap"), directory.join("x.pcapng"));
    write_files(&pcap, &pcapng);
    for _ in 0..2 {
        show("read pcap", || read(&pcap));
        show("read pcap, pcap-parser", || read_legacy(&pcap));
        show("read pcapng", || read(&pcapng));
        show("read pcapng, pcap-parser", || read_ng(&pcapng));
        for (name, packet) in shapes() {
            show(&format!("decode {name}"), || decode(&packet));
            show(&format!("decode {name}, etherparse"), || slice(&packet));
        }
        show("read pcap and decode", || read_and_decode(&pcap));
    }
    std::fs::remove_dir_all(&directory).expect("the directory is ours");
}

fn show(name: &str, run: impl Fn() -> usize) {
    let start = Instant::now();
    let packets = run();
    assert_eq!(packets, PACKETS);
    println!("{name:40} {:6.1} ns", start.elapsed().as_nanos() as f64 / packets as f64);
}

fn shapes() -> [(&'static str, Vec<u8>); 3] {
    use etherparse::PacketBuilder;
    let builder = || PacketBuilder::ethernet2([2; 6], [4; 6]);
    let mut shapes = [("tcp4", Vec::new()), ("vlan tcp6", Vec::new()), ("udp4", Vec::new())];
    let payload = [b'x'; PAYLOAD];
    let v4 = || builder().ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64);
    v4().tcp(4000, 80, 1, 1000).write(&mut shapes[0].1, &payload).expect("into memory");
    let vlan = builder().single_vlan(etherparse::VlanId::ZERO).ipv6([1; 16], [2; 16], 64);
    vlan.tcp(4000, 80, 1, 1000).write(&mut shapes[1].1, &payload).expect("into memory");
    v4().udp(4000, 53).write(&mut shapes[2].1, &payload).expect("into memory");
    shapes
}

fn write_files(pcap: &Path, pcapng: &Path) {
    let [(_, packet), ..] = shapes();
    let len = packet.len() as u32;
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let record = [words(&[1, 2, len, len]), packet.clone()].concat();
    let head = words(&[0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, 1]);
    std::fs::write(pcap, [head, record.repeat(PACKETS)].concat()).expect("room for the file");
    let padded = len.next_multiple_of(4);
    let mut block = [words(&[6, 32 + padded, 0, 0, 1_000_000, len, len]), packet].concat();
    block.resize(block.len() + (padded - len) as usize, 0);
    block.extend(words(&[32 + padded]));
    let head = words(&[0x0a0d_0d0a, 28, 0x1a2b_3c4d, 1, u32::MAX, u32::MAX, 28, 1, 20, 1, 0, 20]);
    std::fs::write(pcapng, [head, block.repeat(PACKETS)].concat()).expect("room for the file");
}

fn read(path: &Path) -> usize {
    let mut source = FileSource::open(path).expect("it was just written");
    let mut packets = 0;
    while let Ok(Next::Packet(packet)) = source.next() {
        black_box(packet);
        packets += 1;
    }
    packets
}

fn read_and_decode(path: &Path) -> usize {
    let mut source = FileSource::open(path).expect("it was just written");
    let mut decoder = Decoder::default();
    let mut packets = 0;
    while let Ok(Next::Packet(packet)) = source.next() {
        packets += usize::from(matches!(black_box(decoder.decode(&packet)), Decoded::Tcp(_)));
    }
    packets
}

fn read_legacy(path: &Path) -> usize {
    let file = File::open(path).expect("it was just written");
    read_blocks(LegacyPcapReader::new(256 << 10, file).expect("a header"))
}

fn read_ng(path: &Path) -> usize {
    let file = File::open(path).expect("it was just written");
    read_blocks(PcapNGReader::new(256 << 10, file).expect("a header"))
}

fn read_blocks(mut reader: impl PcapReaderIterator) -> usize {
    let mut packets = 0;
    loop {
        match reader.next() {
            Ok((n, block)) => {
                let is_packet = match &block {
                    PcapBlockOwned::Legacy(_) => true,
                    PcapBlockOwned::NG(block) => block.is_data_block(),
                    PcapBlockOwned::LegacyHeader(_) => false,
                };
                packets += usize::from(is_packet);
                black_box(&block);
                reader.consume(n);
            }
            Err(PcapError::Incomplete(_)) => reader.refill().expect("the file is whole"),
            Err(_) => return packets,
        }
    }
}

fn decode(bytes: &[u8]) -> usize {
    let mut decoder = Decoder::default();
    let mut found = 0;
    for time in 0..PACKETS as i64 {
        let data = black_box(bytes);
        let (wire_len, link, sight) = (data.len() as u32, LinkType::ETHERNET, Sight::default());
        let packet = Packet { time, data, wire_len, link, sight, vlan: None };
        found += usize::from(matches!(black_box(decoder.decode(&packet)), Decoded::Tcp(_) | Decoded::Udp(_)));
    }
    found
}

fn slice(bytes: &[u8]) -> usize {
    let mut found = 0;
    for _ in 0..PACKETS {
        let packet = etherparse::LaxSlicedPacket::from_ethernet(black_box(bytes)).expect("a packet");
        found += usize::from(black_box(packet).transport.is_some());
    }
    found
}
