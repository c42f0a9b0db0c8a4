"""Recipe of `tools.captures` for gRPC: grpcio's client and server, all four kinds of calls, and the ways they fail."""

from __future__ import annotations

import hashlib
import sys
import time
from concurrent import futures
from typing import TYPE_CHECKING, Any

import grpc

from tools.shop.stock import messages, services

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from tools.network import Network

GRPC_PORT = 8080
"""Usual for HTTP/1: a protocol is told by its bytes."""
STOCK = "/shop.Stock"
TOKEN = (("authorization", "Bearer s3cret-token"), ("x-tenant", "shop"), ("x-token-bin", b"\x01\x02\xff"))
Log = list[dict[str, Any]]

health, health_services = grpc.protos_and_services("tools/health.proto")  # type: ignore[no-untyped-call]
reflection, reflection_services = grpc.protos_and_services("tools/reflection.proto")  # type: ignore[no-untyped-call]


def level(name: str, note: str = "") -> Any:
    """An answer with a field of each shape."""
    made = messages.Level(item=messages.Item(name=name, wanted=2, token="tok-77"), count=-3, place=1, note=note)
    made.reserved_by.extend([7, 300, 2**40])
    made.prices["eur"] = 9.5
    return made


class Stock(services.StockServicer):  # type: ignore[misc]
    """Does what the item's name asks for."""

    def Get(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Unary."""
        context.set_trailing_metadata((("x-peer", context.peer()),))
        match request.name:
            case "none":
                context.abort(grpc.StatusCode.NOT_FOUND, "no item “none”: 100 % gone")
            case "late":
                while context.is_active():
                    time.sleep(0.02)
            case "broken":
                raise RuntimeError(request.name)
            case "large":
                return level(request.name, "x" * 40_000)
        return level(request.name)

    def Watch(self, request: Any, context: Any) -> Iterator[Any]:  # noqa: N802
        """A stream from the server; at zero it breaks off in an error."""
        for number in range(request.wanted):
            yield level(request.name, "é" * number * 100)
            time.sleep(0.02)
        if request.name == "scarce":
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "sold out")
        while request.name == "endless" and context.is_active():
            time.sleep(0.02)

    def Count(self, stream: Iterator[Any], _: Any) -> Any:  # noqa: N802
        """A stream from the client."""
        return messages.Summary(items=sum(1 for _ in stream), total=2**40)

    def Follow(self, stream: Iterator[Any], _: Any) -> Iterator[Any]:  # noqa: N802
        """Both ways."""
        for item in stream:
            yield level(item.name)


class Health(health_services.HealthServicer):  # type: ignore[misc]
    """Always well."""

    def Check(self, _: Any, __: Any) -> Any:  # noqa: N802
        """One answer."""
        return health.HealthCheckResponse(status=1)


class Reflection(reflection_services.ServerReflectionServicer):  # type: ignore[misc]
    """Tells what there is, as messages that `tapper read` takes names from."""

    def ServerReflectionInfo(self, stream: Iterator[Any], _: Any) -> Iterator[Any]:  # noqa: N802
        """An answer to each question."""
        file = messages.DESCRIPTOR.serialized_pb
        for asked in stream:
            answer = reflection.ServerReflectionResponse(original_request=asked)
            if asked.HasField("list_services"):
                answer.list_services_response.service.add(name="shop.Stock")
            else:
                answer.file_descriptor_response.file_descriptor_proto.append(file)
            yield answer


def serve_grpc() -> None:
    """Runs the server."""
    server = grpc.server(futures.ThreadPoolExecutor(8))
    services.add_StockServicer_to_server(Stock(), server)
    health_services.add_HealthServicer_to_server(Health(), server)
    reflection_services.add_ServerReflectionServicer_to_server(Reflection(), server)
    server.add_insecure_port(f"0.0.0.0:{GRPC_PORT}")
    server.start()
    server.wait_for_termination()


def grpc_server(network: Network, _: Path) -> None:
    """grpcio."""
    network.start("server", sys.executable, "-m", "tools.captures", "--serve", "grpc")
    network.wait_port("server", GRPC_PORT)


class Caller:
    """One channel, hence one connection, and what its calls gave."""

    def __init__(self, server: str, log: Log) -> None:
        self.authority = f"{server}:{GRPC_PORT}"
        self.channel = grpc.insecure_channel(self.authority)
        self.log = log
        self.stub = services.StockStub(self.channel)
        call = self.stub.Get.with_call(messages.Item(name="first"))[1]
        # Its own port is told by the server: grpcio does not say which it has.
        self.port = int(dict(call.trailing_metadata())["x-peer"].rsplit(":", 1)[1])
        self.note(f"{STOCK}/Get", [messages.Item(name="first")], [level("first")], 0, "ok", 10**10)

    def note(
        self, target: str, sent: Iterable[Any], got: Iterable[Any], status: int | None, outcome: str, elapsed: int
    ) -> None:
        """Adds a call to the log: single messages are bodies, more of them frames."""
        frames = [("sent", message.SerializeToString()) for message in sent]
        frames += [("received", message.SerializeToString()) for message in got]
        row = {
            "src_port": self.port,
            "protocol": "grpc",
            "operation": target.rsplit("/", 1)[1],
            "target": target,
            "authority": self.authority,
            **({} if status is None else {"status": status}),
            "outcome": outcome,
            "elapsed_ns": elapsed,
        }
        directions = [direction for direction, _ in frames]
        if all(directions.count(direction) <= 1 for direction in ("sent", "received")):
            bodies = dict(frames)
            for half, direction in (("request_body", "sent"), ("response_body", "received")):
                row[half] = summary(bodies.get(direction, b""))
        else:
            row["frames"] = [{"direction": direction, "kind": "message", **summary(data)} for direction, data in frames]
        self.log.append(row)

    def ask(self, target: str, outcome: str, call: Callable[[], Any], sent: list[Any], most: int | None = None) -> None:
        """Makes a call, takes at most so many answers before it is cancelled, and notes it."""
        start = time.monotonic_ns()
        got: list[Any] = []
        status: int | None = 0
        try:
            answer = call()
            if not hasattr(answer, "__next__"):
                got.append(answer)
            else:
                for one in answer:
                    got.append(one)
                    if len(got) == most:
                        answer.cancel()
        except grpc.RpcError as error:
            # What a client says by itself does not cross the wire; of a deadline the server may say it too.
            own = error.code() in (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED)
            status = None if own else error.code().value[0]
        self.note(target, sent, got, status, outcome, time.monotonic_ns() - start)


def summary(data: bytes) -> dict[str, Any]:
    """What is kept of a message."""
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def grpc_client(server: str, log: Log) -> None:
    """Calls in all ways."""
    caller = Caller(server, log)
    stub, item, gzip = caller.stub, messages.Item, grpc.Compression.Gzip
    with caller.channel:
        for name, outcome in (("lamp", "ok"), ("none", "client_error"), ("broken", "server_error"), ("large", "ok")):
            one = item(name=name, wanted=4, token="tok-1")
            caller.ask(f"{STOCK}/Get", outcome, lambda one=one: stub.Get(one, metadata=TOKEN, timeout=5), [one])
        one = item(name="late")
        caller.ask(f"{STOCK}/Get", "timeout", lambda: stub.Get(one, timeout=0.1), [one])
        squeezed = item(name="z" * 5000)
        caller.ask(f"{STOCK}/Get", "ok", lambda: stub.Get(squeezed, compression=gzip), [squeezed])
        several = [item(name=f"item {number}", wanted=number) for number in range(6)]
        levels = [level(one.name, "y" * 300) for one in several]
        for name, outcome, most in (("rug", "ok", None), ("scarce", "server_error", None), ("endless", "reset", 3)):
            one = item(name=name, wanted=5 if most is None else most)
            caller.ask(f"{STOCK}/Watch", outcome, lambda one=one: stub.Watch(one), [one], most)
        caller.ask(f"{STOCK}/Count", "ok", lambda: stub.Count(iter(levels)), levels)
        caller.ask(f"{STOCK}/Count", "ok", lambda: stub.Count(iter(levels), compression=gzip), levels)
        caller.ask(f"{STOCK}/Follow", "ok", lambda: stub.Follow(iter(several)), several)
        well = health_services.HealthStub(caller.channel)
        ask = health.HealthCheckRequest(service="shop.Stock")
        caller.ask("/grpc.health.v1.Health/Check", "ok", lambda: well.Check(ask), [ask])
        caller.ask("/grpc.health.v1.Health/Watch", "server_error", lambda: well.Watch(ask), [ask])
        questions = [
            reflection.ServerReflectionRequest(list_services=""),
            reflection.ServerReflectionRequest(file_containing_symbol="shop.Stock"),
        ]
        info = reflection_services.ServerReflectionStub(caller.channel).ServerReflectionInfo
        caller.ask(
            "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "ok", lambda: info(iter(questions)), questions
        )
