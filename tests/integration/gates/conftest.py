# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What gates ask: a web server behind TLS with an authority of its own, and a real Prometheus."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from .site import METRICS, Authority, Site

ROOT = pathlib.Path(__file__).resolve().parents[3]
#: Seconds until Prometheus must have started and scraped once.
PATIENCE = 60.0


@dataclass
class Judged:
    """What a gate's task came to."""

    failed: bool
    message: str
    gate: dict[str, Any]


Judge = Callable[..., Judged]
JudgeAll = Callable[[list[dict[str, Any]]], list[Judged]]


def started(program: str, *arguments: str) -> str:
    """What a program of Ansible prints, for this machine and with this checkout's configuration."""
    done = subprocess.run(
        [
            str(pathlib.Path(sys.executable).parent / program),
            *("-i", "localhost,", "-c", "local"),
            *("-e", f"ansible_python_interpreter={sys.executable}"),
            *arguments,
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
        timeout=120,
        check=False,
    )
    return done.stdout


@pytest.fixture
def judge() -> Judge:
    """Run one gate by C(ansible) as users do."""

    def run(*, options: tuple[str, ...] = (), **arguments: Any) -> Judged:
        given = json.dumps({"name": "x", **arguments})
        output = started(
            "ansible", "localhost", "-m", "mainstay.platform.gate", "-a", given, *options
        )
        if output.strip().endswith("| SKIPPED"):
            return Judged(False, "skipped", {})
        found = re.search(r"=> (\{.*\n\})", output, re.DOTALL)
        assert found, output
        answer = json.loads(found[1])
        failed = "| FAILED!" in output
        return Judged(failed, str(answer.get("msg", "")), answer.get("gate", {}))

    return run


@pytest.fixture(scope="session")
def judge_all(tmp_path_factory: pytest.TempPathFactory) -> JudgeAll:
    """Run many gates in one play."""
    place = tmp_path_factory.mktemp("plays")

    def run(gates: list[dict[str, Any]]) -> list[Judged]:
        judged: list[dict[str, Any]] = []
        for number, arguments in enumerate(gates):
            task = {"mainstay.platform.gate": {"name": "x", **arguments}, "ignore_errors": True}
            judged.append({**task, "register": f"judged_{number}"})
        names = ", ".join(f"judged_{number}" for number in range(len(gates)))
        answers = {"content": "{{ [" + names + "] | to_json }}", "dest": str(place / "answers")}
        keep = {"ansible.builtin.copy": {**answers, "mode": "0600"}}
        play = {"hosts": "localhost", "gather_facts": False, "tasks": [*judged, keep]}
        (place / "play.yml").write_text(json.dumps([play]))
        output = started("ansible-playbook", str(place / "play.yml"))
        assert (place / "answers").exists(), output
        found = json.loads((place / "answers").read_text())
        return [Judged(a["failed"], str(a.get("msg", "")), a.get("gate", {})) for a in found]

    return run


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A private certificate authority."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def site(authority: Authority) -> Iterator[Site]:
    """C(shop.test) behind TLS."""
    with Site(authority.certificate("shop.test")) as made:
        yield made


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def program() -> str:
    """Prometheus of this machine, or Debian's package laid out in C(build/)."""
    found = shutil.which("prometheus")
    if found:
        return found
    place = ROOT / "build" / "prometheus"
    unpacked = place / "usr" / "bin" / "prometheus"
    if not unpacked.exists():
        place.mkdir(parents=True, exist_ok=True)
        command = "apt-get download prometheus && dpkg -x prometheus_*.deb . && rm prometheus_*.deb"
        done = subprocess.run(
            ["sh", "-c", command], cwd=place, capture_output=True, text=True, check=False
        )
        if done.returncode:
            pytest.fail(f"Prometheus is missing; install the package prometheus: {done.stderr}")
    return str(unpacked)


CONFIGURATION = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: sample
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


def asked(url: str) -> bytes:
    """The answer to a question, or nothing while nobody listens."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bytes(response.read())
    except (urllib.error.URLError, OSError):
        return b""


@pytest.fixture(scope="session")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a Prometheus that has scraped the sample metrics."""
    place = tmp_path_factory.mktemp("prometheus")
    with Site() as sample:
        (place / "prometheus.yml").write_text(CONFIGURATION.format(port=sample.port))
        url = f"http://127.0.0.1:{free_port()}"
        with (place / "log").open("w") as log:
            process = subprocess.Popen(
                [
                    program(),
                    f"--config.file={place / 'prometheus.yml'}",
                    f"--storage.tsdb.path={place / 'data'}",
                    f"--web.listen-address={url.partition('//')[2]}",
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            query = urllib.parse.urlencode({"query": METRICS[-1]})
            deadline = time.monotonic() + PATIENCE
            while b'"value"' not in asked(f"{url}/api/v1/query?{query}"):
                assert process.poll() is None, (place / "log").read_text()
                assert time.monotonic() < deadline, (place / "log").read_text()
                time.sleep(0.1)  # Prometheus has no way to say that it has scraped
            yield url
        finally:
            process.terminate()
            process.wait(30)
