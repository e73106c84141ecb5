# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._docker.health import (
    FAILED,
    READY,
    WAIT,
    Seen,
    Wanted,
    judge,
    next_delay,
)

PROBE, CHECK = Wanted(probe=True), Wanted(probe=True, check=True)
GOOD, BAD = (True, "200"), (False, "refused")


@pytest.mark.parametrize(
    ("seen", "wanted", "verdict"),
    [
        pytest.param(Seen(probe=GOOD), PROBE, READY, id="probe-passes"),
        pytest.param(Seen(probe=BAD), PROBE, WAIT, id="probe-fails-yet"),
        pytest.param(Seen(), PROBE, WAIT, id="not-asked-yet"),
        pytest.param(Seen(running=False, probe=GOOD), PROBE, FAILED, id="exit-beats-probe"),
        pytest.param(Seen(oom=True, probe=GOOD), PROBE, FAILED, id="oom-beats-probe"),
        pytest.param(Seen(check="unhealthy", probe=GOOD), PROBE, FAILED, id="unhealthy-at-once"),
        pytest.param(Seen(check="starting", probe=GOOD), CHECK, WAIT, id="check-not-yet"),
        pytest.param(Seen(check="healthy", probe=GOOD), CHECK, READY, id="both"),
        pytest.param(Seen(up=1.0), Wanted(steady=2.0), WAIT, id="not-long-enough"),
        pytest.param(Seen(up=2.0), Wanted(steady=2.0), READY, id="stayed-up"),
    ],
)
def test_verdicts(seen: Seen, wanted: Wanted, verdict: str) -> None:
    assert judge(seen, wanted)[0] == verdict


def test_probes_begin_quickly_and_grow_to_the_interval() -> None:
    delay, steps = 0.05, 0
    while delay < 2.0:
        delay, steps = next_delay(delay, 2.0), steps + 1
    assert delay == 2.0
    assert steps < 10
