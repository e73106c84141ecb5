# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what the Engine knows about a failure to a message that says why. Pure."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Mapping, Sequence
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

LOG_LINES = 20
KILLED = 128 + signal.SIGKILL
#: (part of the Engine's message, what it means, what to do). The first that matches is used.
_ENGINE_MESSAGES: tuple[tuple[str, str, str], ...] = (
    (
        "no space left on device",
        "there is no space left on this host",
        "run docker_prune or grow the disk, then run again",
    ),
    (
        "manifest unknown",
        "the image does not exist in the registry",
        "check the version, or push the image",
    ),
    (
        "not found",
        "the image does not exist in the registry",
        "check the version, or push the image",
    ),
    (
        "unauthorized",
        "the registry refused the login",
        "check the credentials in platform_registries",
    ),
    (
        "no basic auth credentials",
        "the registry wants a login and none was given",
        "add the registry to platform_registries",
    ),
    (
        "pull access denied",
        "the image does not exist or needs a login",
        "check the name and the credentials in platform_registries",
    ),
    ("denied", "the registry refused access", "check the credentials in platform_registries"),
    (
        "port is already allocated",
        "the host port is taken by another container",
        "run again: another port is chosen",
    ),
    (
        "address already in use",
        "the host port is taken by another program",
        "run again: another port is chosen",
    ),
    (
        "cannot assign requested address",
        "this host does not have the address that ports are published on",
        "set platform_address to an address of this host",
    ),
    (
        "executable file not found",
        "the command is not in the image",
        "check command in the description of the service",
    ),
    (
        "x509",
        "the certificate of the registry is not trusted",
        "give its CA in platform_registries",
    ),
    (
        "server gave HTTP response to HTTPS client",
        "the registry speaks plain HTTP",
        "use TLS, or list it in docker_host_insecure_registries",
    ),
    ("connection refused", "the registry cannot be reached", "check the registry, then run again"),
    ("no such host", "the registry's name is not known", "check the name of the registry"),
    ("i/o timeout", "the registry does not answer", "check the network, then run again"),
    ("deadline exceeded", "the registry does not answer", "check the network, then run again"),
    ("Client.Timeout", "the registry does not answer", "check the network, then run again"),
)


def explain(message: str, subject: str, doing: str) -> MainstayError:
    """An Engine error as a sentence; unknown ones are passed on as they are."""
    lowered = message.lower()
    for needle, meaning, advice in _ENGINE_MESSAGES:
        if needle.lower() in lowered:
            return MainstayError(
                f"{doing} failed: {meaning}", subject=subject, found=message, next_step=advice
            )
    return MainstayError(f"{doing} failed", subject=subject, found=message)


def exit_text(code: Optional[int], oom: bool) -> str:
    """C("exit code 137 (SIGKILL), out of memory")."""
    if code is None:
        return "out of memory" if oom else "no exit code"
    text = f"exit code {code}"
    if code > 128:
        with contextlib.suppress(ValueError):
            text += f" ({signal.Signals(code - 128).name})"
    return f"{text}, out of memory" if oom else text


def last_check(inspected: Mapping[str, Any]) -> str:
    """Output of the image's last health check."""
    log = ((inspected.get("State") or {}).get("Health") or {}).get("Log") or []
    if not log:
        return ""
    last = log[-1]
    output = " ".join(str(last.get("Output") or "").split())[:300]
    return f"health check: exit {last.get('ExitCode')}: {output}"


def failure(
    subject: str,
    what: str,
    inspected: Mapping[str, Any],
    logs: Sequence[str],
    *,
    code: Optional[int] = None,
    oom: bool = False,
    probe: str = "",
    expected: str = "",
) -> MainstayError:
    """The error for a container that did not become what was asked."""
    state = inspected.get("State") or {}
    oom = oom or bool(state.get("OOMKilled"))
    if code is None and not state.get("Running", False) and state.get("Status") == "exited":
        code = state.get("ExitCode")
    found = [exit_text(code, oom)] if code is not None or oom else []
    limit = (inspected.get("HostConfig") or {}).get("Memory") or 0
    if code == KILLED and limit and not oom:
        # Under cgroup v1 the Engine often misses the event when the whole container dies of it.
        found.append(f"most likely out of memory: the limit is {limit // 2**20} MiB")
    found += [
        text for text in (probe, last_check(inspected), str(state.get("Error") or "")) if text
    ]
    restarts = inspected.get("RestartCount") or 0
    if restarts:
        found.append(f"restarted {restarts} times")
    return MainstayError(
        what,
        subject=subject,
        found="; ".join(found),
        expected=expected,
        evidence=tuple(list(logs)[-LOG_LINES:]),
        next_step="read the program's last lines above; nothing was switched",
    )
