# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The document that says where the edge sends requests: checked and compared. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

#: Names that can be part of a cookie name, a header name or a log line without quoting.
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
#: Nginx reads a cookie by the variable C($cookie_NAME), which allows no other characters.
_COOKIE = re.compile(r"[A-Za-z0-9_]{1,64}")

Document = dict[str, Any]


def normalise(upstreams: Mapping[str, Any]) -> Document:
    """C(upstreams) with every key present; raises one L(MainstayError) with all problems."""
    problems: list[str] = []
    found = {
        str(name): _upstream(str(name), spec, problems) for name, spec in sorted(upstreams.items())
    }
    if problems:
        raise MainstayError(
            "the document for the edge is not valid; nothing was changed",
            subject="upstreams",
            found=f"{len(problems)} problem{'s' if len(problems) > 1 else ''}",
            expected="service: groups of release, share and members with a numeric address",
            evidence=tuple(problems),
        )
    return found


def addresses(upstreams: Document) -> set[str]:
    """Every member of every group."""
    return {
        member["address"]
        for upstream in upstreams.values()
        for group in upstream.get("groups") or []
        for member in group.get("members") or []
    }


def parse_address(text: str) -> Optional[tuple[str, int]]:
    """Host and port of C(10.0.0.1:80) or C([::1]:80); C(None) when it is neither."""
    host, _colon, port = text.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return None
    if (address.version == 6) != host.startswith("["):
        return None
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        return None
    return str(address), int(port)


def render(upstreams: Document) -> str:
    """The document as lines for a diff: one a group, with shares as they take effect."""
    return "".join(f"{line}\n" for line in _lines(upstreams))


def sentences(before: Document, after: Document) -> list[str]:
    """What a change does, one sentence a service."""
    return [
        _sentence(name, before.get(name), after.get(name))
        for name in sorted(set(before) | set(after))
        if before.get(name) != after.get(name)
    ]


def _sentence(name: str, before: Optional[Document], after: Optional[Document]) -> str:
    if after is None:
        return f"stop sending requests to {name}"
    if before is None:
        return f"start sending requests to {name}: {_shares(after)}"
    return f"send {name}: {_shares(after)} (was {_shares(before)})"


def _shares(upstream: Document) -> str:
    groups = upstream["groups"]
    total = sum(group["share"] for group in groups)
    parts = [
        f"{_percent(group['share'], total)} to {group['release']} ({len(group['members'])})"
        for group in groups
    ]
    return ", ".join(parts) or "no members"


def _percent(share: float, total: float) -> str:
    return f"{100.0 * share / total if total else 0.0:.4g} %"


def _lines(upstreams: Document) -> Iterator[str]:
    for name, upstream in sorted(upstreams.items()):
        sticky, preview = upstream.get("sticky"), upstream.get("preview")
        yield f"{name}:"
        total = sum(group["share"] for group in upstream["groups"])
        for group in upstream["groups"]:
            members = ", ".join(_member_text(m) for m in group["members"])
            yield f"  {_percent(group['share'], total)} {group['release']}: {members or 'nobody'}"
        if sticky:
            yield f"  sticky by {sticky['cookie']} for {sticky['max_age']} s"
        if preview:
            yield f"  preview of {preview['release']} by {preview['header']}"


def _member_text(member: Document) -> str:
    weight = member["weight"]
    return str(member["address"]) if weight == 1 else f"{member['address']} weight {weight}"


def _upstream(name: str, spec: Any, problems: list[str]) -> Document:
    if not _TOKEN.fullmatch(name):
        problems.append(f"{name!r}: not a name of a service")
    if not _keys(name, spec, {"groups", "sticky", "preview"}, problems):
        return {"groups": [], "sticky": None, "preview": None}
    groups = [
        _group(f"{name}.groups[{index}]", group, problems)
        for index, group in enumerate(spec.get("groups") or [])
    ]
    releases = [group["release"] for group in groups]
    for release in sorted({r for r in releases if releases.count(r) > 1}):
        problems.append(f"{name}: release {release} has more than one group")
    return {
        "groups": groups,
        "sticky": _sticky(f"{name}.sticky", spec.get("sticky"), problems),
        "preview": _preview(f"{name}.preview", spec.get("preview"), releases, problems),
    }


def _group(path: str, spec: Any, problems: list[str]) -> Document:
    if not _keys(path, spec, {"release", "share", "members"}, problems):
        return {"release": "", "share": 0.0, "members": []}
    release = str(spec.get("release") or "")
    if not _TOKEN.fullmatch(release):
        problems.append(f"{path}.release: {release!r} is not a release id")
    share = _number(f"{path}.share", spec.get("share", 100.0), 0.0, 1e6, problems)
    members = [
        _member(f"{path}.members[{index}]", member, problems)
        for index, member in enumerate(spec.get("members") or [])
    ]
    return {"release": release, "share": share, "members": members}


def _member(path: str, spec: Any, problems: list[str]) -> Document:
    if not _keys(path, spec, {"address", "weight"}, problems):
        return {"address": "", "weight": 1}
    address = str(spec.get("address") or "")
    if parse_address(address) is None:
        problems.append(f"{path}.address: {address!r} is not a numeric address with a port")
    weight = int(_number(f"{path}.weight", spec.get("weight", 1), 1, 1000, problems))
    return {"address": address, "weight": weight}


def _sticky(path: str, spec: Any, problems: list[str]) -> Optional[Document]:
    if spec is None or not _keys(path, spec, {"cookie", "max_age"}, problems):
        return None
    cookie = str(spec.get("cookie") or "")
    if not _COOKIE.fullmatch(cookie):
        problems.append(f"{path}.cookie: {cookie!r} is not letters, digits and underscores")
    age = int(_number(f"{path}.max_age", spec.get("max_age", 3600), 1, 31536000, problems))
    return {"cookie": cookie, "max_age": age}


def _preview(path: str, spec: Any, releases: list[str], problems: list[str]) -> Optional[Document]:
    if spec is None or not _keys(path, spec, {"header", "release"}, problems):
        return None
    header, release = str(spec.get("header") or ""), str(spec.get("release") or "")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,63}", header):
        problems.append(f"{path}.header: {header!r} is not a name of a header")
    if release not in releases:
        problems.append(f"{path}.release: {release!r} has no group")
    return {"header": header, "release": release}


def _keys(path: str, spec: Any, known: set[str], problems: list[str]) -> bool:
    if not isinstance(spec, Mapping):
        problems.append(f"{path}: not a dictionary")
        return False
    unknown = sorted(str(key) for key in set(spec) - known)
    if unknown:
        problems.append(f"{path}: unknown key {', '.join(unknown)}")
    return True


def _number(path: str, value: Any, least: float, most: float, problems: list[str]) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if isinstance(value, bool) or not least <= number <= most:
        problems.append(f"{path}: {value!r} is not a number from {least:g} to {most:g}")
        return least
    return number
