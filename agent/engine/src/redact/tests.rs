//! What is replaced, and what is left alone. In the expected texts `<>` stands for any mark.

use super::*;

fn redactor() -> Redactor {
    Redactor::new([7; 16], &[])
}

/// Runs one of the methods and shows marks as `<>`; none: nothing was changed.
fn run(change: impl FnOnce(&Redactor, &mut Vec<u8>) -> bool) -> Option<String> {
    let mut out = b"kept ".to_vec();
    if !change(&redactor(), &mut out) {
        assert_eq!(out, b"kept ");
        return None;
    }
    let text = String::from_utf8(out).unwrap();
    Some(without_marks(text.strip_prefix("kept ").unwrap()))
}

fn without_marks(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("redacted:") {
        let hash = &rest[at + 9..at + 15];
        assert!(hash.bytes().all(|b| b.is_ascii_hexdigit()), "{text}");
        shown.push_str(&rest[..at]);
        rest = &rest[at + 15..];
    }
    shown + rest
}

fn body(media_type: &str, text: &str) -> Option<String> {
    run(|r, out| r.body(media_type.as_bytes(), text.as_bytes(), out))
}

fn assert_bodies(media_type: &str, cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(body(media_type, text).as_deref(), Some(*expected), "{text}");
    }
}

fn assert_unchanged(media_type: &str, cases: &[&str]) {
    for text in cases {
        assert_eq!(body(media_type, text), None, "{text}");
    }
}

