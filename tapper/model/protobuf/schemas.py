"""Types of gRPC messages: from sets of descriptors (`protoc --descriptor_set_out`), and from reflection."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError

from tapper.model.protobuf.wire import LEN, WireError, fields

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf.descriptor import Descriptor

MAX_FILES = 20_000
"""Files of descriptors that are known; a capture may hold the answers of any number of servers."""


class Schemas:
    """What is known of messages. What was told first stays: files given by the user come before what servers say."""

    def __init__(self) -> None:
        self._pool = DescriptorPool()
        self._known: set[str] = set()
        self._waiting: dict[str, FileDescriptorProto] = {}

    def __bool__(self) -> bool:
        """Whether anything is known."""
        return bool(self._known)

    def add_set(self, data: bytes) -> None:
        """Takes a `FileDescriptorSet`.

        Raises:
            ValueError: it is none.
        """
        try:
            files = FileDescriptorSet.FromString(data).file
        except DecodeError as error:
            raise ValueError(
                "is no set of descriptors: make one with protoc --include_imports --descriptor_set_out"
            ) from error
        if not files:
            raise ValueError("holds no descriptors: make it with protoc --include_imports --descriptor_set_out")
        self._add(files)

    def add_reflection(self, answer: bytes) -> None:
        """Takes the descriptors in a `ServerReflectionResponse`, of either version; others hold none."""
        files: list[FileDescriptorProto] = []
        with suppress(WireError, DecodeError):
            for response in fields(answer):
                if response.number == 4 and isinstance(response.value, bytes) and response.kind == LEN:
                    inner = [f.value for f in fields(response.value) if f.number == 1 and isinstance(f.value, bytes)]
                    files += [FileDescriptorProto.FromString(file) for file in inner]
        self._add(files)

    def _add(self, files: Iterable[FileDescriptorProto]) -> None:
        for file in files:
            if file.name not in self._known and len(self._waiting) + len(self._known) < MAX_FILES:
                self._waiting.setdefault(file.name, file)
        # A file can be used once those that it imports are there; these may come later, or not at all.
        while ready := [file for file in self._waiting.values() if self._known.issuperset(file.dependency)]:
            for file in ready:
                del self._waiting[file.name]
                self._known.add(file.name)
                # Of two servers' files of one name, or with one type, the first counts.
                with suppress(TypeError, ValueError):
                    self._pool.AddSerializedFile(file.SerializeToString())

    def message(self, path: str, *, request: bool) -> Descriptor | None:
        """The type of what one side of a method sends; None: not known.

        Args:
            path: as it is asked for: `/package.Service/Method`.
            request: whether it is what the client sends.
        """
        service, _, method = path.removeprefix("/").partition("/")
        with suppress(KeyError, TypeError, ValueError):
            found = self._pool.FindServiceByName(service).methods_by_name.get(method)
            if found is not None:
                return found.input_type if request else found.output_type
        return None
