# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTML that cannot be built wrong: every text is escaped unless it was made by L(el)."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Union

Child = Union[str, Iterable["Child"], None]

_VOID = frozenset({"meta", "link", "br"})


class Markup(str):
    """A piece of finished HTML."""

    __slots__ = ()


def el(tag: str, *children: Child, **attributes: object) -> Markup:
    """One element. C(cls) is the class, C(_) in names becomes C(-); C(None) leaves one out."""
    named = "".join(
        f' {_name(key)}="{html.escape(str(value), quote=True)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if tag in _VOID:
        return Markup(f"<{tag}{named}>")
    return Markup(f"<{tag}{named}>{join(children)}</{tag}>")


def join(children: Child) -> Markup:
    """Children one after the other, each escaped unless finished."""
    if children is None:
        return Markup("")
    if isinstance(children, Markup):
        return children
    if isinstance(children, str):
        return Markup(html.escape(children, quote=False))
    return Markup("".join(join(child) for child in children))


def _name(key: str) -> str:
    return {"cls": "class"}.get(key, key.rstrip("_").replace("_", "-"))
