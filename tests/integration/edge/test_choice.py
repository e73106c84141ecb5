# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which release and which member a request goes to."""

from __future__ import annotations

import collections
from typing import Any

from clients import Socket, ask, ask_many
from edge_host import NEW, NEW_PORTS, OLD, OLD_PORTS, EdgeHost, group, until

REQUESTS = 600
HEADER = "X-Mainstay-Preview"


def two(share: float, **more: Any) -> dict[str, Any]:
    """A document that gives the new release a share in percent."""
    groups = [group(OLD, OLD_PORTS, 100 - share), group(NEW, NEW_PORTS, share)]
    return {"api": {"groups": groups, **more}}


def apply(edge: EdgeHost, document: dict[str, Any]) -> None:
    """It must succeed."""
    done = edge.upstreams(document)
    assert not done.get("failed"), done["msg"]


def test_shares_hold(edge: EdgeHost) -> None:
    """Chi-square with one degree of freedom; 15.1 is exceeded once in 10,000 runs by chance.

    Seen failing with the share of the first group taken for all.
    """
    apply(edge, two(20))
    found = collections.Counter(body.split(" ")[0] for body in ask_many(edge.address, REQUESTS))
    expected = {OLD: 0.8 * REQUESTS, NEW: 0.2 * REQUESTS}
    distance = sum((found[release] - count) ** 2 / count for release, count in expected.items())
    assert distance < 15.1, found


def test_members_of_a_group_take_turns_by_weight(edge: EdgeHost) -> None:
    """Exact for one worker; several workers begin at different places."""
    weighted = group(OLD, OLD_PORTS)
    weighted["members"][0]["weight"] = 4
    apply(edge, {"api": {"groups": [weighted]}})
    found = collections.Counter(body.split(" ")[1] for body in ask_many(edge.address, REQUESTS))
    for port, part in zip(OLD_PORTS, (4 / 6, 1 / 6, 1 / 6)):
        assert abs(found[str(port)] / REQUESTS - part) < 0.05, found


def test_a_client_stays_with_its_release(edge: EdgeHost) -> None:
    """Seen failing when the cookie was ignored."""
    sticky = {"cookie": "mainstay_api", "max_age": 3600}
    apply(edge, two(50, sticky=sticky))
    answers = [ask(edge.address) for dummy in range(30)]
    assert {answer.release for answer in answers} == {OLD, NEW}
    for answer in answers[:8]:
        cookie = answer.headers["Set-Cookie"]
        assert all(part in cookie for part in ("HttpOnly", "SameSite=Lax", "Max-Age=3600"))
        pair = cookie.split(";")[0]
        again = [ask(edge.address, Cookie=pair) for dummy in range(5)]
        assert {a.release for a in again} == {answer.release}
        assert all(a.headers["Set-Cookie"] is None for a in again), "sent although known"


def test_a_growing_share_takes_nobody_back(edge: EdgeHost) -> None:
    """Who has seen the new release keeps it while its share grows, and leaves it when it goes."""
    sticky = {"cookie": "mainstay_api", "max_age": 3600}
    apply(edge, two(30, sticky=sticky))
    cookies = [
        answer.headers["Set-Cookie"].split(";")[0]
        for answer in (ask(edge.address) for dummy in range(60))
        if answer.release == NEW
    ]
    assert cookies
    apply(edge, two(60, sticky=sticky))
    assert {ask(edge.address, Cookie=cookie).release for cookie in cookies} == {NEW}
    apply(edge, {"api": {"groups": [group(OLD, OLD_PORTS)], "sticky": sticky}})
    assert {ask(edge.address, Cookie=cookie).release for cookie in cookies} == {OLD}


def test_preview_reaches_a_release_without_a_share(edge: EdgeHost) -> None:
    """Seen failing when groups with share 0 were left out of the tables."""
    apply(edge, two(0, preview={"header": HEADER, "release": NEW}))
    assert {ask(edge.address).release for dummy in range(30)} == {OLD}
    for wish in ("next", NEW):
        assert {ask(edge.address, **{HEADER: wish}).release for dummy in range(5)} == {NEW}
    assert ask(edge.address, **{HEADER: OLD}).release == OLD
    assert ask(edge.address, **{HEADER: "unknown"}).release == OLD


def test_a_dead_member_is_passed_over(edge: EdgeHost) -> None:
    """Seen failing with C(set_more_tries) taken out (502), and with nobody put aside (52 tries)."""
    dead = {"release": NEW, "share": 100, "members": [{"address": "127.0.0.1:20099"}]}
    dead["members"] += group(NEW, NEW_PORTS)["members"]
    apply(edge, {"api": {"groups": [dead]}})
    posted = [ask(edge.address, method="POST", body="x") for dummy in range(8)]
    assert {answer.status for answer in posted} == {200}
    assert {body.split(" ")[0] for body in ask_many(edge.address, 200)} == {NEW}
    log = until(lambda: written(edge, 208), "the access log is written")
    tried = sum("127.0.0.1:20099" in line for line in log)
    assert 0 < tried < 20, "it must be tried, and then left out for a while"


