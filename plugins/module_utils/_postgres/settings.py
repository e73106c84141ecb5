# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The include file of settings, and what a change of it asks of the server. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

_NAME = re.compile(r"^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?$")
_NUMBER = re.compile(r"^(-?[0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)$")
#: Units of the PostgreSQL documentation (Setting Parameters), as bytes and as milliseconds.
_SIZES = {"B": 1, "kB": 1024, "MB": 1024**2, "GB": 1024**3, "TB": 1024**4}
_TIMES = {"us": 0.001, "ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_TRUE, _FALSE = ("on", "true", "yes", "1"), ("off", "false", "no", "0")


def render(settings: Mapping[str, Any]) -> str:
    """Lines of C(postgresql.conf), sorted, every value quoted."""
    bad = sorted(name for name in settings if not _NAME.match(name))
    if bad:
        raise MainstayError(
            "not a name of a setting",
            subject=", ".join(bad),
            expected="lower case letters, digits and underscores",
            next_step="look at the names in pg_settings",
        )
    lines = (f"{name} = '{_escaped(_text(settings[name]))}'" for name in sorted(settings))
    return "".join(f"{line}\n" for line in lines)


def _text(value: Any) -> str:
    return ("on" if value else "off") if isinstance(value, bool) else str(value)


def _escaped(value: str) -> str:
    if "\n" in value:
        raise MainstayError("a setting has two lines", subject=value.splitlines()[0])
    return value.replace("\\", "\\\\").replace("'", "''")


def plan(wanted: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """C({changed, restart, reload, unknown, sentences, needs}) of what the server does now.

    C(rows) are those of C(pg_settings); with none (no server yet) everything is new and nothing
    has to be restarted.
    """
    known = {str(row["name"]): row for row in rows}
    restart: list[str] = []
    reload: list[str] = []
    sentences: list[str] = []
    unknown: list[str] = []
    for name in sorted(wanted):
        row, value = known.get(name), _text(wanted[name])
        if row is None:
            # Settings of a library are known only once it is loaded.
            if known and "." not in name:
                unknown.append(name)
            continue
        if same(value, str(row["setting"]), str(row.get("unit") or "")):
            continue
        needs_restart = row.get("context") == "postmaster"
        (restart if needs_restart else reload).append(name)
        now = f"{row['setting']}{' x ' + row['unit'] if row.get('unit') else ''}"
        sentences.append(
            f"{name}: {now} -> {value}" + (" (restarts the server)" if needs_restart else "")
        )
    if unknown:
        raise MainstayError(
            "settings that this version of PostgreSQL does not know",
            subject=", ".join(unknown),
            next_step="take them out, or correct their names",
        )
    needs = "restart" if restart else ("reload" if reload else "nothing")
    return {
        "changed": sorted([*restart, *reload]),
        "restart": restart,
        "reload": reload,
        "sentences": sentences,
        "needs": needs,
    }


def same(wanted: str, now: str, unit: str) -> bool:
    """Whether two ways to write a value mean the same; C(unit) is that of C(now)."""
    if wanted == now:
        return True
    for words in (_TRUE, _FALSE):
        if wanted.lower() in words and now.lower() in words:
            return True
    left, right = _quantity(wanted, unit), _quantity(now, unit)
    if left is None or right is None:
        return _words(wanted) == _words(now)
    # A size that is no whole number of units is rounded by the server.
    step = float(_factor(unit) or 0.0)
    return abs(left - right) < max(step, 1e-9) if step else abs(left - right) < 1e-9


def _words(value: str) -> list[str]:
    return re.sub(r"\s*,\s*", ", ", value.strip().strip('"')).split()


def _quantity(value: str, unit: str) -> Optional[float]:
    match = _NUMBER.match(value.strip())
    if match is None:
        return None
    number, own = float(match.group(1)), match.group(2)
    factor = _factor(own or unit)
    return None if factor is None else number * factor


def _factor(unit: str) -> Optional[float]:
    """What one of C(unit) is; C(8kB) and C(16MB) are units too. 1 without a unit."""
    match = re.match(r"^([0-9]*)([A-Za-z]*)$", unit)
    if match is None:
        return None
    count = float(match.group(1) or 1)
    base = {**_SIZES, **_TIMES, "": 1}.get(match.group(2))
    return None if base is None else count * base
