//! What holds for any document: no secret is left in it, nothing else is changed, and it stays readable.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

/// No part of it is in any text but a secret.
const CANARY: &str = "c4n4ry \"\\/\u{e9}\n{c4n4ry}";

const SECRET_NAMES: &[&str] =
    &["password", "userPassword", "access_token", "Api-Key", "client_secret", "card", "PIN", "ssn"];
const NAMES: &[&str] =
    &["id", "name", "val", "max_tokens", "author", "key", "shipping", "token_type", "caf\u{e9}", "a\"b", ""];
const TEXTS: &[&str] =
    &["", "your token has expired", "password", "a \"quoted\" \\ text", "}{][", "\u{1f600}\n", "https://h/p?page=2"];

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        prop::sample::select(TEXTS).prop_map(Value::from),
        "[a-z0-9 ,.!?\"\\\\{}\u{e0}-\u{ff}-]{0,12}".prop_map(Value::from),
    ]
}

fn secret() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(CANARY)),
        Just(json!("c4n4ry")),
        Just(json!([1, CANARY, { "a": CANARY }])),
        Just(json!({ "a": { "}": [CANARY] } })),
    ]
}

/// A document; with secrets under secret names if they are wanted, some of them in documents within strings.
fn document(secrets: bool) -> impl Strategy<Value = Value> {
    leaf().prop_recursive(5, 40, 6, move |inner| {
        let harmless = (prop::sample::select(NAMES).prop_map(String::from), inner.clone());
        let text = (prop::sample::select(NAMES).prop_map(String::from), inner.clone())
            .prop_map(|(name, value)| (name, Value::from(value.to_string())));
        let hidden = (prop::sample::select(SECRET_NAMES).prop_map(String::from), secret());
        let field = match secrets {
            true => prop_oneof![3 => harmless, 1 => text, 2 => hidden].boxed(),
            false => prop_oneof![3 => harmless, 1 => text].boxed(),
        };
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            prop::collection::vec(field, 0..5).prop_map(|fields| Value::Object(Map::from_iter(fields))),
        ]
    })
}

/// Writes it compactly or with white space, names with escapes or without.
fn written(value: &Value, pretty: bool, escaped: bool) -> String {
    let text = if pretty { serde_json::to_string_pretty(value).unwrap() } else { value.to_string() };
    if !escaped {
        return text;
    }
    SECRET_NAMES.iter().fold(text, |text, name| {
        let letters =
            name.chars().map(|c| if c == 's' || c == 'N' { format!("\\u{:04x}", c as u32) } else { c.into() });
        text.replace(&format!("\"{name}\":"), &format!("\"{}\":", letters.collect::<String>()))
    })
}

fn is_mark(text: &str) -> bool {
    text.len() == 17 && text.starts_with("<redacted:")
}

/// Whether `after` is `before` with marks for secrets.
fn is_redacted(before: &Value, after: &Value) -> bool {
    match (before, after) {
        (Value::Array(before), Value::Array(after)) => {
            before.len() == after.len() && before.iter().zip(after).all(|(b, a)| is_redacted(b, a))
        }
        (Value::Object(before), Value::Object(after)) => {
            before.len() == after.len()
                && before.iter().zip(after).all(|((name, b), (same, a))| {
                    let hidden = SECRET_NAMES.contains(&name.as_str());
                    name == same && if hidden { a.as_str().is_some_and(is_mark) } else { is_redacted(b, a) }
                })
        }
        (Value::String(before), Value::String(after)) if before != after => {
            match (serde_json::from_str(before), serde_json::from_str(after)) {
                (Ok(before), Ok(after)) => is_redacted(&before, &after),
                _ => false,
            }
        }
        _ => before == after,
    }
}

fn changed(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    if Redactor::new([1; 16], &[]).body(b"application/json", text, &mut out) { out } else { text.to_vec() }
}

