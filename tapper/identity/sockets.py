"""The sockets of a network namespace, as the kernel lists them (sock_diag(7)), and word of new ones as they connect.

Everything is asked over two sockets that are opened in the namespace by a thread that ends at once.
"""

from __future__ import annotations

import ctypes
import ipaddress
import os
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

NETLINK_ROUTE, NETLINK_SOCK_DIAG = 0, 4
RTM_GETADDR = 22
IFA_ADDRESS, IFA_LOCAL = 1, 2
SOCK_DIAG_BY_FAMILY = 20
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_DUMP = 1, 0x300
CLONE_NEWNET = 0x40000000
SO_ATTACH_FILTER = 26
ALL_STATES = 0xFFFFFFFF
LISTEN = 10
RECEIVE = 256 << 10
TIMEOUT = 1.0
"""Seconds that the kernel may take to answer."""

_HEADER = struct.Struct("=IHHII")
_REQUEST = struct.Struct("=BBBxI")
_ID = struct.Struct("!HH16s16s")
_ANY_COOKIE = b"\0\0\0\0" + b"\xff" * 8
_KINDS = [(family, protocol) for family in (socket.AF_INET, socket.AF_INET6) for protocol in (6, 17)]


@dataclass(frozen=True, slots=True)
class Socket:
    """A TCP or UDP socket that a process has open."""

    ip: str
    port: int
    inode: int
    listens: bool
    """Whether it takes connections, or (UDP) is connected to nobody."""


class SocketTable:
    """The sockets of one network namespace.

    Args:
        namespace: its path; None: our own.

    Raises:
        OSError: it can't be entered, or the kernel has no sock_diag.
    """

    def __init__(self, namespace: str | None = None) -> None:
        self._diag = _within(namespace, lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG))
        self._route = _within(namespace, lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_ROUTE))
        for end in (self._diag, self._route):
            end.settimeout(TIMEOUT)
        self._known: npt.NDArray[np.uint32] = np.zeros(0, np.uint32)

    def close(self) -> None:
        """Gives the netlink sockets back."""
        self._diag.close()
        self._route.close()

    def read(self) -> tuple[list[Socket], set[int]]:
        """Sockets that are new since the last call, and the inodes of all."""
        rows = [part for family, protocol in _KINDS for part in self._dump(family, protocol)]
        inodes = np.concatenate([self._known[:0], *(part["inode"] for part in rows)])
        fresh = [_socket(row) for part in rows for row in part[~np.isin(part["inode"], self._known)]]
        self._known = np.unique(inodes)
        return fresh, set(inodes.tolist())

    def _dump(self, family: int, protocol: int) -> Iterator[npt.NDArray[Any]]:
        self._ask(family, protocol, NLM_F_REQUEST | NLM_F_DUMP, bytes(48))
        while True:
            data = self._diag.recv(RECEIVE)
            for part, kind in _runs(data):
                if kind in (NLMSG_DONE, NLMSG_ERROR):
                    return
                yield part[part["inode"] != 0]

    def addresses(self) -> set[str]:
        """Those of all interfaces."""
        found: set[str] = set()
        self._route.send(_HEADER.pack(_HEADER.size + 8, RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, 0, 0) + bytes(8))
        while True:
            data = self._route.recv(RECEIVE)
            at = 0
            while at + _HEADER.size <= len(data):
                length, kind, *_ = _HEADER.unpack_from(data, at)
                if kind in (NLMSG_DONE, NLMSG_ERROR):
                    return found
                found.update(_address(data[at + _HEADER.size : at + length]))
                at += max((length + 3) & ~3, _HEADER.size)

    def find(self, source: tuple[str, int], target: tuple[str, int]) -> Socket | None:
        """The TCP socket of a connection, by its own end and the other."""
        family = socket.AF_INET6 if ":" in source[0] else socket.AF_INET
        ends = (socket.inet_pton(family, ip).ljust(16, b"\0") for ip in (source[0], target[0]))
        wanted = _ID.pack(source[1], target[1], *ends) + _ANY_COOKIE
        self._ask(family, socket.IPPROTO_TCP, NLM_F_REQUEST, wanted)
        for part, kind in _runs(self._diag.recv(RECEIVE)):
            if kind == SOCK_DIAG_BY_FAMILY and len(part) and part[0]["inode"]:
                return _socket(part[0])
        return None

    def _ask(self, family: int, protocol: int, flags: int, sockid: bytes) -> None:
        body = _REQUEST.pack(family, protocol, 0, ALL_STATES) + sockid
        self._diag.send(_HEADER.pack(_HEADER.size + len(body), SOCK_DIAG_BY_FAMILY, flags, 0, 0) + body)


