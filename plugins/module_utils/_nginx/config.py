# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One call of nginx_config: stage, test, exchange, reload, see it serve, or put back."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._nginx.process import Nginx, Probe
from ansible_collections.mainstay.platform.plugins.module_utils._nginx.tree import (
    Change,
    Tree,
    Wanted,
)
from ansible_collections.mainstay.platform.plugins.module_utils._nginx.upstream import Clock
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.result import Result

INTERVAL = 0.05


@dataclass(frozen=True)
class Request:
    """What the module was asked for; C(timeout) bounds the wait for new workers in seconds."""

    root: str
    wanted: Wanted
    probe: Optional[Probe] = None
    timeout: float = 20.0
    check: bool = False


def request_from(params: Mapping[str, Any], *, check: bool) -> Request:
    """The module's parameters."""
    probe = params.get("probe")
    return Request(
        root=params["root"],
        wanted=Wanted(
            files={k: str(v) for k, v in (params["files"] or {}).items()},
            secrets={k: str(v) for k, v in (params["secrets"] or {}).items()},
            watched=tuple(params["watched"] or ()),
        ),
        probe=Probe(**probe) if probe else None,
        timeout=float(params["timeout"]),
        check=check,
    )


def apply(request: Request, nginx: Nginx, clock: Clock = time) -> Result:
    """Bring the tree to C(request) and Nginx to the tree."""
    started = clock.monotonic()
    tree = Tree(request.root)
    change = tree.change(request.wanted)
    running = nginx.running()
    actions = _actions(change, running, tree.reload_due)
    result = Result(
        changed=bool(actions), actions=actions, diff=_diff(tree, request.wanted, change)
    )
    if actions and not request.check:
        if change:
            _install(request, tree, change, nginx, clock)
        else:
            _serve(request, nginx, clock)
        tree.loaded()
    result.duration = clock.monotonic() - started
    result.facts = {"nginx": {"version": nginx.version(), "running": running or bool(actions)}}
    return result


def _actions(change: Change, running: bool, due: bool) -> list[str]:
    actions = [f"write {path}" for path in change.written]
    actions += [f"remove {path}" for path in change.removed]
    actions += [f"take over {path}" for path in change.watched]
    if not running:
        return [*actions, "start nginx"]
    return [*actions, "reload nginx"] if change or due else actions


def _diff(tree: Tree, wanted: Wanted, change: Change) -> dict[str, str]:
    """All changed files one after the other; of a secret one only the name."""
    before, after = [], []
    for path in (*change.written, *change.removed):
        old, new = tree.read(path), wanted.everything.get(path)
        if path in wanted.secrets:
            old, new = (None if old is None else "(secret)\n"), "(secret, changed)\n"
        before.append("" if old is None else f"=== {path}\n{old}")
        after.append("" if new is None else f"=== {path}\n{new}")
    return {"before": "".join(before), "after": "".join(after)}


def _install(request: Request, tree: Tree, change: Change, nginx: Nginx, clock: Clock) -> None:
    try:
        tree.stage(request.wanted, change)
        nginx.test(os.path.join(tree.staged, "nginx.conf"))
    except BaseException:
        tree.discard()
        raise
    tree.swap(change)
    try:
        _serve(request, nginx, clock)
    except MainstayError as error:
        tree.put_back(change)
        nginx.reload()
        tree.loaded()
        raise MainstayError(
            "Nginx did not serve with the new configuration; the one before is back in place",
            subject="nginx",
            found=error.found or error.what,
            expected=error.expected,
            next_step="mend the description, then run again",
            evidence=error.evidence,
        ) from error


def _serve(request: Request, nginx: Nginx, clock: Clock) -> None:
    """Reload or start, then wait for new workers and for the probe."""
    if nginx.running():
        old, position = nginx.workers(), nginx.log_end()
        nginx.reload()
        _wait(
            lambda: _replaced(old, nginx.workers()),
            "workers with the new configuration",
            request.timeout,
            clock,
            complaints=lambda: nginx.complaints(position),
        )
    else:
        nginx.start()
    probe = request.probe
    if probe is not None:
        what = f"status {probe.status} from {probe.path} on port {probe.port}"
        _wait(lambda: nginx.ask(probe), what, request.timeout, clock)


def _replaced(old: frozenset[int], now: frozenset[int]) -> str:
    if now and not now & old:
        return ""
    return "still the workers of before" if now else "no worker at all"


def _no_complaints() -> tuple[str, ...]:
    return ()


def _wait(
    check: Callable[[], str],
    expected: str,
    timeout: float,
    clock: Clock,
    complaints: Callable[[], tuple[str, ...]] = _no_complaints,
) -> None:
    """Until C(check) finds nothing wrong; not longer than until Nginx says what is."""
    deadline = clock.monotonic() + timeout
    while True:
        found = check()
        if not found:
            return
        evidence = complaints()
        if evidence or clock.monotonic() >= deadline:
            raise MainstayError(
                "not reached",
                subject="nginx",
                found=found,
                expected=f"{expected} within {timeout:g} s",
                next_step="journalctl -u nginx; tail /var/log/nginx/error.log",
                evidence=evidence,
            )
        clock.sleep(INTERVAL)
