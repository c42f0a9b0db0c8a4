//! A whole capture file to Arrow batches, heads and bodies and all, which are thrown away: the engine alone, without a
//! door to Python and without IPC. Run: `cargo bench --bench capture -- FILE... [--no-bodies] [--ipc]`; prints JSON.
//! Each file is a capture of its own: give a small one several times, or what is measured is fresh memory.

use _engine::allocator;
use _engine::config::Config;
use _engine::pipeline::{PayloadWriter, Pipeline};
use _engine::schema;
use _engine::source::Next;
use _engine::source::file::FileSource;
use arrow_ipc::CompressionType;
#[cfg(not(feature = "python"))]
use mimalloc::MiMalloc;
use rustix::time::{ClockId, clock_gettime};

// With the door to Python, the crate brings its own.
#[cfg(not(feature = "python"))]
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Rows of a batch, as `tapper read` asks for.
const ROWS: usize = 16_384;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let has = |option: &str| arguments.iter().any(|argument| argument == option);
    let paths: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with("--")).collect();
    // Without a file, as when all benchmarks are run, there is nothing to measure.
    if paths.is_empty() {
        return;
    }
    allocator::set_up();
    let mut config = Config { redact_key: Some([7; 16]), ..Config::default() };
    if has("--no-bodies") {
        config.body_limit = 0;
    }
    let mut writer = has("--ipc").then(|| PayloadWriter::new(&schema::PAYLOAD, Some(CompressionType::ZSTD)));
    let began = cpu_s();
    let (mut exchanges, mut messages, mut bytes) = (0, 0, 0);
    let mut take = |pipeline: &mut Pipeline| {
        let batches = pipeline.take();
        exchanges += batches.exchanges.map_or(0, |batch| batch.num_rows());
        messages += batches.messages.map_or(0, |batch| batch.num_rows());
        if let Some(payloads) = batches.payloads {
            bytes += writer.as_mut().map_or(payloads.get_array_memory_size(), |writer| writer.message(&payloads).len());
        }
    };
    for path in paths {
        let mut pipeline = Pipeline::new(config.clone());
        let mut source = FileSource::open(path).expect("the file can be opened");
        loop {
            match source.next().expect("the file is whole") {
                Next::Packet(packet) => pipeline.packet(&packet),
                Next::Idle => {}
                Next::End => break,
            }
            if pipeline.is_full(ROWS) {
                take(&mut pipeline);
            }
        }
        pipeline.end();
        take(&mut pipeline);
    }
    let took = cpu_s() - began;
    println!(r#"{{"exchanges": {exchanges}, "messages": {messages}, "payload_bytes": {bytes}, "cpu_s": {took:.6}}}"#);
}

/// Processor time of this process so far.
fn cpu_s() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
