# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real S3 server below a temporary directory, and a door in front of it that can be broken."""

from __future__ import annotations

import http.client
import http.server
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone

from cluster import ROOT

sys.path.insert(0, str(ROOT / "tests" / "testbed"))

from bed import objects as bed_objects

from ansible_collections.mainstay.platform.plugins.module_utils._postgres import bucket as pure
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.objects import ObjectStore

NAME, OTHER = "localhost", "another.test"
ROOT_KEY, ROOT_SECRET = "rootkey", "root-secret-of-a-test"
WRITER_KEY, WRITER_SECRET = "writerkey", "writer-secret-of-a-test"
BUCKET = "backups"
LIMIT = 30.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def certificate(folder: pathlib.Path, name: str) -> pathlib.Path:
    """A key and a certificate that is its own authority, for C(name) and this machine."""
    path = folder / f"{name}.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout", str(folder / "key")),
            *("-addext", f"subjectAltName=DNS:{name}"),
            *("-out", str(folder / "cert")),
        ],
        check=True,
        capture_output=True,
    )
    path.write_text((folder / "key").read_text() + (folder / "cert").read_text())
    return path


class Door(http.server.ThreadingHTTPServer):
    """Hands every request on, unless C(fault) says otherwise: a status, C(slow) or C(cut)."""

    daemon_threads = True

    def __init__(self, inner: int, pem: pathlib.Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.inner = inner
        self.fault = ""
        self.only = ""
        self.count = 0
        self.released = threading.Event()
        self._plain = self.socket
        self.show(pem)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def show(self, pem: pathlib.Path) -> None:
        """Show another certificate to whoever comes next."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        self.context = context

    def get_request(self) -> tuple[socket.socket, object]:
        taken, address = self._plain.accept()
        taken.settimeout(LIMIT)
        return self.context.wrap_socket(
            taken, server_side=True, do_handshake_on_connect=False
        ), address

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are a part of the tests."""


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Door

    def _hand_on(self) -> None:
        self.server.count += 1
        fault = self.server.fault if self.server.only in self.path else ""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if fault == "slow":
            self.server.released.wait(LIMIT)
        if fault.isdigit():
            self._answer(int(fault), {}, b"<Error><Code>Fault</Code><Message>x</Message></Error>")
            return
        inner = http.client.HTTPConnection("127.0.0.1", self.server.inner, timeout=LIMIT)
        inner.request(self.command, self.path, body or None, dict(self.headers.items()))
        answer = inner.getresponse()
        self._answer(answer.status, dict(answer.getheaders()), answer.read(), fault == "cut")
        inner.close()

    def _answer(self, status: int, headers: dict[str, str], body: bytes, cut: bool = False) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                self.send_header(name, value)
        length = headers.get("Content-Length", str(len(body)))
        self.send_header("Content-Length", length if self.command == "HEAD" else str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[: len(body) // 2] if cut else body)
        self.close_connection = self.close_connection or cut

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _hand_on  # noqa: N815

    def log_message(self, *_args: object) -> None:
        """Nobody reads it."""


class Storage:
    """The server, its door, and the bucket."""

    def __init__(self, folder: pathlib.Path, *, lock: bool = False) -> None:
        self.folder = folder
        self.has_writer = False
        for name in ("data", "versions", "users"):
            (folder / name).mkdir()
        self.pem = certificate(folder, NAME)
        self.authority = folder / "authority.crt"
        self.authority.write_text((folder / "cert").read_text())
        self.authority.chmod(0o644)
        self.port = free_port()
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *(str(bed_objects.program()), "--port", f"127.0.0.1:{self.port}", "--quiet"),
                    *("--iam-dir", str(folder / "users"), "--keep-alive"),
                    *("posix", "--versioning-dir", str(folder / "versions"), str(folder / "data")),
                ],
                env={**os.environ, "ROOT_ACCESS_KEY": ROOT_KEY, "ROOT_SECRET_KEY": ROOT_SECRET},
                stdout=log,
                stderr=log,
            )
        self._await()
        self.door = Door(self.port, self.pem)
        headers = {"x-amz-bucket-object-lock-enabled": "true"} if lock else {}
        self.root().call(pure.Request("PUT", headers=headers))

    def _await(self) -> None:
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)  # a server that starts tells nobody
        raise AssertionError((self.folder / "log").read_text())

    def bucket(self, access: str = ROOT_KEY, secret: str = ROOT_SECRET) -> pure.Bucket:
        return pure.Bucket(
            host=NAME,
            port=self.door.server_port,
            name=BUCKET,
            region="us-east-1",
            access_key=access,
            secret_key=secret,
            path_style=True,
            root="/repo",
            ca_file=str(self.authority),
        )

    def root(self) -> ObjectStore:
        return ObjectStore(self.bucket())

    def writer(self) -> ObjectStore:
        """A user that may write and delete, and delete no version."""
        if self.has_writer:
            return ObjectStore(self.bucket(WRITER_KEY, WRITER_SECRET))
        self.has_writer = True
        words = ["--access", WRITER_KEY, "--secret", WRITER_SECRET, "--role", "user"]
        subprocess.run(
            [
                *(str(bed_objects.program()), "admin", "--access", ROOT_KEY),
                *("--secret", ROOT_SECRET, "--endpoint-url", f"http://127.0.0.1:{self.port}"),
                *("create-user", *words),
            ],
            check=True,
            capture_output=True,
        )
        self.root().call(
            pure.Request(
                "PUT",
                query={"policy": ""},
                body=bed_objects.writer_policy(WRITER_KEY, BUCKET).encode(),
            )
        )
        return ObjectStore(self.bucket(WRITER_KEY, WRITER_SECRET))

    def options(self, access: str = ROOT_KEY, secret: str = ROOT_SECRET) -> str:
        """The lines of pgbackrest.conf."""
        return "\n".join(
            [
                "repo1-type=s3",
                f"repo1-s3-bucket={BUCKET}",
                f"repo1-s3-endpoint={NAME}",
                f"repo1-storage-port={self.door.server_port}",
                "repo1-s3-region=us-east-1",
                "repo1-s3-uri-style=path",
                f"repo1-s3-key={access}",
                f"repo1-s3-key-secret={secret}",
                f"repo1-storage-ca-file={self.authority}",
                "io-timeout=5",
            ]
        )

    def close(self) -> None:
        self.door.released.set()
        self.door.shutdown()
        self.door.server_close()
        self.process.terminate()
        self.process.wait(LIMIT)


@contextmanager
def storage(*, lock: bool = False) -> Iterator[Storage]:
    """A storage as long as it is needed, in a place that the owner of clusters can enter."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ms-s3-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        made = Storage(folder, lock=lock)
        try:
            yield made
        finally:
            made.close()
    finally:
        shutil.rmtree(folder)


def now() -> datetime:
    return datetime.now(timezone.utc)
