# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of backups and dumps: made of the second they begin in, each later than all before it.

A label names and orders at the same time, so a second that is taken, or a clock that was put back,
gives the second after the newest label instead. The true times are in the record of the backup.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

_FORM = "%Y%m%d-%H%M%S"
#: Also of one that is not finished (C(.label)) or half removed (C(.label.expired)).
_LABEL = re.compile(r"^\.?(\d{8}-\d{6})[FL](?:\.expired)?$")
#: Others that may begin at the same moment; more than that is no race.
_TRIES = 100


def next_label(moment: datetime, known: Iterable[str], suffix: str) -> str:
    """The label of what begins at C(moment), behind all C(known) names."""
    newest = max((m.group(1) for m in map(_LABEL.match, known) if m), default="")
    mine = moment.astimezone(timezone.utc)
    if newest >= f"{mine:{_FORM}}":
        mine = datetime.strptime(newest, _FORM).replace(tzinfo=timezone.utc) + timedelta(seconds=1)
    return f"{mine:{_FORM}}{suffix}"


def claim(home: str, moment: datetime, suffix: str, own: Callable[[str], None]) -> str:
    """A free label below C(home), taken by making the hidden directory C(.label)."""
    os.makedirs(home, mode=0o700, exist_ok=True)
    for _try in range(_TRIES):
        label = next_label(moment, os.listdir(home), suffix)
        try:
            os.mkdir(os.path.join(home, f".{label}"), mode=0o700)
        except FileExistsError:
            continue  # somebody began in the same moment and was first
        own(os.path.join(home, f".{label}"))
        return label
    raise MainstayError("no label is free", subject=home, found=f"{_TRIES} are taken")


def leftovers(names: Iterable[str]) -> list[str]:
    """Hidden directories of backups that never got their name, or were half removed."""
    return sorted(name for name in names if name.startswith(".") and _LABEL.match(name))
