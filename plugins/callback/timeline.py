# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Feeds the events of a run to the recorder, and writes the report when the run ends."""

from __future__ import annotations

DOCUMENTATION = r"""
name: timeline
type: aggregate
short_description: A JSON and an HTML report of every run, and a sign of life while a task is quiet
version_added: "0.1.0"
author:
  - Mainstay maintainers (@mainstay)
description:
  - Writes one JSON document and one self-contained HTML page for each run of C(ansible-playbook).
  - The page holds the outcome, what is true now, the next command, a picture of the time each host
    spent in each step, gates, proof, failures and the slowest tasks.
  - Prints a line when a task has shown nothing for some seconds, with the hosts still waited for.
  - Never records task arguments. Of a result it takes the C(msg) of a failure and the
    values C(gate), C(proof) and C(ansible_stats); nothing of a task with
    C(no_log).
requirements:
  - enabled in the configuration, see the examples
options:
  report_dir:
    description:
      - Directory of the reports. Created when missing. When it cannot be written, one warning is
        shown and the run goes on.
      - By default C(reports) in the artifacts directory of ansible-runner or AWX when one of them
        started the run (E(AWX_ISOLATED_DATA_DIR) is set), otherwise C(build/reports) below the
        current directory.
    type: str
    env:
      - name: MAINSTAY_REPORT_DIR
    ini:
      - section: mainstay
        key: report_dir
  heartbeat_seconds:
    description:
      - Seconds without any output after which the line is printed. V(0) prints none.
    type: float
    default: 8
    env:
      - name: MAINSTAY_HEARTBEAT_SECONDS
    ini:
      - section: mainstay
        key: heartbeat_seconds
  keep:
    description:
      - How many reports stay in O(report_dir); older ones are removed. V(0) keeps all.
    type: int
    default: 50
    env:
      - name: MAINSTAY_REPORT_KEEP
    ini:
      - section: mainstay
        key: report_keep
"""

EXAMPLES = r"""
# ansible.cfg: enable the callback
example: |
  [defaults]
  callbacks_enabled = mainstay.platform.timeline

# ansible.cfg: reports beside other artifacts of a pipeline, a line every 5 quiet seconds
example_pipeline: |
  [defaults]
  callbacks_enabled = mainstay.platform.timeline
  [mainstay]
  report_dir = artifacts/reports
  heartbeat_seconds = 5

# one run with its report elsewhere
example_once: |
  MAINSTAY_REPORT_DIR=/var/tmp/reports ansible-playbook deploy.yml -i inventories/demo
"""

import atexit
import contextlib
import functools
import getpass
import os
import secrets
import socket
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Optional

from ansible import context
from ansible.plugins.callback import CallbackBase

from ansible_collections.mainstay.platform.plugins.module_utils._report import (
    document,
    extract,
    heartbeat,
    page,
    recorder,
    store,
)
from ansible_collections.mainstay.platform.plugins.module_utils._report.model import Run

if TYPE_CHECKING:
    from ansible.executor.stats import AggregateStats
    from ansible.executor.task_result import CallbackTaskResult
    from ansible.inventory.host import Host
    from ansible.playbook import Playbook
    from ansible.playbook.play import Play
    from ansible.playbook.task import Task

#: Where reports go when neither an option nor a runner says otherwise.
DEFAULT_DIRECTORY = os.path.join("build", "reports")

_COUNTERS = ("ok", "failures", "unreachable", "changed", "skipped", "rescued", "ignored")


def report_directory(option: Optional[str], environment: Mapping[str, str]) -> str:
    """The option, else the artifacts of ansible-runner (AWX keeps and shows them), else ours."""
    if option:
        return os.path.expanduser(option)
    artifacts = environment.get("AWX_ISOLATED_DATA_DIR")
    return os.path.join(artifacts, "reports") if artifacts else DEFAULT_DIRECTORY


def shown_path(path: str, base: str) -> str:
    """C(path) (with its line) as a reader of the project knows it, without this machine's part."""
    marker = "ansible_collections/"
    if marker in path:
        return path.rsplit(marker, 1)[1]
    relative = os.path.relpath(path, base) if path else ""
    return os.path.basename(path) if relative.startswith("..") else relative


def numbered_parent(task: Any) -> str:
    """The outermost import or block above C(task) whose name begins with C(3/6); empty if none."""
    found, parent = "", getattr(task, "_parent", None)
    while parent is not None:
        name = str(getattr(parent, "name", None) or "")
        if recorder.number_of(name):
            found = name
        parent = getattr(parent, "_parent", None)
    return found


def closing_lines(report: Mapping[str, Any]) -> list[str]:
    """What is true now and what to type next, again after the recap, when a run did not go through.

    Whoever is called at night reads the last lines first.
    """
    if not report["summary"] or report["outcome"] in (*document.GOOD, "ok"):
        return []
    return ["", *report["summary"], "next:", *[f"  {line}" for line in report["next"]], ""]


