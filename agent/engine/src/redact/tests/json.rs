//! JSON, and what stands in its strings.

use super::*;

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
