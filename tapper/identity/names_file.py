"""The file of `--names`: who has which address, told by the user. YAML, a list of entries:

    - ip: 10.0.1.7              # or cidr: 10.0.2.0/24
      namespace: shop
      service: orders
      pod: orders-7d9f-x2x9k
      from: 2025-06-01T12:00:00Z  # from then on; left out: always before
      to: 2025-06-01T13:00:00Z    # until before then; left out: still
    - ip: 127.0.0.1
      port: 8080                # on this port only
      name: gateway

An entry has `ip` or `cidr` and at least one of name, namespace, service, workload, version, pod, container, node,
process. Times without an offset are UTC. An entry with a port goes before one without, a longer prefix before a
shorter; two entries of the same address and port may not overlap in time.
"""

from __future__ import annotations

import difflib
import ipaddress
from dataclasses import fields
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

import yaml

from tapper.identity.names import MAX_NAME, Claim, Names, parse_address

if TYPE_CHECKING:
    from pathlib import Path

    from tapper.identity.names import Network

MAX_BYTES = 8 << 20  # some 60,000 entries
MAX_DEPTH = 8  # a list of mappings needs 2; deeper nesting would only exhaust the parser's stack

NAME_KEYS = tuple(f.name for f in fields(Names))
KEYS = ("ip", "cidr", "port", "from", "to", *NAME_KEYS)


class NamesFileError(ValueError):
    """The file can't be used; the message has path and line."""


def read(path: Path) -> list[Claim]:
    """The claims of a names file.

    Raises:
        NamesFileError: it can't be read, or says something wrong.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise NamesFileError(f"{path}: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise NamesFileError(f"{path}: larger than {MAX_BYTES >> 20} MiB")
    try:
        return parse(data)
    except _WrongError as error:
        raise NamesFileError(f"{path}:{error.line}: {error}") from error


class _WrongError(Exception):
    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def parse(data: bytes) -> list[Claim]:
    """The claims in a file's bytes."""
    root = _compose(data)
    if root is None:
        return []
    if not isinstance(root, yaml.SequenceNode):
        raise _WrongError(_line(root), "must be a list of entries (- ip: ...)")
    claims = [(_entry(node), _line(node)) for node in root.value]
    _refuse_overlaps(claims)
    return [claim for claim, _ in claims]


def _compose(data: bytes) -> yaml.Node | None:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        depth = 0
        for event in yaml.parse(data, Loader=loader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH or isinstance(event, yaml.AliasEvent):
                what = "aliases are" if isinstance(event, yaml.AliasEvent) else "such deep nesting is"
                line = event.start_mark.line + 1 if event.start_mark else 1
                raise _WrongError(line, f"{what} not allowed here")
        node: yaml.Node | None = yaml.compose(data, Loader=loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "can't be read"
        raise _WrongError(mark.line + 1 if mark else 1, f"not valid YAML: {problem}") from error
    return node


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _entry(node: yaml.Node) -> Claim:
    if not isinstance(node, yaml.MappingNode):
        raise _WrongError(_line(node), "an entry must be a mapping (ip: ..., service: ...)")
    values: dict[str, str] = {}
    lines: dict[str, int] = {}
    for key_node, value_node in node.value:
        key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
        if key not in KEYS:
            near = difflib.get_close_matches(str(key), KEYS, n=1)
            hint = f"; did you mean `{near[0]}`?" if near else f"; known are {', '.join(KEYS)}"
            raise _WrongError(_line(key_node), f"unknown key `{key}`{hint}")
        if key in values:
            raise _WrongError(_line(key_node), f"`{key}` is there twice")
        values[key] = _text(key, value_node)
        lines[key] = _line(value_node)

    def wrong(key: str, message: str) -> _WrongError:
        return _WrongError(lines[key], f"`{key}`: {message}")

    if ("ip" in values) == ("cidr" in values):
        raise _WrongError(_line(node), "an entry needs one of `ip` and `cidr`")
    names = Names(**{key: values[key] for key in NAME_KEYS if key in values})
    if names == Names():
        raise _WrongError(_line(node), f"an entry needs at least one of {', '.join(NAME_KEYS)}")
    try:
        at = "ip" if "ip" in values else "cidr"
        network = _network(values)
        at = "port"
        port = _port(values["port"]) if "port" in values else None
        at = "from"
        start = _time(values["from"]) if "from" in values else None
        at = "to"
        end = _time(values["to"]) if "to" in values else None
    except ValueError as error:
        raise wrong(at, str(error)) from error
    if start is not None and end is not None and start >= end:
        raise wrong("to", "must be later than `from`")
    return Claim(network, names, "file", port, start, end)


def _text(key: str, node: yaml.Node) -> str:
    text = node.value if isinstance(node, yaml.ScalarNode) else None
    if not isinstance(text, str) or not text or text in ("~", "null"):
        raise _WrongError(_line(node), f"`{key}` needs a single value")
    if len(text) > MAX_NAME or not text.isprintable():
        raise _WrongError(_line(node), f"`{key}` is longer than {MAX_NAME} characters or has control characters in it")
    return text


def _network(values: dict[str, str]) -> Network:
    if "ip" in values:
        return ipaddress.ip_network(parse_address(values["ip"]))
    network = ipaddress.ip_network(values["cidr"], strict=False)
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is not None and network.prefixlen >= 96:
        return ipaddress.ip_network((mapped, network.prefixlen - 96))
    return network


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ValueError("must be a number from 1 to 65535")
    return int(text)


def _time(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("must be a time such as 2025-06-01T12:00:00Z") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    whole = int(moment.replace(microsecond=0).timestamp())
    return whole * 1_000_000_000 + moment.microsecond * 1000


def _refuse_overlaps(claims: list[tuple[Claim, int]]) -> None:
    def place(item: tuple[Claim, int]) -> tuple[int, int, int, int, int]:
        claim = item[0]
        network = claim.network
        port = -1 if claim.port is None else claim.port
        return network.version, int(network.network_address), network.prefixlen, port, _start(claim)

    ordered = sorted(claims, key=place)
    for (one, line), (other, other_line) in pairwise(ordered):
        same = (one.network, one.port) == (other.network, other.port)
        if same and (one.end is None or one.end > _start(other)):
            first, second = sorted((line, other_line))
            raise _WrongError(
                second, f"{one.network} is named in line {first} too, for the same time; give `from`, `to`"
            )


def _start(claim: Claim) -> int:
    return -(1 << 63) if claim.start is None else claim.start
