# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nginx configuration as nested lists, and its text. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Union

HEAD = "# Written by mainstay.platform; changes made here are lost with the next run.\n"


@dataclass(frozen=True)
class Block:
    """A directive with directives of its own: C(server), C(location /api/)."""

    name: str
    body: tuple[Line, ...]


#: A whole directive without its semicolon, or a block.
Line = Union[str, Block]


def block(name: str, *body: Union[Line, Sequence[Line]]) -> Block:
    """A block; lists among C(body) are spliced in."""
    return Block(name, tuple(flat(body)))


def flat(lines: Sequence[Union[Line, Sequence[Line]]]) -> list[Line]:
    """Lists among C(lines) spliced in."""
    found: list[Line] = []
    for line in lines:
        if isinstance(line, (str, Block)):
            found.append(line)
        else:
            found.extend(line)
    return found


def text(*lines: Union[Line, Sequence[Line]]) -> str:
    """The content of a configuration file."""
    return HEAD + "".join(_text(line, "") for line in flat(lines))


def quote(value: str) -> str:
    """C(value) as one quoted parameter in which nothing is special but variables."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def literal(value: str) -> str:
    """C(value) as one quoted parameter; a dollar sign stays one (see C($mainstay_dollar))."""
    return quote(value).replace("$", "${mainstay_dollar}")


def _text(line: Line, indent: str) -> str:
    if isinstance(line, str):
        end = "" if line.startswith("#") else ";"
        return f"{indent}{line}{end}\n"
    inner = "".join(_text(part, indent + "    ") for part in line.body)
    return f"{indent}{line.name} {{\n{inner}{indent}}}\n"