#[test]
fn json_fields_by_name() {
    assert_bodies(
        "application/json",
        &[
            (r#"{"user":"ada","password":"x"}"#, r#"{"user":"ada","password":"<>"}"#),
            (r#"{ "Password" : "x" , "n": 1 }"#, r#"{ "Password" : "<>" , "n": 1 }"#),
            (r#"{"pin":1234,"cvv":-1.5e3,"secret":true}"#, r#"{"pin":"<>","cvv":"<>","secret":"<>"}"#),
            (r#"{"credentials":{"a":["}",{}]},"b":1}"#, r#"{"credentials":"<>","b":1}"#),
            (r#"{"cookies":["a","b"]}"#, r#"{"cookies":"<>"}"#),
            (r#"{"password":"a\"b\\","token":"\\\""}"#, r#"{"password":"<>","token":"<>"}"#),
            (r#"{"pass\u0077ord":"x"}"#, r#"{"pass\u0077ord":"<>"}"#),
            (r#"{"\u0070\u0061\u0073\u0073":"x"}"#, r#"{"\u0070\u0061\u0073\u0073":"<>"}"#),
            (r#"[{"a":{"b":[{"api_key":"x"}]}}]"#, r#"[{"a":{"b":[{"api_key":"<>"}]}}]"#),
            ("{\"token\":\n\t\"x\"\n}", "{\"token\":\n\t\"<>\"\n}"),
            ("{\"token\":\"a\"}\n{\"token\":\"b\"}\n", "{\"token\":\"<>\"}\n{\"token\":\"<>\"}\n"),
            (r#"{"Authorization":"Bearer x"}"#, r#"{"Authorization":"Bearer <>"}"#),
            (r#"{"pw":"x"}"#, r#"{"pw":"<>"}"#),
        ],
    );
}

#[test]
fn values_that_hide_nothing_stay() {
    assert_unchanged(
        "application/json",
        &[
            r#"{"password":null,"token":""}"#,
            r#"{"message":"your token has expired","author":"x","keys":["secret","password"]}"#,
            r#"{"max_tokens":5,"token_type":"Bearer","secretName":"db","type":"password"}"#,
            r#"{"field":"password","error":"password: is too short"}"#,
            r#"{"label":"Token:","next":"x"}"#,
            r#"{"caf\u00e9":"x","shipping":{"pin":null}}"#,
            r#"{"url":"https://example.org/?page=1&token="}"#,
            "",
            " ",
            "null",
            "\"password\"",
        ],
    );
}

#[test]
fn json_in_strings_of_json() {
    assert_bodies(
        "application/json",
        &[
            (r#"{"m":"{\"password\":\"x\",\"a\":1}"}"#, r#"{"m":"{\"password\":\"<>\",\"a\":1}"}"#),
            (r#"{"m":"{\"password\":12}"}"#, r#"{"m":"{\"password\":\"<>\"}"}"#),
            (r#"{"m":"{\"secret\":{\"a\":\"}\"}}"}"#, r#"{"m":"{\"secret\":\"<>\"}"}"#),
            (
                r#"{"m":"{\"n\":\"{\\\"token\\\":\\\"x\\\\\\\"y\\\"}\"}"}"#,
                r#"{"m":"{\"n\":\"{\\\"token\\\":\\\"<>\\\"}\"}"}"#,
            ),
            (r#"{"m":"{\"pass\\u0077ord\":\"x\"}"}"#, r#"{"m":"{\"pass\\u0077ord\":\"<>\"}"}"#),
            (r#"{"m":"{\"password\":\"x","token":"y"}"#, r#"{"m":"{\"password\":\"<>","token":"<>"}"#),
        ],
    );
}

#[test]
fn pairs_of_name_and_value() {
    assert_bodies(
        "application/json",
        &[
            (r#"[{"name":"DB_PASSWORD","value":"x"}]"#, r#"[{"name":"DB_PASSWORD","value":"<>"}]"#),
            (r#"{"Key" : "api-key", "Value" : 7}"#, r#"{"Key" : "api-key", "Value" : "<>"}"#),
            (r#"{"e":"{\"name\":\"token\",\"value\":\"x\"}"}"#, r#"{"e":"{\"name\":\"token\",\"value\":\"<>\"}"}"#),
        ],
    );
    assert_unchanged(
        "application/json",
        &[
            r#"{"name":"password","valueFrom":{"secretKeyRef":{"name":"db","key":"password"}}}"#,
            r#"{"title":"password","value":"x"}"#,
            r#"{"name":"colour","value":"token"}"#,
        ],
    );
}

#[test]
fn graphql_arguments_and_variables() {
    assert_bodies(
        "application/json",
        &[
            (
                r#"{"query":"mutation { login(user: \"ada\", password: \"x\") { id } }"}"#,
                r#"{"query":"mutation { login(user: \"ada\", password: \"<>\") { id } }"}"#,
            ),
            (
                r#"{"query":"mutation { pay(pin: 1234, card: {number: \"1\", name: \"n\"}) { id } }"}"#,
                r#"{"query":"mutation { pay(pin: <>, card: <>) { id } }"}"#,
            ),
            (
                r#"{"query":"mutation($p:String!){login(password:$p){id}}","variables":{"p":"x","q":"y"}}"#,
                r#"{"query":"mutation($p:String!){login(password:$p){id}}","variables":{"p":"<>","q":"y"}}"#,
            ),
            (
                r#"{"variables":{"token":"t","p":"x"},"query":"mutation{login(password:$p){id}}"}"#,
                r#"{"variables":{"token":"<>","p":"<>"},"query":"mutation{login(password:$p){id}}"}"#,
            ),
        ],
    );
    assert_bodies(
        "application/graphql",
        &[
            (
                r#"mutation { login(password: """x "y" z""") { id } }"#,
                r#"mutation { login(password: """<>""") { id } }"#,
            ),
            (r#"mutation { login(password: "x"#, r#"mutation { login(password: "<>"#),
        ],
    );
    assert_unchanged("application/json", &[r#"{"query":"query { token { id } }"}"#]);
}

#[test]
fn urls_in_strings() {
    assert_bodies(
        "application/json",
        &[
            (r#"{"next":"https://h/p?access_token=x&page=2"}"#, r#"{"next":"https://h/p?access_token=<>&page=2"}"#),
            (r#"{"next":"/p?a=b\u0026token=x\u0026page=2"}"#, r#"{"next":"/p?a=b\u0026token=<>\u0026page=2"}"#),
            (r#"{"dsn":"postgres://user:x@db:5432/a"}"#, r#"{"dsn":"postgres://user:<>@db:5432/a"}"#),
            (r#"{"dsn":"postgres:\/\/user:x@db:5432\/a"}"#, r#"{"dsn":"postgres:\/\/user:<>@db:5432\/a"}"#),
            (r#"{"u":"https://s3/k?X-Amz-Signature=x"}"#, r#"{"u":"https://s3/k?X-Amz-Signature=<>"}"#),
            (r#"{"c":"Server=db;Password=x y;"}"#, r#"{"c":"Server=db;Password=<> y;"}"#),
        ],
    );
    assert_unchanged("application/json", &[r#"{"u":"https://user@host/p","v":"mailto:a@b","w":"http://h:80/@x"}"#]);
    assert_unchanged("text/plain", &["see http://localhost:8080", "http://[fe80::1%eth0]:80", "http://h:"]);
}

#[test]
fn tokens_and_keys_by_their_looks() {
    let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl";
    assert_bodies(
        "text/plain",
        &[
            (&format!("saw {jwt} here"), "saw <> here"),
            (&format!("{{\"a\":\"{jwt}\"}}"), "{\"a\":\"<>\"}"),
            (&jwt[..40], "<>"),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----",
                "-----BEGIN RSA PRIVATE KEY-----<>-----END RSA PRIVATE KEY-----",
            ),
            ("-----BEGIN PRIVATE KEY-----\\nabc", "-----BEGIN PRIVATE KEY-----<>"),
        ],
    );
    assert_unchanged("text/plain", &["eyJhbGciOiJIUzI1NiJ9", "-----BEGIN CERTIFICATE-----\nabc", "keyJhb.c"]);
}

#[test]
fn lines_of_settings_and_headers() {
    assert_bodies(
        "application/yaml",
        &[
            ("user: a\npassword: x y # z\nnext: 1", "user: a\npassword: <>\nnext: 1"),
            ("data:\n  - token: |\n      x\n      y\n    name: z\n", "data:\n  - token: <>\n    name: z\n"),
            ("  'password': 'x'\n", "  'password': '<>'\n"),
        ],
    );
    assert_bodies(
        "message/http",
        &[(
            "GET / HTTP/1.1\r\nAuthorization: Bearer x\r\nX: y\r\n",
            "GET / HTTP/1.1\r\nAuthorization: Bearer <>\r\nX: y\r\n",
        )],
    );
    assert_bodies(
        "text/event-stream",
        &[("event: login\ndata: {\"token\":\"x\"}\n\n", "event: login\ndata: {\"token\":\"<>\"}\n\n")],
    );
}

#[test]
fn markup_by_name() {
    assert_bodies(
        "application/xml",
        &[
            ("<a><password>x</password><b>y</b></a>", "<a><password>&lt;&gt;</password><b>y</b></a>"),
            ("<w:Password Type=\"t\">x</w:Password>", "<w:Password Type=\"t\">&lt;&gt;</w:Password>"),
            ("<token><![CDATA[x]]></token>", "<token><![CDATA[&lt;&gt;]]></token>"),
            ("<db user=\"u\" password='x'/>", "<db user=\"u\" password='&lt;&gt;'/>"),
            ("<db password=\"x\"", "<db password=\"&lt;&gt;\""),
            ("<credentials><u>a</u><p>b</p></credentials>", "<credentials>&lt;&gt;</credentials>"),
            ("<property name=\"password\" value=\"x\"/>", "<property name=\"password\" value=\"&lt;&gt;\"/>"),
            ("<password>cut", "<password>&lt;&gt;"),
            ("<input name=\"csrf_token\" value=\"x\">", "<input name=\"csrf_token\" value=\"&lt;&gt;\">"),
        ],
    );
    assert_unchanged(
        "text/html",
        &[
            "<label for=\"password\">Password</label><input type=\"password\" name=\"password\">",
            "<token/><password></password><a href=\"/forgot-password\">x</a>",
        ],
    );
    assert_bodies(
        "application/json",
        &[(r#"{"x":"<password>x</password>"}"#, r#"{"x":"<password>&lt;&gt;</password>"}"#)],
    );
}

#[test]
fn forms() {
    assert_bodies(
        "application/x-www-form-urlencoded",
        &[
            ("user=a&password=x&b=c", "user=a&password=<>&b=c"),
            ("user%5Bpassword%5D=x", "user%5Bpassword%5D=<>"),
            ("p%61ssword=x y\"z", "p%61ssword=<>"),
            ("password=cut", "password=<>"),
            ("payload=%7B%22token%22%3A%22x%22%7D&a=b", "payload=%7B%22token%22%3A%22<>%22%7D&a=b"),
            ("payload={\"token\":\"x\"}", "payload={\"token\":\"<>\"}"),
            (
                "next=https%3A%2F%2Fh%2F%3Faccess_token%3Dx%26a%3Db",
                "next=https%3A%2F%2Fh%2F%3Faccess_token%3D<>%26a%3Db",
            ),
        ],
    );
    assert_bodies("", &[("a=b&token=x", "a=b&token=<>")]);
    assert_bodies("application/x-www-form-urlencoded", &[(r#"{"password":"x"}"#, r#"{"password":"<>"}"#)]);
    assert_unchanged("application/x-www-form-urlencoded", &["a=b&password=&token", "max_tokens=5&q=token", "&&==&"]);
}

#[test]
fn multipart_forms() {
    let form = |content: &str, other: &str| {
        format!(
            "--b0\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n{content}\r\n\
             --b0\r\nContent-Disposition: form-data; name=\"note\"; filename=\"token\"\r\n\
             Content-Type: application/json\r\n\r\n{other}\r\n--b0--\r\n"
        )
    };
    let text = form("x\r\ny", r#"{"a":1,"secret":"z"}"#);
    assert_eq!(body("multipart/form-data", &text), Some(form("<>", r#"{"a":1,"secret":"<>"}"#)),);
    assert_eq!(body("", &form("", "x")), None);
    assert_bodies(
        "multipart/form-data",
        &[(
            "--b\r\nContent-Disposition: form-data; name=pin\r\n\r\n12",
            "--b\r\nContent-Disposition: form-data; name=pin\r\n\r\n<>",
        )],
    );
}

/// Bodies are cut at a limit, wherever that is.
#[test]
fn no_secret_is_left_in_a_part_of_any_format() {
    let multipart = "--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nc4n4ry c4n4ry\r\n--b--";
    for text in [
        r#"{"a":"{\"password\":\"c4n4\\\"ry\",\"pin\":[\"c4n4ry\"]}","token":{"x":["c4n4ry","\"c4n4ry"]}}"#,
        r#"{"query":"{ login(password: \"c4n4ry\", card: {n: \"c4n4ry\"}, p: \"\"\"x\"\"\") }"}"#,
        r#"{"query":"{ login(password: $p) }","variables":{"p":"c4n4ry"}}"#,
        r#"[{"name":"API_KEY","value":"c4n4ry"},{"url":"https://u:c4n4ry@h/?token=c4n4ry&a=b"}]"#,
        r#"<a password="c4n4ry"><x:token>c4n4ry</x:token><secret><![CDATA[c4n4ry]]></secret></a>"#,
        "password: c4n4ry c4n4ry\ntoken: |\n  c4n4ry\n  c4n4ry\nend: 1\n",
        "user=a&password=c4n4ry+c4n4ry&data=%7B%22token%22%3A%22c4n4ry%22%7D",
        "GET / HTTP/1.1\r\nAuthorization: Bearer c4n4ry\r\nCookie: a=c4n4ry; b=c4n4ry\r\n\r\n",
        "event: x\ndata: {\"token\":\"c4n4ry\"}\n\n",
        "password = 'c4n4ry'\nDB_PASSWORD=c4n4ry\nServer=x;Password=c4n4ry;",
        multipart,
    ] {
        for cut in 0..=text.len() {
            for media_type in ["", "application/json", "multipart/form-data"] {
                let mut out = Vec::new();
                let part = &text.as_bytes()[..cut];
                let changed = redactor().body(media_type.as_bytes(), part, &mut out);
                let shown = if changed { &out[..] } else { part };
                assert!(memmem::find(shown, b"c4n4").is_none(), "{}", shown.escape_ascii());
            }
        }
    }
}

#[test]
fn scripts_are_programs_with_data_in_them() {
    assert_unchanged("application/javascript", &["if (token == x) { password = f(); o = {password: \"Password\"} }"]);
    assert_bodies("application/javascript", &[("cb({\"token\":\"x\"})", "cb({\"token\":\"<>\"})")]);
}

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
