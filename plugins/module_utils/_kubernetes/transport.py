# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to the API server over connections that stay open, tried again where that is safe."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Optional
from urllib.parse import urlencode, urlsplit

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.failures import (
    ApiError,
    api_error,
    unreachable,
)

try:
    import urllib3
    import urllib3.exceptions

    HTTP_ERRORS: tuple[type[Exception], ...] = (urllib3.exceptions.HTTPError, OSError)
except ImportError:
    HTTP_ERRORS = (OSError,)

#: Answers that say "later" (429, 503), or that a server behind the API server had a bad moment.
RETRIED = frozenset({429, 500, 502, 503, 504})
#: Tries before giving up. Twelve of them take about half a minute, which an API server needs to
#: start again; one that never answered is more likely a wrong address.
ATTEMPTS = 12
FIRST_ATTEMPTS = 4
_FIRST_DELAY = 0.1
_LONGEST_DELAY = 5.0
_CONNECT_SECONDS = 5.0
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"

#: Pool, address, headers.
Ready = tuple[Any, str, Mapping[str, str]]
Configure = Callable[[], Ready]


def delay_before(attempt: int, retry_after: Optional[str], chance: float) -> float:
    """Seconds before try number C(attempt) (from 1): what the server asks for, or twice as long
    each time, with half of it left to chance so that many clients do not come back together."""
    if retry_after is not None and retry_after.strip().isdigit():
        return min(60.0, float(retry_after)) + 0.1 * chance
    longest = min(_LONGEST_DELAY, _FIRST_DELAY * 2.0 ** (attempt - 1))
    return longest * (0.5 + 0.5 * chance)


@dataclass
class Transport:
    """One server. C(configure) gives the pool, the address and the headers; it is called again
    when the server does not know the credentials any more."""

    configure: Configure
    timeout: float
    sleep: Callable[[float], None] = time.sleep
    requests: int = 0
    retries: int = 0
    date: str = ""
    warnings: list[str] = field(default_factory=list)
    _ready: Optional[Ready] = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def _connection(self) -> Ready:
        with self._lock:
            if self._ready is None:
                self._ready = self.configure()
            return self._ready

    def _forget(self, stale: Ready) -> None:
        """Another thread may have renewed it already."""
        with self._lock:
            if self._ready is stale:
                self._ready = None

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Optional[Mapping[str, str]] = None,
        body: Any = None,
        kind: str = "application/json",
        accept: str = "application/json",
        once: Optional[float] = None,
    ) -> Any:
        """The answer as data (or text when it is none). ApiError for what the server refuses.

        With C(once) it is asked once only, and waited for so many seconds.
        """
        url = path + (f"?{urlencode(query)}" if query else "")
        data = None if body is None else json.dumps(body, separators=(",", ":")).encode("utf-8")
        headers = {"Accept": accept}
        if data is not None:
            headers["Content-Type"] = kind
        renewed = False
        attempt = 0
        while True:
            attempt += 1
            ready = self._connection()
            error, wait = self._try(ready, method, url, data, headers, attempt, once)
            if not isinstance(error, ApiError):
                return error
            if error.status == 401 and not renewed:
                renewed, attempt = True, attempt - 1
                self._forget(ready)
                continue
            if (
                wait is None
                or once is not None
                or attempt >= (ATTEMPTS if self.date else FIRST_ATTEMPTS)
            ):
                raise error
            self.retries += 1
            self.sleep(wait)

    def _try(
        self,
        ready: Ready,
        method: str,
        url: str,
        data: Optional[bytes],
        headers: dict[str, str],
        attempt: int,
        once: Optional[float],
    ) -> tuple[Any, Optional[float]]:
        """(answer, nothing), or (error, seconds to wait when it may be tried again)."""
        pool, host, identity = ready
        try:
            answer = _send(
                pool,
                host,
                method,
                url,
                body=data,
                headers={**identity, **headers},
                timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=once or self.timeout),
            )
        except HTTP_ERRORS as error:
            return unreachable(host, method, error), delay_before(attempt, None, _chance())
        finally:
            with self._lock:
                self.requests += 1
        self.date = answer.headers.get("Date", self.date)
        self._warn(answer.headers)
        if answer.status < 400:
            return _content(answer), None
        failure = api_error(method, url, answer.status, answer.data)
        if failure.status in RETRIED:
            after = answer.headers.get("Retry-After")
            return failure, delay_before(attempt, after, _chance())
        return failure, None

    def _warn(self, headers: Mapping[str, str]) -> None:
        text = headers.get("Warning", "")
        if text and text not in self.warnings:
            self.warnings.append(text)

    def stream(
        self, path: str, query: Mapping[str, str], silence: float
    ) -> tuple[Callable[[], None], Iterator[Any]]:
        """(how to end it, one document for each line); ends when the server ends it."""
        ready = self._connection()
        try:
            answer = self._open(ready, path, query, silence)
        except ApiError as error:
            if error.status != 401:
                raise
            # As with any request: the credentials may have been renewed since they were read.
            self._forget(ready)
            answer = self._open(self._connection(), path, query, silence)
        return (lambda: _cut(answer)), _lines(answer)

    def _open(self, ready: Ready, path: str, query: Mapping[str, str], silence: float) -> Any:
        pool, host, identity = ready
        with self._lock:
            self.requests += 1
        try:
            answer = _send(
                pool,
                host,
                "GET",
                f"{path}?{urlencode(query)}",
                headers={**identity, "Accept": "application/json"},
                timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=silence),
                preload_content=False,
            )
        except HTTP_ERRORS as error:
            raise unreachable(host, "GET", error) from error
        if answer.status >= 400:
            raise api_error("GET", path, answer.status, answer.read())
        return answer

    def close(self) -> None:
        """Give the connections back."""
        if self._ready is not None:
            self._ready[0].clear()


def _send(manager: Any, host: str, method: str, path: str, **more: Any) -> Any:
    """One request, as it is: nothing is tried again and no redirect followed.

    Without a proxy it goes to the pool of the server itself: to find that out anew from the whole
    address takes a sixth of the time that a small request needs here (measured).
    """
    if getattr(manager, "proxy", None) is not None:
        return manager.request(method, host + path, retries=False, **more)
    pool = manager.connection_from_url(host)
    url = urlsplit(host).path.rstrip("/") + path
    return pool.request(method, url, retries=False, redirect=False, assert_same_host=False, **more)


def _chance() -> float:
    return random.random()  # noqa: S311 - no secret depends on it


def _content(answer: Any) -> Any:
    if "json" in str(answer.headers.get("Content-Type", "")):
        return json.loads(answer.data)
    return answer.data.decode("utf-8", errors="replace")


def _lines(answer: Any) -> Iterator[Any]:
    """A watch ends without an error when the connection does: whoever watches starts again."""
    rest = b""
    try:
        # Each part as it arrives: the server sends one for each event.
        for part in answer.stream(1 << 16, decode_content=False):
            *lines, rest = (rest + part).split(b"\n")
            for line in lines:
                if line.strip():
                    yield json.loads(line)
    except HTTP_ERRORS:
        return
    except (ValueError, AttributeError):  # cut in the middle of a line
        return
    finally:
        answer.close()


def _cut(answer: Any) -> None:
    """End a stream that another thread is reading."""
    connection = getattr(answer, "connection", None) or getattr(answer, "_connection", None)
    sock = getattr(connection, "sock", None)
    try:
        if sock is not None:
            sock.shutdown(2)
    except OSError:
        pass
