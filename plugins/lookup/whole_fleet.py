# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts of a play, refused when the run would leave tasks or all hosts out."""

from __future__ import annotations

DOCUMENTATION = r"""
name: whole_fleet
author: Mainstay maintainers (@mainstay)
version_added: "0.1.0"
short_description: Hosts of a play that runs whole or not at all
description:
  - For C(hosts) of the first play of a playbook. Returns the pattern of some groups.
  - Fails when the command line leaves tasks out (C(--tags), C(--skip-tags), C(--start-at-task),
    C(--step)), because a playbook of which half ran looks like one that succeeded.
  - Fails when no host of these groups is there, because a play without hosts succeeds as well.
  - It is evaluated before any task, so no tag can skip it. Listings and C(--syntax-check) get the
    pattern unchecked.
options:
  _terms:
    description: Names of groups.
    type: list
    elements: str
    required: true
  needed:
    description: Whether there has to be a host; V(false) for a part of a longer playbook.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: A play on edges and application hosts
  hosts: "{{ lookup('mainstay.platform.whole_fleet', 'edge', 'app') }}"

- name: A play on the databases
  hosts: "{{ lookup('mainstay.platform.whole_fleet', 'database') }}"

- name: Edges, if there are any
  hosts: "{{ lookup('mainstay.platform.whole_fleet', 'edge', needed=false) }}"
"""

RETURN = r"""
_raw:
  description: The pattern.
  type: list
  elements: str
  sample: ["edge:app"]
"""

from typing import Any, Optional

from ansible import context
from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release import whole

#: Options with which nothing is run.
LISTINGS = ("syntax", "listhosts", "listtasks", "listtags")


class LookupModule(LookupBase):
    """C(lookup('mainstay.platform.whole_fleet', ...))."""

    def run(
        self, terms: list[str], variables: Optional[dict[str, Any]] = None, **kwargs: Any
    ) -> list[str]:
        """The pattern, as the only element."""
        self.set_options(var_options=variables, direct=kwargs)
        wanted = [str(term) for term in terms]
        options = context.CLIARGS
        if not any(options.get(name) for name in LISTINGS):
            try:
                self._require(wanted, variables or {}, options)
            except MainstayError as error:
                raise AnsibleLookupError(str(error)) from error
        return [":".join(wanted)]

    def _require(self, wanted: list[str], variables: dict[str, Any], options: Any) -> None:
        whole.require_all_tasks(options)
        if self.get_option("needed"):
            # The hosts of a play with such a pattern are not known yet: these are all within the
            # limit.
            chosen = list(variables.get("ansible_play_hosts_all") or [])
            limit = variables.get("ansible_limit")
            whole.require_hosts(wanted, variables.get("groups") or {}, chosen, limit)
