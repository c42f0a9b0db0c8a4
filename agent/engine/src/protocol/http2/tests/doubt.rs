//! After a loss, frames that may mean two things: neither is claimed.

use super::wire::*;

/// Requests on streams 1 and 3; the answer to the first, which puts this status into the table, is lost.
fn answer_lost(status: &str) -> Wire {
    let mut wire = Wire::new();
    let gets = [wire.get(1, "/1"), wire.get(3, "/3")].concat();
    let lost = wire.head(Server, 1, &[(":status", status), ("x-one", "1")], true);
    wire.send(Client, &gets).lose(Server, &lost);
    wire
}

#[test]
fn a_head_with_an_unknown_status_or_trailers() {
    let mut wire = answer_lost("503");
    let head = wire.head(Server, 3, &[(":status", "503"), ("x-two", "2")], true);
    wire.send(Server, &head);
    let records = wire.end();
    assert_eq!(records.lines(), ["GET /3 ? incomplete", "GET /1 ? incomplete"]);
    let row = &records.exchanges[0];
    assert_eq!(row["error"], "its status was not captured");
    assert!(!row.contains_key("response_trailers") || row["response_trailers"].is_empty(), "{row:?}");
}

#[test]
fn a_hint_with_an_unknown_status_or_the_answer() {
    let mut wire = answer_lost("103");
    let hint = wire.head(Server, 3, &[(":status", "103")], false);
    let head = wire.head(Server, 3, &[(":status", "200"), ("x-two", "2")], false);
    wire.send(Server, &[hint, head, data(3, "three", true)].concat());
    let records = wire.end();
    assert_eq!(records.lines(), ["GET /3 200 ok", "GET /1 ? incomplete"]);
    assert_eq!(
        (&*records.exchanges[0]["response_headers"], &*records.exchanges[0]["response_body"]),
        ("x-two: 2\n", "three")
    );
}

#[test]
fn trailers_of_a_request_that_was_missed_or_a_request() {
    let mut wire = Wire::new();
    let lost = wire.head(Client, 1, &[(":method", "POST"), (":path", "/1"), ("x-sum", "7")], false);
    let get = wire.get(3, "/3");
    let trailers = wire.head(Client, 1, &[("x-sum", "7")], true);
    let answer = wire.answer(3, "200", "three");
    wire.lose(Client, &lost).send(Client, &get).send(Client, &trailers).send(Server, &answer);
    assert_eq!(wire.end().lines(), ["GET /3 200 ok"]);
}

#[test]
fn a_request_that_was_given_up_or_no_longer_wanted() {
    let mut wire = Wire::new();
    let post = wire.head(Client, 1, &[(":method", "POST"), (":path", "/upload")], false);
    let answer = wire.answer(1, "200", "enough");
    wire.send(Client, &post).lose(Server, &answer).send(Client, &rst(1, 8));
    // Without a doubt, as all of the request was sent.
    let get = wire.get(3, "/3");
    let lost = wire.answer(3, "200", "three");
    wire.send(Client, &get).lose(Server, &lost).send(Client, &rst(3, 8));
    assert_eq!(wire.end().lines(), ["POST /upload ? incomplete", "GET /3 ? reset"]);
}
