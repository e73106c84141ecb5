# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One HTTP request to an address of one's choice, as the host name a visitor uses. No retries."""

from __future__ import annotations

import functools
import http.client
import socket
import ssl
import time
from dataclasses import dataclass, field
from typing import Optional

#: Bytes of an answer that are read; the rest is cut off with the connection.
LARGEST = 4 * 1024 * 1024
#: Bytes read at a time, so that an answer that never ends is noticed.
PIECE = 64 * 1024


@dataclass(frozen=True)
class Target:
    """Where requests go: connect to C(address):C(port), ask for C(host) (also the SNI name).

    Without C(ca) a certificate is not verified: the edge is asked over its own address, and what
    is judged is the answer. With C(ca) chain and name are verified. The whole answer has
    to be there within C(timeout) seconds.
    """

    address: str
    port: int
    host: str
    tls: bool = True
    ca: Optional[str] = None
    timeout: float = 5.0


@dataclass(frozen=True)
class Answer:
    """Status 0 means that no answer came; C(error) says why. Times are seconds."""

    status: int
    seconds: float
    body: bytes = b""
    error: str = ""
    headers: dict[str, str] = field(default_factory=dict)


class _TlsConnection(http.client.HTTPSConnection):
    """HTTPS to an address with the SNI name of the host."""

    def __init__(self, target: Target, context: ssl.SSLContext) -> None:
        super().__init__(target.address, target.port, timeout=target.timeout, context=context)
        self._target = target
        self._tls = context

    def connect(self) -> None:
        """Open the socket and shake hands under the visitor's host name."""
        raw = socket.create_connection(
            (self._target.address, self._target.port), self._target.timeout
        )
        self.sock = self._tls.wrap_socket(raw, server_hostname=self._target.host)


def connection(target: Target) -> http.client.HTTPConnection:
    """A connection that is opened by its first request."""
    if not target.tls:
        return http.client.HTTPConnection(target.address, target.port, timeout=target.timeout)
    return _TlsConnection(target, _tls(target.ca))


@functools.lru_cache(maxsize=8)
def _tls(ca: Optional[str]) -> ssl.SSLContext:
    """Made once: reading the system's authorities for every request would cost more than asking."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        context.load_verify_locations(cafile=ca)
    return context


def ask(
    link: http.client.HTTPConnection,
    target: Target,
    method: str,
    path: str,
    headers: Optional[dict[str, str]] = None,
) -> Answer:
    """Send one request over C(link) and read the whole answer; a failure is an answer, too."""
    started = time.monotonic()
    try:
        link.request(method, path, headers={"Host": target.host, **(headers or {})})
        response = link.getresponse()
        body = _body(response, started + target.timeout)
        if not response.isclosed():  # cut off: what is left must not be taken for the next answer
            link.close()
        seconds = time.monotonic() - started
        return Answer(response.status, seconds, body, "", dict(response.getheaders()))
    except (OSError, http.client.HTTPException, ValueError) as error:
        link.close()
        return Answer(0, time.monotonic() - started, b"", reason(error))


def reason(error: Exception) -> str:
    """Kind and text of an error in one line."""
    return f"{type(error).__name__}: {error}".rstrip(": ")


def _body(response: http.client.HTTPResponse, deadline: float) -> bytes:
    """The body, read in pieces: a server that sends a byte now and then must not hold us up."""
    pieces: list[bytes] = []
    size = 0
    while size < LARGEST:
        piece = response.read1(PIECE)
        if time.monotonic() > deadline:
            raise TimeoutError("the answer was not whole in time")
        if not piece:
            break
        pieces.append(piece)
        size += len(piece)
    body = b"".join(pieces)
    if size < LARGEST and response.length:
        raise http.client.IncompleteRead(body, response.length)
    if response.length == 0:
        response.read()  # marks the answer as read, so that the connection can be used again
    return body
