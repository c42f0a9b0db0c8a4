"""A network namespace of this process's own: whatever is sent in it stays in it, and it is gone with the process.

Who may make one (CAP_SYS_ADMIN) needs no more; others get a user namespace with it, in which they may do everything
and outside of which nothing. Linux only; `user_namespaces(7)`, `network_namespaces(7)`.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import sys
from pathlib import Path

NEWUSER, NEWNET = 0x10000000, 0x40000000  # sched.h
_GET_FLAGS, _SET_FLAGS = 0x8913, 0x8914  # SIOCGIFFLAGS, SIOCSIFFLAGS
_UP = 1
_ALL_PROTOCOLS = 0x0003


def enter() -> None:
    """Moves this process there, with the loopback interface up. Sockets that it has stay where they are.

    Raises:
        OSError: the system does not allow it, or the process has several threads.
    """
    uid, gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(NEWNET):
        if libc.unshare(NEWUSER | NEWNET):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        Path("/proc/self/setgroups").write_text("deny")  # or the next may not be written
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(any_socket, _GET_FLAGS, request))[1]
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh14x", b"lo", flags | _UP))


def obstacle() -> str | None:
    """Why there can't be one in which packets can be captured; None: nothing is in the way. Tried in a child."""
    if not sys.platform.startswith("linux"):
        return "network namespaces are Linux's"
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        words = b""
        try:
            enter()
            socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_PROTOCOLS)).close()
        except OSError as error:
            words = (error.strerror or str(error)).encode()
        finally:
            os.write(writing, words)
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read().decode()
    os.waitpid(child, 0)
    return told or None
