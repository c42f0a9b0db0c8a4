"""What an end of a scenario's connection remembers of what it has sent, also of what was not captured."""

from __future__ import annotations

from tests.engine.http2 import Sender
from tests.engine.websocket import Deflater


class End:
    """One end: its field blocks of HTTP/2 and its compression of WebSocket messages refer to earlier ones."""

    def __init__(self) -> None:
        self.http2 = Sender()
        self.deflater = Deflater()
