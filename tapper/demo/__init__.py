"""The demo: a small shop of real servers in a network namespace of its own (`shop`, `namespace`), and a capture of one.

    visitors -> gateway -> orders -> payments   7 % of the charges fail
                   |         -> users -> cache   Redis, if it is installed
                   |         -> stock            gRPC, if grpcio is installed
                   |         -> audit            nothing listens there
                   -> users
                   -> news                       HTTP/1.0, a connection a request, slow

`services` has what the servers answer, `visitors` who asks. The recording of the capture (tools/shop) has both too.
"""
