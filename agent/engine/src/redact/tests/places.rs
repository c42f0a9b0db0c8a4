//! Targets and headers, and what is the same wherever a secret stands.

use super::*;

#[test]
fn targets() {
    for (target, expected) in [
        ("/a?token=x&b=1", "/a?token=<>&b=1"),
        ("/a?b=1&api%5Fkey=x#top", "/a?b=1&api%5Fkey=<>#top"),
        ("/cb#access_token=x&state=1", "/cb#access_token=<>&state=1"),
        ("/a?b=1;token=x", "/a?b=1;token=<>"),
        ("http://u:x@h/p", "http://u:<>@h/p"),
        ("https://ghp_0123456789abcdefghij@h/p?sig=x", "https://<>@h/p?sig=<>"),
        ("/g?variables=%7B%22password%22%3A%22x%22%7D", "/g?variables=%7B%22password%22%3A%22<>%22%7D"),
    ] {
        assert_eq!(run(|r, out| r.target(target.as_bytes(), out)).as_deref(), Some(expected), "{target}");
    }
    for target in
        ["/", "*", "/a?page=2&q=token", "/a@b", "h:443", "http://u@h/", "/a?token=", "/token/password", "?", "#?&="]
    {
        assert_eq!(run(|r, out| r.target(target.as_bytes(), out)), None, "{target}");
    }
}

#[test]
fn headers() {
    for (name, value, expected) in [
        ("Authorization", "Bearer x", "Bearer <>"),
        ("authorization", "Basic  eA==", "Basic  <>"),
        ("Authorization", "abc def", "<>"),
        ("Proxy-Authorization", "Digest username=\"a\", response=\"b\"", "Digest <>"),
        ("X-Api-Key", "x", "<>"),
        ("X-Vault-Token", "x", "<>"),
        ("Cookie", "a=1; b=\"2\";c; d=", "a=<>; b=<>;<>; d="),
        (
            "Set-Cookie",
            "sid=x=y; Path=/; Secure; Expires=Wed, 09 Jun 2021 10:18:14 GMT",
            "sid=<>; Path=/; Secure; Expires=Wed, 09 Jun 2021 10:18:14 GMT",
        ),
        ("Set-Cookie", "a=1; Path=/, b=2; Path=/", "a=<>; Path=<>; Path=/"),
        ("Location", "https://h/cb?code=1&access_token=x", "https://h/cb?code=1&access_token=<>"),
        ("Referer", "https://u:x@h/", "https://u:<>@h/"),
        (
            "Sec-WebSocket-Protocol",
            "base64url.bearer.authorization.k8s.io.eA, v4.channel.k8s.io",
            "base64url.bearer.authorization.k8s.io.<>, v4.channel.k8s.io",
        ),
        ("Link", "<https://h/?page=2&token=x>; rel=\"next\"", "<https://h/?page=2&token=<>>; rel=\"next\""),
    ] {
        let shown = run(|r, out| r.header(name.as_bytes(), value.as_bytes(), out));
        assert_eq!(shown.as_deref(), Some(expected), "{name}: {value}");
        assert!(redactor().header_kind(name.as_bytes()).is_some());
    }
    for (name, value) in [
        ("Content-Type", "application/json"),
        ("WWW-Authenticate", "Basic realm=\"a\""),
        ("X-Request-Id", "token"),
        ("Cookie", ""),
        ("Authorization", " "),
        ("Location", "/next"),
    ] {
        assert_eq!(run(|r, out| r.header(name.as_bytes(), value.as_bytes(), out)), None, "{name}: {value}");
    }
    assert_eq!(redactor().header_kind(b"content-type"), None);
}

#[test]
fn equal_secrets_show_equal_marks_wherever_they_are() {
    let r = redactor();
    let mark = String::from_utf8(r.value(b"s3 \"cr\"&t").as_bytes().to_vec()).unwrap();
    let shows = |change: &dyn Fn(&mut Vec<u8>) -> bool| {
        let mut out = Vec::new();
        assert!(change(&mut out));
        assert!(String::from_utf8_lossy(&out).contains(&mark[1..16]), "{}", out.escape_ascii());
    };
    shows(&|out| r.body(b"", br#"{"password":"s3 \"cr\"\u0026t"}"#, out));
    shows(&|out| r.body(b"", br#"{"password":"s3 \"cr\"&t"}"#, out));
    shows(&|out| r.body(b"", br#"{"m":"{\"password\":\"s3 \\\"cr\\\"&t\"}"}"#, out));
    let query = br#"{"query":"{a(token:$token,pin:$p)}","variables":{"token":"s3 \"cr\"&t","p":1}}"#;
    shows(&|out| r.body(b"", query, out));
    shows(&|out| r.target(b"/?password=s3+%22cr%22%26t", out));
    shows(&|out| r.header(b"authorization", b"Bearer s3 \"cr\"&t", out));
    shows(&|out| r.header(b"cookie", b"a=s3 \"cr\"&t", out));
    shows(&|out| r.body(b"", b"password: s3 \"cr\"&t\n", out));
    let other = Redactor::new([8; 16], &[]);
    assert_ne!(other.value(b"x"), r.value(b"x"));
    assert_ne!(r.value(b"x"), r.value(b"y"));
}

#[test]
fn every_stem_is_found_in_a_body() {
    for stem in names::stems() {
        let text = format!("{{\"a\":1,\"{stem}\":\"x\"}}");
        assert_eq!(body("application/json", &text), Some(format!("{{\"a\":1,\"{stem}\":\"<>\"}}")), "{stem}");
    }
}

#[test]
fn every_parameter_is_found_in_a_form_and_a_url() {
    for name in names::stems().chain(names::parameters()) {
        assert_eq!(body("", &format!("a=1&{name}=x")), Some(format!("a=1&{name}=<>")), "{name}");
        let text = format!("{{\"url\":\"https://h/p?{name}=x&a=1\"}}");
        assert_eq!(body("", &text), Some(text.replace("=x", "=<>")), "{name}");
    }
}

#[test]
fn further_names_are_found_everywhere() {
    let r = Redactor::new([0; 16], &["x-internal-id".into(), "größe".into(), "q".into()]);
    for text in [r#"{"internal":1,"xInternalId":"canary"}"#, r#"{"größe":"canary"}"#, r#"{"q":"canary"}"#, "q=canary"]
    {
        let mut out = Vec::new();
        assert!(r.body(b"", text.as_bytes(), &mut out), "{text}");
        assert!(!String::from_utf8(out).unwrap().contains("canary"));
    }
    let mut out = Vec::new();
    assert!(r.header(b"X-Internal-ID", b"x", &mut out));
    assert!(r.target(b"/?q=1", &mut out));
}

#[test]
fn a_disabled_redactor_changes_nothing() {
    let r = Redactor::disabled();
    let mut out = Vec::new();
    assert!(!r.is_enabled() && !r.is_secret(b"password") && r.header_kind(b"cookie").is_none());
    assert!(!r.header(b"cookie", b"a=b", &mut out) && !r.target(b"/?token=x", &mut out));
    assert!(!r.body(b"", b"{\"token\":\"x\"}", &mut out) && !r.json(b"{\"token\":\"x\"}", &mut out));
    assert!(out.is_empty());
}
