# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One call of nginx_upstream: replace the document, see it take effect, wait for a drain."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional, Protocol

from ansible_collections.mainstay.platform.plugins.module_utils._nginx import document
from ansible_collections.mainstay.platform.plugins.module_utils._nginx.client import EdgeControl
from ansible_collections.mainstay.platform.plugins.module_utils._nginx.status import Status
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    AbsentError,
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.files import (
    exclusive,
    read_json,
    write_json,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.result import Result
from ansible_collections.mainstay.platform.plugins.module_utils._release.fence import check_fence

#: Workers publish every 0.1 s; asking twice as often finds the end of a drain without delay.
INTERVAL = 0.05


class Clock(Protocol):
    """Time that tests can move."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start."""

    def sleep(self, seconds: float, /) -> None:
        """Wait."""


@dataclass(frozen=True)
class Request:
    """What the module was asked for; C(timeout) bounds the wait for the workers in seconds."""

    platform: str
    upstreams: dict[str, Any]
    fence: int
    directory: str
    timeout: float = 10.0
    drain: tuple[str, ...] = ()
    drain_timeout: float = 30.0
    accept_stopped: bool = False
    check: bool = False


@dataclass
class _Work:
    request: Request
    control: EdgeControl
    clock: Clock
    actions: list[str] = field(default_factory=list)

    @property
    def state_file(self) -> str:
        return os.path.join(self.request.directory, "upstreams.json")


def request_from(params: Mapping[str, Any], *, check: bool) -> Request:
    """The module's parameters; raises L(MainstayError) when the document is not valid."""
    drain = params.get("drain") or {}
    return Request(
        platform=params["platform"],
        upstreams=document.normalise(params["upstreams"]),
        fence=int(params["fence"]),
        directory=os.path.join(params["state_root"], params["platform"]),
        timeout=float(params["timeout"]),
        drain=tuple(drain.get("members") or ()),
        drain_timeout=float(drain.get("timeout") or 0.0),
        accept_stopped=bool(params.get("accept_stopped")),
        check=check,
    )


def apply(request: Request, control: EdgeControl, clock: Clock = time) -> Result:
    """Bring the edge to C(request); the fact C(edge) says what it does now."""
    started = clock.monotonic()
    work = _Work(request, control, clock)
    check_fence(request.directory, request.fence, remember=not request.check)
    try:
        status = control.status()
    except AbsentError:
        if not request.accept_stopped:
            raise
        return _for_the_next_start(work, started)
    require_platform(status, request.platform)
    before = document.normalise(status.upstreams)
    live_changed = before != request.upstreams
    work.actions.extend(document.sentences(before, request.upstreams))
    kept = kept_in(work.state_file)
    kept_changed = kept is None or kept.get("upstreams") != request.upstreams
    if kept_changed and not live_changed:
        work.actions.append(f"write {work.state_file}")
    changed = live_changed or kept_changed
    if changed and not request.check:
        status = _replace(work, live_changed)
    drained, status = (False, status) if request.check else _drain(work, status)
    return Result(
        changed=changed,
        actions=work.actions,
        diff={
            "before": document.render(before),
            "after": document.render(request.upstreams),
        },
        duration=clock.monotonic() - started,
        facts={"edge": {**facts(status, request.upstreams), "drained": drained}},
    )


def _for_the_next_start(work: _Work, started: float) -> Result:
    """Nginx does not run, so nobody is served here; it will start with these members."""
    request = work.request
    with exclusive(work.state_file + ".lock"):
        kept = kept_in(work.state_file)
        if kept is None:
            raise MainstayError(
                "Nginx does not run, and this host never was an edge of the platform",
                subject=work.state_file,
                found="no members from an earlier run",
                expected="the file that every switch leaves",
                next_step="run site.yml, or check the group edge of the inventory",
            )
        before = document.normalise(kept.get("upstreams") or {})
        changed = before != request.upstreams
        if changed:
            work.actions.append(f"Nginx does not run: write {work.state_file} for its next start")
            if not request.check:
                write_json(work.state_file, {"upstreams": request.upstreams})
    return Result(
        changed=changed,
        actions=work.actions,
        diff={
            "before": document.render(before),
            "after": document.render(request.upstreams),
        },
        duration=work.clock.monotonic() - started,
        facts={"edge": {**info_before_setup(), "upstreams": request.upstreams, "drained": True}},
    )


def info(platform: str, control: EdgeControl, since: Optional[int] = None) -> dict[str, Any]:
    """The fact C(edge) of nginx_upstream_info."""
    status = control.status(since)
    require_platform(status, platform)
    return {
        **facts(status, document.normalise(status.upstreams)),
        "mark": status.mark,
        "statistics": status.statistics(),
        "maintenance": status.maintenance,
        "nginx": status.nginx,
        "settled": status.settled,
    }


def info_before_setup() -> dict[str, Any]:
    """The fact C(edge) of a host that is no edge yet: no members, no traffic."""
    return {
        "generation": 0,
        "upstreams": {},
        "active": {},
        "mark": 0,
        "statistics": {},
        "maintenance": False,
        "nginx": "",
        "settled": True,
    }


def facts(status: Status, upstreams: dict[str, Any]) -> dict[str, Any]:
    """The parts of the fact C(edge) that change and look share."""
    return {"generation": status.generation, "upstreams": upstreams, "active": status.active}


def require_platform(status: Status, platform: str) -> None:
    """One Nginx serves one platform; another one's document must not be replaced."""
    if status.platform != platform:
        raise MainstayError(
            "the edge of this host serves another platform; nothing was changed",
            subject="nginx",
            found=status.platform or "none",
            expected=platform,
            next_step="check the group edge of the inventory",
        )


def _replace(work: _Work, live: bool) -> Status:
    """State file first, so that a restart at any instant finds the newest document."""
    with exclusive(work.state_file + ".lock"):
        kept = kept_in(work.state_file)
        write_json(work.state_file, {"upstreams": work.request.upstreams})
        if live:
            try:
                work.control.put_upstreams(work.request.upstreams)
            except MainstayError:
                _restore(work.state_file, kept)
                raise
    return _await_workers(work)


def kept_in(path: str) -> Optional[dict[str, Any]]:
    """What the last run left; a damaged file counts as none, since it is about to be replaced."""
    try:
        found = read_json(path)
    except MainstayError:
        return None
    return found if isinstance(found, dict) else None


def _restore(path: str, kept: Any) -> None:
    if kept is None:
        os.unlink(path)
    else:
        write_json(path, kept)


def _await_workers(work: _Work) -> Status:
    deadline = work.clock.monotonic() + work.request.timeout
    while True:
        status = work.control.status()
        if document.normalise(status.upstreams) != work.request.upstreams:
            raise MainstayError(
                "the document was replaced by somebody else meanwhile",
                subject="nginx",
                found=f"generation {status.generation}",
                expected="the document of this run",
                next_step="look at status.yml for another run, then start again",
            )
        if status.settled:
            return status
        if work.clock.monotonic() >= deadline:
            behind = [str(w["pid"]) for w in status.workers if w["seen"] < status.generation]
            raise MainstayError(
                "not every Nginx worker has taken over the new members",
                subject="nginx",
                found=f"workers {', '.join(behind) or 'none at all'} are behind",
                expected=f"generation {status.generation} within {work.request.timeout:g} s",
                next_step="journalctl -u nginx; then run again, the document is in place",
            )
        work.clock.sleep(INTERVAL)


def _drain(work: _Work, status: Status) -> tuple[bool, Status]:
    """Wait until no request is open to the members that leave, at most the time given."""
    if not work.request.drain:
        return True, status
    staying = document.addresses(work.request.upstreams)
    kept = [member for member in work.request.drain if member in staying]
    leaving = [member for member in work.request.drain if member not in staying]
    work.actions.extend(f"{member} is still a member: not waited for" for member in kept)
    deadline = work.clock.monotonic() + work.request.drain_timeout
    while True:
        status = work.control.status()
        if status.drained(leaving):
            return not kept, status
        if work.clock.monotonic() >= deadline:
            work.actions.extend(
                f"{member} still has {status.active[member]} open after "
                f"{work.request.drain_timeout:g} s"
                for member in leaving
                if status.active.get(member)
            )
            return False, status
        work.clock.sleep(INTERVAL)
