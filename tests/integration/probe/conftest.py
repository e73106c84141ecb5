# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A web server on this machine that counts, and fails when told so; ansible to run the module."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
PLATFORM = "probe-test"
RELEASE = "20261121T061500Z-1a2b3c"


class Site:
    """Counts requests; the numbers in C(failing) (from 1) get a 502, those in C(cut) no answer."""

    def __init__(self) -> None:
        self.asked = 0
        self.connections = 0
        self.failing: set[int] = set()
        self.cut: set[int] = set()
        self.hanging: set[int] = set()
        self.let_go = threading.Event()
        self._condition = threading.Condition()
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                site.connections += 1
                super().setup()

            def do_GET(self) -> None:
                number = site.count()
                if number in site.hanging:
                    site.let_go.wait()
                if number in site.cut:
                    self.close_connection = True
                    return
                body = b"hello"
                self.send_response(502 if number in site.failing else 200)
                self.send_header("Content-Length", str(len(body)))
                with contextlib.suppress(BrokenPipeError):  # who waited has gone
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_arguments: Any) -> None:
                """Quiet."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def count(self) -> int:
        with self._condition:
            self.asked += 1
            self._condition.notify_all()
            return self.asked

    def wait_for(self, number: int) -> None:
        """Until C(number) requests were received."""
        with self._condition:
            assert self._condition.wait_for(lambda: self.asked >= number, 60), self.asked

    def close(self) -> None:
        self.let_go.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    """One site for one test."""
    made = Site()
    yield made
    made.close()


class Prober:
    """The module, run by C(ansible) as users do, on this machine."""

    def __init__(self, root: pathlib.Path, port: int) -> None:
        self.root, self.port = root, port

    def do(self, state: str, *options: str, release: str = RELEASE, **more: Any) -> dict[str, Any]:
        arguments = {
            "platform": PLATFORM,
            "release_id": release,
            "state": state,
            "state_root": str(self.root),
            "port": self.port,
            "tls": False,
            "rate": 100,
            "timeout": 2,
            **more,
        }
        done = subprocess.run(
            [
                str(pathlib.Path(sys.executable).parent / "ansible"),
                "localhost",
                "-i",
                "localhost,",
                "-c",
                "local",
                "-e",
                f"ansible_python_interpreter={sys.executable}",
                "-m",
                "mainstay.platform.release_probe",
                "-a",
                json.dumps(arguments),
                *options,
            ],
            env={
                **{k: v for k, v in os.environ.items() if not k.startswith("ANSIBLE_")},
                "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
                "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
                "ANSIBLE_LOAD_CALLBACK_PLUGINS": "false",
            },
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        found = re.search(r"=> (\{.*\n\})", done.stdout, re.DOTALL)
        assert found, done.stdout
        answer: dict[str, Any] = json.loads(found[1])
        return answer

    @property
    def directory(self) -> pathlib.Path:
        return self.root / PLATFORM / "probe" / RELEASE

    def process(self, release: str = RELEASE) -> int:
        """Id of the prober that runs."""
        return int(
            json.loads((self.directory.parent / release / "process.json").read_text())["pid"]
        )


@pytest.fixture
def prober(tmp_path: pathlib.Path, site: Site) -> Iterator[Prober]:
    """A prober of the site, ended with the test."""
    made = Prober(tmp_path / "state", site.port)
    yield made
    for path in tmp_path.glob("state/*/probe/*/process.json"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(json.loads(path.read_text())["pid"]), signal.SIGKILL)
