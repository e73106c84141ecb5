# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every platform must be able to do, whatever it is made of."""

from __future__ import annotations

import urllib.parse
from dataclasses import dataclass

from evidence import bed
from live import Container, Live
from visitor import Visitor


def the_edge_adds_what_is_described(live: Live, visitor: Visitor, path: str) -> None:
    """Headers, word for word, and nothing that tells which server it is."""
    answer = visitor.get(path)
    assert answer.status == 200
    edge = live.variables["platform_edge"]
    for name, value in edge["headers"].items():
        assert answer.headers[name.lower()] == value, name
    assert "max-age=31536000" in answer.headers["strict-transport-security"]
    assert answer.headers["server"] == "nginx"
    assert answer.headers["x-request-id"]


def plain_http_leads_to_https(live: Live, visitor: Visitor, path: str) -> None:
    """With its path, and in a way that keeps the method."""
    answer = visitor.plain(path)
    assert answer.status == 308
    assert answer.headers["location"] == f"https://{visitor.domain}{path}"


def long_text_is_compressed(visitor: Visitor, echo: str) -> None:
    """From 1000 bytes on; caches are told that it depends on the client."""
    long = f"{echo}?{'x' * 1000}"
    answer = visitor.get(long, Accept_Encoding="gzip")
    assert answer.headers.get("content-encoding") == "gzip"
    assert "accept-encoding" in answer.headers["vary"].lower()
    assert len(answer.body) < 1000 < len(visitor.get(long).body)
    assert "content-encoding" not in visitor.get(echo, Accept_Encoding="gzip").headers


def container_is_hardened(container: Container, user: str) -> None:
    """Not root, nothing to write to, no privilege, logs that rotate."""
    settings = container.settings
    assert container.data["Config"]["User"] == user
    assert settings["ReadonlyRootfs"] is True
    assert settings["CapDrop"] == ["ALL"]
    assert settings["SecurityOpt"] == ["no-new-privileges"]
    assert settings["PidsLimit"] == 512
    assert settings["LogConfig"] == {
        "Type": "json-file",
        "Config": {"max-size": "10m", "max-file": "5"},
    }
    assert settings["RestartPolicy"]["Name"] == "unless-stopped"


def ports_are_private(live: Live, container: Container) -> None:
    """Bound to the private address of the host only."""
    private = live.on_bed.hosts
    addresses = {live.on_bed.address(name) for name in private}
    bindings = [b for many in container.settings["PortBindings"].values() for b in many]
    assert bindings
    assert {binding["HostIp"] for binding in bindings} <= addresses


def check_mode_foresaw_the_first_run(live: Live) -> None:
    """On machines where nothing is set up: nothing done, and the plan that the first run had."""
    assert live.foreseen is not None and live.first is not None, "the machines were not fresh"
    assert live.foreseen.code == 0, live.foreseen.tail(40)
    assert live.foreseen.outcome == "planned"
    planned = planned_steps(live.foreseen)
    assert planned and planned == planned_steps(live.first)


def planned_steps(run: bed.Run) -> list[str]:
    """The sentences of the plan, as the run printed them."""
    starts = ("service ", "store ", "worker ")
    lines = {line.strip(" -'") for line in run.output.splitlines()}
    return sorted(line for line in lines if line.startswith(starts))


def a_second_run_changes_nothing(live: Live) -> None:
    """Neither the hosts nor the edge nor the services."""
    run = live.play("site.yml")
    assert (run.code, run.outcome, run.changed) == (0, "unchanged", 0), run.tail(40)


def deployed(live: Live, *arguments: str, playbook: str = "deploy.yml") -> bed.Run:
    """A run that goes through, without a failed request of the prober."""
    run = bed.must(live.play(playbook, *arguments))
    proof = run.report.get("proof") or {}
    assert proof.get("failed", 0) == 0
    return run


@dataclass(frozen=True)
class Data:
    """The data of a platform with PostgreSQL and Redis, reached as its services reach them."""

    live: Live
    service: str
    host: str
    postgres: str
    redis: str

    def sql(self, statement: str) -> str:
        """One statement as the service would send it: address and password from its environment."""
        url = self._given("DATABASE_URL")
        command = f"""sh -c 'psql -qtA "$URL" -c "{statement}"'"""
        return self.live.in_network(self.host, self.postgres, {"URL": url}, command)

    def key(self, command: str) -> str:
        """One command to Redis, in the same way."""
        # The client of Redis 7.0 takes a URL without a user for one with an empty user.
        url = urllib.parse.urlsplit(self._given("REDIS_URL"))
        client = f"redis-cli -h {url.hostname} -p {url.port}"
        password = {"REDISCLI_AUTH": url.password or ""}
        return self.live.in_network(self.host, self.redis, password, f"{client} {command}")

    def _given(self, variable: str) -> str:
        return self.live.serving(self.service)[0].env[variable]

    def write(self) -> None:
        """A row and a key."""
        self.sql("create table if not exists kept (word text); insert into kept values (1)")
        assert self.key("set kept here") == "OK"

    def assert_kept(self, stores: dict[str, str]) -> None:
        """Both are there, in the containers of before."""
        assert self.sql("select count(*) from kept") == "1"
        assert self.key("get kept") == "here"
        assert self.identities() == stores

    def identities(self) -> dict[str, str]:
        """The containers of the stores."""
        return {name: self.live.containers(name)[0].id for name in ("postgres", "redis")}
