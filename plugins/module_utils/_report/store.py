# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports on disk: written whole, the newest also under a fixed name, old ones let go."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._platform.files import (
    ensure_directory,
    write_atomic,
)

#: Names this module gives, and so the only ones it ever removes.
_REPORT = re.compile(
    r"^(\d{8}T\d{6}Z-[A-Za-z0-9_.]+(?:-[A-Za-z0-9_.]+)*-[0-9a-f]{6})\.(json|html)$"
)


def report_name(started: float, playbook: str, short: str) -> str:
    """C(20261121T061500Z-deploy-1a2b3c): sorts by time; C(short) is six hexadecimal digits."""
    moment = datetime.datetime.fromtimestamp(started, tz=datetime.timezone.utc)
    stem = os.path.splitext(os.path.basename(playbook))[0]
    safe = re.sub(r"[^A-Za-z0-9_]+", "-", stem).strip("-") or "run"
    return f"{moment:%Y%m%dT%H%M%SZ}-{safe}-{short}"


def outdated(names: Iterable[str], keep: int) -> list[str]:
    """The file names to remove so that C(keep) reports stay; 0 keeps all. Foreign files never."""
    stems: dict[str, list[str]] = {}
    for name in names:
        found = _REPORT.match(name)
        if found:
            stems.setdefault(found.group(1), []).append(name)
    old = sorted(stems, reverse=True)[keep:] if keep > 0 else []
    return sorted(name for stem in old for name in stems[stem])


def save(directory: str, name: str, document: Mapping[str, Any], page: str, keep: int) -> str:
    """Write both files and their C(latest) copies, let old ones go; returns the page's path."""
    ensure_directory(directory, 0o755)
    data = (json.dumps(document, indent=1, default=str, ensure_ascii=False) + "\n").encode("utf-8")
    html = page.encode("utf-8")
    for stem in (name, "latest"):
        write_atomic(os.path.join(directory, f"{stem}.json"), data)
        write_atomic(os.path.join(directory, f"{stem}.html"), html)
    for old in outdated(os.listdir(directory), keep):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(directory, old))
    return os.path.join(directory, f"{name}.html")
