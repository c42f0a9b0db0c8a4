"""A small shop of real servers and clients, each with a network of its own, whose traffic is recorded for the demo.

    visitors -> web (nginx) -> gateway -> orders -> payments   7 % of the charges fail
                                       |         -> users
                                       |         -> audit      nothing listens there
                                       -> users
                                       -> news                 HTTP/1.0, one process a request, slow
                                       -> offers               never answers

With gRPC, Redis and WebSocket: orders -> stock (gRPC, all kinds of calls), users and gateway -> cache (Redis),
visitors -> gateway (WebSocket).

`SHOP_WITH=grpc,redis,websocket python -m tools.shop.record` (as root) makes the capture that tapper ships; see
`record.py`.
"""
