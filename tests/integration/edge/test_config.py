# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration is tested before it is put in place, and put back when it does not serve."""

from __future__ import annotations

from clients import Load, ask
from edge_host import BYPASS, NEW, OLD, EdgeHost, only, until

HEADERS = "mainstay/headers.conf"


def changed_files(edge: EdgeHost, name: str = "X-Edge-Test") -> dict[str, str]:
    """The tree with one more header."""
    files = edge.files()
    files[HEADERS] += f"add_header {name} yes always;\n"
    return files


def tree_of(edge: EdgeHost) -> str:
    """A fingerprint of the configuration directory."""
    return edge.sh("cd /etc/nginx && find . -type f | sort | xargs sha256sum")


def test_a_change_is_served_and_a_second_run_changes_nothing(edge: EdgeHost) -> None:
    """Check says change, run changes, check says nothing, run changes nothing."""
    files = changed_files(edge)
    told = edge.configure(files=files, check=True)
    assert told["changed"]
    assert "X-Edge-Test" in told["diff"]["after"]
    assert ask(edge.address).headers["X-Edge-Test"] is None
    done = edge.configure(files=files)
    assert done["actions"] == told["actions"] == [f"write {HEADERS}", "reload nginx"]
    assert ask(edge.address).headers["X-Edge-Test"] == "yes"
    assert not edge.configure(files=files, check=True)["changed"]
    assert not edge.configure(files=files)["changed"]


def test_a_second_run_does_not_reload(edge: EdgeHost) -> None:
    """Seen failing when every run reloaded: the workers were others."""
    workers = edge.sh("pgrep -P $(cat /run/nginx.pid) | sort")
    assert not edge.configure()["changed"]
    assert edge.sh("pgrep -P $(cat /run/nginx.pid) | sort") == workers


def test_an_invalid_configuration_changes_nothing(edge: EdgeHost) -> None:
    """Seen failing without C(nginx -t) on the staged copy: the tree was put in place and back."""
    files = edge.files()
    files["mainstay/http.d/bad.conf"] = "no_such_directive on;\n"
    before = tree_of(edge)
    done = edge.configure(files=files)
    assert done["failed"]
    assert "no_such_directive" in done["msg"]
    assert "nothing was changed" in done["msg"]
    assert tree_of(edge) == before
    assert ask(edge.address).release == OLD


def test_a_configuration_that_does_not_serve_is_put_back(edge: EdgeHost) -> None:
    """Seen failing when the tree was not put back."""
    before = tree_of(edge)
    probe = {"port": 80, "path": "/-/nothing", "host": edge.platform.domain, "status": 204}
    done = edge.configure(files=changed_files(edge), probe=probe, timeout=2)
    assert done["failed"]
    assert "the one before is back in place" in done["msg"]
    assert tree_of(edge) == before
    until(lambda: ask(edge.address).headers["X-Edge-Test"] is None, "the old headers")


def test_members_and_figures_survive_a_reload(edge: EdgeHost) -> None:
    """Seen failing when a reload read the state file anew: a change of that moment was lost."""
    edge.upstreams(only(NEW))
    ask(edge.address)
    until(lambda: edge.info(since=0)["statistics"]["api"][NEW]["requests"], "it is counted")
    generation = edge.info()["generation"]
    edge.configure(files=changed_files(edge))
    assert ask(edge.address).release == NEW
    assert edge.info()["generation"] == generation
    assert edge.info(since=0)["statistics"]["api"][NEW]["requests"] >= 1


def test_only_root_reaches_the_control_socket(edge: EdgeHost) -> None:
    """Seen failing with mode 0755 on its directory."""
    call = "curl -s --unix-socket /run/mainstay-edge/control.sock http://x/v1/upstreams"
    assert "generation" in edge.sh(call)
    assert edge.sh(f"su -s /bin/sh www-data -c '{call}' || true") == ""


def test_secrets_are_not_shown(edge: EdgeHost) -> None:
    """Seen failing when the diff held the content of secret files and C(no_log) was taken out."""
    edge.sh("rm /etc/nginx/mainstay/bypass.conf")
    done = edge.configure()
    assert "write mainstay/bypass.conf" in done["actions"]
    assert "through" in BYPASS
    assert "through" not in str(done)
    assert edge.sh("stat -c %a%U /etc/nginx/mainstay/bypass.conf").strip() == "600root"


def maintenance(edge: EdgeHost, state: str, **more: bool) -> dict[str, object]:
    """One run of nginx_maintenance."""
    found = edge.module(
        "nginx_maintenance", platform=edge.platform.id, fence=edge.fence, state=state, **more
    )
    assert not found.get("failed"), found
    return found


def test_maintenance_is_switched_without_a_reload(edge: EdgeHost) -> None:
    """On, kept over a restart, passed by testers, off; no connection is closed meanwhile.

    Seen failing when maintenance.json was not read at start.
    """
    with Load(edge.address, edge.platform.domain, count=20) as load:
        until(lambda: load.total > 50, "load")
        assert maintenance(edge, "on")["changed"]
        until(lambda: any("503" in problem for problem in load.problems), "the page")
        maintenance(edge, "off")
        served = load.total
        until(lambda: load.total > served + 50, "load again")
    assert {problem.split(" ", 1)[1] for problem in load.problems} == {
        "ValueError HTTP/1.1 503 Service Temporarily Unavailable"
    }
    maintenance(edge, "on")
    assert not maintenance(edge, "on")["changed"]
    edge.restart()
    answer = ask(edge.address)
    assert answer.status == 503
    assert answer.headers["Retry-After"] == "77"
    assert "Down for maintenance" in answer.body
    assert ask(edge.address, **{"X-Maintenance-Bypass": BYPASS}).release == OLD
    assert ask(edge.address, **{"X-Maintenance-Bypass": BYPASS + "x"}).status == 503
    assert ask(edge.address, "/-/health").body.strip() == "ok"
    maintenance(edge, "off")
    assert ask(edge.address).release == OLD
