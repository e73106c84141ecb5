# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Traffic moves with no reload: nothing fails, nothing is cut, what is open is waited for."""

from __future__ import annotations

import threading

from clients import Load, Socket, ask
from edge_host import NEW, NEW_PORTS, OLD, OLD_PORTS, EdgeHost, group, members, only, until

SWITCHES = 20


def test_switches_under_load_drop_nothing(edge: EdgeHost) -> None:
    """Seen failing with C(nginx -s reload) after each switch: connections were closed."""
    with Load(edge.address, edge.platform.domain) as load:
        until(lambda: load.total > 300, "load")
        for turn in range(SWITCHES):
            wanted, other = (NEW, OLD) if turn % 2 == 0 else (OLD, NEW)
            done = edge.upstreams(only(wanted))
            assert done.get("changed"), done.get("msg")
            before = load.served[wanted]
            until(lambda w=wanted, b=before: load.served[w] > b + 50, "requests on the new release")
            assert load.served[other] > 0 or turn == 0
    assert load.problems == []
    assert load.total > SWITCHES * 50


def test_nothing_reaches_the_old_release_once_the_module_is_done(edge: EdgeHost) -> None:
    """Seen failing when the module did not wait until every worker had said so."""
    assert {ask(edge.address).release for dummy in range(40)} == {OLD}
    done = edge.upstreams(only(NEW), drain={"members": [m["address"] for m in members(OLD_PORTS)]})
    assert done["edge"]["drained"] is True
    assert {ask(edge.address).release for dummy in range(40)} == {NEW}


def test_a_socket_survives_the_switch_and_is_counted(edge: EdgeHost) -> None:
    """Seen failing when C(log_by_lua) did not count an upgraded connection down."""
    socket = Socket(edge.address)
    assert socket.served_by == OLD
    leaving = [m["address"] for m in members(OLD_PORTS)]
    done = edge.upstreams(only(NEW), drain={"members": leaving, "timeout": 0.5})
    assert done["edge"]["drained"] is False
    assert sum(done["edge"]["active"].get(address, 0) for address in leaving) == 1
    assert "still has 1 open" in " ".join(done["actions"])
    assert socket.echo("still here") == "still here"
    assert Socket(edge.address).served_by == NEW
    socket.close()
    done = edge.upstreams(only(NEW), drain={"members": leaving, "timeout": 20})
    assert done["edge"]["drained"] is True
    assert not done["changed"]


def test_a_drain_waits_for_a_slow_request(edge: EdgeHost) -> None:
    """Seen failing when open requests were not counted: the drain ended before the answer."""
    found: list[str] = []
    slow = threading.Thread(target=lambda: found.append(ask(edge.address, "/slow/4").release))
    slow.start()
    until(lambda: edge.info()["active"], "the slow request is open")
    leaving = [m["address"] for m in members(OLD_PORTS)]
    done = edge.upstreams(only(NEW), drain={"members": leaving, "timeout": 60})
    assert done["edge"]["drained"] is True
    slow.join(timeout=1)
    assert found == [OLD], "the drain ended although the request was still open"


def test_a_reload_does_not_hide_open_sockets(edge: EdgeHost) -> None:
    """A worker that leaves after a reload still counts, and does not hold up a change.

    Seen failing when such a worker was waited for: it has no timer and never says what it sees.
    """
    socket = Socket(edge.address)
    edge.sh("nginx -s reload")
    until(lambda: any_leaving(edge), "the old worker says that it leaves")
    leaving = [m["address"] for m in members(OLD_PORTS)]
    done = edge.upstreams(only(NEW), drain={"members": leaving, "timeout": 0.3})
    assert not done.get("failed"), done["msg"]
    assert done["edge"]["drained"] is False
    assert socket.echo("a") == "a"
    socket.close()
    done = edge.upstreams(only(NEW), drain={"members": leaving, "timeout": 20})
    assert done["edge"]["drained"] is True


def any_leaving(edge: EdgeHost) -> bool:
    """Whether a worker is on its way out."""
    answer = edge.sh("curl -s --unix-socket /run/mainstay-edge/control.sock http://x/v1/upstreams")
    return '"leaving":true' in answer


def test_a_killed_worker_is_not_waited_for(edge: EdgeHost) -> None:
    """Seen failing when the entry of a dead process was kept: its requests never ended."""
    socket = Socket(edge.address)
    until(lambda: edge.info()["active"], "the socket is counted")
    edge.sh("pkill -9 -f '[n]ginx: worker'")
    assert socket.echo("x") == ""
    leaving = [m["address"] for m in members(OLD_PORTS)]
    done = edge.upstreams(only(NEW), drain={"members": leaving, "timeout": 20})
    assert done["edge"]["drained"] is True


