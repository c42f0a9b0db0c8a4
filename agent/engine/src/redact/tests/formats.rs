//! Bodies of other formats: settings, markup, forms, multipart, scripts.

use super::*;

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
