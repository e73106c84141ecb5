# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A check that must hold before the next step; waits, shows progress, judges."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
from typing import IO, Any, Optional

from ansible.errors import AnsibleActionFail
from ansible.module_utils.urls import open_url
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.mainstay.platform.plugins.module_utils._platform.codec import encode
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release import gates

display = Display()
#: Seconds between two looks at the edge while a gate waits for requests.
PAUSE = 0.5
#: Seconds between two lines of progress.
PROGRESS = 5.0
#: Seconds to wait for Prometheus.
PROMETHEUS_TIMEOUT = 10.0
#: Arguments that something is compared with.
LIMITS = (
    "max_error_percent",
    "max_p95_seconds",
    "maximum",
    "minimum",
    "seconds",
    "wait",
    "timeout",
)


class ActionModule(ActionBase):
    """One gate of one kind."""

    _supports_check_mode = True

    def run(
        self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None
    ) -> dict[str, Any]:
        """Judge; the task fails when the gate failed or could not decide."""
        variables = task_vars or {}
        result: dict[str, Any] = super().run(tmp, variables)
        _validated, given = self.validate_argument_spec(
            argument_spec=ARGUMENTS, required_if=REQUIRED
        )
        try:
            gates.require_finite({name: given[name] for name in LIMITS})
        except MainstayError as error:
            raise AnsibleActionFail(str(error)) from error
        kinds = {
            "http": self._http,
            "edge": self._edge,
            "metric": self._metric,
            "command": self._command,
        }
        started = time.monotonic()
        if self._task.check_mode:
            result.update(changed=False, skipped=True, msg=f"would judge gate {given['name']}")
            return result
        judgement = kinds[given["kind"]](given, variables)
        verdict = gates.GateResult(
            name=given["name"],
            kind=given["kind"],
            seconds=round(time.monotonic() - started, 3),
            **encode_judgement(judgement),
        )
        result.update(changed=False, gate=encode(verdict))
        if verdict.outcome != gates.PASSED:
            result.update(failed=True, msg=verdict.message())
        return result

    def _http(self, given: dict[str, Any], variables: dict[str, Any]) -> gates.Judgement:
        arguments = {
            k: given[k] for k in ("checks", "address", "port", "tls", "ca", "host", "headers")
        }
        answer = self._execute_module(
            module_name="mainstay.platform.release_smoke",
            module_args={k: v for k, v in arguments.items() if v is not None},
            task_vars=variables,
        )
        if "smoke" not in answer:
            return _unanswered(answer)
        return gates.judge_smoke(answer["smoke"], answer["problems"])

    def _edge(self, given: dict[str, Any], variables: dict[str, Any]) -> gates.Judgement:
        rule = gates.EdgeRule(
            **{k: given[k] for k in gates.EdgeRule.__dataclass_fields__}  # same names by design
        )
        started = shown = time.monotonic()
        while True:
            answer = self._execute_module(
                module_name="mainstay.platform.nginx_upstream_info",
                module_args={"platform": given["platform"]},
                task_vars=variables,
            )
            if "edge" not in answer:
                return _unanswered(answer)
            statistics = answer["edge"].get("statistics") or {}
            seen = {
                name: gates.figures(statistics, name, given["release"])
                for name in given["upstreams"]
            }
            now = time.monotonic()
            judgement = gates.judge_edge(rule, seen, now - started)
            if judgement.outcome != gates.WAITING:
                return judgement
            if now - shown >= PROGRESS:
                shown = now
                left = rule.seconds + rule.wait - (now - started)
                display.display(f"  gate {given['name']} … {judgement.observed}; {left:.0f} s left")
            time.sleep(PAUSE)  # requests of visitors cannot be awaited, only counted

    def _metric(self, given: dict[str, Any], variables: dict[str, Any]) -> gates.Judgement:
        rule = gates.MetricRule(
            given["maximum"], given["minimum"], given["minimum_samples"], given["no_data"]
        )
        query = urllib.parse.urlencode({"query": given["query"]})
        url = f"{given['url'].rstrip('/')}/api/v1/query?{query}"
        try:
            with open_url(url, timeout=PROMETHEUS_TIMEOUT) as response:
                return gates.judge_metric(rule, _document(response))
        except urllib.error.HTTPError as error:
            try:
                return gates.judge_metric(rule, _document(error))
            except ValueError:
                return gates.Judgement(gates.HELD, f"Prometheus: {error}", rule.expected())
        except (OSError, ValueError) as error:
            return gates.Judgement(gates.HELD, f"Prometheus: {error}", rule.expected())

    def _command(self, given: dict[str, Any], variables: dict[str, Any]) -> gates.Judgement:
        # A file takes the output: a grandchild that keeps a pipe open would outlast the time-out.
        with tempfile.TemporaryFile() as output:
            try:
                child = subprocess.Popen(
                    given["command"],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                return gates.Judgement(gates.FAILED, str(error), "a program that can be started")
            code = _watched(child, given["name"], given["timeout"])
            output.seek(0)
            text = output.read().decode("utf-8", "replace")
        return gates.judge_command(code, text, given["timeout"])


def encode_judgement(judgement: gates.Judgement) -> dict[str, Any]:
    """The fields a judgement shares with a result."""
    return {k: getattr(judgement, k) for k in gates.Judgement.__dataclass_fields__}


def _document(response: IO[bytes]) -> dict[str, Any]:
    """What Prometheus answered; ValueError for anything that Prometheus would not."""
    found = json.load(response)
    if not isinstance(found, dict):
        raise ValueError(f"the answer is a {type(found).__name__}")
    return found


def _watched(child: subprocess.Popen[bytes], name: str, seconds: float) -> Optional[int]:
    """Exit status of the program, or nothing when it was ended with all it started."""
    deadline = time.monotonic() + seconds
    try:
        while True:
            left = deadline - time.monotonic()
            try:
                return child.wait(max(0.0, min(PROGRESS, left)))
            except subprocess.TimeoutExpired:
                if deadline <= time.monotonic():
                    return None
                left = deadline - time.monotonic()
                display.display(f"  gate {name} … the program still runs, {left:.0f} s left")
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def _unanswered(answer: dict[str, Any]) -> gates.Judgement:
    reason = str(answer.get("msg") or "no answer from the host")
    return gates.Judgement(gates.HELD, reason, "an answer from the host")


ARGUMENTS: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "kind": {"type": "str", "required": True, "choices": ["http", "edge", "metric", "command"]},
    "checks": {"type": "list", "elements": "dict", "default": []},
    "address": {"type": "str", "default": "127.0.0.1"},
    "port": {"type": "int", "default": 443},
    "tls": {"type": "bool", "default": True},
    "ca": {"type": "str"},
    "host": {"type": "str", "default": "localhost"},
    "headers": {"type": "dict", "default": {}},
    "platform": {"type": "str"},
    "release": {"type": "str"},
    "upstreams": {"type": "list", "elements": "str", "default": []},
    "minimum_requests": {"type": "int", "default": 20},
    "max_error_percent": {"type": "float", "default": 1.0},
    "max_p95_seconds": {"type": "float", "default": 1.0},
    "seconds": {"type": "float", "default": 0.0},
    "wait": {"type": "float", "default": 0.0},
    "no_data": {"type": "str", "choices": ["pass", "hold", "fail"], "default": "hold"},
    "url": {"type": "str"},
    "query": {"type": "str"},
    "maximum": {"type": "float"},
    "minimum": {"type": "float"},
    "minimum_samples": {"type": "int", "default": 1},
    "command": {"type": "list", "elements": "str", "default": []},
    "timeout": {"type": "float", "default": 60.0},
}
#: What each kind cannot do without.
REQUIRED = [
    ("kind", "http", ("checks",)),
    ("kind", "edge", ("platform", "release")),
    ("kind", "metric", ("url", "query")),
    ("kind", "command", ("command",)),
]
