# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The prober as a process: what it counts, how long it lives, how it ends."""

from __future__ import annotations

import os
import pathlib
import select
import signal

from .conftest import RELEASE, Prober, Site

OTHER = "20261121T070000Z-4d5e6f"


def gone(pid: int) -> bool:
    """Wait for the end of a process; true when it ended."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], 30)[0])
    finally:
        os.close(handle)


def test_every_injected_failure_is_counted_in_its_phase(prober: Prober, site: Site) -> None:
    """Seen failing with failures of kept-alive connections sent again (counted 5 instead of 8)."""
    site.failing = set(range(11, 16))
    site.cut = {18, 19, 30}
    assert prober.do("started")["changed"]
    site.wait_for(40)
    prober.do("marked", phase="switch")
    site.wait_for(site.asked + 20)
    proof = prober.do("stopped")["proof"]
    assert proof["failed"] == 8, proof
    assert proof["phases"]["before"]["failed"] == 8
    assert proof["phases"]["switch"]["failed"] == 0
    assert proof["requests"] == site.asked
    assert proof["complete"] is True
    assert site.connections < site.asked, "connections are kept alive"


def test_requests_in_the_air_at_the_end_are_counted(prober: Prober, site: Site) -> None:
    """Seen failing with a prober that ends at once (4 requests were missing).

    How long it waits was said when it was started; C(stopped) need not say it again.
    """
    site.hanging = {21, 22, 23, 24}
    prober.do("started", timeout=20)
    site.wait_for(40)
    proof = prober.do("stopped", timeout=0.1)["proof"]
    assert (proof["failed"], proof["requests"]) == (4, site.asked), proof
    assert "timed out" in proof["first_failures"][0]["error"]


def test_the_prober_outlives_the_module_and_ansible_does_not_wait(
    prober: Prober, site: Site
) -> None:
    """Seen failing with the streams of the module kept open: ansible waited for their end."""
    prober.do("started")
    pid = prober.process()
    site.wait_for(site.asked + 10)
    assert os.getsid(pid) != os.getsid(0)
    assert [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in (0, 1, 2)] == ["/dev/null"] * 3
    assert not prober.do("started")["changed"], "it runs already"
    assert prober.process() == pid


def test_it_ends_by_itself(prober: Prober, site: Site) -> None:
    """Seen failing with the look at the time taken out."""
    prober.do("started", max_seconds=0.2)
    assert gone(prober.process())
    proof = prober.do("stopped")["proof"]
    assert proof["requests"] == site.asked == 21
    assert proof["complete"] is False, "nobody watched what came later"


def test_stopped_may_be_asked_again(prober: Prober, site: Site) -> None:
    """Seen failing without the kept proof: the second one counted nothing."""
    prober.do("started")
    site.wait_for(10)
    pid = prober.process()
    first, second = prober.do("stopped"), prober.do("stopped")
    assert gone(pid)
    assert (first["changed"], second["changed"]) == (True, False)
    assert first["proof"] == second["proof"]
    assert first["proof"]["requests"] >= 10
    assert os.listdir(prober.directory) == ["proof.json"]


def test_a_killed_prober_leaves_what_it_saw(prober: Prober, site: Site) -> None:
    """Seen failing with a proof that is always complete."""
    site.failing = {3}
    prober.do("started")
    site.wait_for(20)
    pid = prober.process()
    os.kill(pid, signal.SIGKILL)
    assert gone(pid)
    proof = prober.do("stopped")["proof"]
    assert proof["failed"] == 1
    assert proof["complete"] is False
    with (prober.directory / "proof.json").open() as kept:
        assert '"complete": false' in kept.read()


def test_the_prober_of_a_killed_run_is_ended_by_the_next(prober: Prober, site: Site) -> None:
    """Seen failing without the look at other releases: two probers ran."""
    prober.do("started")
    pid = prober.process()
    answer = prober.do("started", release=OTHER)
    assert answer["actions"][0] == f"stop the prober that {RELEASE} left behind"
    assert gone(pid)
    assert not prober.directory.exists()
    assert prober.do("stopped", release=OTHER)["proof"]["complete"] is True


def test_check_mode_starts_and_stops_nothing(
    prober: Prober, site: Site, tmp_path: pathlib.Path
) -> None:
    """Seen failing with C(begin) called in check mode."""
    would = prober.do("started", "--check")
    assert would["changed"]
    assert would["proof"]["requests"] == 0
    assert not (tmp_path / "state").exists()
    prober.do("started")
    assert prober.do("stopped", "--check")["changed"]
    site.wait_for(site.asked + 10)


def test_a_site_that_is_down_fails_every_request(prober: Prober, site: Site) -> None:
    """Seen failing with refused connections left out of the results."""
    site.close()
    prober.do("started", max_seconds=0.2)
    assert gone(prober.process())
    proof = prober.do("stopped")["proof"]
    assert proof["failed"] == proof["requests"] == 21
    assert "refused" in proof["first_failures"][0]["error"]


def test_bad_arguments_are_named(prober: Prober) -> None:
    """Seen failing without the checks: a division by zero in the prober, files elsewhere."""
    assert "at this rate" in prober.do("started", rate=0)["msg"]
    assert "not a release id" in prober.do("started", release="../../elsewhere")["msg"]
    assert "phase" in prober.do("marked")["msg"]
