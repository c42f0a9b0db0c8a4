"""Hints to names out of the traffic itself: DNS answers, TLS server names, Host headers.

Each gives (what, name) pairs without repeats; work is by columns, Python sees each distinct pair of a batch once.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tapper.identity.names import host_name, parse_address

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

MAX_ANSWERS = 256  # of one DNS response; a message has 64 KiB
MAX_BODIES = 65_536  # DNS bodies remembered as read


@dataclass(frozen=True, slots=True)
class DnsHint:
    """A DNS answer: `asked` led to `address`, by way of `canonical` (the owner of the address record)."""

    address: str
    asked: str
    canonical: str
    time: int


def distinct_pairs(
    ids: npt.NDArray[np.int32], texts: pa.Array, mask: pa.Array | None = None
) -> Iterator[tuple[int, str]]:
    """The distinct (id, text) of the rows where text is not null (and `mask` holds)."""
    use = texts.is_valid() if mask is None else pc.and_(texts.is_valid(), pc.fill_null(mask, False))
    rows = np.flatnonzero(use.to_numpy(zero_copy_only=False))
    if not rows.size:
        return
    encoded = texts.take(pa.array(rows)).dictionary_encode()
    codes = encoded.indices.to_numpy().astype(np.int64)
    pairs = pa.array(ids[rows].astype(np.int64) << 32 | codes).unique().to_numpy()
    values = encoded.dictionary
    for pair in pairs.tolist():
        yield pair >> 32, values[pair & 0xFFFFFFFF].as_py()


def served_hosts(exchanges: pa.RecordBatch, dst: npt.NDArray[np.int32]) -> Iterator[tuple[int, str]]:
    """Servers and the host that a client called them, where they answered without an error.

    A request to a proxy (CONNECT, absolute-form) names someone else and is left out.
    """
    answered = pc.equal(exchanges["outcome"].cast(pa.utf8()), "ok")
    direct = pc.invert(pc.fill_null(pc.starts_with(exchanges["target"], "http"), False))
    connect = pc.fill_null(pc.equal(exchanges["operation"], "CONNECT"), False)
    yield from distinct_pairs(dst, exchanges["authority"], pc.and_(answered, pc.and_not(direct, connect)))


class DnsReader:
    """Reads the answers out of the bodies of DNS responses."""

    def __init__(self) -> None:
        self._read: set[int] = set()

    def rows(self, exchanges: pa.RecordBatch) -> pa.Array:
        """Row numbers of exchanges whose response may have addresses in it."""
        protocol = exchanges["protocol"]
        code = protocol.dictionary.index(pa.scalar("dns")).as_py()
        if code < 0:
            return pa.array([], pa.int64())
        dns = np.flatnonzero(protocol.indices.to_numpy(zero_copy_only=False) == code)
        kinds = pc.is_in(exchanges["operation"].take(pa.array(dns)), pa.array(["A", "AAAA"]))
        answered = pc.equal(exchanges["outcome"].take(pa.array(dns)).cast(pa.utf8()), "ok")
        return pa.array(dns[pc.and_(kinds, answered).to_numpy(zero_copy_only=False)])

    def hints(self, times: pa.Array, asked: pa.Array, bodies: pa.Array) -> Iterator[DnsHint]:
        """Addresses in those bodies. A question and its answer that were read before give nothing again."""
        for time, question, body in zip(times.cast(pa.int64()), asked, bodies, strict=True):
            text = body.as_py()
            key = hash((question.as_py(), text))
            if text is None or key in self._read:
                continue
            if len(self._read) >= MAX_BODIES:
                self._read.clear()
            self._read.add(key)
            yield from _answers(question.as_py(), text, time.as_py())


def _answers(question: str | None, body: bytes, time: int) -> Iterator[DnsHint]:
    asked = host_name(question)
    try:
        answers = json.loads(body)["answers"]
    except (ValueError, KeyError, TypeError, RecursionError):  # cut at the body limit, or not ours
        return
    if asked is None or not isinstance(answers, list):
        return
    for answer in answers[:MAX_ANSWERS]:
        found = _address_record(answer)
        if found is not None:
            yield DnsHint(found[1], asked, found[0] or asked, time)


def _address_record(answer: Any) -> tuple[str | None, str] | None:
    if not isinstance(answer, dict) or answer.get("type") not in ("A", "AAAA"):
        return None
    owner, data = answer.get("name"), answer.get("data")
    try:
        return host_name(owner) if isinstance(owner, str) else None, str(parse_address(str(data)))
    except ValueError:
        return None
