# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that keep their connection, send at a fixed rate and never retry."""

from __future__ import annotations

import asyncio
import collections
import http.client
import random
import socket
import threading
from types import TracebackType
from typing import Optional


class Load:
    """C(count) clients, each with one connection and a request every C(interval) seconds.

    A closed connection is an error of its own, also when it was closed between two requests. Half
    of the clients send POST. C(served) counts answers by release.
    """

    def __init__(self, address: str, host: str, count: int = 150, interval: float = 0.15) -> None:
        self.address, self.host = address, host
        self.count, self.interval = count, interval
        self.problems: list[str] = []
        self.served: collections.Counter[str] = collections.Counter()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run)
        self._stop = threading.Event()

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def total(self) -> int:
        """Requests that were answered well."""
        return self.served.total()

    def _run(self) -> None:
        self._loop.run_until_complete(self._all())
        self._loop.close()

    async def _all(self) -> None:
        await asyncio.gather(*(self._client(index) for index in range(self.count)))

    async def _client(self, index: int) -> None:
        await asyncio.sleep(self.interval * index / self.count)
        method = "POST" if index % 2 else "GET"
        body = "x" * 64 if index % 2 else ""
        request = (
            f"{method} /who HTTP/1.1\r\nHost: {self.host}\r\nContent-Length: {len(body)}\r\n\r\n"
        ) + body
        reader, writer = await asyncio.open_connection(self.address, 80)
        while not self._stop.is_set():
            try:
                writer.write(request.encode())
                self.served[await _answer(reader)] += 1
            except (OSError, EOFError, ValueError) as error:
                self.problems.append(f"{method}: {type(error).__name__} {error}")
                writer.close()
                reader, writer = await asyncio.open_connection(self.address, 80)
            await asyncio.sleep(self.interval * random.uniform(0.8, 1.2))
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> str:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    lines = head.split("\r\n")
    length = next(int(h.split(":")[1]) for h in lines if h.lower().startswith("content-length"))
    body = (await reader.readexactly(length)).decode("latin-1")
    if lines[0].split(" ")[1] != "200":
        raise ValueError(lines[0])
    if any(line.lower() == "connection: close" for line in lines):
        raise ValueError("the edge announced that it closes the connection")
    return body.split(" ")[0]


class Answer:
    """One answer with all that tests look at."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.read().decode("utf-8")
        self.release = self.body.split(" ")[0]


def ask(
    address: str,
    path: str = "/who",
    method: str = "GET",
    host: str = "shop.example.com",
    body: Optional[str] = None,
    **headers: str,
) -> Answer:
    """One request over a connection of its own; C(x_name=...) is the header C(X-Name)."""
    connection = http.client.HTTPConnection(address, 80, timeout=30)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body=body, headers={"Host": host, **named})
        return Answer(connection.getresponse())
    finally:
        connection.close()


def ask_many(address: str, count: int, host: str = "shop.example.com") -> list[str]:
    """The bodies of C(count) answers over one connection, for tests that count."""
    connection = http.client.HTTPConnection(address, 80, timeout=30)
    try:
        bodies = []
        for _dummy in range(count):
            connection.request("GET", "/who", headers={"Host": host})
            bodies.append(connection.getresponse().read().decode("utf-8"))
        return bodies
    finally:
        connection.close()


class Socket:
    """An upgraded connection that echoes."""

    def __init__(self, address: str, host: str = "shop.example.com") -> None:
        self._socket = socket.create_connection((address, 80), timeout=30)
        self._socket.sendall(
            f"GET /ws HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\n\r\n".encode()
        )
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            part = self._socket.recv(1)
            assert part, f"closed before the upgrade: {head!r}"
            head += part
        assert b" 101 " in head, head
        self.served_by = head.split(b"X-Served-By: ")[1].split(b" ")[0].decode()

    def echo(self, text: str) -> str:
        """What comes back; empty when the connection was closed or reset."""
        try:
            self._socket.sendall(text.encode())
            return self._socket.recv(4096).decode()
        except ConnectionError:
            return ""

    def close(self) -> None:
        """Close it."""
        self._socket.close()
