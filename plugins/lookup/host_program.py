# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules of this collection as one program for a host without Ansible."""

from __future__ import annotations

DOCUMENTATION = r"""
name: host_program
author: Mainstay maintainers (@mainstay)
version_added: "0.1.0"
short_description: Path of a program made of this collection's own modules
description:
  - Timers of a host do the same work as the modules, with the same code. This packs the parts named
    and one start file into a zip archive that Python runs, and returns its path on the controller.
  - The same code gives the same bytes, so copying it changes a host only when the code changed.
options:
  _terms:
    description: Start files, as paths on the controller.
    type: list
    elements: str
    required: true
  parts:
    description: Directories below C(plugins/module_utils) that the program needs.
    type: list
    elements: str
    default: [_platform, _postgres]
"""

EXAMPLES = r"""
- name: Give the host the program of its timers
  ansible.builtin.copy:
    src: "{{ lookup('mainstay.platform.host_program', role_path ~ '/files/job.py') }}"
    dest: /usr/local/lib/mainstay/job.pyz
    mode: "0755"

- name: Only some parts
  ansible.builtin.copy:
    src: "{{ lookup('mainstay.platform.host_program', start, parts=['_platform']) }}"
    dest: /usr/local/lib/mainstay/small.pyz
    mode: "0755"

- name: Say where it was made
  ansible.builtin.debug:
    msg: "{{ lookup('mainstay.platform.host_program', role_path ~ '/files/job.py') }}"
"""

RETURN = r"""
_raw:
  description: Paths of the archives.
  type: list
  elements: str
  sample: ["/home/ops/.cache/mainstay/postgres_job.pyz"]
"""

import os
import pathlib
import tempfile
import zipfile
from typing import Any, Optional

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

PACKAGES = ("ansible_collections", "mainstay", "platform", "plugins", "module_utils")
ROOT = pathlib.Path(__file__).resolve().parents[1] / "module_utils"
#: The first moment that a zip archive knows: the same content gives the same bytes.
EPOCH = (1980, 1, 1, 0, 0, 0)


def pack(start: pathlib.Path, parts: list[str], root: pathlib.Path = ROOT) -> dict[str, bytes]:
    """Name in the archive -> content."""
    found: dict[str, bytes] = {"__main__.py": start.read_bytes()}
    for depth in range(1, len(PACKAGES) + 1):
        found["/".join([*PACKAGES[:depth], "__init__.py"])] = b""
    for part in parts:
        base = "/".join([*PACKAGES, part])
        found[f"{base}/__init__.py"] = b""
        for path in sorted((root / part).glob("*.py")):
            found[f"{base}/{path.name}"] = path.read_bytes()
    return found


def write(files: dict[str, bytes], target: pathlib.Path) -> None:
    """The archive, complete or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream, zipfile.ZipFile(stream, "w") as archive:
            for path in sorted(files):
                entry = zipfile.ZipInfo(path, EPOCH)
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, files[path])
        pathlib.Path(name).replace(target)
    except OSError:
        pathlib.Path(name).unlink(missing_ok=True)
        raise


class LookupModule(LookupBase):
    """C(lookup('mainstay.platform.host_program', ...))."""

    def run(
        self, terms: list[str], variables: Optional[dict[str, Any]] = None, **kwargs: Any
    ) -> list[str]:
        """Make the archives and return their paths."""
        self.set_options(var_options=variables, direct=kwargs)
        parts = list(self.get_option("parts"))
        home = os.environ.get("XDG_CACHE_HOME") or str(pathlib.Path.home() / ".cache")
        found = []
        for term in terms:
            start = pathlib.Path(str(term))
            target = pathlib.Path(home) / "mainstay" / f"{start.stem}.pyz"
            try:
                write(pack(start, parts), target)
            except OSError as error:
                raise AnsibleLookupError(f"{start}: {error}") from error
            found.append(str(target))
        return found
