"""The pictures of the terminal UI in README, from the demo's recording: `python -m tests.ui.terminal.pictures`."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tapper.feed.reading import ReadOptions, read_files, recording
from tapper.feed.session import open_session
from tapper.identity.names_file import read
from tests.ui.terminal.driving import driven

ROOT = Path(__file__).parents[3]
DEMO = ROOT / "tapper" / "demo"
PICTURES: dict[str, tuple[tuple[int, int], tuple[str, ...]]] = {
    "map": ((132, 26), ("2",)),
    "request": ((148, 24), ("L", "enter", "tab")),
}
"""Name -> cells, keys that lead there."""


async def make(session: Path, directory: Path) -> None:
    """Writes each as `directory`/name.svg."""
    for name, (size, keys) in PICTURES.items():
        with open_session(session) as feed:
            async with driven(feed, *keys, size=size, title="shop") as pilot:
                pilot.app.title = f"tapper open {session.name}"
                picture = pilot.app.export_screenshot()
                (directory / f"{name}.svg").write_text(picture, encoding="utf-8")


def main() -> None:
    """Reads the recording and makes them."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    with TemporaryDirectory() as scratch:
        path, capture = Path(scratch) / "shop.tap", [str(DEMO / "shop.pcap.zst")]
        options = ReadOptions(claims=tuple(read(DEMO / "names.yaml")))
        with recording(capture, options, save=path) as session:
            for _ in read_files(capture, session, options):
                pass
        asyncio.run(make(path, ROOT / "docs" / "pictures"))


if __name__ == "__main__":
    main()