class CallbackModule(CallbackBase):
    """Records the run; all judgement and drawing is in module_utils/_report."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "mainstay.platform.timeline"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._recorder: Optional[recorder.Recorder] = None
        self._heart: Optional[heartbeat.Heartbeat] = None
        self._base = os.getcwd()
        self._pid = os.getpid()

    def _option(self, name: str) -> Any:
        return self.get_option(name)

    # begin

    def v2_playbook_on_start(self, playbook: Playbook) -> None:
        name = os.path.basename(getattr(playbook, "_file_name", "") or "playbook")
        self._base = os.path.abspath(
            playbook.get_basedir() if hasattr(playbook, "get_basedir") else "."
        )
        run = Run(
            playbook=name,
            started=time.time(),
            controller=socket.gethostname(),
            who=os.environ.get("SUDO_USER") or _user(),
            job_id=os.environ.get("JOB_ID", ""),
            check_mode=bool(context.CLIARGS.get("check")),
        )
        self._recorder = recorder.Recorder(run)
        atexit.register(self._cut_short)
        self._start_heartbeat()

    def _start_heartbeat(self) -> None:
        period = float(self._option("heartbeat_seconds") or 0)
        if period <= 0:
            return
        self._heart = heartbeat.Heartbeat(period, self._look, self._say, time.time)
        self._watch_display(self._heart)
        self._heart.start()

    def _watch_display(self, heart: heartbeat.Heartbeat) -> None:
        """Every line that anyone shows is a sign of life: a gate shows its own progress."""
        shown = self._display.display

        @functools.wraps(shown)
        def display(*args: Any, **kwargs: Any) -> Any:
            heart.touch()
            return shown(*args, **kwargs)

        self._display.display = display  # type: ignore[method-assign]

    def _look(self) -> str:
        watch = self._recorder.watch if self._recorder else None
        return heartbeat.line(watch, time.time())

    def _say(self, text: str) -> None:
        self._display.display(text)
        # Display leaves flushing to the buffer, so a pipe would show the line minutes later
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()

    # events

    def v2_playbook_on_play_start(self, play: Play) -> None:
        if self._recorder is None:
            return
        extra = play.get_variable_manager().extra_vars if play.get_variable_manager() else {}
        self._recorder.run.who = str(extra.get("awx_user_name") or self._recorder.run.who)
        self._recorder.run.job_id = str(extra.get("awx_job_id") or self._recorder.run.job_id)
        self._recorder.play(play.get_name().strip(), time.time())

    def v2_playbook_on_task_start(self, task: Task, is_conditional: bool) -> None:
        self._task(task)

    def v2_playbook_on_handler_task_start(self, task: Task) -> None:
        self._task(task)

    def _task(self, task: Task) -> None:
        if self._recorder is None:
            return
        name = task.get_name().strip()
        prefix = f"{task._role.get_name()} : " if task._role else ""
        self._recorder.task(
            str(task._uuid),
            name[len(prefix) :] if prefix and name.startswith(prefix) else name,
            shown_path(task.get_path() or "", self._base),
            str(task.action),
            time.time(),
            numbered_parent(task),
        )

    def v2_runner_on_start(self, host: Host, task: Task) -> None:
        if self._recorder is not None:
            self._recorder.host_started(str(task._uuid), host.get_name(), time.time())

    def v2_runner_on_ok(self, result: CallbackTaskResult) -> None:
        self._done(result, "changed" if result.is_changed() else "ok")

    def v2_runner_on_failed(self, result: CallbackTaskResult, ignore_errors: bool = False) -> None:
        self._done(result, "ignored" if ignore_errors else "failed")

    def v2_runner_on_skipped(self, result: CallbackTaskResult) -> None:
        self._done(result, "skipped")

    def v2_runner_on_unreachable(self, result: CallbackTaskResult) -> None:
        self._done(result, "unreachable")

    def _done(self, result: CallbackTaskResult, status: str) -> None:
        if self._recorder is None:
            return
        found = extract.extract(
            result.result,
            action=str(result.task.action),
            failed=status in ("failed", "ignored", "unreachable"),
            no_log=bool(result.task.no_log),
        )
        host = result.host.get_name()
        self._recorder.host_done(str(result.task._uuid), host, status, time.time(), found)

    # end

    def v2_playbook_on_stats(self, stats: AggregateStats) -> None:
        counts = {host: stats.summarize(host) for host in stats.processed}
        self._end({host: {k: c[k] for k in _COUNTERS} for host, c in counts.items()})

    def _cut_short(self) -> None:
        """A run that ends without statistics (Ctrl-C, an error of Ansible) has a report too."""
        if os.getpid() == self._pid:
            self._end({}, interrupted=True)

    def _end(self, counts: dict[str, dict[str, int]], *, interrupted: bool = False) -> None:
        if self._heart is not None:
            self._heart.stop()
        if self._recorder is None:
            return
        run = self._recorder.finish(time.time(), counts, interrupted=interrupted)
        self._recorder = None
        directory = report_directory(self._option("report_dir"), os.environ)
        try:
            self._write(directory, run)
        except OSError as error:
            self._display.warning(f"no report of this run: {directory} cannot be written: {error}")

    def _write(self, directory: str, run: Run) -> None:
        report = document.document(run)
        name = store.report_name(run.started, run.playbook, secrets.token_hex(3))
        path = store.save(directory, name, report, page.render(report), self._option("keep"))
        for line in closing_lines(report):
            self._display.display(line)
        self._display.display(f"Report: {path}")


def _user() -> str:
    """The name of the user, or the number when the machine has no name for it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
