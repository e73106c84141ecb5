# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manifests and lists of pgBackRest, and reading again what they promise.

Their form was observed on 2.45: sections of C(key=JSON), a SHA-1 over all of them at the end.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.client import (
    Programs,
    mask,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.reader import (
    Reader,
    Unreachable,
    decipher,
    expand,
    read_text,
    sha1_of,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.types import (
    CRITICAL,
    WARNING,
    Finding,
    Tablespace,
)

Sections = dict[str, dict[str, str]]
SUFFIXES = {"none": "", "gz": ".gz", "bz2": ".bz2", "lz4": ".lz4", "zst": ".zst"}
#: Files that are read at the same time. Reading from a bucket is waiting, mostly.
PARALLEL = 8
BROKEN = "take a full backup now; this one and what is built on it cannot be restored"


def path_of(stanza: str, label: str) -> str:
    """The manifest of a backup."""
    return f"backup/{stanza}/{label}/backup.manifest"


def parse(text: str) -> Sections:
    """Sections with their values as JSON text."""
    found: Sections = {}
    current: dict[str, str] = {}
    for line in text.splitlines():
        if line.startswith("[") and line.endswith("]") and "=" not in line:
            current = found.setdefault(line[1:-1], {})
        elif line:
            # A file's name may hold the sign itself; the value is JSON and begins behind the last
            # one that makes it valid.
            name, value = _split(line)
            current[name] = value
    return found


def _split(line: str) -> tuple[str, str]:
    place = line.find("=")
    while place >= 0:
        try:
            json.loads(line[place + 1 :])
        except ValueError:
            place = line.find("=", place + 1)
        else:
            return line[:place], line[place + 1 :]
    raise MainstayError("a line of the manifest cannot be read", found=mask(line)[:120])


def own_checksum(sections: Sections) -> str:
    """The checksum a file of this form should carry."""
    parts = []
    for section in sections:
        keys = {k: v for k, v in sections[section].items() if k != "backrest-checksum"}
        if keys:
            body = ",".join(f"{json.dumps(k)}:{v}" for k, v in keys.items())
            parts.append(f"{json.dumps(section)}:{{{body}}}")
    text = "{" + ",".join(parts) + "}"
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def verify_record(reader: Reader, path: str) -> list[Finding]:
    """Whether a list or manifest carries the right checksum."""
    try:
        sections = parse(read_text(reader, path))
    except Unreachable:
        raise
    except (MainstayError, UnicodeDecodeError) as error:
        return [Finding(CRITICAL, "record_damaged", path, str(error), "a list that can be read")]
    return _compare_own(sections, path)


def _compare_own(sections: Sections, path: str) -> list[Finding]:
    stored = json.loads(sections.get("backrest", {}).get("backrest-checksum", '""'))
    if not sections or stored != own_checksum(sections):
        found = f"checksum {own_checksum(sections)}"
        return [
            Finding(
                CRITICAL, "record_damaged", path, found, f"checksum {stored or 'in it'}", BROKEN
            )
        ]
    return []


@dataclass(frozen=True)
class Stored:
    """One file of a backup, as its manifest promises it. C(offset) is -1 outside a bundle."""

    name: str
    path: str
    size: int
    stored_size: int
    checksum: str
    stored_checksum: str
    #: What the name of a file ends in when it is compressed; one in a bundle has no name.
    suffix: str = ""
    offset: int = -1
    pages_fine: bool = True
    parts: bool = False
    #: The repository is one that pgBackRest encrypts.
    enciphered: bool = False


def files_of(sections: Sections, stanza: str, label: str) -> list[Stored]:
    """All files that a backup is made of, wherever they are."""
    options = sections.get("backup:option", {})
    compress = json.loads(options.get("option-compress-type", '"none"'))
    defaults = {k: json.loads(v) for k, v in sections.get("target:file:default", {}).items()}
    found = []
    for name, text in sections.get("target:file", {}).items():
        item = {**defaults, **json.loads(text)}
        stored = _stored(name, item, SUFFIXES.get(compress, ""), f"backup/{stanza}", label)
        found.append(replace(stored, enciphered="cipher" in sections))
    return found


def _stored(name: str, item: dict[str, Any], suffix: str, root: str, label: str) -> Stored:
    owner = item.get("reference") or label
    size = int(item.get("size", 0))
    bundle = item.get("bni")
    place = f"bundle/{bundle}" if bundle is not None else f"{name}{suffix}"
    return Stored(
        name=name,
        path=f"{root}/{owner}/{place}",
        size=size,
        stored_size=int(item.get("repo-size", size)),
        checksum=str(item.get("checksum", "")),
        stored_checksum=str(item.get("rck", "")),
        suffix=suffix,
        offset=int(item.get("bno", 0)) if bundle is not None else -1,
        pages_fine=item.get("checksum-page") is not False,
        parts="bims" in item,
    )


def tablespaces(sections: Sections) -> tuple[Tablespace, ...]:
    """The tablespaces of a backup, with the places they were at."""
    found = []
    for name, text in sections.get("backup:target", {}).items():
        item = json.loads(text)
        if item.get("tablespace-id"):
            found.append(
                Tablespace(
                    str(item["tablespace-id"]), str(item.get("tablespace-name", name)), item["path"]
                )
            )
    return tuple(found)


def verify(reader: Reader, stanza: str, label: str, programs: Programs) -> list[Finding]:
    """Read every file of a backup again, a few at a time."""
    path = path_of(stanza, label)
    try:
        sections = parse(read_text(reader, path))
    except Unreachable:
        raise
    except (MainstayError, UnicodeDecodeError) as error:
        return [
            Finding(CRITICAL, "manifest_damaged", path, str(error), "a manifest to read", BROKEN)
        ]
    found = _compare_own(sections, path)
    if found:
        return found
    files = [f for f in files_of(sections, stanza, label) if f.size > 0]
    groups: dict[str, list[Stored]] = {}
    for item in files:
        groups.setdefault(item.path, []).append(item)
    with ThreadPoolExecutor(PARALLEL) as pool:
        for part in pool.map(lambda g: _verify_group(reader, g, programs), groups.values()):
            found += part
    if not files:
        found.append(Finding(CRITICAL, "manifest_damaged", path, "no files", "files", BROKEN))
    return found


def _verify_group(reader: Reader, group: list[Stored], programs: Programs) -> list[Finding]:
    """Files of one bundle are read together."""
    first = group[0]
    # Without a stored checksum only the plain bytes can be compared.
    plain = any(not item.stored_checksum for item in group)
    read = reader.blocks if plain and first.offset < 0 else reader.stored
    try:
        if first.offset < 0:
            return _verify_one(first, read(first.path), programs)
        whole = b"".join(read(first.path))
    except Unreachable:
        raise
    except MainstayError as error:
        return [_damaged(item, f"{error.what} {error.found}".strip()) for item in group]
    found = []
    for item in group:
        piece = whole[item.offset : item.offset + item.stored_size]
        found += _verify_one(item, iter([piece]), programs)
    return found


def _verify_one(item: Stored, blocks: Iterator[bytes], programs: Programs) -> list[Finding]:
    found = []
    if not item.pages_fine:
        found.append(
            Finding(
                WARNING,
                "pages",
                item.name,
                "pages with a wrong checksum were copied",
                "none",
                "check the cluster's disk; restore this table from an older backup",
            )
        )
    try:
        if item.stored_checksum:
            seen, wanted = sha1_of(blocks), item.stored_checksum
        elif item.parts or (item.enciphered and item.offset >= 0):
            raise Unreachable(
                "a file in a bundle or in blocks cannot be read again without its checksum",
                subject=item.path,
                expected="files that were copied whole",
                next_step="set repo-block=n and repo-bundle=n in pgBackRest, take a full backup",
            )
        else:
            seen, wanted = sha1_of(expand(blocks, f"x{item.suffix}", programs)), item.checksum
    except Unreachable:
        raise
    except MainstayError as error:
        return [*found, _damaged(item, f"{error.what} {error.found}".strip())]
    if seen != wanted:
        found.append(_damaged(item, f"SHA-1 {seen}", f"SHA-1 {wanted}"))
    return found


def _damaged(item: Stored, found: str, expected: str = "") -> Finding:
    return Finding(CRITICAL, "backup_damaged", item.name, f"{item.path}: {found}", expected, BROKEN)


def read_file(
    reader: Reader, stanza: str, label: str, name: str, programs: Optional[Programs]
) -> bytes:
    """The uncompressed bytes of one file of a backup."""
    sections = parse(read_text(reader, path_of(stanza, label)))
    item = next((f for f in files_of(sections, stanza, label) if f.name == name), None)
    if item is None:
        raise MainstayError("the backup does not hold this file", subject=name, found=label)
    blocks = (reader.stored if item.offset >= 0 else reader.blocks)(item.path)
    if item.offset >= 0:
        whole = b"".join(blocks)
        piece = whole[item.offset : item.offset + item.stored_size]
        if item.enciphered:
            piece = decipher(piece, json.loads(sections["cipher"]["cipher-pass"]))
        blocks = iter([piece])
        compress = json.loads(sections["backup:option"].get("option-compress-type", '"none"'))
        return b"".join(expand(blocks, f"x{SUFFIXES[compress]}", programs))
    return b"".join(expand(blocks, item.path, programs))
