"""Which rows are views of one call: fingerprints, by columns.

TCP sequence numbers survive NAT, so a call's fingerprint is its protocol with the absolute sequence numbers of the
first bytes of request and response; without a response, of the request and the client's port. Datagrams have no such
numbers: there the same question from the same port, seen by two sources at about the same time, is one call.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tapper.model.schema import WORD
from tapper.store.tables import EXCHANGE

if TYPE_CHECKING:
    import numpy.typing as npt

    Numbers = npt.NDArray[np.int64]
    Keys = npt.NDArray[np.uint64]

_NO_ANSWER, _DATAGRAM = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)

SCHEMA = pa.schema(
    [
        pa.field(
            f.name, WORD if f.type == pa.utf8() and f.name in ("protocol", "version", "outcome", "view") else f.type
        )
        for f in EXCHANGE
    ]
)
"""Of rows here: those of the session's table with words as dictionaries."""


def keys(table: pa.Table) -> tuple[Keys, npt.NDArray[np.bool_]]:
    """Fingerprints of rows, and whether each has one; those of datagrams hold within this table only."""
    request, asked = numbers(table, "request_seq", np.uint64)
    response, answered = numbers(table, "response_seq", np.uint64)
    protocol = np.concatenate([_word_hashes(chunk) for chunk in table["protocol"].chunks] or [np.zeros(0, np.uint64)])
    made = (request << np.uint64(32) | response) ^ (protocol * np.uint64(0x2545F4914F6CDD1D))
    port = table["src_port"].to_numpy().astype(np.uint64)
    made = np.where(answered, made, made ^ (port * _NO_ANSWER))
    is_open = np.concatenate([is_word(chunk, "open") for chunk in table["outcome"].chunks] or [np.zeros(0, bool)])
    has = asked & (answered | ~is_open)
    datagrams = np.flatnonzero(~asked & ~answered)
    if datagrams.size:
        part = table.select(["protocol", "operation", "target", "src_port"]).take(pa.array(datagrams))
        texts = [pc.fill_null(part[name].cast(pa.utf8()), "") for name in part.column_names]
        codes = pc.binary_join_element_wise(*texts, "\x00").combine_chunks().dictionary_encode().indices
        made[datagrams] = (codes.to_numpy().astype(np.uint64) + np.uint64(1)) * _DATAGRAM
        has[datagrams] = True
    return made, has


def needs_lookup(fresh: pa.Table) -> npt.NDArray[np.bool_]:
    """Rows whose other view, or whose earlier revision, may be stored already."""
    key, has = keys(fresh)
    has &= fresh["request_seq"].is_valid().to_numpy()
    order = np.argsort(key, kind="stable")
    same = key[order][1:] == key[order][:-1]
    alone = np.ones(len(key), bool)
    alone[order[1:][same]] = False
    alone[order[:-1][same]] = False
    wanted: npt.NDArray[np.bool_] = (alone & has) | (fresh["revision"].to_numpy() > 0)
    return wanted


def meets(table: pa.Table, count: int, source: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """Whether the rows from number `count` on belong to a call of one before it."""
    group = groups(table, id_codes(table["id"]), np.zeros(table.num_rows, bool), source)
    return np.isin(group[count:], group[:count])


def groups(table: pa.Table, ids: Numbers, is_stored: npt.NDArray[np.bool_], source: npt.NDArray[np.int32]) -> Numbers:
    """The number of each row's call: those of one fingerprint, and those of one id."""
    key, has = keys(table)
    asked = table["request_seq"].is_valid().to_numpy()
    wide = np.where(has, key, np.uint64(0))
    codes: Numbers = np.unique(wide, return_inverse=True)[1].astype(np.int64)
    codes = np.where(has, codes, codes.max(initial=0) + 1 + np.arange(len(codes)))
    # datagrams: only pairs of two sources are one call
    loose = np.flatnonzero(has & ~asked & ~is_stored)
    if loose.size:
        _, inverse, counts = np.unique(codes[loose], return_inverse=True, return_counts=True)
        low = np.full(len(counts), np.iinfo(np.int32).max)
        high = np.full(len(counts), -1)
        np.minimum.at(low, inverse, source[loose])
        np.maximum.at(high, inverse, source[loose])
        wrong = loose[~((counts == 2) & (low != high))[inverse]]
        codes[wrong] = codes.max() + 1 + np.arange(len(wrong))
    # an id belongs to one call, also where it got its fingerprint only later (the answer came)
    for _ in range(2):  # from a call's one id by its fingerprint to its other id
        first = np.full(ids.max() + 1, np.iinfo(np.int64).max)
        np.minimum.at(first, ids, codes)
        smallest = np.full(codes.max() + 1, np.iinfo(np.int64).max)
        np.minimum.at(smallest, codes, first[ids])
        codes = smallest[codes]
    joined: Numbers = np.unique(codes, return_inverse=True)[1].astype(np.int64)
    return joined


def numbers(table: pa.Table, name: str, kind: Any) -> tuple[Any, npt.NDArray[np.bool_]]:
    """A column as numbers, and which of them are there."""
    column = table[name]
    return pc.fill_null(column, 0).to_numpy().astype(kind), column.is_valid().to_numpy()


def id_codes(column: pa.ChunkedArray | pa.Array) -> Numbers:
    """Small numbers for ids, equal for equal ones."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    storage = column.storage if hasattr(column, "storage") else column
    if not len(storage):
        return np.zeros(0, np.int64)
    raw = np.frombuffer(storage.buffers()[1], np.uint8)[storage.offset * 16 :][: 16 * len(storage)]
    halves = raw.view(">u8").reshape(-1, 2).astype(np.uint64)
    order = np.lexsort((halves[:, 1], halves[:, 0]))
    new = np.ones(len(order), bool)
    new[1:] = (halves[order][1:] != halves[order][:-1]).any(axis=1)
    codes = np.empty(len(order), np.int64)
    codes[order] = np.cumsum(new) - 1
    return codes


def _word_hashes(chunk: pa.DictionaryArray) -> Keys:
    hashes = np.array([zlib.crc32(word.encode()) for word in chunk.dictionary.to_pylist()] or [0], np.uint64)
    of_rows: Keys = hashes[chunk.indices.to_numpy()]
    return of_rows


def is_word(chunk: pa.DictionaryArray, word: str) -> npt.NDArray[np.bool_]:
    """Which rows have this word."""
    if isinstance(chunk, pa.ChunkedArray):
        chunk = chunk.combine_chunks()
    code = chunk.dictionary.index(pa.scalar(word)).as_py()
    same: npt.NDArray[np.bool_] = (
        pc.fill_null(chunk.indices, -2).to_numpy() == code if code >= 0 else np.zeros(len(chunk), bool)
    )
    return same
