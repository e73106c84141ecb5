# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What docker_release promises, on a real Docker Engine."""

from __future__ import annotations

import json
import pathlib
import socket
import subprocess
from typing import Any

import pytest
from release_host import PLATFORM, SECRET, Host, run, spec

A, B, C = "20261121T010000Z-00000a", "20261121T020000Z-00000b", "20261121T030000Z-00000c"
USES = [{"secret": "token", "file": "token"}, {"secret": "token", "env": "TOKEN"}]


def deployed(host: Host, images: str, release_id: str, version: str, **more: Any) -> None:
    services = [spec(images, version=version, **more)]
    keep = host.info()["journal"]["serving"]
    staged = host.call(
        "staged", release_id, services=services, keep=keep, secrets={"token": SECRET}
    )
    assert "failed" not in staged, staged
    host.call("finished", release_id, keep={"api": release_id})


def test_the_four_runs(host: Host, images: str) -> None:
    services = [spec(images)]
    would = host.call("staged", A, services=services, check=True)
    assert host.containers() == {}
    assert not host.root.exists()
    does = host.call("staged", A, services=services)
    assert (would["changed"], would["actions"]) == (does["changed"], does["actions"])
    again = host.call("staged", A, services=services)
    assert (again["changed"], again["actions"]) == (False, [])
    assert again["release"]["endpoints"] == does["release"]["endpoints"]
    assert not host.call("staged", A, services=services, check=True)["changed"]


def test_only_the_given_address_is_published(host: Host, images: str) -> None:
    answer = host.call("staged", A, services=[spec(images)], address="127.0.0.1")
    for name in host.containers():
        shown = json.loads(run("docker", "inspect", f"{PLATFORM}-{name}"))[0]
        bindings = shown["NetworkSettings"]["Ports"]["8080/tcp"]
        assert {b["HostIp"] for b in bindings} == {"127.0.0.1"}
    assert len(answer["release"]["endpoints"]["api"]) == 2


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        ("exit", "exit code 3"),
        ("late", "exit code 4"),
        ("memory", "out of memory"),
        ("sick", "503 Service Unavailable: database is away"),
    ],
)
def test_a_failure_says_why_and_leaves_nothing(
    host: Host, images: str, fault: str, found: str
) -> None:
    deployed(host, images, A, "1.0.0")
    before = host.containers()
    bad = spec(
        images,
        version="1.1.0",
        secrets=USES,
        env={"FAULT": fault},
        grace=60.0 if fault != "sick" else 1.0,
        resources={"memory_limit": 32 << 20},
    )
    answer = host.call("staged", B, services=[bad], keep={"api": A}, secrets={"token": SECRET})
    assert found in answer["error"]["found"]
    assert any("starting version 1.1.0" in line for line in answer["error"]["evidence"])
    assert SECRET not in json.dumps(answer)
    assert host.containers() == before


@pytest.mark.parametrize(
    ("image", "meaning"),
    [
        ("{images}/api:9.9.9", "does not exist in the registry"),
        ("127.0.0.1:9/mse/api:1.0.0", "cannot be reached"),
    ],
)
def test_a_missing_image_is_told_from_a_missing_registry(
    host: Host, images: str, image: str, meaning: str
) -> None:
    bad = {**spec(images), "image": image.format(images=images)}
    assert meaning in host.call("staged", A, services=[bad])["error"]["what"]


def test_going_back_needs_no_registry(host: Host, images: str) -> None:
    deployed(host, images, A, "1.0.0", secrets=USES)
    deployed(host, images, B, "1.1.0", secrets=USES)
    for name in [n for n in host.containers() if n.endswith(A[-6:])]:
        run("docker", "rm", "-f", f"{PLATFORM}-{name}")
    journal = host.root / PLATFORM / "journal.json"
    # Nothing may be asked of the registry: make its name one that cannot answer a pull by tag.
    assert "@sha256:" in journal.read_text()
    answer = host.call("staged", C, from_releases={"api": A}, keep={"api": B})
    assert "failed" not in answer, answer
    names = {n for n, s in host.containers().items() if n.endswith(A[-6:]) and s == "running"}
    assert names == {f"api-1-{A[-6:]}", f"api-2-{A[-6:]}"}
    assert host.call("finished", C, keep={"api": A})["changed"]
    assert host.info()["journal"]["serving"] == {"api": A}