def written(edge: EdgeHost, count: int) -> list[str]:
    """The access log once it has C(count) lines."""
    lines = edge.sh(f"cat /var/log/nginx/{edge.platform.id}.access.log").splitlines()
    return lines if len(lines) >= count else []


def test_when_all_members_are_gone_the_page_is_shown(edge: EdgeHost) -> None:
    """And the first member that is back is used at once: all are tried although put aside."""
    edge.kill_program(OLD)
    answers = [ask(edge.address) for dummy in range(5)]
    assert {answer.status for answer in answers} == {502}
    assert answers[-1].headers["Retry-After"] == "5"
    edge.program(OLD, *OLD_PORTS)
    assert ask(edge.address).status == 200
    assert edge.info()["active"] == {}, "a failed request must not stay counted"


def test_a_post_is_not_repeated_once_it_was_sent(edge: EdgeHost) -> None:
    """Seen failing with C(proxy_next_upstream ... non_idempotent): 3 instead of 1."""
    answer = ask(edge.address, "/cut", method="POST", body="order")
    assert answer.status == 502
    assert sum(cut_at(edge, port) for port in OLD_PORTS) == 1
    answer = ask(edge.address, "/cut")
    assert answer.status == 502
    assert sum(cut_at(edge, port) for port in OLD_PORTS) > 2, "a GET may be repeated"


def cut_at(edge: EdgeHost, port: int) -> int:
    """Requests that a member has cut."""
    return int(edge.sh(f"curl -s http://127.0.0.1:{port}/counted"))


def test_figures_by_release(edge: EdgeHost) -> None:
    """What a canary is judged by. Seen failing when 5xx answers were not counted as failed."""
    apply(edge, two(0, preview={"header": HEADER, "release": NEW}))
    for path in ("/who", "/fail", "/who", "/slow/0.3"):
        ask(edge.address, path, **{HEADER: "next"})
    ask(edge.address)
    Socket(edge.address).close()

    def figures() -> Any:
        found = edge.info()["statistics"]["api"]
        ready = found.get(NEW, {}).get("requests") == 4 and found.get(OLD, {}).get("requests") == 2
        return found if ready else None

    found = until(figures, "all requests are counted")
    assert found[NEW]["failed"] == 1
    assert 0.2 <= found[NEW]["p99"] <= 0.75
    assert found[NEW]["p50"] < 0.2
    assert found[OLD]["failed"] == 0
    apply(edge, two(10))
    assert edge.info()["statistics"]["api"][NEW]["requests"] == 0, "counted since the change"
    assert edge.info(since=0)["statistics"]["api"][NEW]["requests"] == 4


def test_a_slow_answer_puts_nobody_aside(edge: EdgeHost) -> None:
    """Seen failing when every failed try put its member aside, also one that had connected."""
    files = edge.files()
    route = "mainstay/routes/api.conf"
    files[route] = files[route].replace("proxy_read_timeout 60s", "proxy_read_timeout 300ms")
    assert not edge.configure(files=files).get("failed")
    assert ask(edge.address, "/slow/2").status == 504
    ports = {ask(edge.address).body.split(" ")[1] for dummy in range(60)}
    assert ports == {str(port) for port in OLD_PORTS}
    assert edge.info()["active"] == {}


def test_figures_for_prometheus(edge: EdgeHost) -> None:
    """Seen failing when buckets were not cumulative."""
    for path in ("/who", "/fail", "/slow/0.3"):
        ask(edge.address, path)
    call = "curl -s --unix-socket /run/mainstay-edge/control.sock http://x/metrics"

    def page() -> dict[str, float]:
        lines = [line for line in edge.sh(call).splitlines() if not line.startswith("#")]
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines}

    marks = f'platform="{edge.platform.id}",service="api",release="{OLD}"'
    total = f"mainstay_edge_requests_total{{{marks}}}"
    found = until(lambda: page().get(total) == 3 and page(), "all requests are counted")
    assert found[f"mainstay_edge_failed_total{{{marks}}}"] == 1
    assert found[f'mainstay_edge_seconds_bucket{{{marks},le="+Inf"}}'] == 3
    assert found[f"mainstay_edge_share{{{marks}}}"] == 100
    bounds = [v for k, v in found.items() if k.startswith("mainstay_edge_seconds_bucket")]
    assert bounds == sorted(bounds)
    assert 2 in bounds
