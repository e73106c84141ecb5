# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of a platform: asks the edge by its address, and believes only its certificate."""

from __future__ import annotations

import base64
import http.client
import os
import socket
import ssl
from dataclasses import dataclass

TIMEOUT = 10.0


@dataclass(frozen=True)
class Answer:
    """One answer; names of headers are in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8")


@dataclass(frozen=True)
class Visitor:
    """Asks C(address) for C(domain); C(authority) is the certificate of the edge's authority."""

    address: str
    domain: str
    authority: str

    def connect(self) -> http.client.HTTPConnection:
        """A kept-alive connection to the HTTPS port."""
        connection = http.client.HTTPConnection(self.domain, 443, timeout=TIMEOUT)
        connection.sock = self._secure()
        return connection

    def _secure(self) -> ssl.SSLSocket:
        context = ssl.create_default_context(cadata=self.authority)
        plain = socket.create_connection((self.address, 443), timeout=TIMEOUT)
        return context.wrap_socket(plain, server_hostname=self.domain)

    def get(self, path: str, **headers: str) -> Answer:
        """One GET over HTTPS; underscores in names of headers stand for dashes."""
        return ask(self.connect(), path, self.domain, headers)

    def plain(self, path: str) -> Answer:
        """One GET over plain HTTP."""
        connection = http.client.HTTPConnection(self.address, 80, timeout=TIMEOUT)
        return ask(connection, path, self.domain, {})

    def statuses(self, path: str, count: int) -> list[int]:
        """The statuses of C(count) requests, sent as fast as one connection can."""
        connection = self.connect()
        return [ask(connection, path, self.domain, {}).status for _number in range(count)]

    def upgrades(self, path: str) -> int:
        """The status of a request for a WebSocket."""
        key = base64.b64encode(os.urandom(16)).decode()
        request = (
            f"GET {path} HTTP/1.1\r\nHost: {self.domain}\r\nConnection: Upgrade\r\n"
            f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
        )
        with self._secure() as connection:
            connection.sendall(request.encode())
            return int(connection.recv(64).split(b" ")[1])


def ask(
    connection: http.client.HTTPConnection, path: str, domain: str, headers: dict[str, str]
) -> Answer:
    """One request over C(connection)."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("GET", path, headers={"Host": domain, **named})
    answer = connection.getresponse()
    found = {name.lower(): value for name, value in answer.getheaders()}
    return Answer(answer.status, found, answer.read())


def can_connect(address: str, port: int) -> bool:
    """Whether anybody answers there; a packet that is dropped shows after a second."""
    try:
        with socket.create_connection((address, port), timeout=1.0):
            return True
    except OSError:
        return False
