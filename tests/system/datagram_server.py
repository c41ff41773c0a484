# SPDX-License-Identifier: MIT
"""datagram_server.py - a port of this machine for datagrams, for guests of QEMU's user network, to which it is 10.0.2.2 with
that port."""

import socket
import threading

DATAGRAM_BYTES = 2048


class DatagramServer:
    """take() of the server made of it is called with each datagram and who sent it, one after the other, from start() on."""

    def start(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def take(self, datagram: bytes, peer: tuple[str, int]) -> None:
        raise NotImplementedError

    def _serve(self) -> None:
        while True:
            self.take(*self.socket.recvfrom(DATAGRAM_BYTES))