def test_going_back_needs_no_port_that_somebody_took(host: Host, images: str) -> None:
    """Seen failing when the stopped container was started again: its port was taken for ever."""
    deployed(host, images, A, "1.0.0", replicas=1)
    address = host.info()["containers"][0]["address"]
    deployed(host, images, B, "1.1.0", replicas=1)
    name, _colon, port = address.rpartition(":")
    with socket.create_server((name, int(port))):
        answer = host.call("staged", C, from_releases={"api": A}, keep={"api": B})
        assert "failed" not in answer, answer
        assert answer["release"]["endpoints"]["api"] != [address]
        assert host.containers()[f"api-1-{A[-6:]}"] == "running"


def test_secrets_are_files_of_the_user_and_nothing_else(host: Host, images: str) -> None:
    deployed(host, images, A, "1.0.0", secrets=USES)
    state = host.root / PLATFORM
    holding = [
        p for p in state.rglob("*") if p.is_file() and SECRET in p.read_text(errors="replace")
    ]
    assert {p.name for p in holding} == {"token", ".environment.json"}
    assert all(p.stat().st_mode & 0o077 == 0 for p in holding)
    token = next(p for p in holding if p.name == "token")
    assert token.stat().st_uid == 1001
    assert SECRET not in run("ps", "-eo", "args")


def test_volumes_survive_everything(host: Host, images: str) -> None:
    volumes = [{"name": "uploads", "path": "/data"}]
    deployed(host, images, A, "1.0.0", volumes=volumes)
    volume = pathlib.Path(
        run("docker", "volume", "inspect", "-f", "{{.Mountpoint}}", f"{PLATFORM}-uploads").strip()
    )
    (volume / "kept").write_text("yes")
    assert volume.stat().st_uid == 1001
    host.call("staged", B, services=[spec(images, version="1.1.0", volumes=volumes)])
    host.call("reverted", B, keep={})
    host.call("reverted", A, keep={})
    assert host.containers() == {}
    assert (volume / "kept").read_text() == "yes"


def test_a_failing_worker_brings_the_old_one_back(host: Host, images: str) -> None:
    good = spec(images, "jobs", port=None, replicas=1)
    host.call("staged", A, services=[good])
    host.call("switched", A, services=[good])
    host.call("finished", A, keep={"jobs": A})
    bad = spec(images, "jobs", "1.1.0", port=None, replicas=1, env={"FAULT": "late"})
    host.call("staged", B, services=[bad], keep={"jobs": A})
    answer = host.call("switched", B, services=[bad], keep={"jobs": A})
    assert "exit code 4" in answer["error"]["found"]
    assert host.containers()[f"jobs-1-{A[-6:]}"] == "running"


def patient(images: str, **changes: Any) -> dict[str, Any]:
    """A worker that the Engine looks at for the first time long after its grace is over."""
    found = spec(images, "jobs", port=None, replicas=1, repository="checked", **changes)
    found["health"]["interval"] = 600.0
    return found


def test_a_worker_does_not_wait_for_the_first_turn_of_its_check(host: Host, images: str) -> None:
    for release_id, env in ((A, {"PORT": "8081"}), (B, {"PORT": "8082"})):
        keep = host.info()["journal"]["serving"]
        host.call("staged", release_id, services=[patient(images, env=env)], keep=keep)
        new = host.call("switched", release_id, services=[patient(images, env=env)], keep=keep)
        assert "failed" not in new, new
        host.call("finished", release_id, keep={"jobs": release_id})
    host.call("staged", C, from_releases={"jobs": A}, keep={"jobs": B})
    back = host.call("switched", C, from_releases={"jobs": A}, keep={"jobs": B})
    assert "failed" not in back, back
    assert host.containers()[f"jobs-1-{A[-6:]}"] == "running"


def test_a_worker_whose_check_does_not_pass_is_refused(host: Host, images: str) -> None:
    bad = patient(images, grace=1.0)  # its program listens nowhere, so its check cannot pass
    host.call("staged", A, services=[bad])
    answer = host.call("switched", A, services=[bad])
    assert "its health check to pass" in answer["failed"]


def test_a_lower_fence_changes_nothing(host: Host, images: str) -> None:
    host.call("staged", A, services=[spec(images)], fence=5)
    before = host.containers()
    answer = host.call("reverted", A, keep={}, fence=4)
    assert "lost its lock" in answer["failed"]
    assert host.containers() == before


def test_a_crashed_container_is_reported_with_its_reason(host: Host, images: str) -> None:
    services = [spec(images)]
    deployed(host, images, A, "1.0.0")
    assert host.info(services=services)["services"]["api"]["state"] == "current"
    subprocess.run(
        ["docker", "stop", f"{PLATFORM}-api-1-{A[-6:]}"], check=True, capture_output=True
    )
    state = host.info(services=services)["services"]["api"]
    assert state["state"] == "changed"
    assert "is not running" in state["reason"]
