"""`--packets`: what is behind one request."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether
from scapy.packet import Raw
from scapy.utils import PcapNgReader, PcapNgWriter

from tapper.export.packets import dissect
from tests.cli import traffic

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Tapper


def one_id(tapper: Tapper, source: Path, target: str) -> str:
    rows = map(json.loads, tapper("list", source, "-o", "jsonl").out.splitlines())
    return str(next(row["id"] for row in rows if row["target"] == target))


def test_packets_layer_by_layer(tapper: Tapper, shop: Path) -> None:
    ran = tapper("read", shop, "--show", one_id(tapper, shop, "/orders/17"), "--packets")
    assert ran.code == 0
    heads = [line for line in ran.out.splitlines() if " TCP " in line and " > " in line]
    assert [line[line.index("[") :].split("]")[0] for line in heads] == [
        "[S",
        "[SA",
        "[A",
        "[PA",
        "[PA",
        "[FA",
        "[FA",
        "[A",
    ]
    assert "IP  version=4" in ran.out
    assert "/orders/17" not in ran.out
    assert "payloads are not shown" in ran.err


def test_of_a_connection_with_many_requests_only_those_of_one(tapper: Tapper, tmp_path: Path) -> None:
    made = traffic.Traffic()
    ends, back = (traffic.CLIENT, traffic.ORDERS, 40_001, 8080), (traffic.ORDERS, traffic.CLIENT, 8080, 40_001)
    made.packet(*ends, "S", 100, 0)
    made.packet(*back, "SA", 500, 101)
    sent, received = 101, 501
    for number in range(1, 4):
        request, response = traffic.get(f"/orders/{number}"), traffic.answer()
        made.packet(*ends, "PA", sent, received, request)
        made.packet(*back, "PA", received, sent + len(request), response)
        sent, received = sent + len(request), received + len(response)
        made.packet(*ends, "A", sent, received)
    capture = made.write(tmp_path / "kept.pcap")

    def flags(target: str) -> list[str]:
        ran = tapper("read", capture, "--show", one_id(tapper, capture, target), "--packets", "-o", "json")
        layers = (packet["layers"][2] for packet in json.loads(ran.out))
        return [dict(layer["fields"])["flags"] for layer in layers]

    assert [len(flags(f"/orders/{number}")) for number in range(1, 4)] == [5, 4, 4]
    assert "S" in str(flags("/orders/1"))
    assert "S" not in str(flags("/orders/3"))


def test_a_saved_session_remembers_its_capture(tapper: Tapper, shop: Path, tmp_path: Path) -> None:
    capture = tmp_path / "mine.pcap"
    capture.write_bytes(shop.read_bytes())
    tapper("read", capture, "--save", "shop.tap")
    wanted = one_id(tapper, tmp_path / "shop.tap", "/orders/17")
    ran = tapper("show", "shop.tap", wanted, "--packets", "-w", "one.pcapng")
    assert (ran.code, ran.out) == (0, "")
    assert "secrets in them are not replaced" in ran.err
    packets = list(PcapNgReader(io.BytesIO((tmp_path / "one.pcapng").read_bytes())))
    assert len(packets) == 8
    assert b"GET /orders/17" in bytes(packets[3])
    assert {packet[TCP].dport for packet in packets} == {8080, packets[0][TCP].sport}
    capture.unlink()
    gone = tapper("show", "shop.tap", wanted, "--packets")
    assert gone.code != 0
    assert "the capture that this session was read from is not there any more" in gone.err


def test_packets_as_json_with_payloads_if_nothing_is_redacted(tapper: Tapper, shop: Path) -> None:
    wanted = one_id(tapper, shop, "/orders/17")
    ran = tapper("read", shop, "--no-redact", "--show", wanted, "--packets", "-o", "json")
    packets = json.loads(ran.out)
    assert [packet["number"] for packet in packets] == list(range(1, 9))
    assert packets[0]["time_ns"] >= int(traffic.START * 1e9) - 1_000
    names = [layer["name"] for layer in packets[3]["layers"]]
    assert names == ["Ethernet", "IP", "TCP", "Payload"]
    assert ["1", "GET /orders/17 HTTP/1.1"] in packets[3]["layers"][3]["fields"]


def test_payloads_stay_hidden_whatever_scapy_knows(tmp_path: Path) -> None:
    """A capture with padding, and a protocol that scapy would take apart."""
    import scapy.layers.http  # noqa: F401  from now on scapy knows it

    secret = b"GET /?token=hunter2 HTTP/1.1\r\nHost: a\r\n\r\n"
    packet = bytes(Ether() / IP(src="10.0.0.1", dst="10.0.0.2") / TCP(sport=4000, dport=80, flags="A") / Raw(secret))
    file = tmp_path / "padded.pcapng"
    with PcapNgWriter(str(file)) as writer:
        writer.write(Ether(packet + bytes(6)))
    (hidden,) = dissect(file.read_bytes())
    assert [layer.name for layer in hidden.layers] == ["Ethernet", "IP", "TCP", "Payload"]
    assert "hunter2" not in str(hidden)
    assert bytes.fromhex(hidden.hex) == packet[: -len(secret)]
    (shown,) = dissect(file.read_bytes(), payload=True)
    assert bytes.fromhex(shown.hex) == packet + bytes(6)
    assert "hunter2" in str(shown.layers[3])


def test_packets_need_a_request(tapper: Tapper, shop: Path) -> None:
    ran = tapper("read", shop, "--packets")
    assert ran.code != 0
    assert "--packets needs --show ID" in ran.err
