"""Flags are another way to write the same filter: each gives the tree of some text."""

from __future__ import annotations

from typing import Any

import pytest

from tapper.filter import Filter, FilterError, from_flags, parse

ORDERS = " || ".join(f'dst.{name} == "orders"' for name in ("name", "service", "workload", "pod", "ip"))


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        ({}, ""),
        ({"status": ["404"]}, "status == 404"),
        ({"status": ["5xx"]}, "status >= 500 && status <= 599"),
        ({"status": ["400-499"]}, "status >= 400 && status <= 499"),
        ({"status": [">=500"]}, "status >= 500"),
        ({"status": ["404", "5XX"]}, "status == 404 || status >= 500 && status <= 599"),
        ({"status": ["404, 503"]}, "status == 404 || status == 503"),
        ({"status": ["nxdomain"]}, 'status_text in ["nxdomain", "NXDOMAIN"]'),
        ({"status": ["-1"]}, "status == -1"),
        ({"to": ["orders"]}, ORDERS),
        ({"to": ["shop/orders"]}, f'dst.namespace == "shop" && ({ORDERS})'),
        ({"from_": ["orders"]}, ORDERS.replace("dst", "src")),
        ({"slower": "200ms"}, "latency > 200ms"),
        ({"slower": "1m30s"}, "latency > 90s"),
        ({"protocol": ["HTTP"]}, 'protocol == "http"'),
        ({"method": ["GET"]}, 'method == "GET"'),
        ({"method": ["get", "GetNews"]}, 'method in ["get", "GET"] || method in ["GetNews", "GETNEWS"]'),
        ({"path": ["/orders"]}, 'path == "/orders" || path.startsWith("/orders/")'),
        ({"path": ["/api/*/x.y"]}, r'path.matches(r"(?s)^/api/.*/x\.y$")'),
        ({"host": ["orders"]}, 'host == "orders" || host.startsWith("orders:")'),
        ({"errors": True}, "failed"),
        (
            {"errors": True, "slower": "1s", "text": "streaming || failed"},
            "latency > 1s && failed && (streaming || failed)",
        ),
    ],
)
def test_flags_are_text(flags: dict[str, Any], text: str) -> None:
    assert from_flags(**flags) == parse(text)


def test_filters_are_joined_by_and() -> None:
    assert parse("failed") & parse("status == 5 || streaming") == parse("failed && (status == 5 || streaming)")
    assert parse("") & parse("failed") == parse("failed")
    assert parse("") == Filter(parse("true").tree)


@pytest.mark.parametrize(
    ("flags", "message", "suggestion"),
    [
        ({"status": ["5xxx"]}, "a status is 404, 5xx, 400-499, >=500 or a name", None),
        ({"status": ["599-500"]}, "nothing lies between 599 and 500", "500-599"),
        ({"slower": "200"}, "a duration is written 200ms, 1.5s or 1m30s", "200ms"),
        ({"to": ["shop/"]}, "an end is a name or an address, or namespace/name", None),
        ({"text": "statsu == 5"}, "there is no field statsu", "status"),
    ],
)
def test_wrong_values(flags: dict[str, Any], message: str, suggestion: str | None) -> None:
    with pytest.raises(FilterError) as error:
        from_flags(**flags)
    assert error.value.message.startswith(message)
    assert error.value.suggestion == suggestion
