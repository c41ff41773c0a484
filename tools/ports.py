# SPDX-License-Identifier: MIT
"""ports.py - ports of this machine for guests, each given to one user only.

A port that is looked for by binding it and letting it go is free for anybody until QEMU binds it: another job of the same
run, another run, or whoever connects to somewhere and is given a port by the kernel. So these are from below those that
Linux gives by itself (ip_local_port_range), and a name of the abstract name space of Unix sockets, which lasts as long as
this process and is unique as the port is (unix(7)), says that a block of them is taken.
"""

import socket
import threading
from collections.abc import Iterator

HOST = "127.0.0.1"
FIRST, LAST = 20000, 32767  # below the first port that the kernel gives by itself, 32768
BLOCK = 64                  # ports for one name, and one open file of this process

_taken: list[socket.socket] = []
_taking = threading.Lock()


def _claim(port: int) -> bool:
    """Makes the block that begins there this process's; False: it is another's."""
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0minimalos-port-{port}")
    except OSError:
        claim.close()
        return False
    _taken.append(claim)
    return True


def _is_free(port: int, kind: int) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _own_ports() -> Iterator[int]:
    for first in range(FIRST, LAST + 1, BLOCK):
        if _claim(first):
            yield from range(first, min(first + BLOCK, LAST + 1))


_own = _own_ports()


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    """One that nobody has, and that nobody else who asks here gets before this process has ended."""
    with _taking:
        for port in _own:
            if _is_free(port, kind):
                return port
    raise OSError("no port of this machine is free")
