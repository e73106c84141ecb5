# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DAIRA: a backend with Socket.IO, a frontend at port 80, PostgreSQL and Redis on one machine."""

from __future__ import annotations

import json
from collections import Counter

import pytest
import stories
from evidence import bed
from live import Live

INVENTORY = "daira"
MACHINE = "spare2"
DUMPS = "/var/backups/mainstay/daira-production/postgres"
pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def data(live: Live) -> stories.Data:
    """The data of the platform."""
    return stories.Data(
        live, "backend", MACHINE, "registry.bed:5000/postgres:15", "registry.bed:5000/redis:7"
    )


def test_the_edge_answers_every_route(live: Live) -> None:
    visitor = live.visitor("daira1")
    assert '"status":"ok"' in visitor.get("/api/health").text
    assert "http_requests_total" in visitor.get("/api/metrics").text
    assert visitor.upgrades("/socket.io/") == 101
    assert visitor.get("/_health").status == 200
    assert "Sample platform" in visitor.get("/").text
    stories.plain_http_leads_to_https(live, visitor, "/socket.io/?transport=polling")
    stories.the_edge_adds_what_is_described(live, visitor, "/")
    stories.the_edge_adds_what_is_described(live, visitor, "/api/health")
    stories.long_text_is_compressed(visitor, "/api/echo")


@pytest.mark.parametrize(
    ("path", "rate", "burst"),
    [
        pytest.param("/", 10, 20, id="general: 10 a second and 20 at once"),
        pytest.param("/api/health", 30, 60, id="api: 30 a second and 60 at once"),
    ],
)
def test_rates_of_one_address(live: Live, path: str, rate: int, burst: int) -> None:
    found, seconds = live.statuses_from(MACHINE, "daira1", path, 4 * burst)
    assert set(found) == {200, 429}
    assert burst + 1 <= found[200] <= burst + 2 + seconds * rate


def test_services_are_as_described(live: Live) -> None:
    assert live.spread("backend") == live.spread("frontend") == Counter({MACHINE: 2})
    for container in live.serving("backend"):
        assert container.figures == (0.5, 512)
        assert container.settings["CpuShares"] == 256
        assert container.settings["MemoryReservation"] == 256 * 2**20
        stories.container_is_hardened(container, "1001:1001")
    for container in live.serving("frontend"):
        assert container.figures == (0.2, 256)
        assert container.data["Config"]["StopSignal"] == "SIGQUIT"
        # Not root, and listening at port 80 all the same.
        assert "80/tcp" in container.settings["PortBindings"]
        stories.container_is_hardened(container, "101:101")
        stories.ports_are_private(live, container)


def test_stores_are_as_described(live: Live, data: stories.Data) -> None:
    assert live.containers("postgres")[0].figures == (1.0, 1024)
    assert live.containers("redis")[0].figures == (0.5, 512)
    assert data.key("config get appendonly").split() == ["appendonly", "yes"]
    assert data.sql("show server_version_num").startswith("15")


def test_a_second_run_changes_nothing(live: Live) -> None:
    stories.a_second_run_changes_nothing(live)


def test_data_stays_over_releases(live: Live, data: stories.Data) -> None:
    visitor = live.visitor("daira1")
    data.write()
    stores = data.identities()
    stories.deployed(live, "-e", "release_version=1.1.0")
    assert visitor.get("/api/health").headers["x-version"] == "1.1.0"
    assert visitor.get("/").headers["x-version"] == "1.1.0"
    data.assert_kept(stores)
    stories.deployed(live, playbook="rollback.yml")
    assert visitor.get("/").headers["x-version"] == "1.0.0"
    data.assert_kept(stores)


def test_the_database_is_dumped_and_comes_back_and_goes_back(
    live: Live, data: stories.Data
) -> None:
    data.sql("drop table if exists kept; create table kept as select 1 as number")
    taken = live.play("docker_backup.yml")
    assert taken.code == 0, taken.tail(40)
    assert "restored on trial" in taken.output
    timer = "systemctl is-enabled mainstay-dump-daira-production-postgres.timer"
    assert bed.on_host(MACHINE, timer).strip() == "enabled"
    label = json.loads(_newest())["label"]
    assert f"copy {label} to here" in taken.output
    assert f"copy {label} to elsewhere" in taken.output
    data.sql("insert into kept values (2)")
    refused = live.play("docker_restore.yml")
    assert refused.code != 0
    assert "ops_confirm=restore-daira-production" in refused.tail(40)
    assert data.sql("select count(*) from kept") == "2"
    restored = live.play("docker_restore.yml", "-e", "ops_confirm=restore-daira-production")
    assert restored.code == 0, restored.tail(40)
    assert data.sql("select count(*) from kept") == "1"
    assert live.visitor("daira1").get("/api/health").status == 200
    back = live.play("docker_restore_undo.yml", "-e", "ops_confirm=undo-daira-production")
    assert back.code == 0, back.tail(40)
    assert data.sql("select count(*) from kept") == "2"


def test_a_host_that_lost_its_dumps_gets_them_from_the_bucket(
    live: Live, data: stories.Data
) -> None:
    data.sql("drop table if exists kept; create table kept as select 1 as number")
    assert live.play("docker_backup.yml").code == 0
    label = json.loads(_newest())["label"]
    data.sql("insert into kept values (2)")
    bed.on_host(MACHINE, f"rm -rf {DUMPS}")
    restored = live.play("docker_restore.yml", "-e", "ops_confirm=restore-daira-production")
    assert restored.code == 0, restored.tail(40)
    assert f"fetch {label} from here" in restored.output
    assert data.sql("select count(*) from kept") == "1"
    keys = bed.on_host(MACHINE, "cat /etc/mainstay/stores/daira-production.keys.json")
    mode = "stat -c %a:%U /etc/mainstay/stores/daira-production.keys.json"
    assert bed.on_host(MACHINE, mode).strip() == "600:root"
    secret = json.loads(keys)["postgres"][0]["secret_key"]
    assert secret not in restored.output


def _newest() -> str:
    """The description of the newest dump on the host."""
    return bed.on_host(MACHINE, f"cat $(ls -d {DUMPS}/2*/ | tail -n 1)dump.json")


def test_the_timer_does_the_same_and_tells_the_figures(live: Live) -> None:
    bed.on_host(MACHINE, "systemctl start mainstay-dump-daira-production-postgres.service")
    figures = bed.on_host(
        MACHINE, "cat /var/lib/prometheus/node-exporter/mainstay_postgres_dumps.prom"
    )
    assert (
        'mainstay_backup_ok{platform="daira-production",store="postgres",repository="dumps"} 1'
        in figures
    )
