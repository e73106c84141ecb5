# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests over real sockets to a server that misbehaves on purpose."""

from __future__ import annotations

import http.server
import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any, Callable

import pytest
import urllib3

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import (
    client as client_module,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.client import (
    RestCluster,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.failures import (
    ApiError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.kinds import BUILT_IN
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.streams import Streams
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.transport import (
    ATTEMPTS,
    Transport,
)

CONFIG_MAP = BUILT_IN["v1", "ConfigMap"]
Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


class Server:
    """Answers requests by a list of answers, the last of them for ever."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.seen: list[str] = []
        self.connections: set[Any] = set()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _any(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                self.rfile.read(length)
                outer.seen.append(f"{self.command} {self.path}")
                outer.connections.add(self.client_address)
                answer = outer.answers.pop(0) if len(outer.answers) > 1 else outer.answers[0]
                answer(self)

            do_GET = do_PATCH = do_POST = do_DELETE = _any  # noqa: N815 - names of the library

            def log_message(self, *_words: Any) -> None:
                """Say nothing."""

        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    yield found
    found.close()


def told(status: int, body: Any, **headers: str) -> Answer:
    """An answer of JSON."""

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        data = json.dumps(body).encode()
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    return answer


def reset(handler: http.server.BaseHTTPRequestHandler) -> None:
    """End the connection without an answer."""
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def silent(handler: http.server.BaseHTTPRequestHandler) -> None:
    """Say nothing for longer than anybody waits here."""
    time.sleep(2)
    handler.close_connection = True


def stream(*events: Any) -> Answer:
    """A watch that ends after its events."""

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for event in events:
            line = json.dumps(event).encode() + b"\n"
            # In two pieces: an event need not come in one.
            for part in (line[:7], line[7:]):
                handler.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
                handler.wfile.flush()
        handler.wfile.write(b"0\r\n\r\n")

    return answer


class Client:
    """A cluster whose credentials are counted and whose waits are noted instead of slept."""

    def __init__(self, server: Server, timeout: float = 5.0) -> None:
        self.slept: list[float] = []
        self.tokens = 0
        self._pool = urllib3.PoolManager(maxsize=8)
        self._url = server.url
        self.transport = Transport(self._configure, timeout, sleep=self.slept.append)
        self.cluster = RestCluster(self.transport)

    def _configure(self) -> Any:
        self.tokens += 1
        return self._pool, self._url, {"authorization": f"Bearer {self.tokens}"}

    def get(self) -> Any:
        return self.cluster.get(CONFIG_MAP, "n", "c")


FOUND = {"kind": "ConfigMap", "metadata": {"name": "c", "resourceVersion": "5"}}


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param([told(429, {}), told(200, FOUND)], id="too-many"),
        pytest.param([told(503, {}), told(500, {}), told(200, FOUND)], id="server"),
        pytest.param([reset, told(200, FOUND)], id="reset"),
    ],
)
def test_what_may_pass_is_tried_again(server: Server, answers: list[Answer]) -> None:
    server.answers = answers
    count = len(answers)
    client = Client(server)
    assert client.get() == FOUND
    assert len(server.seen) == count and len(client.slept) == count - 1


def test_the_server_says_how_long_to_wait(server: Server) -> None:
    server.answers = [told(429, {}, Retry_After="7"), told(200, FOUND)]
    client = Client(server)
    client.get()
    assert 7.0 <= client.slept[0] < 8.0


def test_it_ends_after_some_tries(server: Server) -> None:
    server.answers = [told(503, {"message": "etcdserver: leader changed"})]
    client = Client(server)
    with pytest.raises(ApiError, match="leader changed"):
        client.get()
    assert len(server.seen) == ATTEMPTS


@pytest.mark.parametrize("status", [400, 403, 409, 422])
def test_a_refusal_is_not_tried_again(server: Server, status: int) -> None:
    server.answers = [told(status, {"message": "no"})]
    with pytest.raises(ApiError):
        Client(server).get()
    assert len(server.seen) == 1


def test_a_field_that_does_not_exist_is_told_at_once(server: Server) -> None:
    """Seen failing: the API server answers 500, and it was asked twelve times."""
    message = "failed to create typed patch object (n/c): .dat: field not declared in schema"
    server.answers = [told(500, {"message": message})]
    with pytest.raises(ApiError, match="fields that the kind does not have"):
        Client(server).get()
    assert len(server.seen) == 1


def test_silence_has_an_end(server: Server) -> None:
    server.answers = [silent, told(200, FOUND)]
    started = time.monotonic()
    assert Client(server, timeout=0.2).get() == FOUND
    assert time.monotonic() - started < 1.5


def test_a_server_that_starts_again_is_waited_for(server: Server) -> None:
    client = Client(server)
    server.answers = [told(200, FOUND)]
    client.get()
    server.answers = [reset] * 9 + [told(200, FOUND)]
    assert client.get() == FOUND
    assert 5.0 < sum(client.slept) < 60.0


def test_nobody_there(server: Server) -> None:
    client = Client(server)
    server.close()
    with pytest.raises(ApiError, match="does not answer") as raised:
        client.get()
    assert raised.value.status == 0
    assert sum(client.slept) < 2.0, "a wrong address is told soon"


def test_credentials_that_have_run_out_are_made_again_once(server: Server) -> None:
    server.answers = [told(401, {}), told(200, FOUND)]
    client = Client(server)
    assert client.get() == FOUND
    assert client.tokens == 2 and client.slept == []
    server.answers = [told(401, {"message": "Unauthorized"})]
    with pytest.raises(ApiError):
        client.get()
    assert client.tokens == 3


def test_a_watch_asks_for_new_credentials_once_too(server: Server) -> None:
    """Seen failing: a token that expired while a release waited ended the release."""
    client = Client(server)
    changed = {"type": "MODIFIED", "object": FOUND}
    server.answers = [told(401, {}), stream(changed)]
    assert list(client.cluster.watch(CONFIG_MAP, "n", "1", threading.Event())) == [changed]
    assert client.tokens == 2
    server.answers = [told(401, {"message": "Unauthorized"})]
    with pytest.raises(ApiError):
        list(client.cluster.watch(CONFIG_MAP, "n", "1", threading.Event()))
    assert client.tokens == 3


def test_credentials_that_another_thread_renewed_are_kept(server: Server) -> None:
    client = Client(server)
    stale = client.transport._connection()
    client.transport._forget(stale)
    fresh = client.transport._connection()
    client.transport._forget(stale)
    assert client.transport._connection() is fresh and client.tokens == 2


def test_logs_of_a_node_that_is_lost_are_not_waited_for(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen failing: each was asked for twelve times, half a minute long, before a verdict came."""
    monkeypatch.setattr(client_module, "LOG_SECONDS", 0.2)
    over = threading.Event()

    def late(handler: http.server.BaseHTTPRequestHandler) -> None:
        over.wait(3)
        told(200, "too late")(handler)

    server.answers = [late]
    client = Client(server)
    try:
        assert client.cluster.logs("n", "p", "main", previous=False, lines=5) == []
        assert (len(server.seen), client.slept) == (1, [])
    finally:
        over.set()


def test_connections_stay_open(server: Server) -> None:
    server.answers = [told(200, FOUND)]
    client = Client(server)
    for _number in range(20):
        client.get()
    assert len(server.connections) == 1
    assert client.cluster.requests == 20


def test_lists_come_in_pages(server: Server) -> None:
    pages: list[Any] = [
        {"items": [{"metadata": {"name": "a"}}], "metadata": {"continue": "next"}},
        {"items": [{"metadata": {"name": "b"}}], "metadata": {"resourceVersion": "9"}},
    ]
    server.answers = [told(200, page) for page in pages]
    found, version = Client(server).cluster.find(CONFIG_MAP, "n")
    assert [o["metadata"]["name"] for o in found] == ["a", "b"] and version == "9"
    assert all(o["kind"] == "ConfigMap" and o["apiVersion"] == "v1" for o in found)
    assert "continue=next" in server.seen[1]


def test_what_the_cluster_does_not_serve_is_asked_for_once(server: Server) -> None:
    entry = {"kind": "Widget", "name": "widgets", "namespaced": True}
    server.answers = [told(200, {"resources": [entry]})]
    cluster = Client(server).cluster
    for _number in range(3):
        widget = cluster.resource("x.test/v1", "Widget")
    assert widget is not None and widget.path("n", "w") == "/apis/x.test/v1/namespaces/n/widgets/w"
    assert cluster.resource("apps/v1", "Deployment") is not None
    assert len(server.seen) == 1


def _changed(version: str, kind: str = "MODIFIED") -> dict[str, Any]:
    metadata = {"name": "c", "namespace": "n", "resourceVersion": version}
    return {"type": kind, "object": {"kind": "ConfigMap", "metadata": metadata}}


def _listed(version: str) -> Answer:
    return told(200, {"items": [], "metadata": {"resourceVersion": version}})


def _seen(streams: Streams, version: str) -> bool:
    known = streams.objects.get((CONFIG_MAP, "n"), {}).get(("n", "c"))
    return bool(known and known["metadata"]["resourceVersion"] == version)


def _follow(server: Server, *wanted: str) -> list[str]:
    streams = Streams(Client(server).cluster, pause=lambda seconds: time.sleep(0.01))
    streams.start([(CONFIG_MAP, "n")])
    deadline = time.monotonic() + 5
    try:
        for version in wanted:
            while not _seen(streams, version):
                streams.next(0.1)
                assert time.monotonic() < deadline, f"version {version} was never seen"
    finally:
        streams.end()
    return list(server.seen)


def test_a_watch_that_is_cut_goes_on_where_it_was(server: Server) -> None:
    server.answers = [_listed("3"), stream(_changed("4"), _changed("6", "BOOKMARK")), reset]
    server.answers += [stream(_changed("8")), silent]
    asked = _follow(server, "4", "8")
    assert "resourceVersion=3" in asked[1]
    assert "resourceVersion=6" in asked[2] and "resourceVersion=6" in asked[3]


def test_a_version_that_is_forgotten_lists_again(server: Server) -> None:
    gone = {"type": "ERROR", "object": {"code": 410}}
    server.answers = [_listed("3"), stream(gone), _listed("7"), stream(_changed("8")), silent]
    asked = _follow(server, "8")
    assert "watch" not in asked[2] and "resourceVersion=7" in asked[3]


def test_a_refused_version_lists_again(server: Server) -> None:
    server.answers = [_listed("3"), told(410, {}), _listed("7"), stream(_changed("8")), silent]
    assert "watch" not in _follow(server, "8")[2]


def test_a_right_that_is_missing_is_told(server: Server) -> None:
    message = 'User "x" cannot watch resource "configmaps" in API group "" in the namespace "n"'
    server.answers = [_listed("3"), told(403, {"message": message})]
    streams = Streams(Client(server).cluster, pause=lambda seconds: None)
    streams.start([(CONFIG_MAP, "n")])

    def until_told() -> None:
        for _number in range(20):
            streams.next(0.2)

    with pytest.raises(ApiError, match="the right to watch configmaps in namespace n is missing"):
        until_told()
    streams.end()


def test_what_only_helps_may_be_refused(server: Server) -> None:
    server.answers = [told(403, {"message": "no"})]
    streams = Streams(Client(server).cluster, pause=lambda seconds: None)
    streams.start([], optional=[(CONFIG_MAP, "n")])
    assert not streams.next(0.3)
    assert len(server.seen) == 1
