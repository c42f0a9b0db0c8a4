//! What bodies cost: looking for secrets and removing content codings. Times are for one body.

use std::fmt::Write;
use std::hint::black_box;
use std::io::{Read, Write as _};
use std::time::Instant;

use _engine::content::ContentDecoder;
use _engine::redact::Redactor;

fn measure(name: &str, text: &str, look: impl FnMut(&[u8], &mut Vec<u8>) -> bool) {
    measure_bytes(name, text.as_bytes(), look);
}

fn measure_bytes(name: &str, text: &[u8], mut look: impl FnMut(&[u8], &mut Vec<u8>) -> bool) {
    let mut out = Vec::with_capacity(1 << 20);
    let rounds = 20_000_000 / (text.len() + 100);
    let mut best = f64::INFINITY;
    let mut changed = false;
    for _ in 0..7 {
        let begin = Instant::now();
        for _ in 0..rounds {
            out.clear();
            changed = black_box(look(black_box(text), &mut out));
        }
        best = best.min(begin.elapsed().as_nanos() as f64 / rounds as f64);
    }
    let said = if changed { "changed" } else { "" };
    println!("{name:34} {:>7} bytes {best:>9.0} ns {:>6.2} GB/s {said}", text.len(), text.len() as f64 / best);
}

fn orders(count: usize, note: &str) -> String {
    let mut text = String::from("{\"items\":[");
    for n in 0..count {
        write!(
            text,
            "{}{{\"id\":{n},\"sku\":\"SKU-{:05}\",\"title\":\"Blue widget, large\",\"quantity\":{},\"price\":{{\"amount\":{}.99,\
             \"currency\":\"EUR\"}},\"created_at\":\"2024-05-01T12:{:02}:00Z\",\"tags\":[\"new\",\"sale\"],\"note\":\"{note}\"}}",
            if n > 0 { "," } else { "" },
            n * 37,
            n % 7,
            n * 3,
            n % 60,
        )
        .unwrap();
    }
    text + "],\"total\":10,\"page\":1}"
}

fn main() {
    let redactor = Redactor::new([7; 16], &[]);
    let json = |text: &[u8], out: &mut Vec<u8>| redactor.body(b"application/json", text, out);
    measure("JSON", &orders(8, "ships on Monday"), json);
    measure("JSON, small", &orders(1, "x"), json);
    measure("JSON, 64 KiB", &orders(360, "ships on Monday"), json);
    measure("JSON, names that are nearly secret", &orders(8, "shipping key author, max_tokens: your token"), json);
    measure("JSON, URLs", &orders(8, "https://example.org/api/v1/items/1"), json);
    measure("JSON, key in each item", &orders(8, "").replace("\"sku\":", "\"key\":").replace("title", "author"), json);
    measure("JSON, one secret", &orders(8, "").replacen("\"sku\":", "\"token\":", 1), json);
    measure("JSON, a secret in each item", &orders(8, "").replace("\"sku\":", "\"token\":"), json);
    let html =
        format!("<html><body>{}</body></html>", "<p class=\"a\">Some text with <b>markup</b> in it.</p>\n".repeat(30));
    measure("HTML", &html, |text, out| redactor.body(b"text/html", text, out));
    measure("form", "user=ada&lang=en&q=blue+widget&page=2", |text, out| {
        redactor.body(b"application/x-www-form-urlencoded", text, out)
    });
    measure("target", "/api/v1/orders/17", |text, out| redactor.target(text, out));
    measure("target with query", "/api/v1/orders?page=2&sort=created_at&q=blue", |text, out| {
        redactor.target(text, out)
    });
    measure("header name", "x-forwarded-for", |text, _| redactor.header_kind(text).is_some());
    measure("cookie", "session=0123456789abcdef; theme=dark; lang=en", |text, out| {
        redactor.header(b"cookie", text, out)
    });
    measure(
        "noise",
        &String::from_utf8_lossy(
            &(0..65536u32).map(|n| (n.wrapping_mul(2654435761) >> 24) as u8 & 127).collect::<Vec<_>>(),
        ),
        json,
    );

    let data = orders(8, "ships on Monday").into_bytes();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&data).unwrap();
    let mut br = Vec::new();
    brotli::CompressorReader::new(&data[..], 4096, 5, 22).read_to_end(&mut br).unwrap();
    let zstd = zstd::encode_all(&data[..], 3).unwrap();
    for (coding, raw) in [("gzip", gzip.finish().unwrap()), ("br", br), ("zstd", zstd)] {
        let mut kept = ContentDecoder::default();
        let run = |decoder: &mut ContentDecoder, raw: &[u8], out: &mut Vec<u8>| {
            decoder.decode(coding.as_bytes(), raw, true, 1 << 16, 1 << 24, out).is_ok()
        };
        measure_bytes(coding, &raw, |raw, out| run(&mut kept, raw, out));
        measure_bytes(&format!("{coding}, new decoder"), &raw, |raw, out| {
            run(&mut ContentDecoder::default(), raw, out)
        });
    }
}
