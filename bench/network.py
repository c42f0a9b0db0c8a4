"""Two network namespaces of our own with a cable between them: nginx in one, h2load or tcpdump in the other."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.process import MissingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ADDRESS, PORT, STATUS_PORT = "10.9.0.2", 8080, 8081
CONNECTIONS = 64
NGINX_FOLDERS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@dataclass
class Place:
    """Two namespaces with a cable between them, and nginx in the second."""

    client: str
    server: str
    scratch: Path

    def inside(self, name: str, *command: str) -> list[str]:
        """A command in one of them."""
        return ["ip", "netns", "exec", name, *command]

    def load(self, seconds: int, *, rate: int = 0, connections: int = CONNECTIONS) -> int:
        """Offers so many requests a second, or as many as are answered; the requests that nginx answered."""
        before = self.answered()
        paced = [f"--rps={rate / connections}"] if rate else []
        how = ["--h1", "-t1", f"-c{connections}", f"-D{seconds}", *paced]
        h2load = self.inside(self.client, "h2load", *how, f"http://{ADDRESS}:{PORT}/")
        subprocess.run(h2load, check=True, capture_output=True, timeout=seconds + 60)
        return self.answered() - before

    def answered(self) -> int:
        """Requests that nginx answered on the tapped port so far (its own count; asking is not counted there)."""
        url = f"http://127.0.0.1:{STATUS_PORT}/"
        text = subprocess.run(self.inside(self.server, "curl", "-sS", url), check=True, capture_output=True, text=True)
        asked = int((self.scratch / "asked").read_text() or 0) + 1
        (self.scratch / "asked").write_text(str(asked))
        return int(text.stdout.splitlines()[2].split()[2]) - asked

    def packets(self) -> int:
        """That went through the client's end of the cable."""
        command = self.inside(self.client, "ip", "-j", "-s", "link", "show", "eth0")
        stats = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)[0]["stats64"]
        return int(stats["rx"]["packets"] + stats["tx"]["packets"])


@contextmanager
def place(scratch: Path) -> Iterator[Place]:
    """Makes it, and takes it down."""
    needed = [name for name in ("ip", "nginx", "h2load", "tcpdump", "curl") if shutil.which(name) is None]
    if os.geteuid() != 0 or needed:
        raise MissingError("live figures need root" + (f" and {', '.join(needed)}" if needed else ""))
    names = [f"live-bench-{os.getpid()}-{end}" for end in ("client", "server")]
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))  # for the idle connections, by inheritance
    (scratch / "asked").write_text("0")
    with ExitStack() as stack:
        for name in names:
            _run("ip", "netns", "add", name)
            stack.callback(_run, "ip", "netns", "del", name)
        _run("ip", "-n", names[0], "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", names[1])
        for number, name in enumerate(names, 1):
            _run("ip", "-n", name, "addr", "add", f"10.9.0.{number}/24", "dev", "eth0")
            for link in ("lo", "eth0"):
                _run("ip", "-n", name, "link", "set", link, "up")
        _run(*_inside(names[0], "sysctl", "-qw", "net.ipv4.ip_local_port_range=10000 65000"))
        made = Place(*names, scratch)
        config = scratch / "nginx.conf"
        temporary = "".join(f"{kind}_temp_path {scratch}/{kind};" for kind in NGINX_FOLDERS)
        config.write_text(
            f"daemon off; master_process off; pid {scratch}/nginx.pid; error_log {scratch}/error.log;"
            "events { worker_connections 20000; }"
            f"http {{ access_log off; keepalive_requests 100000000; keepalive_timeout 600s; {temporary}"
            f"server {{ listen {PORT}; location / {{ return 200 '{'x' * 200}'; }} }}"
            f"server {{ listen 127.0.0.1:{STATUS_PORT}; location / {{ stub_status; }} }} }}"
        )
        nginx = subprocess.Popen(made.inside(names[1], "nginx", "-c", str(config), "-p", str(scratch)))
        stack.callback(nginx.wait, 10)
        stack.callback(nginx.terminate)
        _until(lambda: bool(_run(*made.inside(names[1], "ss", "-Hltn", f"sport = :{PORT}"))))
        yield made


@contextmanager
def tcpdump(there: Place) -> Iterator[Callable[[], tuple[float, int]]]:
    """Runs it; what is given ends it and tells its processor time, and how many packets it took."""
    command = there.inside(there.client, "tcpdump", "-i", "any", "-s", "0", "-B", "8192", "-w", "/dev/null")
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    errors = process.stderr
    while "listening" not in process.stderr.readline():
        pass

    def stop() -> tuple[float, int]:
        process.terminate()
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
        told = next(line for line in errors if "packets captured" in line)
        return usage.ru_utime + usage.ru_stime, int(told.split()[0])

    try:
        yield stop
    finally:
        if process.returncode is None:
            process.terminate()
            process.wait()
        process.stderr.close()


def _inside(name: str, *command: str) -> list[str]:
    return ["ip", "netns", "exec", name, *command]


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _until(condition: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.02)