/// Pieces that mean something to some rule, and others.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    const PIECES: &[&str] = &[
        "password",
        "token",
        "\"",
        "\\\"",
        "\\\\\\\"",
        "\\",
        "'",
        ":",
        "=",
        "&",
        "?",
        "<",
        ">",
        "</",
        "</password",
        "{",
        "}",
        "[",
        "]",
        ",",
        " ",
        "\n",
        "$a",
        "$",
        "\\u0070",
        "\\u00",
        "%",
        "%70",
        "%3D",
        "--",
        "--b\r\n",
        "name=",
        "value",
        "|",
        "eyJhbGciOiJI.",
        "-----BEGIN PRIVATE KEY-----",
        "://",
        "@",
        "://a:b@",
        "a",
        "1",
        "null",
        "\"name\":\"token\",\"value\":",
        "form-data; name=\"token\"\r\n\r\n",
        "\u{e9}",
        "authorization: Bearer ",
        "<![CDATA[",
        "]]>",
        "\"\"\"",
    ];
    let piece = prop_oneof![
        8 => prop::sample::select(PIECES).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 1..4),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn secrets_are_replaced_and_nothing_else(value in document(true), pretty: bool, escaped: bool) {
        let text = written(&value, pretty, escaped);
        let after = String::from_utf8(changed(text.as_bytes())).unwrap();
        prop_assert!(!after.contains("c4n4"), "{after}");
        let after: Value = serde_json::from_str(&after).unwrap();
        prop_assert!(is_redacted(&value, &after), "{after}");
    }

    #[test]
    fn no_secret_is_left_in_a_part(value in document(true), pretty: bool, escaped: bool, cut: prop::sample::Index) {
        let text = written(&value, pretty, escaped);
        let after = changed(&text.as_bytes()[..cut.index(text.len() + 1)]);
        prop_assert!(memmem::find(&after, b"c4n4").is_none(), "{}", after.escape_ascii());
    }

    #[test]
    fn documents_without_secrets_stay(value in document(false), pretty: bool) {
        let text = written(&value, pretty, false);
        prop_assert!(!Redactor::new([1; 16], &[]).body(b"", text.as_bytes(), &mut Vec::new()), "{text}");
    }

    #[test]
    fn forms_keep_all_but_secrets(
        fields in prop::collection::vec((prop::sample::select([SECRET_NAMES, NAMES].concat()), "[ -9;<>-~]{0,9}"), 1..9),
        every in 1usize..4,
        cut: prop::sample::Index,
    ) {
        let encode = |text: &str| text.bytes().enumerate().map(|(at, b)| match b {
            b'a'..=b'z' | b'_' if at % every > 0 => (b as char).to_string(),
            _ => format!("%{b:02X}"),
        }).collect::<String>();
        let secret = |name: &str| SECRET_NAMES.contains(&name);
        let field = |(name, value): &(&str, String), value_is: &dyn Fn(&str) -> String| {
            format!("{}={}", encode(name), if secret(name) { value_is("c4n4ry") } else { encode(value) })
        };
        let join = |value_is: &dyn Fn(&str) -> String| {
            fields.iter().map(|f| field(f, value_is)).collect::<Vec<_>>().join("&")
        };
        let redactor = Redactor::new([1; 16], &[]);
        let text = join(&|value| value.to_owned());
        let mut out = Vec::new();
        let was = redactor.body(b"application/x-www-form-urlencoded", text.as_bytes(), &mut out);
        prop_assert_eq!(was, fields.iter().any(|(name, _)| secret(name)), "{}", text);
        if was {
            let mark = String::from_utf8(redactor.value(b"c4n4ry").as_bytes().to_vec()).unwrap();
            prop_assert_eq!(String::from_utf8(out.clone()).unwrap(), join(&|_| mark.clone()));
        }
        let cut = &text.as_bytes()[..cut.index(text.len() + 1)];
        out.clear();
        let after = if redactor.target(&[b"/?", cut].concat(), &mut out) { &out[..] } else { cut };
        prop_assert!(memmem::find(after, b"c4n4").is_none(), "{}", after.escape_ascii());
    }

    #[test]
    fn any_text_is_survived(text in soup(), name in soup()) {
        let redactor = Redactor::new([1; 16], &["x".into()]);
        for media_type in ["", "application/json", "multipart/form-data", "text/javascript", "x/form-urlencoded"] {
            let mut out = Vec::new();
            redactor.body(media_type.as_bytes(), &text, &mut out);
            prop_assert!(out.len() <= 64 + 20 * text.len());
        }
        let mut out = Vec::new();
        redactor.target(&text, &mut out);
        redactor.header(&name, &text, &mut out);
        for name in ["authorization", "cookie", "set-cookie", "link", "location", "sec-websocket-protocol"] {
            redactor.header(name.as_bytes(), &text, &mut out);
        }
    }
}

/// The time for a megabyte of anything, with a wide margin: what is quadratic takes minutes.
#[test]
fn hostile_texts_take_linear_time() {
    let redactor = Redactor::new([1; 16], &[]);
    for piece in [
        "token",
        "token ",
        "token:",
        "token=",
        "\"token\"",
        "\"token\":",
        "<token ",
        "<token>",
        "</token>",
        "token=\"",
        "\\\"token\\\":",
        "\"token\\",
        "eyJ",
        "eyJhbGciOiJI.",
        "-----BEGIN PRIVATE KEY-----",
        "://",
        "://a@",
        "{",
        "\"token\":{",
        "token:{",
        "password:$a ",
        "\"a\":\"token\",",
        "\"name\":\"token\",\"value\":",
        "%70",
        "a=%7B",
        "?",
        "\\u0070",
        "token:\n",
        "token: |\n ",
        "--b\r\n",
        "\\",
        "\"",
        "<a:token",
        "token:\"\"\"",
        "<i name=\"token\" ",
        "a=b;",
        "\"pw",
        "token\\\\",
        "token:'",
    ] {
        let text = piece.repeat((1 << 20) / piece.len());
        let begin = std::time::Instant::now();
        let mut out = Vec::new();
        redactor.body(b"", text.as_bytes(), &mut out);
        redactor.body(b"multipart/form-data", text.as_bytes(), &mut out);
        redactor.body(b"application/x-www-form-urlencoded", text.as_bytes(), &mut out);
        redactor.body(b"application/xml", format!("<{text}").as_bytes(), &mut out);
        assert!(begin.elapsed().as_secs() < 10, "{piece:?} took {:?}", begin.elapsed());
    }
}
