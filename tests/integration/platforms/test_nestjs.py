# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NestJS template: an edge in each of two zones, an api on three machines, a canary."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import stories
from live import Live

INVENTORY = "nestjs"
EDGES = ("edge-a", "edge-b")
pytestmark = pytest.mark.long


@contextmanager
def visits(live: Live) -> Iterator[Counter[str]]:
    """Ten new visitors a second at the first edge, below its limits; who answered them."""
    found: Counter[str] = Counter()
    visitor, ended = live.visitor("edge-a"), threading.Event()

    def ask() -> None:
        while not ended.wait(0.1):
            answer = visitor.get("/api/version")
            found[answer.headers.get("x-version") or str(answer.status)] += 1

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join()


@pytest.mark.parametrize("edge", EDGES)
def test_each_edge_answers_every_route(live: Live, edge: str) -> None:
    visitor = live.visitor(edge)
    for path in ("/health", "/health/readiness", "/api/version"):
        assert visitor.get(path).status == 200
    stories.plain_http_leads_to_https(live, visitor, "/health")
    stories.the_edge_adds_what_is_described(live, visitor, "/health")
    stories.long_text_is_compressed(visitor, "/api/echo")


def test_the_rate_of_one_address(live: Live) -> None:
    found, seconds = live.statuses_from("spare3", "edge-a", "/health", 240)
    assert set(found) == {200, 429}
    assert 61 <= found[200] <= 62 + seconds * 30


def test_one_instance_on_each_machine(live: Live) -> None:
    assert live.spread("api") == Counter(spare3=1, spare4=1, spare5=1)
    for container in live.serving("api"):
        assert container.figures == (0.5, 512)
        stories.container_is_hardened(container, "1001:1001")
        stories.ports_are_private(live, container)
        assert container.env["JWT_EXPIRATION"] == "15m"
        assert container.env["DATABASE_REPLICA_URL"].startswith("postgresql://app:")


def test_a_second_run_changes_nothing(live: Live) -> None:
    stories.a_second_run_changes_nothing(live)


def test_a_canary_is_judged_on_its_own_visitors(live: Live) -> None:
    begun = time.monotonic()
    with visits(live) as answered:
        run = stories.deployed(live, "-e", "release_version=1.1.0")
    assert time.monotonic() - begun > 3
    assert set(answered) == {"1.0.0", "1.1.0"}
    assert any("canary 10" in gate["name"] for gate in run.report["gates"])
    for edge in EDGES:
        assert live.visitor(edge).get("/api/version").headers["x-version"] == "1.1.0"
    stories.deployed(live, playbook="rollback.yml")
    for edge in EDGES:
        assert live.visitor(edge).get("/api/version").headers["x-version"] == "1.0.0"


def test_scaling_down_takes_the_instance_of_one_machine_away(live: Live) -> None:
    with visits(live) as answered:
        stories.deployed(live, "-e", 'release_replicas={"api":2}', "-e", "release_strategy=rolling")
    assert live.spread("api") == Counter(spare3=1, spare4=1)
    assert set(answered) == {"1.0.0"}
