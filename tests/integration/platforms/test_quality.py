# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Quality Platform: api and web behind Nginx on one machine, PostgreSQL and Redis beside them."""

from __future__ import annotations

from collections import Counter

import pytest
import stories
from live import Live
from visitor import can_connect

INVENTORY = "quality"
MACHINE = "spare1"
pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def data(live: Live) -> stories.Data:
    """The data of the platform."""
    return stories.Data(
        live, "api", MACHINE, "registry.bed:5000/postgres:17", "registry.bed:5000/redis:7"
    )


def test_the_edge_answers_every_route(live: Live) -> None:
    visitor = live.visitor("quality1")
    assert '"status":"ok"' in visitor.get("/api/health").text
    assert visitor.get("/health").status == 200
    assert "Sample platform" in visitor.get("/").text
    stories.plain_http_leads_to_https(live, visitor, "/api/health")
    stories.the_edge_adds_what_is_described(live, visitor, "/")
    stories.the_edge_adds_what_is_described(live, visitor, "/api/health")
    stories.long_text_is_compressed(visitor, "/api/echo")


def test_an_address_may_ask_the_api_100_times_a_minute(live: Live) -> None:
    found, seconds = live.statuses_from(MACHINE, "quality1", "/api/health", 140)
    # One that is in time, 100 at once, and one every 0.6 s since.
    assert set(found) == {200, 429}
    assert 101 <= found[200] <= 102 + seconds / 0.6


def test_an_address_may_ask_for_10_pages_a_second(live: Live) -> None:
    found, seconds = live.statuses_from(MACHINE, "quality1", "/", 120)
    assert set(found) == {200, 429}
    assert 51 <= found[200] <= 52 + seconds * 10


def test_services_are_as_described(live: Live) -> None:
    assert live.spread("api") == Counter({MACHINE: 3})
    assert live.spread("web") == Counter({MACHINE: 2})
    for container in [*live.serving("api"), *live.serving("web")]:
        assert container.figures == (0.5, 512)
        assert container.settings["CpuShares"] == (
            256 if container.label("service") == "api" else 102
        )
        stories.container_is_hardened(container, "1001:1001")
        stories.ports_are_private(live, container)
    env = live.serving("api")[0].env
    expected = {
        "DATABASE_CONNECTION_LIMIT": "20",
        "DATABASE_POOL_TIMEOUT": "30000",
        "RATE_LIMIT_TTL": "60",
        "RATE_LIMIT_LIMIT": "100",
        "METRICS_PORT": "9090",
        "CORS_ORIGIN": "https://quality.example.com",
        "NODE_ENV": "production",
    }
    assert {key: env[key] for key in expected} == expected
    assert len(env["JWT_SECRET"]) * 8 >= 256
    assert set(live.serving("web")[0].settings["Tmpfs"]) == {"/tmp", "/app/.next/cache"}


def test_stores_are_as_described(live: Live, data: stories.Data) -> None:
    postgres, redis = live.containers("postgres")[0], live.containers("redis")[0]
    assert postgres.figures == (2.0, 2048)
    assert redis.figures == (0.5, 512)
    for store in (postgres, redis):
        assert store.settings["ReadonlyRootfs"] is True
        stories.ports_are_private(live, store)
    assert data.key("config get appendonly").split() == ["appendonly", "yes"]
    assert data.key("config get maxmemory").split() == ["maxmemory", str(256 * 2**20)]
    assert data.key("config get maxmemory-policy").split() == ["maxmemory-policy", "noeviction"]
    assert data.sql("select current_user, current_database()") == "quality_user|quality_platform"
    address = live.on_bed.address("quality1")
    # From another machine neither the stores nor the containers of services can be reached.
    assert can_connect(address, 443)
    assert not can_connect(address, 5432)
    assert not can_connect(address, 6379)


def test_a_second_run_changes_nothing(live: Live) -> None:
    stories.a_second_run_changes_nothing(live)


def test_data_stays_over_releases(live: Live, data: stories.Data) -> None:
    visitor = live.visitor("quality1")
    migrations = int(data.key("llen sample:migrations"))
    data.write()
    stores = data.identities()
    stories.deployed(live, "-e", "release_version=1.1.0")
    assert visitor.get("/api/health").headers["x-version"] == "1.1.0"
    assert int(data.key("llen sample:migrations")) == migrations + 1
    data.assert_kept(stores)
    stories.deployed(live, playbook="rollback.yml")
    assert visitor.get("/api/health").headers["x-version"] == "1.0.0"
    assert int(data.key("llen sample:migrations")) == migrations + 1
    data.assert_kept(stores)
