# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A runbook runs whole or not at all: with all its tasks, on hosts that are there. Pure.

With C(--tags) Ansible leaves out every task without the tag and calls the run a success; a pattern
that matches no host does nothing, successfully. Neither must look like a release.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

#: Groups that every inventory has.
_BUILT_IN = ("all", "ungrouped")


def left_out(options: Mapping[str, Any]) -> list[str]:
    """The options of the command line that leave tasks out, as they were typed."""
    found = []
    tags = [str(tag) for tag in options.get("tags") or []]
    if tags not in ([], ["all"]):
        found.append(f"--tags {','.join(tags)}")
    skipped = [str(tag) for tag in options.get("skip_tags") or []]
    if skipped:
        found.append(f"--skip-tags {','.join(skipped)}")
    if options.get("start_at_task"):
        found.append(f"--start-at-task {options['start_at_task']!r}")
    if options.get("step"):
        found.append("--step")
    return found


def require_all_tasks(options: Mapping[str, Any]) -> None:
    """Refuse a run that leaves tasks out."""
    found = left_out(options)
    if found:
        raise MainstayError(
            "refused, nothing was changed: a part of this playbook alone is no safe run",
            subject="command line",
            found=" ".join(found),
            expected="none of --tags, --skip-tags, --start-at-task, --step (nor ANSIBLE_RUN_TAGS,"
            " ANSIBLE_SKIP_TAGS)",
            next_step="run the whole playbook; --check --diff shows what it would do",
        )


def require_hosts(
    wanted: Sequence[str],
    groups: Mapping[str, Sequence[str]],
    chosen: Sequence[str],
    limit: Optional[str],
) -> None:
    """Refuse a run none of whose hosts is in the inventory, or all of which a limit leaves out.

    C(wanted) are the groups of the play, C(chosen) the hosts that the limit leaves.
    """
    hosts = [host for group in wanted for host in groups.get(group) or []]
    if any(host in chosen for host in hosts):
        return
    if hosts:
        found = f"--limit {limit or '(set)'}, which leaves out {', '.join(sorted(set(hosts)))}"
        step = "run without --limit: a platform is changed as a whole"
    else:
        named = [name for name in groups if name not in _BUILT_IN and groups[name]]
        found = f"hosts in: {', '.join(sorted(named)) or 'no group at all'}"
        step = "is -i the inventory that was meant? status.yml shows what one describes"
    raise MainstayError(
        "refused, nothing was changed: there is no host to work on",
        subject="inventory",
        found=found,
        expected=f"at least one host in {' or '.join(wanted)}",
        next_step=step,
    )