def _runs(data: bytes) -> Iterator[tuple[npt.NDArray[Any], int]]:
    """The messages of a buffer as rows of struct inet_diag_msg, those of one kind and length at a time."""
    at = 0
    while at + _HEADER.size <= len(data):
        length, kind, *_ = _HEADER.unpack_from(data, at)
        step = max((length + 3) & ~3, _HEADER.size)
        if kind != SOCK_DIAG_BY_FAMILY:
            yield np.zeros(0, _dtype(_MESSAGE)), kind
            at += step
            continue
        rows = np.frombuffer(data, _dtype(step), (len(data) - at) // step, at)
        same = (rows["length"] == length) & (rows["kind"] == kind)
        count = len(rows) if same.all() else max(int(same.argmin()), 1)
        yield rows[:count], kind
        at += count * step


def _address(message: bytes) -> Iterator[str]:
    """From a struct ifaddrmsg with its attributes (rtnetlink(7)); a peer's address is not ours."""
    family, at = message[0], 8
    found: dict[int, str] = {}
    while at + 4 <= len(message):
        length, kind = struct.unpack_from("=HH", message, at)
        if kind in (IFA_ADDRESS, IFA_LOCAL):
            found[kind] = socket.inet_ntop(family, message[at + 4 : at + length])
        at += max((length + 3) & ~3, 4)
    ours = found.get(IFA_LOCAL) or found.get(IFA_ADDRESS)
    if ours:
        yield ours


_MESSAGE = 88


def _dtype(size: int) -> np.dtype[Any]:
    fields = {"length": ("u4", 0), "kind": ("u2", 4), "family": ("u1", 16), "state": ("u1", 17), "port": (">u2", 20)}
    fields |= {"peer": (">u2", 22), "ip": ("V16", 24), "inode": ("u4", 84)}
    formats, offsets = zip(*fields.values(), strict=True)
    return np.dtype({"names": list(fields), "formats": formats, "offsets": offsets, "itemsize": size})


def _socket(row: Any) -> Socket:
    raw = bytes(row["ip"])
    address = ipaddress.ip_address(raw[:4] if row["family"] == socket.AF_INET else raw)
    ip = str(getattr(address, "ipv4_mapped", None) or address)
    listens = int(row["state"]) == LISTEN or int(row["peer"]) == 0
    return Socket(ip, int(row["port"]), int(row["inode"]), listens)


class Connects:
    """Word of TCP connections that this machine opens, while their processes still live.

    Args:
        namespace: its path; None: our own.

    Raises:
        OSError: not permitted (CAP_NET_RAW), or the namespace can't be entered.
    """

    def __init__(self, namespace: str | None = None) -> None:
        def opened() -> socket.socket:
            return socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))  # ETH_P_ALL: outgoing ones too

        self._socket = _within(namespace, opened)
        program = b"".join(struct.pack("=HBBI", *instruction) for instruction in SYN_FILTER)
        buffer = ctypes.create_string_buffer(program)
        fprog = struct.pack("@HP", len(SYN_FILTER), ctypes.addressof(buffer))
        self._socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, fprog)
        self._socket.setblocking(False)
        with suppress(BlockingIOError):
            while self._socket.recv(1):  # what came before the filter was set
                pass
        self._socket.settimeout(TIMEOUT)

    def close(self) -> None:
        """Gives the packet socket back."""
        self._socket.close()

    def next(self) -> tuple[tuple[str, int], tuple[str, int]] | None:
        """Who connects to whom; None: nobody for a second."""
        try:
            packet = self._socket.recv(128)
        except TimeoutError:
            return None
        if packet[0] >> 4 == 4:
            family, ips, ports = socket.AF_INET, (packet[12:16], packet[16:20]), packet[(packet[0] & 15) * 4 :]
        else:
            family, ips, ports = socket.AF_INET6, (packet[8:24], packet[24:40]), packet[40:]
        source, target = (socket.inet_ntop(family, ip) for ip in ips)
        return (source, int.from_bytes(ports[:2])), (target, int.from_bytes(ports[2:4]))


def _syn_filter() -> list[tuple[int, int, int, int]]:
    """TCP SYNs without ACK that go out; from the network header on (SOCK_DGRAM)."""
    steps: list[tuple[str, int, int, str | None, str | None]] = [
        # label, code, operand, where to go if equal (or set), else
        ("", 0x20, 0xFFFFF004, None, None),  # packet type
        ("", 0x15, 4, "version", "no"),  # PACKET_OUTGOING
        ("version", 0x30, 0, None, None),
        ("", 0x54, 0xF0, None, None),
        ("", 0x15, 0x40, "four", "six"),
        ("four", 0x30, 9, None, None),
        ("", 0x15, 6, "fragment", "no"),
        ("fragment", 0x28, 6, None, None),
        ("", 0x45, 0x1FFF, "no", "header"),
        ("header", 0xB1, 0, None, None),  # X: length of the IP header
        ("", 0x50, 13, None, None),
        ("", 0x54, 0x12, None, None),
        ("", 0x15, 0x02, "yes", "no"),
        ("six", 0x15, 0x60, "next", "no"),
        ("next", 0x30, 6, None, None),
        ("", 0x15, 6, "flags", "no"),
        ("flags", 0x30, 53, None, None),
        ("", 0x54, 0x12, None, None),
        ("", 0x15, 0x02, "yes", "no"),
        ("yes", 0x06, 128, None, None),
        ("no", 0x06, 0, None, None),
    ]
    place = {label: number for number, (label, *_) in enumerate(steps)}
    return [
        (code, place[yes] - number - 1 if yes else 0, place[no] - number - 1 if no else 0, operand)
        for number, (_, code, operand, yes, no) in enumerate(steps)
    ]


SYN_FILTER = _syn_filter()


def _within(namespace: str | None, opened: Callable[[], socket.socket]) -> socket.socket:
    """A socket that is opened in a namespace."""
    if namespace is None:
        return opened()
    made: list[socket.socket | OSError] = []

    def enter() -> None:
        try:
            descriptor = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
            try:
                libc = ctypes.CDLL(None, use_errno=True)
                if libc.setns(descriptor, CLONE_NEWNET) != 0:
                    number = ctypes.get_errno()
                    raise OSError(number, os.strerror(number), namespace)
                made.append(opened())
            finally:
                os.close(descriptor)
        except OSError as error:
            made.append(error)

    thread = Thread(target=enter, name="enter-namespace")
    thread.start()
    thread.join()
    if isinstance(made[0], OSError):
        raise made[0]
    return made[0]
