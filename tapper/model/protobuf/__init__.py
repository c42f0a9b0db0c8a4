"""Protocol Buffers as they are on the wire, and what their fields are called.

`wire` splits a message into fields without knowing anything of it; `schemas` finds the type of a gRPC message in
sets of descriptors, and in what servers tell of themselves by reflection.
"""

from __future__ import annotations

from tapper.model.protobuf.schemas import Schemas
from tapper.model.protobuf.wire import Field, fields

__all__ = ["Field", "Schemas", "fields"]
