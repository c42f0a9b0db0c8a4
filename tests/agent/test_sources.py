"""A process whose sources come and go: each has a thread of its own, and the engine is loaded by the first of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CAPTURE = Path(__file__).parent.parent / "captures" / "nginx.pcap.zst"

ONE_AFTER_ANOTHER = """
import sys, threading

def read():
    from agent._engine import FileReader
    print(sum(1 for _ in FileReader([sys.argv[1]])) > 0)

for _ in range(3):
    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
"""


def test_the_thread_that_loaded_the_engine_may_end() -> None:
    # a process of its own: here the engine may have been loaded already, and a crash would take the other tests along
    command = [sys.executable, "-c", ONE_AFTER_ANOTHER, str(CAPTURE)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "True\n" * 3, "")
