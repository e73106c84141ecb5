# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""C(${...}) in environment values: what they refer to, and whether it is there. Pure.

C(${secret:NAME}), C(${store:NAME.host}) and C(${store:NAME.port}) stay in the value and are
resolved on the target host; the others are plain facts of the description and are filled in here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

ANY = re.compile(r"\$\{([^}]*)\}?")
_FORM = re.compile(r"^(secret|store|platform):([A-Za-z0-9_-]+)(?:\.([a-z]+))?$")

STORE_FIELDS = ("host", "port", "database", "username")
#: Resolved on the target host, because only the release knows where the store runs.
LATE_STORE_FIELDS = ("host", "port")
PLATFORM_FIELDS = ("name", "stage", "domain")
FORMS = "${secret:NAME}, ${store:NAME.host|port|database|username}, ${platform:name|stage|domain}"


@dataclass(frozen=True)
class Reference:
    """One C(${kind:name.attribute}) as written in C(text); C(kind) is empty when it has no such
    form."""

    text: str
    kind: str = ""
    name: str = ""
    attribute: str = ""


def references(value: str) -> Iterator[Reference]:
    """All placeholders of C(value), in order."""
    for match in ANY.finditer(value):
        form = _FORM.match(match.group(1)) if match.group(0).endswith("}") else None
        if form is None:
            yield Reference(match.group(0))
        else:
            yield Reference(match.group(0), form.group(1), form.group(2), form.group(3) or "")


def fill(value: str, facts: dict[str, str]) -> str:
    """C(value) with the placeholders of C(facts) replaced; others are left as they are."""
    return ANY.sub(lambda match: facts.get(match.group(0), match.group(0)), value)
