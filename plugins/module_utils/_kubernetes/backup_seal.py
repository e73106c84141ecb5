# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sealing what leaves the cluster: AES-256-GCM in pieces, so that it is never whole in memory.

Each piece has the number of its place and, the last one, a mark in its nonce, and the name of the
object as associated data: what was cut, put together anew, or put in another's place cannot be
opened. The keys come from the passphrase by scrypt with the salt of the backup.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

try:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
except ImportError:
    InvalidTag = AESGCM = None  # type: ignore[assignment,misc]

MAGIC = b"MSEAL1\n\x00"
PIECE = 1 << 20
TAG = 16
SALT = 16
_PREFIX = 7
#: Cost of scrypt: 32 MiB and about a tenth of a second (RFC 7914 names N, r and p).
_COST = {"n": 1 << 15, "r": 8, "p": 1, "maxmem": 1 << 26}
LEAST_KEY = 16


@dataclass(frozen=True)
class Keys:
    """One key for contents, one for the manifest."""

    content: bytes
    manifest: bytes

    def sign(self, document: bytes) -> str:
        """What proves that the manifest was written by somebody who has the key."""
        return hmac.new(self.manifest, document, hashlib.sha256).hexdigest()

    def signed(self, document: bytes, mark: str) -> bool:
        """True when C(mark) is that of L(sign)."""
        return hmac.compare_digest(self.sign(document), mark)


def key_problem(passphrase: str) -> str:
    """What is wrong with a passphrase; nothing when it will do."""
    if len(passphrase) < LEAST_KEY:
        return f"{len(passphrase)} characters, expected at least {LEAST_KEY}"
    if len(set(passphrase)) < 6:
        return "fewer than 6 different characters"
    return ""


def keys_of(passphrase: str, salt: bytes) -> Keys:
    """The keys of one backup."""
    if AESGCM is None:
        raise MainstayError(
            "the Python package cryptography is missing where this module runs",
            subject="cryptography",
            next_step="install it for the Python that Ansible uses there: pip install cryptography",
        )
    return _derived(passphrase, salt)


@functools.lru_cache(maxsize=8)
def _derived(passphrase: str, salt: bytes) -> Keys:
    found = hashlib.scrypt(passphrase.encode("utf-8"), salt=salt, dklen=64, **_COST)
    return Keys(found[:32], found[32:])


def new_salt() -> bytes:
    """For one backup."""
    return os.urandom(SALT)


def seal(keys: Keys, name: str, source: Iterable[bytes]) -> Iterator[bytes]:
    """C(source), sealed for the object C(name)."""
    cipher: Any = AESGCM(keys.content)
    prefix = os.urandom(_PREFIX)
    yield MAGIC + prefix
    number, held = 0, b""
    for data in source:
        held += data
        while len(held) > PIECE:
            yield cipher.encrypt(_nonce(prefix, number, False), held[:PIECE], name.encode())
            number, held = number + 1, held[PIECE:]
    yield cipher.encrypt(_nonce(prefix, number, True), held, name.encode())


def unseal(keys: Keys, name: str, source: Iterable[bytes]) -> Iterator[bytes]:
    """What was sealed. MainstayError when it is not whole, not for C(name) or not by this key."""
    cipher: Any = AESGCM(keys.content)
    held, prefix, number = b"", b"", 0
    for data in source:
        held += data
        if not prefix:
            if len(held) < len(MAGIC) + _PREFIX:
                continue
            if not held.startswith(MAGIC):
                raise _broken(name, "its first bytes are not those of a sealed object")
            prefix, held = held[len(MAGIC) : len(MAGIC) + _PREFIX], held[len(MAGIC) + _PREFIX :]
        while len(held) > PIECE + TAG:
            yield _open(cipher, prefix, number, False, held[: PIECE + TAG], name)
            number, held = number + 1, held[PIECE + TAG :]
    if not prefix or len(held) < TAG:
        raise _broken(name, "it ends too early")
    yield _open(cipher, prefix, number, True, held, name)


def _open(cipher: Any, prefix: bytes, number: int, last: bool, piece: bytes, name: str) -> bytes:
    try:
        opened: bytes = cipher.decrypt(_nonce(prefix, number, last), piece, name.encode())
    except InvalidTag as error:
        raise _broken(name, f"piece {number + 1} does not open") from error
    return opened


def _nonce(prefix: bytes, number: int, last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + (b"\x01" if last else b"\x00")


def _broken(name: str, found: str) -> MainstayError:
    return MainstayError(
        "the object of the backup cannot be opened",
        subject=name,
        found=found,
        expected="what was sealed with the encryption key that is given",
        next_step="look whether it is the right key; restore from another backup otherwise",
    )
