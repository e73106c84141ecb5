# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small web server with good and bad pages, and certificates for it."""

from __future__ import annotations

import datetime
import http.server
import pathlib
import ssl
import threading
from types import TracebackType
from typing import Any, Optional

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)
#: Names of the sample metrics; the last one in the text is scraped last.
METRICS = ("sample_errors", "sample_nothing", "sample_queue")
METRICS_TEXT = b"""\
# TYPE sample_errors gauge
sample_errors{service="api"} 0.5
sample_errors{service="web"} 7
# TYPE sample_nothing gauge
sample_nothing 0
# TYPE sample_queue gauge
sample_queue 12
"""


class Authority:
    """A certificate authority and what it signed, as PEM files."""

    def __init__(self, directory: pathlib.Path) -> None:
        self.directory = directory
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
        signed = self._builder(self.name, self.key).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        self.file = directory / "ca.pem"
        self.file.write_bytes(
            signed.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        )

    def certificate(self, host: str) -> pathlib.Path:
        """Key and certificate of C(host) in one file."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        builder = self._builder(name, key).add_extension(
            x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False
        )
        path = self.directory / f"{host}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        )
        return path

    def _builder(self, name: x509.Name, key: ec.EllipticCurvePrivateKey) -> Any:
        now = datetime.datetime.now(tz=datetime.timezone.utc)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - DAY)
            .not_valid_after(now + DAY)
        )


class Site:
    """Pages by path; remembers the names it was asked under."""

    def __init__(self, certificate: Optional[pathlib.Path] = None) -> None:
        self.names: set[tuple[Optional[str], str]] = set()
        self.previews: set[str] = set()
        self.over = threading.Event()
        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Handler", (_Handler,), {"site": self})
        )
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            context.sni_callback = self._greeted
            self.server.socket = context.wrap_socket(
                self.server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._greeting: Optional[str] = None

    def _greeted(self, _link: Any, name: Optional[str], _context: Any) -> None:
        self._greeting = name

    def noted(self, host: str, preview: Optional[str]) -> None:
        """Remember one request."""
        self.names.add((self._greeting, host))
        if preview:
            self.previews.add(preview)

    def __enter__(self) -> Site:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        _kind: Optional[type[BaseException]],
        _error: Optional[BaseException],
        _trace: Optional[TracebackType],
    ) -> None:
        self.over.set()
        self.server.shutdown()
        self.server.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def do_GET(self) -> None:
        self.site.noted(self.headers["Host"], self.headers["X-Mainstay-Preview"])
        if self.path == "/metrics":
            self._say(200, METRICS_TEXT)
        elif self.path == "/broken":
            self._say(500, b"a stack trace")
        elif self.path == "/truncated":
            self._say(200, b"hello", 500)
            self.close_connection = True
        elif self.path == "/dripping":
            self._drip()
        else:
            self._say(200, b"hello from the shop")

    def _say(self, status: int, body: bytes, length: int = 0) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(length or len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _drip(self) -> None:
        """A byte now and then, until the reader has gone or the test is over."""
        self._say(200, b"", 1_000_000)
        try:
            while not self.site.over.wait(0.2):
                self.wfile.write(b".")
        except OSError:
            self.close_connection = True

    def log_message(self, *_arguments: Any) -> None:
        """Quiet."""
