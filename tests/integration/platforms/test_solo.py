# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One machine that is edge and application host at once: up, again, forward, more, and back."""

from __future__ import annotations

from collections import Counter

import pytest
import stories
from live import Live

INVENTORY = "solo"


def test_check_mode_on_bare_machines_shows_the_plan_that_then_ran(live: Live) -> None:
    stories.check_mode_foresaw_the_first_run(live)


def test_the_edge_answers_every_route(live: Live) -> None:
    visitor = live.visitor("solo")
    assert visitor.get("/api/health").headers["x-version"] == "1.0.0"
    assert "Sample platform" in visitor.get("/").text
    assert visitor.upgrades("/socket.io/") == 101
    assert visitor.get("/-/health").text == "ok\n"
    stories.plain_http_leads_to_https(live, visitor, "/api/version?x=1")
    stories.the_edge_adds_what_is_described(live, visitor, "/api/health")
    stories.long_text_is_compressed(visitor, "/api/echo")


def test_containers_are_as_described(live: Live) -> None:
    assert live.spread("api") == live.spread("web") == Counter(solo=2)
    for service, figures in (("api", (1.0, 256)), ("web", (0.5, 128))):
        for container in live.serving(service):
            assert container.figures == figures
            stories.container_is_hardened(container, "1001:1001")
            stories.ports_are_private(live, container)


def test_a_second_run_changes_nothing(live: Live) -> None:
    stories.a_second_run_changes_nothing(live)


def test_a_new_version_goes_out_and_back(live: Live) -> None:
    visitor = live.visitor("solo")
    stories.deployed(live, "-e", "release_version=1.1.0")
    assert visitor.get("/api/health").headers["x-version"] == "1.1.0"
    stories.deployed(live, playbook="rollback.yml")
    assert visitor.get("/api/health").headers["x-version"] == "1.0.0"


@pytest.mark.long
def test_scaling_keeps_the_version_that_serves(live: Live) -> None:
    visitor = live.visitor("solo")
    stories.deployed(live, "-e", 'release_versions={"api":"1.2.0"}')
    stories.deployed(live, "-e", 'release_replicas={"api":3}')
    # The inventory says 1.0.0 and two replicas.
    assert live.spread("api") == Counter(solo=3)
    assert live.spread("web") == Counter(solo=2)
    answers = [visitor.get("/api/health").headers for _number in range(9)]
    assert len({answer["x-replica"] for answer in answers}) == 3
    assert {answer["x-version"] for answer in answers} == {"1.2.0"}
    stories.deployed(live, playbook="rollback.yml")
    answers = [visitor.get("/api/health").headers for _number in range(9)]
    assert len({answer["x-replica"] for answer in answers}) == 2


@pytest.mark.long
def test_maintenance_is_shown_and_a_release_goes_through_it(live: Live) -> None:
    visitor = live.visitor("solo")
    run = live.play("maintenance.yml", "-e", "ops_maintenance=on")
    assert (run.code, run.changed > 0) == (0, True), run.tail(40)
    refused = visitor.get("/")
    assert (refused.status, refused.headers["retry-after"]) == (503, "120")
    assert "The machine is being serviced" in refused.text
    assert visitor.get("/-/health").status == 200
    again = live.play("maintenance.yml", "-e", "ops_maintenance=on")
    assert (again.code, again.changed) == (0, 0), again.tail(40)
    stories.deployed(live, "-e", 'release_versions={"web":"1.2.0"}')
    off = live.play("maintenance.yml", "-e", "ops_maintenance=off")
    assert off.code == 0, off.tail(40)
    assert visitor.get("/").headers["x-version"] == "1.2.0"


@pytest.mark.long
def test_pruning_leaves_what_one_can_go_back_to(live: Live) -> None:
    planned = live.play("docker_prune.yml", "--check", "--diff")
    assert planned.code == 0, planned.tail(40)
    run = live.play("docker_prune.yml")
    assert run.code == 0, run.tail(40)
    assert live.play("docker_prune.yml").changed == 0
    stories.deployed(live, playbook="rollback.yml")
    assert live.visitor("solo").get("/").headers["x-version"] == "1.0.0"