def test_members_survive_a_restart(edge: EdgeHost) -> None:
    """Seen failing when the state file was not read at start: 503."""
    edge.upstreams(only(NEW))
    edge.restart()
    assert ask(edge.address).release == NEW


DAMAGED = (
    "",
    '{"upstreams": {',
    "5",
    "null",
    '{"upstreams": null}',
    '{"upstreams": "all of them"}',
    '{"upstreams": {"api": {"groups": [{"release": "x", "members": [{"address": "web"}]}]}}}',
    '{"upstreams": {"api": {"groups": [], "sticky": {}}}}',
)


def test_a_damaged_file_keeps_nobody_from_starting(edge: EdgeHost) -> None:
    """The page until the next change, which replaces the file.

    Seen failing when what the file holds was not looked at: Nginx did not start.
    """
    state = f"/var/lib/mainstay/{edge.platform.id}"
    for text in DAMAGED:
        edge.stop()
        edge.sh(f"printf '%s' '{text}' >{state}/upstreams.json")
        edge.sh(f"printf '%s' '{text}' >{state}/maintenance.json")
        edge.launch()
        assert ask(edge.address).status == 503, text
        assert edge.upstreams(only(NEW))["changed"], text
        assert ask(edge.address).release == NEW, text
    edge.sh(f"rm {state}/maintenance.json")
    edge.restart()
    assert ask(edge.address).release == NEW


def test_the_four_runs(edge: EdgeHost) -> None:
    """Check says change, run changes, check says nothing, run changes nothing."""
    told = edge.upstreams(only(NEW), check=True)
    assert told["changed"]
    assert ask(edge.address).release == OLD
    assert edge.sh(f"cat /var/lib/mainstay/{edge.platform.id}/upstreams.json").count(OLD) == 1
    done = edge.upstreams(only(NEW))
    assert done["actions"] == told["actions"]
    assert done["diff"] == told["diff"]
    assert sorted(done) == sorted(told)
    assert not edge.upstreams(only(NEW), check=True)["changed"]
    assert not edge.upstreams(only(NEW))["changed"]


def test_a_stopped_nginx_is_refused_and_the_file_stays(edge: EdgeHost) -> None:
    """Seen failing when the file was written before the edge was asked."""
    edge.stop()
    done = edge.upstreams(only(NEW))
    assert done["failed"]
    assert "systemctl status nginx" in done["msg"]
    assert NEW not in edge.sh(f"cat /var/lib/mainstay/{edge.platform.id}/upstreams.json")
    edge.launch()
    assert ask(edge.address).release == OLD


def test_an_older_run_is_refused(edge: EdgeHost) -> None:
    """Seen failing without the fencing counter."""
    edge.fence = 9
    edge.upstreams(only(NEW))
    edge.fence = 8
    done = edge.upstreams(only(OLD))
    edge.fence = 1
    assert done["failed"]
    assert "lost its lock" in done["msg"]
    assert ask(edge.address).release == NEW


def test_two_edges_take_the_same_document(edge: EdgeHost, second_edge: EdgeHost) -> None:
    """One that cannot is an error there, and the other one can be brought back."""
    second_edge.restart(clean=True)
    assert second_edge.upstreams(only(OLD))["changed"]
    assert edge.upstreams(only(NEW))["changed"]
    second_edge.stop()
    assert second_edge.upstreams(only(NEW))["failed"]
    assert edge.upstreams(only(OLD))["changed"]
    second_edge.launch()
    assert {ask(edge.address).release, ask(second_edge.address).release} == {OLD}


def test_an_empty_document_answers_with_the_page(edge: EdgeHost) -> None:
    """Before the first deployment the edge says when to come back."""
    edge.upstreams({})
    answer = ask(edge.address)
    assert answer.status == 503
    assert answer.headers["Retry-After"] == "5"
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_several_groups_of_one_document_change_together(edge: EdgeHost) -> None:
    """A document with a mistake changes nothing at all."""
    named = {"release": NEW, "members": [{"address": "web:80"}]}
    bad = {"api": {"groups": [group(NEW, NEW_PORTS)]}, "web": {"groups": [named]}}
    done = edge.upstreams(bad)
    assert done["failed"]
    assert "'web:80' is not a numeric address" in done["msg"]
    assert ask(edge.address).release == OLD
