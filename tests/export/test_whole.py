"""Files that are written whole or not at all, and what is there and is no file."""

from __future__ import annotations

import os
import stat
import threading
from typing import TYPE_CHECKING

import pytest

from tapper.export.whole import whole

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_is_there_in_the_end_and_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.har"
    with whole(path) as file:
        file.write(b"{}")
        assert not path.exists()
    assert path.read_bytes() == b"{}"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_what_fails_leaves_the_file_before(tmp_path: Path) -> None:
    path = tmp_path / "x.har"
    path.write_text("before")
    with pytest.raises(TypeError), whole(path) as file:
        file.writelines([b"half of", None])  # type: ignore[list-item]
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    came: list[bytes] = []
    reader = threading.Thread(target=lambda: came.append(pipe.read_bytes()), daemon=True)
    reader.start()
    with whole(pipe) as file:
        file.write(b"{}")
    reader.join(60)
    assert came == [b"{}"]
    assert pipe.is_fifo()


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("file")
    with whole(tmp_path / "link") as file:
        file.write(b"{}")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"{}"


def test_a_part_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "x.har.part").symlink_to("elsewhere")
    with pytest.raises(OSError, match="symbolic links"), whole(tmp_path / "x.har"):
        pass
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("name", ["none/x.har", ".", "file/x.har"])
def test_an_error_names_what_was_asked_for(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r".") as error, whole(tmp_path / name):
        pass
    assert error.value.filename in (str(tmp_path / name), tmp_path / name)
